//! What a database says of itself, read past the engine.

use syncline::log::{Cursor, LaneHash, Tip, VersionVector};
use syncline::value::canonical::Reader;
use syncline::{Backend, Object, ReplicaId};

use crate::disk::all;

/// The bookkeeping of one database.
#[derive(Debug)]
pub(crate) struct Durable {
    pub(crate) replica: ReplicaId,
    pub(crate) frozen: Tip,
    /// Own entries that are not cleaned away: number and bytes.
    pub(crate) own: Vec<(u64, Vec<u8>)>,
    pub(crate) lanes: Vec<LaneRow>,
    pub(crate) remotes: Vec<RemoteRow>,
}

/// How far another lane, or a branch, is received and applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LaneRow {
    pub(crate) id: String,
    pub(crate) received: Tip,
    pub(crate) applied: Tip,
    /// Numbers below `applied` that are parked.
    pub(crate) except: Vec<(u64, u64)>,
    /// A branch begins behind this number.
    pub(crate) root: u64,
}

/// What is known of a shared log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteRow {
    pub(crate) name: String,
    pub(crate) replica: String,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) acknowledged: VersionVector,
    pub(crate) shared: u64,
}

impl Durable {
    /// Reads it; nothing while there is no client log yet. An error tells what is broken.
    pub(crate) fn read(raw: &dyn Backend) -> Result<Option<Self>, String> {
        let heads = all(raw, "sync_head");
        let Some(head) = heads.first() else { return Ok(None) };
        let replica: ReplicaId = text(head, "replica")?.parse().map_err(|_| broken("replica"))?;
        let entry = |row: &Object| Ok((number(row, "seq")?, bytes(row, "entry")?.to_vec()));
        let lanes = all(raw, "sync_lane");
        let remotes = all(raw, "sync_remote");
        Ok(Some(Self {
            replica,
            frozen: tip(head, replica, "frozen")?,
            own: all(raw, "sync_entry").iter().map(entry).collect::<Result<_, String>>()?,
            lanes: lanes.iter().map(lane).collect::<Result<_, _>>()?,
            remotes: remotes.iter().map(remote).collect::<Result<_, _>>()?,
        }))
    }

    /// Whether everything up to a place is stored.
    pub(crate) fn has(&self, place: &Tip, leads: impl Fn(&Tip, &Tip) -> bool) -> bool {
        leads(place, &self.frozen) || self.lanes.iter().any(|lane| leads(place, &lane.received))
    }
}

fn lane(row: &Object) -> Result<LaneRow, String> {
    let id = text(row, "id")?.to_owned();
    let replica = text(row, "replica")?.parse().map_err(|_| broken("replica"))?;
    let mut except = Vec::new();
    let mut reader = Reader::new(bytes(row, "except")?);
    while reader.left() > 0 {
        let range = reader.number().and_then(|first| Ok((first, reader.number()?)));
        except.push(range.map_err(|_| broken("except"))?);
    }
    let root = id.split('~').nth(1).and_then(|seq| seq.parse().ok()).unwrap_or(0);
    let (received, applied) = (tip(row, replica, "received")?, tip(row, replica, "applied")?);
    Ok(LaneRow { id, received, applied, except, root })
}

fn remote(row: &Object) -> Result<RemoteRow, String> {
    let known = row.value("acknowledged").as_bytes().map(VersionVector::from_bytes);
    Ok(RemoteRow {
        name: text(row, "id")?.to_owned(),
        replica: text(row, "replica")?.to_owned(),
        cursor: row.value("cursor").as_bytes().map(|bytes| Cursor(bytes.to_vec())),
        acknowledged: known.transpose().map_err(|error| error.to_string())?.unwrap_or_default(),
        shared: number(row, "shared")?,
    })
}

fn tip(row: &Object, replica: ReplicaId, field: &str) -> Result<Tip, String> {
    let hash_field = format!("{field}_hash");
    let hash = bytes(row, &hash_field)?.try_into().map_err(|_| broken(field))?;
    Ok(Tip { replica, seq: number(row, field)?, hash: LaneHash(hash) })
}

fn number(row: &Object, field: &str) -> Result<u64, String> {
    let number = row.value(field).as_int().and_then(|int| u64::try_from(int).ok());
    number.ok_or_else(|| broken(field))
}

fn text<'a>(row: &'a Object, field: &str) -> Result<&'a str, String> {
    row.value(field).as_text().ok_or_else(|| broken(field))
}

fn bytes<'a>(row: &'a Object, field: &str) -> Result<&'a [u8], String> {
    row.value(field).as_bytes().ok_or_else(|| broken(field))
}

fn broken(field: &str) -> String {
    format!("the bookkeeping's field `{field}` is broken")
}
