//! Cleaning up: what every member has received need not be kept; what lost is told and forgotten.

use serde_json::{Value as Json, json};

use super::{Session, SyncEvent};
use crate::bug::{self, Bug};
use crate::client::{
    CUT, ClientLog, DISCARD, ENTRY, HISTORY, Head, REMOTE, SEGMENT, find, int, is_overtaken,
    number, put, text,
};
use crate::id::{hex, unhex};
use crate::merge::{Author, Discard, History};
use crate::value::canonical::{Reader, put_key, put_value};
use crate::{Error, Filter, Name, Object, Result, Step, Value};

/// After so many milliseconds, a log that is far is asked for its members again.
const ASK_MILLIS: u64 = 10 * 60_000;

impl Session<'_> {
    /// Removes own entries and bytes of segments that every member has acknowledged, at every log this
    /// database syncs with. Histories keep what later answers need.
    pub(super) async fn clean_up(&mut self) -> Result<()> {
        let mut head = self.log.head().await?;
        if bug::is(Bug::TombstonesExpire) {
            self.expire_tombstones().await?;
        }
        let oldest = self.log.find(find(&ENTRY, Filter::All).limit(1)).await?;
        let Some(oldest) = oldest.objects.first() else { return Ok(()) };
        let oldest = number(oldest, "seq")?;
        let settled = head.frozen.min(self.remote.shared);
        let worth_it = self.options.clean_up_entries;
        if settled < oldest + worth_it {
            return Ok(());
        }
        if !self.asks_for_peers(settled) {
            return Ok(());
        }
        let mut peers = self.shared.peers().await?;
        peers.retain(|peer| peer.replica != head.replica);
        let acknowledged = |peer: &crate::log::Peer| {
            let ours = peer.acknowledged.of(head.replica);
            ours.map(|tip| tip.seq).filter(|seq| *seq <= head.frozen).max().unwrap_or(0)
        };
        self.remote.peers =
            peers.iter().map(|peer| (peer.replica.to_string(), acknowledged(peer))).collect();
        self.dirty = true;
        let mut floor = self.remote.peers.values().copied().min().unwrap_or(0).min(settled);
        for row in self.log.find_all(find(&REMOTE, Filter::All)).await? {
            let other = super::Remote::from_row(&row)?;
            if other.name() != self.remote.name() {
                floor = floor.min(other.peers.values().copied().min().unwrap_or(0));
            }
        }
        let floor = self.end_of_cut(floor).await?;
        if floor < oldest + worth_it {
            return Ok(());
        }
        // Whoever receives nothing has folded nothing.
        if head.folded < floor {
            match self.fold_now().await {
                Err(error) if is_overtaken(&error) => return Ok(()),
                // Under another id these numbers are other entries.
                Ok(folded) if folded.replica != head.replica => return Ok(()),
                folded => head = folded?,
            }
        }
        let gone = Filter::lte("seq", int(floor));
        let collection = (*ENTRY).clone();
        // Guarded: by now another process may have taken a new id, and these numbers be other entries.
        let mut steps = vec![head.guard(), Step::Delete { collection, filter: gone, limit: None }];
        steps.extend(self.acknowledged_segments(&peers).await?);
        if bug::is(Bug::CleaningForgetsStamps) {
            let (collection, filter) = ((*HISTORY).clone(), Filter::All);
            steps.push(Step::Delete { collection, filter, limit: None });
        }
        match self.log.write(steps).await {
            Err(error) if is_overtaken(&error) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Folds all cut entries.
    async fn fold_now(&mut self) -> Result<Head> {
        let log = self.log;
        let mut cached = log.lock().await;
        let mut head = log.loaded(&mut cached).await?.clone();
        *cached = None;
        let before = head.rev;
        log.fold(&mut head).await?;
        self.moved_on(before, &head);
        *cached = Some(head.clone());
        Ok(head)
    }

    /// Whether to ask for what others acknowledged. A log that is far is asked when more can have become of
    /// it than when it was last asked: more entries that may go, or more time.
    fn asks_for_peers(&mut self, settled: u64) -> bool {
        if !self.shared.is_far() {
            return true;
        }
        let now = self.log.now();
        let is_due = self.remote.asked.is_none_or(|(then, at)| {
            settled >= then.saturating_add(self.options.clean_up_entries)
                || now.abs_diff(at) >= ASK_MILLIS
        });
        if is_due {
            self.remote.asked = Some((settled, now));
            self.dirty = true;
        }
        is_due
    }

    /// Forgets what [`Bug::TombstonesExpire`] forgets.
    async fn expire_tombstones(&self) -> Result<()> {
        for row in self.log.find_all(find(&HISTORY, Filter::All)).await? {
            let state = crate::client::bytes(&row, "state")?;
            let needs_row = History::needs_row(state);
            let history = if needs_row { None } else { History::from_bytes(state, None)? };
            if history.is_some_and(|history| history.was_deleted() && !history.exists()) {
                let filter = Filter::key(row.value("id").clone());
                let collection = (*HISTORY).clone();
                let gone = Step::Delete { collection, filter, limit: None };
                let _ = self.log.write(vec![gone]).await?;
            }
        }
        Ok(())
    }

    /// The end of the last whole cut up to a place: of a segment, either all entries are kept or none, so
    /// that it can be sent again as it was.
    async fn end_of_cut(&self, up_to: u64) -> Result<u64> {
        let cuts = find(&CUT, Filter::lte("last", int(up_to)));
        let last = cuts.order_by("first", crate::Direction::Descending).limit(1);
        let last = self.log.find(last).await?.objects;
        last.first().map_or(Ok(0), |cut| number(cut, "last"))
    }

    /// Steps that drop the bytes of segments which are applied and which everybody has.
    async fn acknowledged_segments(&self, peers: &[crate::log::Peer]) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for lane in self.lanes.values().filter(|lane| lane.except.is_empty() && !lane.mine) {
            let others = peers.iter().filter(|peer| peer.replica != lane.replica);
            let theirs = others.map(|peer| {
                let of_lane = peer.acknowledged.of(lane.replica);
                of_lane.map(|tip| tip.seq).max().unwrap_or(0)
            });
            let floor = theirs.min().unwrap_or(lane.applied).min(lane.applied);
            let gone = Filter::eq("lane", lane.id.as_str())
                .and(Filter::lte("last", int(floor)))
                .and(Filter::ne("bytes", Value::Null));
            let collection = (*SEGMENT).clone();
            let changes = Object::new().with("bytes", Value::Null);
            steps.push(Step::Update { collection, filter: gone, changes });
        }
        Ok(steps)
    }

    /// Tells the observer what lost, and forgets it; without one it waits.
    pub(super) async fn tell_discards(&mut self) -> Result<()> {
        if self.options.observer.is_none() {
            return Ok(());
        }
        for (id, discards) in stored_discards(self.log).await? {
            self.options.tell(SyncEvent::Discarded(discards));
            forget_discards(self.log, id).await?;
        }
        Ok(())
    }
}

