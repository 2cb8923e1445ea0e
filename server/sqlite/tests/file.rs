//! What a file keeps: reopened, shared, copied, damaged, of another version.

mod common;

use std::path::Path;

use pollster::block_on;
use syncline_conformance::lanes::replica;
use syncline_core::log::{After, Exchange, Segment, VersionVector};
use syncline_core::{ErrorKind, Result};
use syncline_server::{HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms};
use syncline_server_sqlite::{SqliteStore, SqliteStoreConfig};
use syncline_shared_log_wire::item::{Download, Item, Upload};

use crate::common::*;

fn refusal(path: &Path) -> ErrorKind {
    SqliteStore::open(path, SqliteStoreConfig::default()).expect_err("to be refused").kind()
}

fn change(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).expect("works here").execute_batch(sql).expect("works here");
}

#[test]
fn everything_is_there_when_the_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let (store, group) = (open(&path), group());
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let segments = [ann.notes(["a"]), bob.notes(["x", "y"]), ann.notes(["b"])];
    let _ = block_on(append(&store, &segments)).unwrap();
    let known = VersionVector::new([segments[0].span().tip()]);
    let acknowledge = Exchange { acknowledge: Some(known), join: true, ..Exchange::of(replica(9)) };
    let _ = block_on(store.exchange(&group, acknowledge, &TERMS)).unwrap();
    let (name, holder) = ("door".to_owned(), "ann".to_owned());
    let take = LeaseChange::Take { name, holder, millis: 100, attempt: None };
    let lease = block_on(store.lease(&group, take, &TERMS)).unwrap();
    let item = Item {
        kind: "note".to_owned(),
        key: "1".to_owned(),
        data: Some("sealed".to_owned()),
        timestamp: 1,
        deleted: false,
    };
    let upload = ItemRequest::Upload(Upload { epoch: 0, items: vec![item.clone()] });
    let _ = block_on(store.items(&group, upload, &TERMS)).unwrap();
    let peers = block_on(store.peers(&group)).unwrap();
    let groups = block_on(store.groups()).unwrap();
    drop(store);

    let store = open(&path);
    assert_eq!(block_on(everything(&store)).unwrap(), segments);
    assert_eq!(block_on(store.peers(&group)).unwrap(), peers);
    assert_eq!(block_on(store.groups()).unwrap(), groups);
    assert_eq!(block_on(store.leases(&group, NOW)).unwrap(), [lease]);
    let ask = ItemRequest::Download(Download::default());
    let answer = block_on(store.items(&group, ask, &TERMS)).unwrap();
    let ItemAnswer::Downloaded(downloaded) = answer else { panic!("{answer:?}") };
    assert_eq!(downloaded.items[0].item, item);
}

/// Two hubs on one file write at once, and each is followed meanwhile.
#[test]
fn two_stores_on_one_file_never_skip_a_number() {
    const EACH: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let stores = [open(&path), open(&path)];
    let write = |by: u8, store: &SqliteStore| -> Vec<u64> {
        let mut lane = sealer(by);
        (0..EACH).map(|_| block_on(append(store, &[lane.notes(["a"])])).unwrap().number).collect()
    };
    let follow = |store: &SqliteStore| -> Result<usize> {
        let (mut after, mut came) = (After::Known(VersionVector::default()), 0);
        while came < 2 * EACH {
            let asked = fetching(replica(99), after);
            let answer = block_on(store.exchange(&group(), asked, &TERMS))?;
            let fetched = answer.exchanged.fetched.expect("a page was asked for");
            came += fetched.segments.len();
            assert!(answer.number <= came as u64 || fetched.more, "a number was skipped");
            after = After::Cursor(fetched.cursor);
        }
        Ok(came)
    };
    let mut numbers = std::thread::scope(|scope| {
        let writers = [1, 2].map(|by| {
            let store = &stores[usize::from(by) - 1];
            scope.spawn(move || write(by, store))
        });
        let followers = [0, 1].map(|at| {
            let store = &stores[at];
            scope.spawn(move || follow(store).unwrap())
        });
        for follower in followers {
            assert_eq!(follower.join().unwrap(), 2 * EACH);
        }
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=2 * EACH as u64).collect::<Vec<_>>());
}

#[test]
fn a_restored_store_does_not_take_a_cursor_from_after_its_backup() {
    let store = SqliteStore::open_in_memory().unwrap();
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let first = ann.notes(["a"]);
    let _ = block_on(append(&store, std::slice::from_ref(&first))).unwrap();
    let backup = store.copied().unwrap();
    let _ = block_on(append(&store, &[ann.notes(["b"])])).unwrap();
    let ask = |after| fetching(replica(9), after);
    let known = After::Known(VersionVector::default());
    let answer = block_on(store.exchange(&group(), ask(known), &TERMS)).unwrap();
    let cursor = After::Cursor(answer.exchanged.fetched.unwrap().cursor);

    store.restore(&backup).unwrap();
    assert_eq!(block_on(everything(&store)).unwrap(), std::slice::from_ref(&first));
    let error = block_on(store.exchange(&group(), ask(cursor.clone()), &TERMS)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejoin);
    // The same number again, behind something else.
    let other = bob.notes(["c"]);
    let _ = block_on(append(&store, std::slice::from_ref(&other))).unwrap();
    let error = block_on(store.exchange(&group(), ask(cursor), &TERMS)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejoin);
    assert_eq!(block_on(everything(&backup)).unwrap(), [first], "a copy goes its own way");
}

