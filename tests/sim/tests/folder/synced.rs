//! Whole syncs over a folder: the power is cut, or the disk fails, at any call of one of two replicas.

use std::sync::Arc;

use syncline::shared_log::fs::FsLog;
use syncline::{Backend, ErrorKind, Filter, Object, Result, SyncOptions, do_sync};
use syncline_it::{Replica, Store, law, schema, storage};
use syncline_sim::folder::{Fault, VirtualDisk, dice};

/// A replica, its machine and the log that it has open.
pub struct Peer {
    pub replica: Replica,
    pub disk: VirtualDisk,
    pub log: FsLog,
    backend: Arc<dyn Backend>,
    number: u64,
    starts: u64,
}

fn open(disk: &VirtualDisk) -> Result<FsLog> {
    FsLog::open_on(Arc::new(disk.clone()), "/meet", "test".parse()?)
}

/// Few entries in each segment, so that each sync takes many files.
pub fn options() -> SyncOptions {
    SyncOptions { upload_entries: 2, download_entries: 3, ..SyncOptions::default() }
}

impl Peer {
    /// A replica with a database that survives everything.
    pub async fn new(number: u64, disk: &VirtualDisk) -> Self {
        let backend = storage(Store::Memory);
        let opened = Replica::open(backend.clone(), number, schema(), |config| config);
        let (replica, log) = (opened.await.expect("it opens"), open(disk).expect("it opens"));
        Self { replica, disk: disk.clone(), log, backend, number, starts: 0 }
    }

    /// The process starts again: it knows what its database and its folder hold.
    pub async fn start(&mut self) {
        self.starts += 1;
        // Each start has randomness of its own.
        let number = self.number + (self.starts << 8);
        let opened = Replica::open(self.backend.clone(), number, schema(), |config| config);
        self.replica = opened.await.expect("it opens again");
        self.log = open(&self.disk).expect("it opens again");
    }

    pub async fn note(&self, id: &str, text: &str) {
        let _ = self.replica.create("note", Object::new().with("id", id).with("text", text)).await;
    }

    pub async fn sync(&self) -> Result<()> {
        do_sync(&self.replica.log, &self.log, &options()).await.map(drop)
    }
}

/// What happens to the folder in one run.
#[derive(Clone, Copy, Debug)]
struct Case {
    has_links: bool,
    call: u64,
    fault: Fault,
    left: Left,
}

/// What is left when a process has died.
#[derive(Clone, Copy, Debug)]
enum Left {
    All,
    Synced,
    Some(u64),
}

/// What the two do, in turns.
const STORY: [(usize, Step); 10] = [
    (1, Step::Note("d")),
    (1, Step::Sync),
    (0, Step::Note("e")),
    (0, Step::Sync),
    (0, Step::Edit("d")),
    (0, Step::Sync),
    (1, Step::Edit("a")),
    (1, Step::Note("f")),
    (1, Step::Note("g")),
    (1, Step::Sync),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Note(&'static str),
    Edit(&'static str),
    Sync,
}

/// Two replicas write and sync, and at one call something happens. Says whether it did.
async fn story(case: Case) -> bool {
    let Case { has_links, call, fault, left } = case;
    let disk = if has_links { VirtualDisk::new() } else { VirtualDisk::without_links() };
    let mut peers = [Peer::new(1, &disk).await, Peer::new(2, &disk).await];
    for id in ["a", "b", "c"] {
        peers[0].note(id, "by 0").await;
    }
    peers[0].sync().await.expect("nothing fails yet");

    disk.fail_at(call, fault);
    let mut is_over = false;
    for (who, step) in STORY {
        match step {
            Step::Note(id) => peers[who].note(id, "new").await,
            Step::Edit(id) => {
                let changes = Object::new().with("text", format!("edited by {who}"));
                let _ = peers[who].replica.update("note", Filter::key(id), changes).await;
            }
            Step::Sync => {
                let answer = peers[who].sync().await;
                if disk.has_failed() && !is_over {
                    is_over = true;
                    if let Err(error) = &answer {
                        let full = fault == Fault::Fills;
                        let wanted = if full { ErrorKind::Full } else { ErrorKind::Unavailable };
                        assert_eq!(error.kind(), wanted, "{case:?}: {error}");
                    }
                    recover(&mut peers, &disk, case).await;
                    law::check(&peers[0].replica).await;
                    law::check(&peers[1].replica).await;
                    peers[who].sync().await.unwrap_or_else(|error| panic!("{case:?}: {error}"));
                } else {
                    answer.unwrap_or_else(|error| panic!("{case:?}: {error}"));
                }
            }
        }
    }
    disk.restart();
    for peer in [&peers[0], &peers[1], &peers[0]] {
        peer.sync().await.unwrap_or_else(|error| panic!("{case:?}: {error}"));
    }
    the_end(&peers, &disk, left).await;
    is_over
}

/// Whoever died starts again; where only the disk failed, everyone goes on.
async fn recover(peers: &mut [Peer; 2], disk: &VirtualDisk, case: Case) {
    match (case.fault, case.left) {
        (Fault::Dies { .. }, Left::Synced) => disk.crash(&mut |_| 0),
        (Fault::Dies { .. }, Left::Some(seed)) => disk.crash(&mut dice(seed << 32 | case.call)),
        _ => disk.restart(),
    }
    if matches!(case.fault, Fault::Dies { .. }) {
        for peer in peers {
            peer.start().await;
        }
    }
}

/// All are equal, nothing is lost, and it is all in the folder, for good.
async fn the_end(peers: &[Peer; 2], disk: &VirtualDisk, left: Left) {
    disk.crash(&mut |_| 0);
    let late = Peer::new(3, disk).await;
    late.sync().await.expect("it syncs");
    let replicas = [&peers[0], &peers[1], &late].map(|peer| peer.replica.clone());
    law::check_equal(&replicas).await;
    let texts: Vec<String> = late.replica.all("note").await.iter().map(show).collect();
    let expected =
        ["a edited by 1", "b by 0", "c by 0", "d edited by 0", "e new", "f new", "g new"];
    assert_eq!(texts, expected, "{left:?}");
}

fn show(object: &Object) -> String {
    let text = |field| object.value(field).as_text().unwrap_or_default();
    format!("{} {}", text("id"), text("text"))
}

/// Tells the story once for each call that is made in it; how many those are.
#[track_caller]
fn at_every_call(fault: Fault, left: Left) -> u64 {
    let mut calls = 0;
    for has_links in [true, false] {
        let mut call = 1;
        while pollster::block_on(story(Case { has_links, call, fault, left })) {
            call += 1;
        }
        assert!(call > 100, "the story is longer than that: {call}");
        calls += call;
    }
    calls
}

#[test]
fn a_process_that_dies_at_any_call_costs_nothing() {
    for done in [false, true] {
        let _ = at_every_call(Fault::Dies { done }, Left::All);
    }
}

#[test]
fn a_power_cut_at_any_call_that_takes_all_it_can_costs_nothing() {
    for done in [false, true] {
        let _ = at_every_call(Fault::Dies { done }, Left::Synced);
    }
}

#[test]
fn a_power_cut_at_any_call_that_takes_this_or_that_costs_nothing() {
    let _ = at_every_call(Fault::Dies { done: true }, Left::Some(7));
}

#[test]
fn a_disk_that_fails_or_is_full_at_any_call_costs_nothing() {
    for fault in [Fault::Fails { done: false }, Fault::Fails { done: true }, Fault::Fills] {
        let _ = at_every_call(fault, Left::All);
    }
}
