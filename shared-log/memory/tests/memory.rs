//! What only the memory log does.

use std::sync::Arc;

use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_core::clock::StepClock;
use syncline_core::log::{After, VersionVector};
use syncline_core::{ErrorKind, Group, SharedLog};
use syncline_shared_log_memory::{MemoryLog, Requests};

fn family() -> Group {
    "family".parse().expect("a valid name")
}

#[pollster::test]
async fn a_cursor_beyond_a_restored_log_is_refused() {
    let log = MemoryLog::new(family());
    let mut ann = Sealer::new(&family(), replica(1));
    let segments = [ann.notes(["a"]), ann.notes(["b"]), ann.notes(["c"])];
    let _ = log.append(&segments).await.unwrap();
    let mut follower = Follower::new(replica(9));
    let _ = follower.all(&log).await.unwrap();

    log.truncate_to(1);
    assert_eq!(log.segments(), 1);
    let error = log.fetch(&follower.request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejoin);
    assert_eq!(log.append(&segments[2..]).await.unwrap_err().kind(), ErrorKind::Rejoin);

    // The same segments in the same order: the place is the same again.
    let _ = log.append(&segments[1..]).await.unwrap();
    assert!(log.fetch(&follower.request).await.unwrap().segments.is_empty());
}

#[pollster::test]
async fn requests_of_all_clones_are_counted() {
    let log = MemoryLog::new(family());
    let request = Follower::new(replica(9)).request;
    log.join(replica(1)).await.unwrap();
    let _ = log.append(&[]).await.unwrap();
    let _ = log.clone().fetch(&request).await.unwrap();
    let _ = log.fetch(&request).await.unwrap();
    log.acknowledge(replica(1), &VersionVector::default()).await.unwrap();
    let _ = log.clone().peers().await.unwrap();
    let expected = Requests { join: 1, append: 1, fetch: 2, acknowledge: 1, peers: 1 };
    assert_eq!((log.requests(), log.requests().total()), (expected, 6));
}

#[pollster::test]
async fn a_log_with_a_clock_tells_the_time() {
    let log = MemoryLog::new(family());
    let request = Follower::new(replica(9)).request;
    assert_eq!(log.fetch(&request).await.unwrap().time, None);
    let log = log.with_clock(Arc::new(StepClock::new(1_000, 10)));
    assert_eq!(log.fetch(&request).await.unwrap().time, Some(1_000));
    assert_eq!(log.fetch(&request).await.unwrap().time, Some(1_010));
}

#[pollster::test]
async fn a_long_answer_from_what_is_known_goes_on_by_number() {
    let log = MemoryLog::new(family());
    let mut ann = Sealer::new(&family(), replica(1));
    let segments: Vec<_> = (0..10).map(|_| ann.notes(["a"])).collect();
    let _ = log.append(&segments).await.unwrap();
    let mut follower = Follower::new(replica(9));
    follower.request.after = After::Known(VersionVector::default());
    follower.request.limit_entries = 3;
    assert_eq!(follower.all(&log).await.unwrap(), segments);
}
