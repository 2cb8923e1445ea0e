//! Holds lanes to the log in memory, which is the reference for every other: the same answers, to the byte.

mod common;

use pollster::block_on;
use proptest::prelude::*;
use syncline_conformance::lanes::{Sealer, replica};
use syncline_core::log::{
    After, Append, AppendIf, Exchange, Fetch, Header, Segment, Span, VersionVector,
};
use syncline_core::{Result, SharedLog};
use syncline_server_sqlite::SqliteStore;
use syncline_shared_log_memory::MemoryLog;

use crate::common::*;

#[derive(Clone, Debug)]
enum Step {
    /// Seal so many entries behind a sealer's lane.
    Seal(usize, usize),
    /// Fork a sealer's lane.
    Fork(usize),
    /// Make one segment of one and the one behind it.
    Glue(usize),
    Append(Vec<usize>),
    /// Fetch behind the ends of these segments, within so many entries.
    Fetch(Vec<usize>, u64),
    /// Go on from the last cursor.
    GoOn(u64),
    Exchange(Vec<usize>, Option<usize>, bool),
    Acknowledge(u8, Vec<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(any::<usize>(), 0..5);
    prop_oneof![
        4 => (any::<usize>(), 1..4_usize).prop_map(|(of, count)| Step::Seal(of, count)),
        1 => any::<usize>().prop_map(Step::Fork),
        1 => any::<usize>().prop_map(Step::Glue),
        6 => some().prop_map(Step::Append),
        3 => (some(), 1..9_u64).prop_map(|(known, most)| Step::Fetch(known, most)),
        2 => (1..9_u64).prop_map(Step::GoOn),
        2 => (some(), any::<Option<usize>>(), any::<bool>())
            .prop_map(|(which, at, join)| Step::Exchange(which, at, join)),
        1 => (0..4_u8, some()).prop_map(|(by, known)| Step::Acknowledge(by, known)),
    ]
}

/// Two logs that are asked the same.
struct Pair {
    store: Direct,
    memory: MemoryLog,
    sealers: Vec<Sealer>,
    sealed: Vec<Segment>,
    after: After,
}

impl Pair {
    fn new() -> Self {
        let store = std::sync::Arc::new(SqliteStore::open_in_memory().expect("works here"));
        let sealers = (1..4).map(sealer).collect();
        Self {
            store: Direct { store, group: group(), name: "store".to_owned() },
            memory: MemoryLog::new(group()),
            sealers,
            sealed: Vec::new(),
            after: After::Known(VersionVector::default()),
        }
    }

    fn some(&self, which: &[usize]) -> Vec<Segment> {
        let sealed = |at: &usize| self.sealed.get(at % self.sealed.len().max(1)).cloned();
        which.iter().filter_map(sealed).collect()
    }

    fn tips(&self, which: &[usize]) -> VersionVector {
        VersionVector::new(self.some(which).iter().map(|segment| segment.span().tip()))
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Seal(of, count) => {
                let at = of % self.sealers.len();
                let text = self.sealed.len().to_string();
                let texts = std::iter::repeat_n(text.as_str(), count);
                self.sealed.push(self.sealers[at].notes(texts));
            }
            Step::Fork(of) => {
                self.sealers.push(self.sealers[of % self.sealers.len()].clone());
            }
            Step::Glue(of) => self.glue(of),
            Step::Append(which) => {
                let segments = self.some(&which);
                self.same(block_on(self.store.append(&segments)), |memory| {
                    block_on(memory.append(&segments))
                });
            }
            Step::Fetch(known, most) => self.fetch(After::Known(self.tips(&known)), most),
            Step::GoOn(most) => self.fetch(self.after.clone(), most),
            Step::Exchange(which, at, join) => self.exchange(&which, at, join),
            Step::Acknowledge(by, known) => {
                let known = self.tips(&known);
                self.same(block_on(self.store.acknowledge(replica(by), &known)), |memory| {
                    block_on(memory.acknowledge(replica(by), &known))
                });
            }
        }
        self.same(block_on(self.store.peers()), |memory| block_on(memory.peers()));
    }

    fn glue(&mut self, of: usize) {
        let Some(first) = self.some(&[of]).pop() else { return };
        let (before, tip) = (*first.span(), first.span().tip());
        let Some(next) = self.sealed.iter().find(|next| next.span().root() == tip) else { return };
        let after = *next.span();
        let span = Span { first: before.first, before: before.before, ..after };
        let entries = span.last - span.first + 1;
        let header = Header { span, entries, ..next.header().clone() };
        self.sealed.push(Segment::seal(header, b"glued"));
    }

    fn fetch(&mut self, after: After, limit_entries: u64) {
        let request = Fetch { replica: replica(1), after, limit_bytes: 1 << 20, limit_entries };
        let fetched = block_on(self.store.fetch(&request));
        let same = fetched.map(|mut fetched| {
            assert_eq!(fetched.time.take(), Some(NOW));
            self.after = After::Cursor(fetched.cursor.clone());
            fetched
        });
        self.same(same, |memory| block_on(memory.fetch(&request)));
    }

    fn exchange(&self, which: &[usize], at: Option<usize>, join: bool) {
        let end = at.and_then(|at| self.some(&[at]).pop()).map(|segment| segment.span().tip());
        let segments = self.some(which);
        let by = end.map_or(replica(2), |end| end.replica);
        let mut exchange = Exchange { join, ..Exchange::of(by) };
        let only_if = AppendIf::LaneEndsAt(end);
        exchange.append = Some(Append { segments: segments.clone(), only_if, frozen: false });
        let ours = match block_on(self.store.exchange(&exchange)) {
            Ok(ours) => ours,
            // Here, what is refused has changed nothing at all: the other has not heard of it.
            Err(error) => {
                let append = |memory: &MemoryLog| block_on(memory.append(&segments));
                return self.same(Err(error), append);
            }
        };
        let theirs = block_on(self.memory.exchange(&exchange)).expect("works here");
        match (ours.receipts, theirs.receipts) {
            // The one thing that differs: who asks again hears what it did not hear.
            (Some(known), None) => {
                self.same(Ok(known), |memory| block_on(memory.append(&segments)));
            }
            (ours, theirs) => assert_eq!(ours, theirs),
        }
    }

    #[track_caller]
    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        ours: Result<T>,
        theirs: impl FnOnce(&MemoryLog) -> Result<T>,
    ) {
        let kind = |error: syncline_core::Error| error.kind();
        assert_eq!(ours.map_err(kind), theirs(&self.memory).map_err(kind));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lanes_agree_with_the_log_in_memory(steps in prop::collection::vec(step(), 1..80)) {
        let mut pair = Pair::new();
        for step in steps {
            pair.run(step);
        }
    }
}
