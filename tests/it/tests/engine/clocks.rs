//! Clocks that are years off, step back, or meet stamps from the future.

use std::sync::Arc;

use syncline::client::Origin;
use syncline::clock::StepClock;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{SyncEvent, SyncObserver, object_log};
use syncline::{Batch, Filter, Object, Operation, Stamp, SyncOptions, run};
use syncline_it::{Replica, STORES, law, schema};

const NOW: i64 = 1_800_000_000_000;
const TEN_YEARS: i64 = 10 * 365 * 24 * 3_600_000;

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn timeless() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group")).named("timeless")
}

fn timed() -> MemoryLog {
    timeless().named("timed").with_clock(Arc::new(StepClock::new(NOW + 60_000, 10)))
}

fn name(name: &str) -> Object {
    Object::new().with("name", name)
}

async fn stamps(replica: &Replica, id: &str) -> Vec<Stamp> {
    let logged = object_log(&replica.log, Some(&"user".into()), Some(&id.into())).await;
    logged.expect("it tells").iter().map(|logged| logged.author.stamp).collect()
}

#[derive(Debug, Default)]
struct Restamps(std::sync::Mutex<Vec<i64>>);

impl SyncObserver for Restamps {
    fn on_event(&self, event: &SyncEvent) {
        if let SyncEvent::Restamped { offset, .. } = event {
            self.0.lock().expect("no test fails here").push(*offset);
        }
    }
}

