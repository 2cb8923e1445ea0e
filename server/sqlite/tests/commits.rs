//! Many changes share a commit, and each is still done as a whole or not at all.

mod common;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pollster::block_on;
use syncline_conformance::lanes::{Sealer, replica};
use syncline_core::log::Segment;
use syncline_core::{ErrorKind, Group, Result};
use syncline_server::{Answer, HubStore};
use syncline_server_sqlite::{SqliteStore, SqliteStoreConfig};

use crate::common::*;

/// A store in a folder of its own.
struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("works here");
        let path = folder.path().join("hub.db");
        Self { _folder: folder, path }
    }

    fn open(&self, config: SqliteStoreConfig) -> SqliteStore {
        SqliteStore::open(&self.path, config).expect("works here")
    }
}

/// Another process that has the right to write, until it is dropped.
struct Holder(rusqlite::Connection);

impl Holder {
    fn of(path: &Path) -> Self {
        let connection = rusqlite::Connection::open(path).expect("works here");
        connection.execute_batch("BEGIN IMMEDIATE").expect("works here");
        Self(connection)
    }

    fn let_go(self) {
        self.0.execute_batch("ROLLBACK").expect("works here");
    }
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Answer>> + Send + 'a>>;

/// Asks, and does not wait for the answer.
fn ask<'a>(store: &'a SqliteStore, group: &'a Group, segments: &[Segment]) -> Waiting<'a> {
    let mut waiting = store.exchange(group, appending(segments), &TERMS);
    let polled = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending), "nobody can write now");
    waiting
}

#[test]
fn what_waits_together_is_committed_together() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig::default());
    let holder = Holder::of(&place.path);
    let segments: Vec<_> = (1..=50).map(|by| sealer(by).notes(["a"])).collect();
    let waiting: Vec<_> =
        segments.iter().map(|one| ask(&store, &group, std::slice::from_ref(one))).collect();
    assert_eq!((store.counters().accepted, store.counters().commits), (50, 0));
    holder.let_go();
    let numbers: Vec<u64> =
        waiting.into_iter().map(|answer| block_on(answer).unwrap().number).collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
    assert_eq!((store.counters().answered, store.counters().commits), (50, 1));
    assert_eq!(block_on(everything(&store)).unwrap(), segments);
}

#[test]
fn a_commit_takes_no_more_changes_than_it_may() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig { commit_jobs: 4, ..SqliteStoreConfig::default() });
    let holder = Holder::of(&place.path);
    let waiting: Vec<_> =
        (1..=10).map(|by| ask(&store, &group, &[sealer(by).notes(["a"])])).collect();
    holder.let_go();
    for answer in waiting {
        let _ = block_on(answer).unwrap();
    }
    assert_eq!(store.counters().commits, 3);
}

#[test]
fn a_change_that_is_refused_takes_no_other_with_it() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig::default());
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let stranger = Sealer::new(&"work".parse().unwrap(), replica(3)).notes(["x"]);
    let (first, _, gap) = (ann.notes(["a"]), bob.notes(["b"]), bob.notes(["c"]));
    let (second, alone) = (ann.notes(["d"]), sealer(4).notes(["e"]));
    let holder = Holder::of(&place.path);
    let waiting: Vec<_> = [vec![first.clone()], vec![alone, gap], vec![stranger], vec![second]]
        .iter()
        .map(|segments| ask(&store, &group, segments))
        .collect();
    holder.let_go();
    let kinds: Vec<_> = waiting
        .into_iter()
        .map(|answer| block_on(answer).map(|told| told.number).map_err(|error| error.kind()))
        .collect();
    assert_eq!(kinds, [Ok(1), Err(ErrorKind::Rejoin), Err(ErrorKind::Denied), Ok(2)]);
    assert_eq!(store.counters().commits, 1);
    let held = block_on(everything(&store)).unwrap();
    assert_eq!((held.len(), &held[0]), (2, &first));
}

#[test]
fn who_finds_the_queue_full_is_told_to_come_back() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig { queue_jobs: 2, ..SqliteStoreConfig::default() });
    let holder = Holder::of(&place.path);
    let waiting: Vec<_> =
        (1..=2).map(|by| ask(&store, &group, &[sealer(by).notes(["a"])])).collect();
    let late = sealer(3).notes(["a"]);
    let error = block_on(append(&store, std::slice::from_ref(&late))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    holder.let_go();
    for answer in waiting {
        let _ = block_on(answer).unwrap();
    }
    assert_eq!(block_on(append(&store, &[late])).unwrap().number, 3);
}

#[test]
fn who_reads_does_not_wait_for_who_writes() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig::default());
    let first = sealer(1).notes(["a"]);
    let _ = block_on(append(&store, std::slice::from_ref(&first))).unwrap();
    let holder = Holder::of(&place.path);
    let waiting = ask(&store, &group, &[sealer(2).notes(["b"])]);
    assert_eq!(block_on(everything(&store)).unwrap(), [first]);
    assert_eq!(block_on(store.peers(&group)).unwrap().len(), 1);
    assert_eq!(block_on(store.newest(std::slice::from_ref(&group))).unwrap(), [1]);
    assert_eq!(block_on(store.groups()).unwrap().len(), 1);
    holder.let_go();
    assert_eq!(block_on(waiting).unwrap().number, 2);
}

#[test]
fn a_writer_that_waits_too_long_changes_nothing() {
    let place = Place::new();
    let busy_timeout = Duration::from_millis(1);
    let store = place.open(SqliteStoreConfig { busy_timeout, ..SqliteStoreConfig::default() });
    let holder = Holder::of(&place.path);
    let segment = sealer(1).notes(["a"]);
    let error = block_on(append(&store, std::slice::from_ref(&segment))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(block_on(store.check()).unwrap_err().kind(), ErrorKind::Unavailable);
    holder.let_go();
    assert_eq!(block_on(everything(&store)).unwrap(), []);
    assert_eq!(block_on(append(&store, &[segment])).unwrap().number, 1);
    block_on(store.check()).unwrap();
}

#[test]
fn a_change_is_made_also_if_nobody_waits_for_its_answer() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig::default());
    let holder = Holder::of(&place.path);
    let segment = sealer(1).notes(["a"]);
    drop(ask(&store, &group, std::slice::from_ref(&segment)));
    holder.let_go();
    block_on(store.check()).unwrap();
    assert_eq!(block_on(everything(&store)).unwrap(), [segment]);
}

#[test]
fn closing_ends_what_was_accepted_and_accepts_nothing_more() {
    let (place, group) = (Place::new(), group());
    let store = place.open(SqliteStoreConfig::default());
    let holder = Holder::of(&place.path);
    let waiting: Vec<_> =
        (1..=9).map(|by| ask(&store, &group, &[sealer(by).notes(["a"])])).collect();
    let mut closing = store.close();
    let polled = closing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "there is something to end");
    let error = block_on(append(&store, &[sealer(10).notes(["a"])])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    holder.let_go();
    block_on(closing).unwrap();
    for answer in waiting {
        let _ = block_on(answer).unwrap();
    }
    assert_eq!(block_on(store.peers(&group)).unwrap_err().kind(), ErrorKind::Unavailable);
    let reopened = open(&place.path);
    assert_eq!(block_on(everything(&reopened)).unwrap().len(), 9);
}
