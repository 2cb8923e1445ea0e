//! Logs that are far away: how often they are asked, and what that must not change.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use syncline::clock::StepClock;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{object_log, status};
use syncline::{ErrorKind, Filter, Object, SharedLog, SyncOptions, do_sync};
use syncline_it::far::Far;
use syncline_it::faults::copy;
use syncline_it::{Replica, STORES, Store, law, schema};

const NOW: i64 = 1_800_000_000_000;
const HOUR: i64 = 3_600_000;

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn timed(now: i64) -> Far {
    let clock = Arc::new(StepClock::new(now, 10));
    Far::new(MemoryLog::new("test".parse().expect("a group")).with_clock(clock))
}

/// Two replicas that have met here, and have nothing to say.
async fn two_that_met(store: Store, log: &Far) -> (Replica, Replica) {
    let (one, two) = (Replica::new(store, 1).await, Replica::new(store, 2).await);
    for replica in [&one, &two] {
        let _ = replica.create("note", Object::new()).await;
    }
    for replica in [&one, &two, &one, &two, &one] {
        assert!(replica.sync(log).await.finished);
    }
    let _ = log.requests();
    (one, two)
}

async fn acknowledges(log: &Far, of: &Replica, what: &Replica) -> u64 {
    let (of, what) = (of.log.replica().await, what.log.replica().await);
    let (of, what) = (of.expect("an id"), what.expect("an id"));
    let peers = log.inner.peers().await.expect("it answers");
    let peer = peers.iter().find(|peer| peer.replica == of).expect("it is known");
    peer.acknowledged.of(what).map(|tip| tip.seq).max().unwrap_or(0)
}

