//! Which segments continue which: shared by every log, and by who receives from one.
//!
//! A lane is a chain from its start, a forked lane a tree. A place in it is a [`Tip`]; a [`Span`] leads
//! from one place to another. Nothing but spans is needed to say what a reader lacks.

use std::collections::{BTreeMap, BTreeSet};

use super::{LaneHash, Span, Tip, VersionVector};
use crate::ReplicaId;

/// The spans that a place holds, and what follows what.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    /// By the place they continue.
    by_root: BTreeMap<Tip, BTreeSet<Span>>,
    /// By the place they lead to.
    by_tip: BTreeMap<Tip, BTreeSet<Span>>,
}

/// A run of a lane that is missing, with its continuation held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The last place before it that a reader reaches; none if the lane's start is missing.
    pub from: Option<Tip>,
    /// The place at which the lane goes on.
    pub to: Tip,
}

impl Chains {
    /// Adds a span; false if it was there.
    pub fn insert(&mut self, span: Span) -> bool {
        let _ = self.by_tip.entry(span.tip()).or_default().insert(span);
        self.by_root.entry(span.root()).or_default().insert(span)
    }

    /// Whether exactly this span is there.
    pub fn contains(&self, span: &Span) -> bool {
        self.by_root.get(&span.root()).is_some_and(|spans| spans.contains(span))
    }

    /// Whether a span begins a lane or continues one that is held here.
    pub fn continues(&self, span: &Span) -> bool {
        span.first == 1 || self.by_tip.contains_key(&span.root())
    }

    /// Whether a span that is held ends here.
    pub fn leads_to(&self, place: &Tip) -> bool {
        self.by_tip.contains_key(place)
    }

    /// The spans that a reader who knows `known` may lack, each behind those it continues.
    ///
    /// Lanes take turns, so that a long one does not hold up the others.
    pub fn lacking(&self, known: &VersionVector) -> Vec<Span> {
        self.walk(known).0
    }

    /// What is missing for a reader who knows `known`: held spans wait behind it.
    pub fn gaps(&self, known: &VersionVector) -> Vec<Gap> {
        let begins = |root: &&Tip| root.seq > 0 && !self.by_tip.contains_key(root);
        let mut begins = self.by_root.keys().filter(begins).peekable();
        if begins.peek().is_none() {
            return Vec::new();
        }
        let (_, reached) = self.walk(known);
        let gap = |to: &Tip| {
            let start = Tip { seq: 0, hash: LaneHash([0; 16]), ..*to };
            let before = reached.range(start..*to).rev().find(|place| place.seq < to.seq);
            Gap { from: before.copied(), to: *to }
        };
        begins.filter(|root| !reached.contains(root)).map(gap).collect()
    }

    /// What a reader may lack, and every place that is known or reached by it.
    fn walk(&self, known: &VersionVector) -> (Vec<Span>, BTreeSet<Tip>) {
        let known = self.with_ancestors(known);
        let starts = self.by_root.keys().filter(|root| root.seq == 0).copied();
        let mut seen: BTreeSet<Tip> = known.iter().copied().chain(starts).collect();
        let mut front: Vec<Tip> = seen.iter().copied().collect();
        let mut lacking = Vec::new();
        while !front.is_empty() {
            let mut next = Vec::new();
            for span in front.iter().filter_map(|place| self.by_root.get(place)).flatten() {
                if known.contains(&span.tip()) {
                    continue;
                }
                lacking.push(*span);
                if seen.insert(span.tip()) {
                    next.push(span.tip());
                }
            }
            front = next;
        }
        (lacking, seen)
    }

