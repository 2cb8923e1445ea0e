//! One lane: where it ends, and which of its segments are held.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};
use syncline_core::ReplicaId;
use syncline_core::log::{LaneHash, Receipt, Span, Tip};

use crate::error::{Result, StoreError};

/// A lane, with what an append adds to it.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    /// Its row, once it has one.
    pub(crate) id: Option<i64>,
    /// Whether each of its segments goes on where the one before it ended. Then it has one end, and its segments
    /// are numbered in their order.
    pub(crate) is_plain: bool,
    /// Where it ends: one place for each branch.
    pub(crate) heads: BTreeSet<Tip>,
    spans: BTreeSet<Span>,
    roots: BTreeSet<Tip>,
    tips: BTreeSet<Tip>,
}

impl Lane {
    /// A lane as it is held, or an empty one.
    pub(crate) fn load(connection: &Connection, group: i64, replica: ReplicaId) -> Result<Self> {
        let mut lane = Self {
            id: None,
            is_plain: true,
            heads: BTreeSet::new(),
            spans: BTreeSet::new(),
            roots: BTreeSet::new(),
            tips: BTreeSet::new(),
        };
        let mut statement = connection.prepare_cached(
            "SELECT id, is_plain, seq, hash FROM hub_lane WHERE group_id = ?1 AND replica = ?2",
        )?;
        let row = statement.query_row((group, replica.0), |row| {
            let tip = Tip { replica, seq: seq(row, 2)?, hash: LaneHash(row.get(3)?) };
            Ok((row.get(0)?, row.get(1)?, tip))
        });
        if let Some((id, is_plain, tip)) = row.optional()? {
            lane.id = Some(id);
            lane.is_plain = is_plain;
            lane.heads = if is_plain { [tip].into() } else { heads(connection, id, replica)? };
        }
        Ok(lane)
    }

    /// Adds a segment, in memory only.
    pub(crate) fn add(&mut self, connection: &Connection, span: &Span) -> Result<Receipt> {
        let (root, tip) = (span.root(), span.tip());
        let goes_on = match self.heads.first() {
            Some(head) => *head == root,
            None => span.first == 1,
        };
        if self.is_plain && goes_on {
            self.heads = [tip].into();
        } else if self.holds(connection, span)? {
            return Ok(Receipt::Known);
        } else if span.first != 1 && !self.leads_to(connection, &root)? {
            return Err(StoreError::Gap { span: *span });
        } else {
            self.is_plain = false;
            let _ = self.heads.remove(&root);
            if !self.goes_on_from(connection, &tip)? {
                let _ = self.heads.insert(tip);
            }
        }
        let _ = self.spans.insert(*span);
        let _ = self.roots.insert(root);
        let _ = self.tips.insert(tip);
        Ok(Receipt::Stored)
    }

    /// Whether exactly this segment is held.
    pub(crate) fn holds(&self, connection: &Connection, span: &Span) -> Result<bool> {
        let Some(id) = self.id.filter(|_| !self.spans.contains(span)) else {
            return Ok(self.spans.contains(span));
        };
        let mut statement = connection.prepare_cached(
            "SELECT 1 FROM hub_segment \
             WHERE lane = ?1 AND last = ?2 AND after = ?3 AND first = ?4 AND before = ?5",
        )?;
        let (first, last) = (span.first.cast_signed(), span.last.cast_signed());
        Ok(statement.exists((id, last, span.after.0, first, span.before.0))?)
    }

    /// Whether a segment ends here.
    pub(crate) fn leads_to(&self, connection: &Connection, place: &Tip) -> Result<bool> {
        let Some(id) = self.id.filter(|_| !self.tips.contains(place)) else {
            return Ok(self.tips.contains(place));
        };
        let mut statement = connection.prepare_cached(
            "SELECT 1 FROM hub_segment WHERE lane = ?1 AND last = ?2 AND after = ?3",
        )?;
        Ok(statement.exists((id, place.seq.cast_signed(), place.hash.0))?)
    }

    /// Whether a segment begins here.
    fn goes_on_from(&self, connection: &Connection, place: &Tip) -> Result<bool> {
        let Some(id) = self.id.filter(|_| !self.roots.contains(place)) else {
            return Ok(self.roots.contains(place));
        };
        let mut statement = connection.prepare_cached(
            "SELECT 1 FROM hub_segment WHERE lane = ?1 AND first = ?2 AND before = ?3",
        )?;
        // No held seq is greater than what fits here.
        let Ok(first) = i64::try_from(place.seq + 1) else { return Ok(false) };
        Ok(statement.exists((id, first, place.hash.0))?)
    }

    /// Gives the lane a row.
    pub(crate) fn make(
        &mut self,
        connection: &Connection,
        group: i64,
        replica: ReplicaId,
    ) -> Result<i64> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO hub_lane (group_id, replica, is_plain, seq, hash) \
             VALUES (?1, ?2, 1, 0, ?3)",
        )?;
        let id = statement.insert((group, replica.0, LaneHash::default().0))?;
        self.id = Some(id);
        Ok(id)
    }

    /// Keeps where the lane ends.
    pub(crate) fn save(&self, connection: &Connection) -> Result<()> {
        let (Some(id), Some(head)) = (self.id, self.heads.first()) else { return Ok(()) };
        let mut statement = connection.prepare_cached(
            "UPDATE hub_lane SET is_plain = ?2, seq = ?3, hash = ?4 WHERE id = ?1",
        )?;
        let _ = statement.execute((id, self.is_plain, head.seq.cast_signed(), head.hash.0))?;
        if self.is_plain {
            return Ok(());
        }
        let were = heads(connection, id, head.replica)?;
        let mut gone = connection
            .prepare_cached("DELETE FROM hub_head WHERE lane = ?1 AND seq = ?2 AND hash = ?3")?;
        for tip in were.difference(&self.heads) {
            let _ = gone.execute((id, tip.seq.cast_signed(), tip.hash.0))?;
        }
        let mut come = connection.prepare_cached("INSERT INTO hub_head VALUES (?1, ?2, ?3)")?;
        for tip in self.heads.difference(&were) {
            let _ = come.execute((id, tip.seq.cast_signed(), tip.hash.0))?;
        }
        Ok(())
    }
}

/// Where a lane ends that is not plain.
pub(crate) fn heads(
    connection: &Connection,
    lane: i64,
    replica: ReplicaId,
) -> Result<BTreeSet<Tip>> {
    let mut statement =
        connection.prepare_cached("SELECT seq, hash FROM hub_head WHERE lane = ?1")?;
    let tips = statement.query_map([lane], |row| {
        Ok(Tip { replica, seq: seq(row, 0)?, hash: LaneHash(row.get(1)?) })
    })?;
    Ok(tips.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn seq(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(at).map(i64::cast_unsigned)
}
