//! The workloads, by the names under which they are known.

use crate::Result;
use crate::record::{Record, Seeded, records};
use crate::store::{Durability, Pair, RAW, RAW_LOG, Retitle, Store};

/// One workload.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name; the first word is what the command line asks for.
    pub name: &'static str,
    /// What is timed.
    pub what: &'static str,
    /// What is safe when a write returns.
    pub durability: Durability,
    /// How many records there are.
    pub records: usize,
    /// How many times the thing is done.
    pub times: usize,
    /// Whether the records are there before the clock starts.
    pub filled: bool,
    /// What is measured.
    pub measured: Measured,
    /// What we aim at.
    pub aim: Aim,
    /// Does it.
    pub work: Work,
}

/// What a workload does.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Something with one database.
    One(fn(&mut dyn Store, &Data) -> Result),
    /// Something with two.
    Two {
        /// Where they meet.
        over: Over,
        /// What happens before the clock starts.
        before: fn(&mut dyn Pair, &Data) -> Result,
        /// What is timed.
        timed: fn(&mut dyn Pair) -> Result,
    },
}

/// Where two databases meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// In a folder.
    Folder,
    /// At a server on this machine, a process of its own.
    Hub,
}

/// What a workload measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// How long it takes.
    Time,
    /// How large the closed database is afterwards.
    Size,
}

/// What we aim at.
#[derive(Clone, Copy, Debug)]
pub enum Aim {
    /// At most this many times what the other side needs.
    AtMost(f64, &'static str),
    /// Less than this many bytes for each record.
    Bytes(f64),
    /// Less than this many seconds.
    Seconds(f64),
}

/// What a workload works with, made before the clock starts.
#[derive(Clone, Debug)]
pub struct Data {
    /// The records.
    pub records: Vec<Record>,
    /// As many of them as the workload touches, in another order.
    pub chosen: Vec<Retitle>,
    /// The sum of the checksums of the chosen records.
    pub checksum: u64,
    /// How many times the thing is done.
    pub times: usize,
}

impl Data {
    /// The data of a workload: the same every time.
    pub fn of(workload: &Workload) -> Self {
        let records = records(42, workload.records);
        let mut seeded = Seeded::new(43);
        let mut order: Vec<usize> = (0..records.len()).collect();
        seeded.shuffle(&mut order);
        order.truncate(workload.times);
        let checksum = order.iter().map(|at| records[*at].checksum()).fold(0, u64::wrapping_add);
        let retitle = |at: &usize| Retitle { id: records[*at].id.clone(), title: seeded.text(24) };
        let chosen = order.iter().map(retitle).collect();
        Self { records, chosen, checksum, times: workload.times }
    }

