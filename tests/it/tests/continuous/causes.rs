//! What makes a sync, and what makes none.

use std::sync::Arc;
use std::time::Duration;

use syncline::sync::{Cause, ContinueSync, ContinuousEvent, ContinuousOptions, Stage};
use syncline::{SyncOptions, SyncReport};

use crate::desk::Hub;
use crate::runner::Runner;

const MILLI: Duration = Duration::from_millis(1);

#[pollster::test]
async fn local_writes_in_a_burst_make_one_sync() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    for text in ["a", "b", "c"] {
        ann.write(text).await;
        ann.settle();
        ann.pass(100 * MILLI);
    }
    assert_eq!(ann.causes(), [], "each write puts it off");
    ann.pass(100 * MILLI);
    assert_eq!(ann.causes(), [Cause::Written]);
    ann.pass(5_000 * MILLI);
    assert_eq!(ann.causes(), [], "and nothing is left to send");
}

#[pollster::test]
async fn writes_without_end_are_sent_now_and_then() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    for _ in 0..45 {
        ann.write("again").await;
        ann.settle();
        ann.pass(100 * MILLI);
    }
    assert_eq!(ann.causes(), [Cause::Written; 2], "every two seconds");
}

#[pollster::test]
async fn a_notice_makes_a_sync_at_once() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    let mut bob = Runner::new(2, hub.desk()).await;
    ann.write("news").await;
    ann.settle();
    ann.pass(200 * MILLI);
    bob.settle();
    assert_eq!(bob.causes(), [Cause::Notice]);
    assert_eq!(bob.notes().await, 1);
}

#[pollster::test]
async fn the_notice_of_an_own_append_makes_no_extra_sync() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.write("news").await;
    ann.settle();
    ann.pass(200 * MILLI);
    assert_eq!(ann.causes(), [Cause::Written]);
    ann.settle();
    assert_eq!(ann.causes(), []);
}

#[pollster::test]
async fn what_a_sync_brings_makes_no_sync() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    let mut bob = Runner::new(2, hub.desk()).await;
    ann.write("news").await;
    ann.handle.sync_now();
    ann.settle();
    bob.settle();
    assert_eq!(bob.causes(), [Cause::Notice]);
    bob.pass(5_000 * MILLI);
    assert_eq!(bob.causes(), [], "what came is no write of the application");
}

#[pollster::test]
async fn each_interval_makes_a_sync() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.pass(59_999 * MILLI);
    assert_eq!(ann.causes(), []);
    ann.pass(MILLI);
    ann.pass(60_000 * MILLI);
    assert_eq!(ann.causes(), [Cause::Due; 2]);
}

#[pollster::test]
async fn without_an_interval_only_what_happens_makes_a_sync() {
    let without = |options| ContinuousOptions { interval: None, ..options };
    let mut ann = Runner::with(1, Hub::new().desk(), without).await;
    ann.settle();
    let _ = ann.causes();
    ann.pass(Duration::from_secs(1_000_000));
    assert_eq!(ann.causes(), []);
    ann.handle.sync_now();
    ann.settle();
    assert_eq!(ann.causes(), [Cause::Asked]);
}

#[pollster::test]
async fn a_write_during_a_sync_is_sent_by_the_next() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.desk.opens(false);
    ann.handle.sync_now();
    ann.settle();
    ann.write("meanwhile").await;
    ann.desk.opens(true);
    ann.settle();
    ann.pass(200 * MILLI);
    assert_eq!(ann.causes(), [Cause::Asked, Cause::Written]);
}

#[pollster::test]
async fn syncs_never_run_at_once() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.desk.opens(false);
    ann.handle.sync_now();
    ann.settle();
    ann.write("a").await;
    ann.desk.cries_wolf();
    for _ in 0..3 {
        ann.handle.sync_now();
        ann.pass(100_000 * MILLI);
    }
    assert_eq!((ann.causes(), ann.desk.fetches()), (vec![Cause::Asked], 2));
    ann.desk.opens(true);
    ann.settle();
    assert_eq!(ann.causes()[..1], [Cause::Asked], "asked for three times, done once more");
}

