//! Several writers at once: threads, and processes that share nothing but the folder.

mod common;

use std::process::{Command, Stdio};

use common::{Place, all, family, page, sealer};
use syncline_conformance::lanes::{Follower, replica};
use syncline_core::SharedLog;
use syncline_core::log::{Receipt, VersionVector};
use syncline_shared_log_fs::FsLog;

const SEGMENTS: usize = 25;
const FOLDER: &str = "SYNCLINE_TEST_FOLDER";
const REPLICA: &str = "SYNCLINE_TEST_REPLICA";

/// Writes a lane, one segment after the other, and acknowledges as it goes.
fn write_lane(log: &FsLog, number: u8) {
    pollster::block_on(async {
        let mut sealer = sealer(number);
        log.join(sealer.replica()).await.expect("there is room");
        for _ in 0..SEGMENTS {
            let receipts = log.append(&[sealer.notes(["a", "b"])]).await.expect("there is room");
            assert_eq!(receipts.len(), 1);
            let known = VersionVector::new([sealer.tip()]);
            log.acknowledge(sealer.replica(), &known).await.expect("there is room");
        }
    });
}

/// All lanes are there as a whole, and everyone said that it has its own.
fn check(place: &Place, lanes: u8) {
    assert_eq!(place.arrived().len(), SEGMENTS * usize::from(lanes));
    assert_eq!(place.damaged(), []);
    let peers = pollster::block_on(place.again().peers()).expect("the folder is there");
    assert_eq!(peers.len(), usize::from(lanes));
    for peer in peers {
        assert_eq!(peer.heads.len(), 1);
        assert_eq!(peer.acknowledged.tips, peer.heads);
    }
}

#[test]
fn threads_write_and_read_at_once() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for number in 1..=4 {
            // Two with a handle of their own, two with a shared one.
            let log = if number % 2 == 0 { place.again() } else { place.log.clone() };
            let _ = scope.spawn(move || write_lane(&log, number));
        }
        let log = place.again();
        let _ = scope.spawn(move || {
            let mut follower = Follower::new(replica(99));
            follower.request.limit_entries = 7;
            while follower.received.len() < 4 * SEGMENTS {
                assert_eq!(page(&mut follower, &log).damaged, []);
            }
            assert_eq!(follower.received.len(), 4 * SEGMENTS, "each came once");
        });
    });
    check(&place, 4);
}

#[test]
fn threads_that_append_the_same_store_it_once() {
    let place = Place::new();
    let mut ann = sealer(1);
    let segments: Vec<_> = (0..SEGMENTS).map(|_| ann.notes(["a"])).collect();
    let stored: usize = std::thread::scope(|scope| {
        let append = |log: FsLog| {
            let receipts = pollster::block_on(log.append(&segments)).unwrap();
            receipts.into_iter().filter(|receipt| *receipt == Receipt::Stored).count()
        };
        let threads: Vec<_> =
            (0..4).map(|_| place.again()).map(|log| scope.spawn(move || append(log))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(stored, SEGMENTS);
    assert_eq!(place.names(1).len(), SEGMENTS);
    assert_eq!(place.arrived(), segments);
}

#[test]
fn processes_write_at_once() {
    if let (Ok(folder), Ok(number)) = (std::env::var(FOLDER), std::env::var(REPLICA)) {
        let log = FsLog::open(folder, family()).unwrap();
        return write_lane(&log, number.parse().unwrap());
    }
    let place = Place::new();
    let start = |number: u8| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "processes_write_at_once"])
            .env(FOLDER, place.path())
            .env(REPLICA, number.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut children: Vec<_> = (1..=4).map(start).collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    check(&place, 4);
}

#[test]
fn processes_open_a_new_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c");
    std::thread::scope(|scope| {
        let open = || FsLog::open(&path, family()).map(drop);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1, "one marker and nothing else");
    assert_eq!(all(&mut Follower::new(replica(9)), &FsLog::open(&path, family()).unwrap()), []);
}
