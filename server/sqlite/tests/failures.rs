//! What fails, and what it leaves alone: a request half-way, a full disk, a full group, a closed store.

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pollster::block_on;
use rusqlite::Connection;
use syncline_conformance::lanes::replica;
use syncline_core::ErrorKind;
use syncline_core::log::{After, Exchange, Segment, VersionVector};
use syncline_server::{HubStore, ItemRequest, Terms};
use syncline_server_sqlite::SqliteStore;
use syncline_shared_log_wire::item::{Flush, Item};

use crate::common::*;

fn stored(store: &SqliteStore, segments: &[Segment]) {
    assert!(block_on(append(store, segments)).expect("it is stored").is_news);
}

/// Keeps everybody from writing until it ends.
struct Block(Connection);

impl Block {
    fn new(path: &Path) -> Self {
        let other = Connection::open(path).expect("opens");
        other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        Self(other)
    }

    fn release(self) {
        self.0.execute_batch("COMMIT").expect("commits");
    }
}

/// Ten requests of other lanes wait with it for the right to write.
#[test]
fn one_that_fails_half_way_leaves_nothing_and_takes_nobody_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.db");
    let store = open(&path);
    // Stands for a disk that fails at the second segment of a request.
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON hub_segment WHEN NEW.first = 2 \
                 BEGIN SELECT RAISE(ABORT, 'the disk fails'); END";
    Connection::open(&path).and_then(|other| other.execute_batch(fails)).expect("is made");
    let mut lane = sealer(200);
    let mut asked: Vec<_> = (0..10).map(|number| vec![sealer(number).notes(["a"])]).collect();
    asked.insert(5, vec![lane.notes(["a"]), lane.notes(["b"])]);
    let block = Block::new(&path);
    let waiting: Vec<_> = asked
        .into_iter()
        .map(|segments| {
            let store = store.clone();
            thread::spawn(move || block_on(append(&store, &segments)))
        })
        .collect();
    while store.counters().accepted < 11 {
        thread::yield_now();
    }
    block.release();
    let answers = waiting.into_iter().map(|one| one.join().expect("no panic"));
    assert_eq!(answers.filter(Result::is_err).count(), 1);
    let held = block_on(everything(&store)).expect("reads");
    assert_eq!(held.len(), 10);
    assert!(held.iter().all(|segment| segment.span().replica != replica(200)));
    let summary = &block_on(store.groups()).expect("reads")[0];
    assert_eq!((summary.number, summary.segments), (10, 10), "no number was lost");
}

#[test]
fn what_changes_nothing_needs_no_right_to_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("hub.db");
    let store = open(&path);
    let segment = sealer(1).notes(["a"]);
    let known = VersionVector::new([segment.span().tip()]);
    let sync = || Exchange {
        join: true,
        acknowledge: Some(known.clone()),
        ..fetching(replica(2), After::Known(known.clone()))
    };
    block_on(async {
        let _ = append(&store, std::slice::from_ref(&segment)).await?;
        store.exchange(&group(), sync(), &TERMS).await
    })
    .expect("stores");
    let before = store.counters();
    let block = Block::new(&path);
    let again = block_on(store.exchange(&group(), sync(), &TERMS)).expect("reads");
    assert!(!again.is_news);
    let _ = block_on(everything(&store)).expect("reads");
    assert_eq!(block_on(store.newest(&[group()])).expect("reads"), [1]);
    assert_eq!(store.counters().accepted, before.accepted);
    block.release();
}

#[test]
fn a_closed_store_lets_go_of_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for open in [open, open_inline] {
        let path = folder.path().join("hub.db");
        let store = open(&path);
        let _ = block_on(append(&store, &[sealer(1).notes(["a"])])).expect("it is stored");
        block_on(store.close()).expect("closes");
        block_on(store.close()).expect("closes again");
        for answer in [
            block_on(append(&store, &[sealer(2).notes(["a"])])).map(|_| ()),
            block_on(store.peers(&group())).map(|_| ()),
            block_on(store.check()),
        ] {
            assert_eq!(answer.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
        }
        let others = ["hub.db-wal", "hub.db-shm"].map(|name| folder.path().join(name).exists());
        assert_eq!(others, [false, false], "it let go of the file");
    }
}

/// A small disk, gone when this ends. It needs the right to mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().expect("a folder"));
        let mounts = ["-t", "tmpfs", "-o", "size=4m", "tmpfs"];
        let output = Command::new("mount").args(mounts).arg(disk.0.path()).output();
        let is_mounted = output.is_ok_and(|output| output.status.success());
        assert!(is_mounted, "this test needs the right to mount");
        disk
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.filler()).expect("creates");
        while filler.write_all(&[0; 512]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_changes_and_goes_on_reading() {
    let disk = SmallDisk::new();
    let store = open(&disk.0.path().join("hub.db"));
    let mut lane = sealer(1);
    let first = lane.notes(["a"]);
    stored(&store, std::slice::from_ref(&first));
    disk.fill();
    let noise: Vec<String> =
        (0..4_000_u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()).collect();
    let large = lane.notes(noise.iter().map(String::as_str));
    let refused = block_on(append(&store, std::slice::from_ref(&large)));
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Full));
    assert_eq!(block_on(everything(&store)).expect("reads"), std::slice::from_ref(&first));
    std::fs::remove_file(disk.filler()).expect("removes");
    stored(&store, std::slice::from_ref(&large));
    assert_eq!(block_on(everything(&store)).expect("reads"), [first, large]);
}

/// What was kept for a while only makes room, where a group is full and its time is over.
#[test]
fn expired_epochs_make_room() {
    let store = SqliteStore::open_in_memory().expect("opens");
    let flush = |epoch, now| {
        let item = |key: u64| Item {
            kind: "note".to_owned(),
            key: key.to_string(),
            data: Some("x".repeat(100)),
            timestamp: 1,
            deleted: false,
        };
        let terms = Terms { now, quota: 5_000, keep_epochs: 100, ..TERMS };
        let ask = ItemRequest::Flush(Flush { epoch, items: (0..10).map(item).collect() });
        block_on(store.items(&group(), ask, &terms)).map_err(|error| error.kind())
    };
    assert!(flush(0, 0).is_ok());
    assert!(flush(1, 10).is_ok());
    assert_eq!(flush(2, 109), Err(ErrorKind::Full));
    assert!(flush(2, 110).is_ok(), "its time is over");
}
