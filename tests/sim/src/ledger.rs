//! Every entry that was ever frozen anywhere, by the place in its lane: what a tip stands for.

use std::collections::BTreeMap;

use syncline::log::{Context, Entry, LaneHash, Tip};
use syncline::merge::Author;

/// All frozen entries, chained by their lanes' running hashes.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<Tip, Page>,
    /// How often the same number of a lane was given to another entry.
    pub(crate) forks: usize,
}

/// One entry and what was before it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) entry: Entry,
    pub(crate) before: LaneHash,
    /// What its writer had applied.
    pub(crate) context: Context,
}

impl Ledger {
    /// Notes the entry behind a place, and says where it ends.
    pub(crate) fn note(&mut self, before: Tip, bytes: &[u8], entry: Entry) -> Tip {
        let hash = before.hash.then(bytes);
        let tip = Tip { replica: before.replica, seq: entry.seq, hash };
        if self.entries.contains_key(&tip) {
            return tip;
        }
        let is_fork = self.at(&tip).next().is_some();
        self.forks += usize::from(is_fork);
        let mut context =
            self.entries.get(&before).map(|page| page.context.clone()).unwrap_or_default();
        if let Some(change) = &entry.context {
            context.apply(change);
        }
        let _ = self.entries.insert(tip, Page { entry, before: before.hash, context });
        tip
    }

    pub(crate) fn get(&self, tip: &Tip) -> Option<&Page> {
        self.entries.get(tip)
    }

    /// All entries of a number, one for each branch.
    pub(crate) fn at(&self, place: &Tip) -> impl Iterator<Item = (&Tip, &Page)> {
        let from = Tip { hash: LaneHash([0; 16]), ..*place };
        let to = Tip { hash: LaneHash([0xff; 16]), ..*place };
        self.entries.range(from..=to)
    }

    /// The entries from a place back to behind `seq`, last first; ends early where nothing is known.
    pub(crate) fn back_to(&self, from: Tip, seq: u64) -> impl Iterator<Item = (Tip, &Page)> {
        let mut at = from;
        std::iter::from_fn(move || {
            let page = (at.seq > seq).then(|| self.entries.get(&at)).flatten()?;
            let here = at;
            at = Tip { replica: at.replica, seq: at.seq - 1, hash: page.before };
            Some((here, page))
        })
    }

    /// Whether one place lies on the way to another.
    pub(crate) fn leads_to(&self, from: &Tip, to: &Tip) -> bool {
        if from.replica != to.replica || from.seq > to.seq {
            return false;
        }
        let last = self.back_to(*to, from.seq).last();
        match last {
            None => from == to,
            Some((tip, page)) => tip.seq == from.seq + 1 && page.before == from.hash,
        }
    }
}

/// The author of the entry that ends at a place.
pub(crate) fn author(tip: &Tip, entry: &Entry) -> Author {
    Author { stamp: entry.stamp, replica: tip.replica, seq: tip.seq, tie: tip.hash.tie() }
}