/// Forgets what one batch discarded.
pub(super) async fn forget_discards(log: &ClientLog, id: String) -> Result<()> {
    let (collection, filter) = ((*DISCARD).clone(), Filter::key(id));
    log.write(vec![Step::Delete { collection, filter, limit: None }]).await.map(drop)
}

/// A step that stores what one batch discarded.
pub(super) fn store_discards(head: &Head, discards: &[Discard]) -> Step {
    let all: Json = discards.iter().map(discard_to_json).collect();
    let id = format!("{:016}", head.rev);
    put(&DISCARD, Object::new().with("id", id).with("values", Value::Json(all)))
}

/// What is stored, oldest first.
pub(super) async fn stored_discards(log: &ClientLog) -> Result<Vec<(String, Vec<Discard>)>> {
    let mut stored = Vec::new();
    for row in log.find_all(find(&DISCARD, Filter::All)).await? {
        let Value::Json(Json::Array(all)) = row.value("values") else { continue };
        let discards = all.iter().map(discard_from_json).collect::<Option<Vec<_>>>();
        let discards = discards.ok_or_else(|| Error::corrupt("a stored discard is broken"))?;
        stored.push((text(&row, "id")?.to_owned(), discards));
    }
    Ok(stored)
}

fn packed(put: impl FnOnce(&mut Vec<u8>)) -> Json {
    let mut out = Vec::new();
    put(&mut out);
    hex(&out).into()
}

fn discard_to_json(discard: &Discard) -> Json {
    json!({
        "collection": &*discard.collection,
        "key": packed(|out| put_key(out, &discard.key)),
        "field": discard.field.as_deref(),
        "lost": packed(|out| put_value(out, &discard.lost)),
        "loser": packed(|out| discard.loser.put(out)),
        "winner": packed(|out| discard.winner.put(out)),
        "concurrent": discard.concurrent,
    })
}

fn discard_from_json(json: &Json) -> Option<Discard> {
    let unpacked = |name: &str| unhex(json[name].as_str()?);
    let author = |name: &str| Author::read(&mut Reader::new(&unpacked(name)?)).ok();
    Some(Discard {
        collection: Name::from(json["collection"].as_str()?),
        key: Reader::new(&unpacked("key")?).key().ok()?,
        field: json["field"].as_str().map(Name::from),
        lost: Reader::new(&unpacked("lost")?).value().ok()?,
        loser: author("loser")?,
        winner: author("winner")?,
        concurrent: json["concurrent"].as_bool()?,
    })
}
