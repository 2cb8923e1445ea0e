//! Where a received segment belongs: which lane it continues, or which branch it begins.

use super::Session;
use super::applying::read;
use crate::bug::{self, Bug};
use crate::client::{CUT, Head, LANE, Lane, SEGMENT, find, hash, int, number};
use crate::log::{Segment, Span, Tip, lane_start};
use crate::{Filter, Key, Result, Value};

/// Where a received segment belongs.
#[derive(Debug)]
pub(super) enum Place {
    /// It is stored already.
    Known,
    /// It continues the lane with this id.
    Continues(String),
    /// It begins a lane or a branch.
    Begins(Box<Lane>),
    /// It is of this replica's own lane, and this database did not write it.
    OwnButForeign,
    /// What it continues is not here.
    Gap,
}

impl Session<'_> {
    /// Reads what is received of every lane, after the head was read. Lanes are guarded by the head alone:
    /// with a head that was read later, what another process stored in between would be written over.
    pub(super) async fn load_lanes_for(&mut self, head: &Head) -> Result<()> {
        self.buffers.clear();
        self.witnesses = Default::default();
        self.lanes.clear();
        for row in self.log.find_all(find(&LANE, Filter::All)).await? {
            let lane = Lane::from_row(&row)?;
            let _ = self.lanes.insert(lane.id.clone(), lane);
        }
        self.lanes_at = Some(head.rev);
        Ok(())
    }

    /// The head, with lanes that are no older.
    pub(super) async fn head_and_lanes(&mut self, cached: &mut Option<Head>) -> Result<Head> {
        let head = self.log.loaded(cached).await?.clone();
        if self.lanes_at != Some(head.rev) {
            self.load_lanes_for(&head).await?;
        }
        Ok(head)
    }

    /// The head moved on by what this sync stored itself, and the lanes with it.
    pub(super) fn moved_on(&mut self, before: i64, head: &Head) {
        if self.lanes_at == Some(before) {
            self.lanes_at = Some(head.rev);
        }
    }

    /// Everything that is durably received, the own lane included.
    pub(super) fn received(&self, head: &Head) -> crate::log::VersionVector {
        let own = (head.frozen > 0).then(|| head.tip());
        crate::log::VersionVector::new(self.lanes.values().map(Lane::tip).chain(own))
    }

    /// Where a segment belongs, given what this page has already brought.
    pub(super) async fn place(&self, head: &Head, segment: &Segment) -> Result<Place> {
        let span = segment.span();
        if span.replica == head.replica {
            let known = self.is_own(head, span).await?;
            let known = known || bug::is(Bug::KeepsRestoredId);
            return Ok(if known { Place::Known } else { Place::OwnButForeign });
        }
        let of_replica = || self.lanes.values().filter(|lane| lane.replica == span.replica);
        if let Some(lane) = of_replica().find(|lane| lane.tip() == span.root()) {
            return Ok(Place::Continues(lane.id.clone()));
        }
        if self.page.contains(span) {
            return Ok(Place::Known);
        }
        let mut branches_off =
            span.first == 1 || self.page.iter().any(|earlier| earlier.tip() == span.root());
        for lane in of_replica() {
            let (same, leads_there) = self.stored_beside(lane, span).await?;
            if same {
                return Ok(Place::Known);
            }
            branches_off |= leads_there;
        }
        if span.first == 1 && span.before != lane_start(self.log.group(), span.replica) {
            return Ok(Place::Gap);
        }
        if !branches_off {
            return Ok(Place::Gap);
        }
        let branch = of_replica().next().map(|_| span.after);
        Ok(Place::Begins(Box::new(self.branch(span.root(), branch).await?)))
    }

    /// A new lane behind a place; a branch inherits what its writer had applied there.
    async fn branch(&self, root: Tip, branch: Option<crate::log::LaneHash>) -> Result<Lane> {
        let mut lane = Lane::behind(root, branch);
        if root.seq > 0 {
            lane.context = self.log.context_before(&root.replica.to_string(), root.seq).await?;
        }
        Ok(lane)
    }

    /// Whether exactly this span is stored in a lane, and whether a stored one leads to where it begins.
    async fn stored_beside(&self, lane: &Lane, span: &Span) -> Result<(bool, bool)> {
        let key = Key::compound([Value::from(lane.id.as_str()), int(span.first)]);
        let rows = self.log.find(find(&SEGMENT, Filter::Keys(vec![key]))).await?.objects;
        let mut same = false;
        for row in rows {
            let is_known = hash(&row, "after")? == span.after || bug::is(Bug::SameNumberIsKnown);
            same |= number(&row, "last")? == span.last && is_known;
        }
        if same {
            return Ok((true, false));
        }
        let ends_there = Filter::eq("lane", lane.id.as_str())
            .and(Filter::eq("last", int(span.first - 1)))
            .and(Filter::eq("after", span.before.0.to_vec()));
        let rows = self.log.find(find(&SEGMENT, ends_there).limit(1)).await?.objects;
        Ok((false, !rows.is_empty() || self.leads_through(lane, span).await?))
    }

    /// Whether a span begins inside a stored segment: the same entries may be cut in several ways.
    async fn leads_through(&self, lane: &Lane, span: &Span) -> Result<bool> {
        let around = Filter::eq("lane", lane.id.as_str())
            .and(Filter::lt("first", int(span.first)))
            .and(Filter::gte("last", int(span.first)));
        for row in self.log.find_all(find(&SEGMENT, around)).await? {
            let Some(stored) = row.value("bytes").as_bytes() else { continue };
            let entries = read(&Segment::parse(stored)?).unwrap_or_default();
            let root = (span.first - 1, span.before);
            if entries.iter().any(|(entry, hash)| (entry.seq, *hash) == root) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this database wrote exactly this run of its own lane.
    async fn is_own(&self, head: &Head, span: &Span) -> Result<bool> {
        if span.last > head.frozen {
            return Ok(false);
        }
        let rows = self.log.find(find(&CUT, Filter::key(int(span.first)))).await?.objects;
        let Some(row) = rows.first() else { return Ok(false) };
        Ok(number(row, "last")? == span.last && hash(row, "after")? == span.after)
    }
}
