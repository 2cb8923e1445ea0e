//! Taking segments: all of a request or none.

use std::collections::BTreeMap;

use rusqlite::Connection;
use syncline_core::log::{AppendIf, LaneHash, Receipt, Segment};
use syncline_core::value::canonical::put_number;
use syncline_core::{Group, ReplicaId};
use syncline_server::Terms;

use super::lane::Lane;
use crate::error::{Result, StoreError};
use crate::group::{GroupRow, rows};

/// What an append will do, found out before anything is written.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What becomes of each segment.
    pub(crate) receipts: Vec<Receipt>,
    lanes: BTreeMap<ReplicaId, Lane>,
    entries: u64,
    bytes: u64,
    ahead: u64,
    segments: u64,
}

impl Plan {
    /// Finds out what will become of these segments, or why they are refused.
    pub(crate) fn of(
        connection: &Connection,
        group: &Group,
        row: &GroupRow,
        segments: &[Segment],
        terms: &Terms,
    ) -> Result<Self> {
        let other = segments.iter().find(|segment| segment.header().group != *group);
        if let Some(other) = other {
            let segment = other.header().group.clone();
            return Err(StoreError::OtherGroup { here: group.clone(), segment });
        }
        let mut plan = Self::default();
        for segment in segments {
            let span = segment.span();
            let receipt = plan.lane(connection, row.id, span.replica)?.add(connection, span)?;
            plan.receipts.push(receipt);
            if receipt == Receipt::Stored {
                plan.segments += 1;
                plan.entries += segment.header().entries;
                plan.bytes += segment.bytes().len() as u64;
                plan.ahead += u64::from(segment.header().greatest.millis() > terms.latest);
            }
        }
        row.check_quota(terms.quota, plan.bytes)?;
        plan.check_lanes(connection, row.id, terms.replicas)?;
        let _ = row.place(row.number + plan.segments)?;
        Ok(plan)
    }

    /// Whether there is room for the lanes that begin here.
    fn check_lanes(&self, connection: &Connection, group: i64, limit: u64) -> Result<()> {
        let new = self.lanes.values().filter(|lane| lane.id.is_none()).count() as u64;
        let count = "SELECT count(*) FROM hub_lane WHERE group_id = ?1";
        if new > 0 && rows(connection, count, [group])? + new > limit {
            return Err(StoreError::TooManyReplicas { limit });
        }
        Ok(())
    }

    /// All of so many segments are held already.
    pub(crate) fn nothing(segments: usize) -> Self {
        Self { receipts: vec![Receipt::Known; segments], ..Self::default() }
    }

    /// Whether there is anything that was not held.
    pub(crate) fn is_news(&self) -> bool {
        self.segments > 0
    }

    /// Does it.
    pub(crate) fn carry_out(
        mut self,
        connection: &Connection,
        row: &mut GroupRow,
        segments: &[Segment],
        terms: &Terms,
    ) -> Result<Vec<Receipt>> {
        let mut statement = connection.prepare_cached(
            "INSERT INTO hub_segment \
             (place, lane, first, last, before, after, running, size, bytes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for (segment, receipt) in segments.iter().zip(&self.receipts) {
            if *receipt == Receipt::Known {
                continue;
            }
            let span = segment.span();
            let Some(lane) = self.lanes.get_mut(&span.replica) else { continue };
            let lane = lane.make(connection, row.id, span.replica)?;
            row.number += 1;
            row.hash = row.hash.then(&span.to_bytes());
            let _ = statement.execute((
                row.place(row.number)?,
                lane,
                span.first.cast_signed(),
                span.last.cast_signed(),
                span.before.0,
                span.after.0,
                row.hash.0,
                segment.bytes().len() as i64,
                &segment.bytes()[..],
            ))?;
        }
        if self.is_news() {
            for lane in self.lanes.values() {
                lane.save(connection)?;
            }
            row.segments += self.segments;
            row.entries += self.entries;
            row.bytes += self.bytes;
            row.ahead += self.ahead;
            row.changed = Some(terms.now);
            row.save(connection)?;
        }
        Ok(self.receipts)
    }

    fn lane(
        &mut self,
        connection: &Connection,
        group: i64,
        replica: ReplicaId,
    ) -> Result<&mut Lane> {
        use std::collections::btree_map::Entry;
        match self.lanes.entry(replica) {
            Entry::Occupied(lane) => Ok(lane.into_mut()),
            Entry::Vacant(none) => Ok(none.insert(Lane::load(connection, group, replica)?)),
        }
    }
}

/// Whether an append is done, for a lane that ends at these places.
pub(crate) fn is_done(only_if: &AppendIf, own: &Lane) -> bool {
    let ends: Vec<_> = own.heads.iter().copied().collect();
    only_if.holds(&ends)
}

/// Whether every one of these segments is held, and there are some.
pub(crate) fn all_held(connection: &Connection, group: i64, segments: &[Segment]) -> Result<bool> {
    let mut lane: Option<(ReplicaId, Lane)> = None;
    for segment in segments {
        let span = segment.span();
        let loaded = match lane.take() {
            Some((replica, lane)) if replica == span.replica => lane,
            _ => Lane::load(connection, group, span.replica)?,
        };
        if !loaded.holds(connection, span)? {
            return Ok(false);
        }
        lane = Some((span.replica, loaded));
    }
    Ok(!segments.is_empty())
}

/// A cursor: a number, and the hash of everything up to it.
pub(crate) fn cursor(number: u64, hash: LaneHash) -> syncline_core::log::Cursor {
    let mut bytes = Vec::with_capacity(26);
    put_number(&mut bytes, number);
    bytes.extend_from_slice(&hash.0);
    syncline_core::log::Cursor(bytes)
}
