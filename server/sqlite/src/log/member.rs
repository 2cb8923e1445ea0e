//! Members: who is in a group, and what they acknowledged.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use syncline_core::log::{LaneHash, Peer, Tip, VersionVector};
use syncline_core::{Group, ReplicaId};

use super::lane::{heads, seq};
use crate::error::{Result, StoreError};
use crate::group::{GroupRow, rows};

/// Whether nothing has to be written to make this replica known, and to know what it acknowledged.
pub(crate) fn is_known(
    connection: &Connection,
    group: i64,
    replica: ReplicaId,
    join: bool,
    acknowledge: Option<&VersionVector>,
) -> Result<bool> {
    if !join && acknowledge.is_none() {
        return Ok(true);
    }
    let mut statement = connection.prepare_cached(
        "SELECT acknowledged FROM hub_member WHERE group_id = ?1 AND replica = ?2",
    )?;
    let known = statement.query_row((group, replica.0), |row| row.get::<_, Option<Vec<u8>>>(0));
    Ok(known.optional()?.is_some_and(|acknowledged| match acknowledge {
        Some(acknowledge) => acknowledged.as_deref() == Some(&acknowledge.to_bytes()),
        None => true,
    }))
}

/// Makes a replica known, and keeps what it acknowledged.
pub(crate) fn keep(
    connection: &Connection,
    group: i64,
    replica: ReplicaId,
    acknowledge: Option<&VersionVector>,
    limit: u64,
) -> Result<()> {
    let is_new = !is_known(connection, group, replica, true, None)?;
    let count = "SELECT count(*) FROM hub_member WHERE group_id = ?1";
    if is_new && rows(connection, count, [group])? >= limit {
        return Err(StoreError::TooManyReplicas { limit });
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO hub_member VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE \
         SET acknowledged = coalesce(excluded.acknowledged, acknowledged)",
    )?;
    let _ = statement.execute((group, replica.0, acknowledge.map(VersionVector::to_bytes)))?;
    Ok(())
}

/// The members of a group, sorted.
pub(crate) fn peers(connection: &Connection, group: &Group) -> Result<Vec<Peer>> {
    let Some(row) = GroupRow::find(connection, group)? else { return Ok(Vec::new()) };
    let peer =
        |replica| Peer { replica, heads: Vec::new(), acknowledged: VersionVector::default() };
    let mut peers = BTreeMap::new();
    let mut statement = connection.prepare_cached(
        "SELECT replica, is_plain, seq, hash, id FROM hub_lane WHERE group_id = ?1",
    )?;
    let mut lanes = statement.query([row.id])?;
    while let Some(lane) = lanes.next()? {
        let replica = ReplicaId(lane.get(0)?);
        let heads = if lane.get(1)? {
            vec![Tip { replica, seq: seq(lane, 2)?, hash: LaneHash(lane.get(3)?) }]
        } else {
            heads(connection, lane.get(4)?, replica)?.into_iter().collect()
        };
        let _ = peers.insert(replica, Peer { heads, ..peer(replica) });
    }
    let mut statement = connection
        .prepare_cached("SELECT replica, acknowledged FROM hub_member WHERE group_id = ?1")?;
    let mut members = statement.query([row.id])?;
    while let Some(member) = members.next()? {
        let replica = ReplicaId(member.get(0)?);
        let known = peers.entry(replica).or_insert_with(|| peer(replica));
        if let Some(bytes) = member.get_ref(1)?.as_blob_or_null().map_err(rusqlite::Error::from)? {
            known.acknowledged = VersionVector::from_bytes(bytes)?;
        }
    }
    Ok(peers.into_values().collect())
}