#[test]
fn a_group_over_its_quota_is_refused_as_a_whole_and_goes_on_reading() {
    let store = SqliteStore::open_in_memory().unwrap();
    let mut ann = sealer(1);
    let (first, small) = (ann.notes(["a"]), sealer(2).notes(["b"]));
    let large = ann.notes(["long ".repeat(10_000).as_str()]);
    let _ = block_on(append(&store, std::slice::from_ref(&first))).unwrap();
    let held = first.bytes().len() as u64;
    let terms = Terms { quota: held + large.bytes().len() as u64 - 1, ..TERMS };
    let full = appending(std::slice::from_ref(&large));
    let error = block_on(store.exchange(&group(), full, &terms)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.message().contains("quota"), "{error}");
    assert_eq!(block_on(everything(&store)).unwrap(), std::slice::from_ref(&first));
    assert_eq!(block_on(store.groups()).unwrap()[0].bytes, held);
    let terms = Terms { quota: held, ..TERMS };
    let again = block_on(store.exchange(&group(), appending(&[first]), &terms)).unwrap();
    assert!(!again.is_news, "what is held already needs no room");
    let other: syncline_core::Group = "work".parse().unwrap();
    assert_eq!(block_on(store.newest(&[other])).unwrap(), [0]);
    let _ = block_on(append(&store, &[small])).unwrap();
}

#[test]
fn segments_from_the_future_are_counted() {
    let store = SqliteStore::open_in_memory().unwrap();
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let stamped = ann.notes(["a"]);
    let latest = stamped.header().greatest.millis();
    let exchange = |segments: &[Segment], latest| {
        block_on(store.exchange(&group(), appending(segments), &Terms { latest, ..TERMS })).unwrap()
    };
    let _ = exchange(&[stamped], latest);
    let ahead = || block_on(store.groups()).unwrap()[0].ahead;
    assert_eq!(ahead(), 0, "no later than what is allowed");
    let late = [ann.notes(["b"]), bob.notes(["c"])];
    for _ in 0..2 {
        let _ = exchange(&late, latest - 1);
        assert_eq!(ahead(), 2);
    }
}

#[test]
fn what_is_no_store_of_this_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    drop(open(&path("newer")));
    change(&path("newer"), "PRAGMA user_version = 9999");
    assert_eq!(refusal(&path("newer")), ErrorKind::Unsupported);
    change(&path("foreign"), "CREATE TABLE cats (name TEXT)");
    assert_eq!(refusal(&path("foreign")), ErrorKind::Invalid);
    std::fs::write(path("text"), "no database at all ".repeat(100)).unwrap();
    assert_eq!(refusal(&path("text")), ErrorKind::Corrupt);
    assert_eq!(refusal(&path("nowhere/hub.db")), ErrorKind::NotFound);
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let store = open(&path);
    let segments = [sealer(1).notes(["a"])];
    block_on(append(&store, &segments)).unwrap();
    let take = |attempt: Option<&str>| {
        let (name, holder) = ("door".to_owned(), "ann".to_owned());
        let attempt = attempt.map(str::to_owned);
        LeaseChange::Take { name, holder, millis: 100, attempt }
    };
    let lease = block_on(store.lease(&group(), take(None), &TERMS)).unwrap();
    block_on(store.close()).unwrap();
    change(&path, "DROP TABLE hub_item_made; ALTER TABLE hub_lease DROP COLUMN attempt");
    change(&path, "PRAGMA user_version = 1");
    for _ in 0..2 {
        let store = open(&path);
        assert_eq!(block_on(everything(&store)).unwrap(), segments);
        assert_eq!(block_on(store.leases(&group(), NOW)).unwrap(), std::slice::from_ref(&lease));
        let again = block_on(store.lease(&group(), take(Some("x")), &TERMS));
        assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict, "it was taken without a name");
        block_on(store.close()).unwrap();
    }
}

#[test]
fn a_damaged_segment_is_told_and_blocks_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.db");
    let store = open(&path);
    let (bad, good) = (sealer(1).notes(["a"]), sealer(2).notes(["b"]));
    let _ = block_on(append(&store, &[bad.clone(), good.clone()])).unwrap();
    change(&path, "UPDATE hub_segment SET bytes = zeroblob(length(bytes)) WHERE place & 255 = 1");
    for after in
        [VersionVector::default(), VersionVector::new([sealer(3).notes(["c"]).span().tip()])]
    {
        let asked = fetching(replica(9), After::Known(after));
        let answer = block_on(store.exchange(&group(), asked, &TERMS)).unwrap();
        let fetched = answer.exchanged.fetched.unwrap();
        assert_eq!(fetched.segments, std::slice::from_ref(&good));
        let spans: Vec<_> = fetched.damaged.iter().map(|damage| damage.span).collect();
        assert_eq!(spans, [Some(*bad.span())]);
    }
}