#[test]
fn a_clock_that_is_years_off_is_put_right_before_anything_is_sent() {
    for (store, off) in STORES.into_iter().flat_map(|s| [(s, TEN_YEARS), (s, -TEN_YEARS)]) {
        pollster::block_on(async {
            let (log, one, two) =
                (timed(), Replica::new(store, 1).await, Replica::new(store, 2).await);
            let _ = two.create("user", user("seen", "two")).await;
            let _ = two.sync(&log).await;
            one.clock.set(NOW + off);
            let _ = one.sync(&log).await;
            let _ = one.create("user", user("a", "one")).await;
            let _ = one.update("user", Filter::key("a"), name("one again")).await;
            let _ = one.update("user", Filter::key("seen"), name("one")).await;
            let heard = Arc::new(Restamps::default());
            let observed = SyncOptions { observer: Some(heard.clone()), ..Default::default() };
            one.clock.set(NOW + off);
            let _ = one.sync_with(&log, &observed).await;
            let offset = heard.0.lock().expect("no test fails here")[0];
            assert!((offset + off).abs() < 120_000, "{offset}");
            let written = stamps(&one, "a").await;
            assert!(written[0] < written[1]);
            assert!(written.iter().all(|stamp| (stamp.millis() - NOW).abs() < 600_000));
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await, [user("a", "one again"), user("seen", "one")]);
            // Whoever edits later wins, on either side.
            two.clock.set(NOW + 300_000);
            let _ = two.update("user", Filter::key("a"), name("two")).await;
            let _ = two.sync(&log).await;
            let _ = one.sync(&log).await;
            assert_eq!(one.all("user").await[0], user("a", "two"));
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn adopted_rows_lose_against_edits_even_if_the_clock_was_at_its_beginning() {
    for store in STORES {
        pollster::block_on(async {
            let (log, one, two) =
                (timed(), Replica::new(store, 1).await, Replica::new(store, 2).await);
            one.clock.set(60_000);
            let old = Batch::new().create("user", user("x", "old").with("age", 1));
            let _ = run(one.backend.as_ref(), Operation::Write(old)).await.expect("it writes");
            assert_eq!(one.log.adopt("user", Origin::Unknown).await.expect("it adopts"), 1);
            let _ = two.create("user", user("x", "edited")).await;
            let _ = two.sync(&log).await;
            let _ = one.sync(&log).await;
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await, [user("x", "edited").with("age", 1)]);
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn an_edit_wins_over_a_stamp_from_the_future_and_does_not_move_the_clock() {
    for store in STORES {
        pollster::block_on(async {
            let (log, one, two) =
                (timeless(), Replica::new(store, 1).await, Replica::new(store, 2).await);
            two.clock.set(NOW + TEN_YEARS);
            let _ = two.create("user", user("poisoned", "two")).await;
            let _ = two.sync(&log).await;
            let _ = one.sync(&log).await;
            let _ = one.update("user", Filter::key("poisoned"), name("one")).await;
            let _ = one.create("user", user("other", "one")).await;
            let drifted = stamps(&one, "other").await[0].millis() - NOW;
            assert!(drifted <= 6 * 60_000, "it moved by {drifted}");
            // Opened again, a second edit still wins over the first.
            let again = Replica::open(one.backend.clone(), 1, schema(), |config| config).await;
            let again = again.expect("it opens");
            let _ = again.update("user", Filter::key("poisoned"), name("one again")).await;
            let all = stamps(&again, "poisoned").await;
            assert!(all.is_sorted_by(|a, b| a < b), "each has its own: {all:?}");
            let _ = again.sync(&log).await;
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await[1], user("poisoned", "one again"));
            law::check_equal(&[again, two]).await;
        });
    }
}

#[test]
fn an_edit_wins_over_own_stamps_from_the_future_once_the_clock_is_right() {
    for store in STORES {
        pollster::block_on(async {
            let (blind, log) = (timeless(), timed());
            let (one, two) = (Replica::new(store, 1).await, Replica::new(store, 2).await);
            one.clock.set(NOW + TEN_YEARS);
            let _ = one.create("user", user("a", "future")).await;
            let _ = one.sync(&blind).await;
            let _ = one.create("user", user("b", "restamped")).await;
            let _ = one.sync(&log).await;
            one.clock.set(NOW + 120_000);
            let _ = one.update("user", Filter::key("a"), name("now")).await;
            law::check(&one).await;
            let _ = one.sync(&log).await;
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await[0], user("a", "now"));
            law::check_equal(&[one, two]).await;
        });
    }
}

#[test]
fn stamps_rise_over_a_clock_that_steps_back_and_over_opening_again() {
    for store in STORES {
        pollster::block_on(async {
            let mut one = Replica::new(store, 1).await;
            let _ = one.create("user", user("a", "0")).await;
            for round in 0..4 {
                one.clock.set(NOW - TEN_YEARS * round);
                let _ = one.update("user", Filter::key("a"), name(&round.to_string())).await;
                if round == 2 {
                    let _ = one.sync(&timeless()).await;
                }
                let opened = Replica::open(one.backend.clone(), 1, schema(), |config| config).await;
                one = opened.expect("it opens");
                one.clock.set(NOW - 2 * TEN_YEARS);
            }
            let all = stamps(&one, "a").await;
            assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
            assert_eq!(one.all("user").await, [user("a", "3")]);
            law::check(&one).await;
        });
    }
}

#[test]
fn a_clock_that_is_put_back_too_far_still_lets_a_new_write_win() {
    const HOUR: i64 = 3_600_000;
    for store in STORES {
        pollster::block_on(async {
            let (log, one) = (timed(), Replica::new(store, 1).await);
            one.clock.set(NOW);
            let _ = one.create("user", user("a", "early")).await;
            let _ = one.sync(&log).await;
            // The clock steps on after a write: what it shows now says too much of what it showed then.
            one.clock.set(NOW + HOUR);
            let _ = one.create("user", user("b", "x")).await;
            one.clock.set(NOW + 3 * HOUR);
            let _ = one.sync(&log).await;
            one.clock.set(NOW - HOUR);
            let _ = one.update("user", Filter::key("a"), name("late")).await;
            law::check(&one).await;
            let two = Replica::new(store, 2).await;
            for replica in [&one, &two, &one] {
                let _ = replica.sync(&log).await;
            }
            law::check_equal(&[one, two.clone()]).await;
            assert_eq!(two.all("user").await[0], user("a", "late"));
        });
    }
}
