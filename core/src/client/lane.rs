//! What is received and applied of another replica's lane.

use super::collections::{LANE, SEGMENT, blob, bytes, change, hash, int, number, put, text};
use crate::log::{Context, Known, LaneHash, Span, Tip};
use crate::value::canonical::{Reader, put_number};
use crate::{Object, ReplicaId, Result, Step};

/// What is received and applied of one lane, or of one branch of a forked lane.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// The replica, and for a branch the place it left and the hash behind its first segment.
    pub id: String,
    pub replica: ReplicaId,
    /// Up to here everything is stored.
    pub received: u64,
    pub received_hash: LaneHash,
    /// Up to here everything is applied, except the exceptions.
    pub applied: u64,
    pub applied_hash: LaneHash,
    /// Batches below `applied` that are parked.
    pub except: Vec<(u64, u64)>,
    /// What the lane's writer had applied, as of `applied`.
    pub context: Context,
    /// Whether this database wrote the lane, under an earlier id: nobody else may have it.
    pub mine: bool,
    /// Whether storage has a row for it.
    pub stored: bool,
}

impl Lane {
    /// A lane of which nothing is received beyond a place.
    pub fn behind(root: Tip, branch: Option<LaneHash>) -> Self {
        let id = match branch {
            None => root.replica.to_string(),
            // Two branches may come to the same entries, cut in another way: the hash alone would not do.
            Some(hash) => format!("{}~{}~{hash}", root.replica, root.seq),
        };
        Self {
            id,
            replica: root.replica,
            received: root.seq,
            received_hash: root.hash,
            applied: root.seq,
            applied_hash: root.hash,
            except: Vec::new(),
            context: Context::default(),
            mine: false,
            stored: false,
        }
    }

    /// The place up to which everything is stored.
    pub fn tip(&self) -> Tip {
        Tip { replica: self.replica, seq: self.received, hash: self.received_hash }
    }

    /// What is applied of it.
    pub fn known(&self) -> Known {
        Known { seq: self.applied, hash: self.applied_hash, except: self.except.clone() }
    }

    /// Reads a stored row.
    pub fn from_row(row: &Object) -> Result<Self> {
        Ok(Self {
            id: text(row, "id")?.to_owned(),
            replica: text(row, "replica")?.parse()?,
            received: number(row, "received")?,
            received_hash: hash(row, "received_hash")?,
            applied: number(row, "applied")?,
            applied_hash: hash(row, "applied_hash")?,
            except: read_ranges(bytes(row, "except")?)?,
            context: Context::from_bytes(bytes(row, "context")?)?,
            mine: row.value("mine").as_bool().unwrap_or_default(),
            stored: true,
        })
    }

    /// A step that stores it.
    pub fn store(&mut self) -> Step {
        let row = Object::new()
            .with("applied", int(self.applied))
            .with("applied_hash", blob(&self.applied_hash.0))
            .with("context", blob(&self.context.to_bytes()))
            .with("except", range_bytes(&self.except))
            .with("mine", self.mine)
            .with("received", int(self.received))
            .with("received_hash", blob(&self.received_hash.0));
        if std::mem::replace(&mut self.stored, true) {
            return change(&LANE, self.id.as_str(), row);
        }
        put(&LANE, row.with("id", self.id.as_str()).with("replica", self.replica.to_string()))
    }

    /// Notes that a batch is parked; ranges stay sorted and touching ones become one.
    pub fn park(&mut self, first: u64, last: u64) {
        self.except.push((first, last));
        self.except.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, last) in self.except.drain(..) {
            match joined.last_mut() {
                Some((_, end)) if first <= *end + 1 => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        self.except = joined;
    }

    /// Notes that a parked batch is applied after all.
    pub fn unpark(&mut self, first: u64, last: u64) {
        let cut = |(a, b): (u64, u64)| {
            let before = (a < first).then(|| (a, b.min(first - 1)));
            let behind = (b > last).then(|| (a.max(last + 1), b));
            if b < first || a > last { [Some((a, b)), None] } else { [before, behind] }
        };
        self.except = self.except.drain(..).flat_map(cut).flatten().collect();
    }
}

/// A step that stores a segment of a lane; without bytes, only which run of the lane it was.
pub(crate) fn store_segment(lane: &str, span: &Span, bytes: Option<&[u8]>) -> Step {
    let row = Object::new()
        .with("after", blob(&span.after.0))
        .with("before", blob(&span.before.0))
        .with("bytes", bytes.map(blob))
        .with("first", int(span.first))
        .with("lane", lane)
        .with("last", int(span.last));
    put(&SEGMENT, row)
}

fn range_bytes(ranges: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (first, last) in ranges {
        put_number(&mut out, *first);
        put_number(&mut out, *last);
    }
    out
}

fn read_ranges(bytes: &[u8]) -> Result<Vec<(u64, u64)>> {
    let mut reader = Reader::new(bytes);
    let mut ranges = Vec::new();
    while reader.left() > 0 {
        ranges.push((reader.number()?, reader.number()?));
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parked_ranges_join_and_come_apart() {
        let mut lane = Lane::behind(
            Tip { replica: ReplicaId::default(), seq: 0, hash: LaneHash::default() },
            None,
        );
        lane.park(5, 6);
        lane.park(9, 9);
        lane.park(7, 8);
        assert_eq!(lane.except, [(5, 9)]);
        lane.unpark(7, 8);
        assert_eq!(lane.except, [(5, 6), (9, 9)]);
        lane.unpark(5, 6);
        assert_eq!(lane.except, [(9, 9)]);
        assert_eq!(read_ranges(&range_bytes(&lane.except)).unwrap(), lane.except);
    }
}