    /// The same records with other titles.
    fn retitled(&self) -> Vec<Retitle> {
        let mut seeded = Seeded::new(44);
        let other = |chosen: &Retitle| Retitle { id: chosen.id.clone(), title: seeded.text(24) };
        self.chosen.iter().map(other).collect()
    }
}

/// All workloads, in the order in which they run.
pub fn all() -> Vec<Workload> {
    let base = Workload {
        name: "",
        what: "",
        durability: Durability::Normal,
        records: 20_000,
        times: 20_000,
        filled: true,
        measured: Measured::Time,
        aim: Aim::AtMost(1.3, RAW_LOG),
        work: Work::One(create_all),
    };
    let single = Workload {
        name: "W1 normal",
        what: "creates, one commit each",
        records: 2_000,
        times: 2_000,
        filled: false,
        aim: Aim::AtMost(1.2, RAW_LOG),
        work: Work::One(create_each),
        ..base.clone()
    };
    let bulk = Workload {
        name: "W1b 20k",
        what: "creates in one transaction",
        filled: false,
        aim: Aim::AtMost(1.25, RAW_LOG),
        ..base.clone()
    };
    let more = |of: &Workload| Workload { records: 100_000, times: 100_000, ..of.clone() };
    let size = Workload {
        name: "W7 20k",
        what: "bytes on disk after that",
        measured: Measured::Size,
        aim: Aim::Bytes(700.0),
        ..bulk.clone()
    };
    let read = Workload { aim: Aim::AtMost(1.5, RAW), ..base.clone() };
    let alone = vec![
        single.clone(),
        Workload { name: "W1 full", durability: Durability::Full, ..single },
        bulk.clone(),
        Workload { name: "W1b 100k", ..more(&bulk) },
        Workload { name: "W2", what: "reads by key", work: Work::One(read_each), ..read.clone() },
        Workload {
            name: "W2b",
            what: "queries for 100 by priority",
            times: 1_000,
            work: Work::One(query_each),
            ..read
        },
        Workload {
            name: "W3",
            what: "updates in one transaction",
            work: Work::One(update_all),
            ..base.clone()
        },
        Workload {
            name: "W3s",
            what: "updates, one commit each",
            times: 2_000,
            work: Work::One(update_each),
            ..base
        },
        size.clone(),
        Workload { name: "W7 100k", ..more(&size) },
    ];
    alone.into_iter().chain(together()).collect()
}

/// The workloads of two databases.
fn together() -> Vec<Workload> {
    let folder = Over::Folder;
    let first = Workload {
        name: "W4-mem 10k",
        what: "first sync through a folder",
        durability: Durability::Normal,
        records: 10_000,
        times: 10_000,
        filled: true,
        measured: Measured::Time,
        aim: Aim::AtMost(1.2, RAW_LOG),
        work: first_sync(folder),
    };
    let many = |of: &Workload| Workload { records: 100_000, times: 100_000, ..of.clone() };
    let mut all = vec![
        first.clone(),
        Workload { name: "W4-mem 100k", ..many(&first) },
        Workload { name: "W5-diff", ..both_changed(&first, change_different_fields, folder) },
        Workload { name: "W5-same", ..both_changed(&first, change_the_same_field, folder) },
        Workload { name: "W6", ..some_changed(&first, folder) },
    ];
    if cfg!(feature = "hub") {
        let hub = Over::Hub;
        let first = Workload {
            name: "W4-http 10k",
            what: "first sync through a hub",
            work: first_sync(hub),
            ..first
        };
        let aim = Aim::Seconds(1.2);
        all.extend([
            first.clone(),
            Workload { name: "W4-http 100k", aim, ..many(&first) },
            Workload { name: "W4-http 1M", records: 1_000_000, times: 1_000_000, ..first.clone() },
            Workload { name: "W5-diff-http", ..both_changed(&first, change_different_fields, hub) },
            Workload { name: "W5-same-http", ..both_changed(&first, change_the_same_field, hub) },
            Workload { name: "W6-http", ..some_changed(&first, hub) },
        ]);
    }
    all
}

fn first_sync(over: Over) -> Work {
    Work::Two { over, before: |_, _| Ok(()), timed: |pair| pair.send() }
}

fn both_changed(of: &Workload, before: fn(&mut dyn Pair, &Data) -> Result, over: Over) -> Workload {
    Workload {
        what: "both changed every record",
        aim: Aim::Seconds(0.2),
        work: Work::Two { over, before, timed: |pair| pair.exchange() },
        ..of.clone()
    }
}

fn some_changed(of: &Workload, over: Over) -> Workload {
    Workload {
        what: "100 of 100,000 records changed",
        records: 100_000,
        times: 100,
        aim: Aim::Seconds(0.015),
        work: Work::Two { over, before: change_some, timed: |pair| pair.send() },
        ..of.clone()
    }
}

fn change_different_fields(pair: &mut dyn Pair, data: &Data) -> Result {
    pair.exchange()?;
    pair.here().retitle_all(&data.chosen)?;
    pair.there().reprioritize_all(&data.chosen, 7)
}

fn change_the_same_field(pair: &mut dyn Pair, data: &Data) -> Result {
    pair.exchange()?;
    pair.here().retitle_all(&data.chosen)?;
    pair.there().retitle_all(&data.retitled())
}

fn change_some(pair: &mut dyn Pair, data: &Data) -> Result {
    pair.exchange()?;
    pair.exchange()?;
    pair.here().retitle_all(&data.chosen)
}

fn create_each(store: &mut dyn Store, data: &Data) -> Result {
    data.records.iter().try_for_each(|record| store.create(record))
}

fn create_all(store: &mut dyn Store, data: &Data) -> Result {
    store.create_all(&data.records)
}

fn read_each(store: &mut dyn Store, data: &Data) -> Result {
    let mut checksum = 0_u64;
    for chosen in &data.chosen {
        checksum = checksum.wrapping_add(store.read(&chosen.id)?);
    }
    if checksum == data.checksum { Ok(()) } else { Err("something else was read".into()) }
}

fn query_each(store: &mut dyn Store, data: &Data) -> Result {
    let last = data.records.len() as i64 - 100;
    let mut found = 0_u64;
    for at in 0..data.times as i64 {
        let from = at * 7_919 % last;
        found |= store.range(from, from + 100)?;
    }
    if found > 0 { Ok(()) } else { Err("nothing was found".into()) }
}

fn update_all(store: &mut dyn Store, data: &Data) -> Result {
    store.retitle_all(&data.chosen)
}

fn update_each(store: &mut dyn Store, data: &Data) -> Result {
    data.chosen.iter().try_for_each(|change| store.retitle(change))
}