#[pollster::test]
async fn what_is_not_finished_goes_on_at_once() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    for text in ["a", "b", "c"] {
        ann.write(text).await;
        ann.handle.sync_now();
        ann.settle();
    }
    let one_by_one = |options: ContinuousOptions| ContinuousOptions {
        sync: SyncOptions { single_batch: true, download_entries: 1, ..SyncOptions::default() },
        ..options
    };
    let mut bob = Runner::with(2, hub.desk(), one_by_one).await;
    bob.settle();
    assert_eq!(bob.notes().await, 3);
    let causes = bob.causes();
    assert_eq!(causes[..2], [Cause::Start, Cause::Due]);
    assert!(causes.len() <= 4, "it stops when nothing moves: {causes:?}");
}

#[derive(Debug)]
struct Never;

impl ContinueSync for Never {
    fn goes_on(&self, _: Stage, _: &SyncReport) -> bool {
        false
    }
}

#[pollster::test]
async fn a_sync_that_may_do_nothing_waits_for_the_next_cause() {
    let forbidden = |options: ContinuousOptions| ContinuousOptions {
        sync: SyncOptions { continue_sync: Some(Arc::new(Never)), ..SyncOptions::default() },
        ..options
    };
    let mut ann = Runner::with(1, Hub::new().desk(), forbidden).await;
    ann.settle();
    ann.pass(60_000 * MILLI);
    assert_eq!(ann.causes(), [Cause::Start, Cause::Due]);
}

#[pollster::test]
async fn a_log_that_cannot_tell_news_is_not_asked_again() {
    let hub = Hub::new();
    let desk = hub.desk();
    desk.is_deaf(syncline::ErrorKind::Unsupported);
    let mut ann = Runner::new(1, desk).await;
    ann.desk.is_deaf(None);
    ann.desk.cries_wolf();
    ann.pass(30_000 * MILLI);
    assert_eq!(ann.causes(), []);
}

#[pollster::test]
async fn a_log_that_cannot_tell_news_now_is_asked_later() {
    let hub = Hub::new();
    let desk = hub.desk();
    desk.is_deaf(syncline::ErrorKind::Unavailable);
    let mut ann = Runner::new(1, desk).await;
    ann.desk.is_deaf(None);
    ann.desk.cries_wolf();
    ann.settle();
    assert_eq!(ann.causes(), [], "it rests");
    ann.pass(1_000 * MILLI);
    assert_eq!(ann.causes(), [Cause::Notice]);
}

#[pollster::test]
async fn stop_ends_after_the_sync_at_hand() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.write("last words").await;
    ann.desk.opens(false);
    ann.handle.sync_now();
    ann.settle();
    ann.handle.stop();
    ann.settle();
    assert!(ann.is_running());
    ann.desk.opens(true);
    ann.settle();
    assert!(!ann.is_running());
    let events = ann.events();
    let [ContinuousEvent::Started(_), ContinuousEvent::Finished(report), ContinuousEvent::Stopped] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(report.shared, 1);
}

#[pollster::test]
async fn stop_ends_a_wait() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.handle.stop();
    ann.settle();
    assert!(!ann.is_running());
    assert_eq!(ann.events(), [ContinuousEvent::Stopped]);
}

#[pollster::test]
async fn dropping_it_loses_nothing() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.write("a").await;
    ann.desk.opens(false);
    ann.handle.sync_now();
    ann.settle();
    ann.kill();
    ann.desk.opens(true);

    let desk = hub.desk();
    assert_eq!(ann.replica.sync(desk.as_ref()).await.shared, 1);
    let mut bob = Runner::new(2, hub.desk()).await;
    bob.settle();
    assert_eq!(bob.notes().await, 1);
}