#[test]
fn an_ordinary_sync_is_one_request() {
    for store in STORES {
        pollster::block_on(async {
            let log = timed(NOW);
            let (one, two) = two_that_met(store, &log).await;
            for round in 0..3_u64 {
                for number in 0..10 {
                    let _ = one.create("user", user(&format!("{round}-{number}"), "x")).await;
                }
                let report = one.sync(&log).await;
                assert_eq!((report.shared, log.requests()), (10, 1), "sends");
                let _ = two.create("user", user(&format!("{round}-two"), "x")).await;
                let report = two.sync(&log).await;
                let counts = (report.received, report.integrated, report.shared);
                assert_eq!((counts, log.requests()), ((10, 10, 1), 1), "both");
                assert_eq!((one.sync(&log).await.received, log.requests()), (1, 1), "receives");
                assert_eq!((two.sync(&log).await.received, log.requests()), (0, 1), "nothing");
            }
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn what_was_received_is_acknowledged_with_the_next_request() {
    pollster::block_on(async {
        let log = timed(NOW);
        let (one, two) = two_that_met(Store::Sqlite, &log).await;
        let _ = one.create("user", user("a", "x")).await;
        let _ = one.sync(&log).await;
        let before = acknowledges(&log, &two, &one).await;
        let _ = two.sync(&log).await;
        assert_eq!(acknowledges(&log, &two, &one).await, before, "not at once");
        let _ = two.sync(&log).await;
        assert_eq!(acknowledges(&log, &two, &one).await, before + 1);
        law::check_told(&two, &log.inner).await;
    });
}

#[test]
fn an_answer_that_is_lost_is_no_obstacle() {
    for store in STORES {
        pollster::block_on(async {
            let log = timed(NOW);
            let (one, two) = two_that_met(store, &log).await;
            let _ = two.create("user", user("theirs", "x")).await;
            let _ = two.sync(&log).await;
            let _ = one.create("user", user("own", "x")).await;
            log.loses.store(true, Ordering::SeqCst);
            let lost = do_sync(&one.log, &log, &SyncOptions::default()).await;
            assert_eq!(lost.expect_err("the answer was lost").kind(), ErrorKind::Unavailable);
            let segments = log.inner.segments();
            let _ = one.create("user", user("more", "x")).await;
            for replica in [&one, &two, &one] {
                assert!(replica.sync(&log).await.finished);
            }
            assert_eq!(log.inner.segments(), segments + 1, "only what came after was sent");
            assert_eq!(status(&one.log).await.expect("a status").pending, 0);
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn a_restored_database_takes_a_new_id_at_a_far_log_too() {
    for store in STORES {
        pollster::block_on(async {
            let log = timed(NOW);
            let (one, two) = two_that_met(store, &log).await;
            let backup = copy(&one, store).await;
            let _ = one.create("user", user("after the backup", "x")).await;
            let _ = one.sync(&log).await;
            // The database is restored, and written to before it syncs.
            let restored = Replica::open(backup, 3, schema(), |config| config).await;
            let restored = restored.expect("it opens");
            let old = one.log.replica().await.expect("an id");
            let _ = restored.create("user", user("after the restore", "x")).await;
            for replica in [&restored, &two, &restored] {
                assert!(replica.sync(&log).await.finished);
            }
            assert_ne!(restored.log.replica().await.expect("an id"), old);
            assert_eq!(two.all("user").await.len(), 2);
            law::check_equal(&[restored, two]).await;
        });
    }
}

#[test]
fn a_clock_that_was_off_or_went_back_is_put_right_before_anything_is_cut() {
    for (store, off) in STORES.into_iter().flat_map(|s| [(s, HOUR), (s, -HOUR), (s, -400_000)]) {
        pollster::block_on(async {
            let log = timed(NOW + 60_000);
            let (one, two) = two_that_met(store, &log).await;
            one.clock.set(NOW + off);
            let _ = one.create("user", user("a", "x")).await;
            assert!(one.sync(&log).await.finished);
            is_stamped_now(&one).await;
            let _ = two.sync(&log).await;
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn a_clock_that_is_known_to_be_off_is_put_right_before_anything_is_cut() {
    for (store, off) in STORES.into_iter().flat_map(|s| [(s, HOUR), (s, -HOUR)]) {
        pollster::block_on(async {
            let (log, one) = (timed(NOW + 60_000), Replica::new(store, 1).await);
            one.clock.set(NOW + off);
            for _ in 0..2 {
                let _ = one.sync(&log).await;
            }
            let _ = one.create("user", user("a", "x")).await;
            assert!(one.sync(&log).await.finished);
            is_stamped_now(&one).await;
        });
    }
}

/// The user is stamped about when it is at the log.
async fn is_stamped_now(replica: &Replica) {
    let logged = object_log(&replica.log, Some(&"user".into()), Some(&"a".into())).await;
    let stamp = logged.expect("it tells")[0].author.stamp;
    let apart = stamp.millis().abs_diff(NOW + 60_000);
    assert!(apart < 5 * 60_000, "{apart} ms from the log's time");
}

#[test]
fn what_was_cut_with_a_wrong_clock_is_sent_as_it_is() {
    for store in STORES {
        pollster::block_on(async {
            let elsewhere = MemoryLog::new("test".parse().expect("a group")).named("elsewhere");
            let log = timed(NOW);
            let (one, two) = two_that_met(store, &log).await;
            one.clock.set(NOW + 10 * HOUR);
            let _ = one.create("user", user("ahead", "x")).await;
            let _ = one.sync(&elsewhere).await;
            one.clock.set(NOW + 1_000);
            log.latest.store((NOW + 5 * 60_000).cast_unsigned(), Ordering::SeqCst);
            let _ = one.create("user", user("right", "x")).await;
            let _ = one.update("user", Filter::key("ahead"), Object::new().with("name", "y")).await;
            for replica in [&one, &two] {
                assert!(replica.sync(&log).await.finished);
            }
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn a_first_sync_in_many_pages_ends_equal() {
    for store in STORES {
        pollster::block_on(async {
            let log = timed(NOW);
            let (one, two) = (Replica::new(store, 1).await, Replica::new(store, 2).await);
            for number in 0..50 {
                let _ = one.create("user", user(&format!("{number}"), "x")).await;
            }
            let small =
                SyncOptions { upload_entries: 5, download_entries: 10, ..SyncOptions::default() };
            let _ = one.sync_with(&log, &small).await;
            let _ = log.requests();
            assert_eq!(two.sync_with(&log, &small).await.received, 50);
            assert_eq!(log.requests(), 1 + 5, "it joins, and gets five pages");
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn members_are_asked_for_only_when_more_can_have_become_of_it() {
    pollster::block_on(async {
        let log = timed(NOW);
        let (one, two) = two_that_met(Store::Sqlite, &log).await;
        let options = SyncOptions { clean_up_entries: 10, ..SyncOptions::default() };
        let mut asked = 0;
        for number in 0..40 {
            let _ = two.create("user", user(&format!("two {number}"), "x")).await;
            let _ = two.sync(&log).await;
            let _ = log.requests();
            let _ = one.create("user", user(&format!("{number}"), "x")).await;
            assert!(one.sync_with(&log, &options).await.finished);
            asked += log.requests() - 1;
        }
        assert!((2..=5).contains(&asked), "asked {asked} times");
        for _ in 0..2 {
            let _ = two.sync(&log).await;
        }
        one.clock.set(NOW + HOUR);
        let _ = one.sync_with(&log, &options).await;
        let kept = law::stored(&one, "sync_entry").await.len();
        assert!(kept < 10, "everybody has everything, and {kept} entries are kept");
    });
}