    /// How far a replica's lane is held without a gap from its start: one place for each branch.
    pub fn heads(&self, replica: ReplicaId) -> Vec<Tip> {
        let mut heads = Vec::new();
        let mut seen = BTreeSet::new();
        let start = |root: &&Tip| root.replica == replica && root.seq == 0;
        let mut front: Vec<Tip> = self.by_root.keys().filter(start).copied().collect();
        while let Some(place) = front.pop() {
            match self.by_root.get(&place) {
                Some(spans) => {
                    let tips = spans.iter().map(Span::tip);
                    front.extend(tips.filter(|tip| seen.insert(*tip)));
                }
                None => heads.push(place),
            }
        }
        heads.sort_unstable();
        heads
    }

    /// All replicas that have a span here.
    pub fn replicas(&self) -> BTreeSet<ReplicaId> {
        self.by_root.keys().map(|root| root.replica).collect()
    }

    /// The known places and every place before them.
    fn with_ancestors(&self, known: &VersionVector) -> BTreeSet<Tip> {
        let mut all: BTreeSet<Tip> = known.tips.iter().copied().collect();
        let mut front: Vec<Tip> = known.tips.clone();
        while let Some(place) = front.pop() {
            for span in self.by_tip.get(&place).into_iter().flatten() {
                if all.insert(span.root()) {
                    front.push(span.root());
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(replica: u8, first: u64, last: u64, before: u8, after: u8) -> Span {
        Span {
            replica: ReplicaId([replica; 16]),
            first,
            last,
            before: LaneHash([before; 16]),
            after: LaneHash([after; 16]),
        }
    }

    fn chains(spans: &[Span]) -> Chains {
        let mut chains = Chains::default();
        for span in spans {
            assert!(chains.insert(*span));
        }
        chains
    }

    #[test]
    fn who_knows_nothing_lacks_everything_that_is_reachable() {
        let (a, b, gap) = (span(1, 1, 3, 0, 3), span(1, 4, 5, 3, 5), span(1, 9, 9, 8, 9));
        assert_eq!(chains(&[gap, b, a]).lacking(&VersionVector::default()), [a, b]);
        assert_eq!(chains(&[gap, b, a]).heads(ReplicaId([1; 16])), [b.tip()]);
    }

    #[test]
    fn a_reader_goes_on_from_its_place() {
        let (a, b) = (span(1, 1, 3, 0, 3), span(1, 4, 5, 3, 5));
        let held = chains(&[a, b]);
        assert_eq!(held.lacking(&VersionVector::new([a.tip()])), [b]);
        assert_eq!(held.lacking(&VersionVector::new([b.tip()])), []);
    }

    #[test]
    fn a_branch_is_delivered_beside_the_lane_it_left() {
        let (a, b, other) = (span(1, 1, 3, 0, 3), span(1, 4, 5, 3, 5), span(1, 4, 5, 3, 77));
        let held = chains(&[a, b, other]);
        assert_eq!(held.lacking(&VersionVector::new([b.tip()])), [other]);
        assert_eq!(held.heads(ReplicaId([1; 16])), [b.tip(), other.tip()]);
    }

    #[test]
    fn a_reader_ahead_of_the_log_gets_things_twice_rather_than_a_gap() {
        let (a, b) = (span(1, 1, 3, 0, 3), span(1, 4, 5, 3, 5));
        let ahead = VersionVector::new([Tip { seq: 9, ..b.tip() }]);
        assert_eq!(chains(&[a, b]).lacking(&ahead), [a, b]);
    }

    #[test]
    fn a_gap_is_told_to_who_waits_at_it() {
        let (a, b, d) = (span(1, 1, 3, 0, 3), span(1, 4, 5, 3, 5), span(1, 9, 9, 8, 9));
        let held = chains(&[a, b, d, span(2, 5, 5, 4, 5)]);
        let middle = Gap { from: Some(b.tip()), to: d.root() };
        let start = Gap { from: None, to: span(2, 5, 5, 4, 5).root() };
        assert_eq!(held.gaps(&VersionVector::default()), [middle, start]);
        assert_eq!(
            held.gaps(&VersionVector::new([d.tip()])),
            [start],
            "who is beyond does not wait"
        );
    }
}
