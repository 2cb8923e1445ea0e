//! Logs that are out of reach, and errors of all kinds.

use std::time::Duration;

use syncline::ErrorKind;
use syncline::sync::{Cause, ContinuousEvent};

use crate::desk::Hub;
use crate::runner::Runner;

const SECOND: Duration = Duration::from_secs(1);

fn names(events: &[ContinuousEvent]) -> Vec<&'static str> {
    let name = |event: &ContinuousEvent| match event {
        ContinuousEvent::Started(_) => "started",
        ContinuousEvent::Finished(_) => "finished",
        ContinuousEvent::Failed { .. } => "failed",
        ContinuousEvent::Offline => "offline",
        ContinuousEvent::Online => "online",
        ContinuousEvent::Waiting { .. } => "waiting",
        ContinuousEvent::Paused(_) => "paused",
        ContinuousEvent::Resumed => "resumed",
        _ => "other",
    };
    events.iter().map(name).collect()
}

#[pollster::test]
async fn failing_backs_off_and_recovers() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails(ErrorKind::Unavailable);
    ann.handle.sync_now();
    ann.settle();
    assert_eq!(names(&ann.events()), ["started", "failed", "offline", "waiting"]);
    let mut most = SECOND;
    for _ in 0..12 {
        assert!(ann.pass_to_next() <= most);
        assert_eq!(names(&ann.events()), ["started", "failed", "waiting"], "offline is told once");
        most = (2 * most).min(300 * SECOND);
    }
    ann.desk.fails(None);
    let _ = ann.pass_to_next();
    assert_eq!(names(&ann.events()), ["started", "online", "finished"]);
    ann.desk.fails(ErrorKind::Unavailable);
    ann.handle.sync_now();
    ann.settle();
    assert!(ann.pass_to_next() <= SECOND, "it begins anew");
}

#[pollster::test]
async fn local_writes_do_not_shorten_the_wait_for_a_log_out_of_reach() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails_for(ErrorKind::Unavailable, 30);
    ann.write("a").await;
    ann.handle.sync_now();
    ann.settle();
    let _ = ann.causes();
    ann.write("b").await;
    ann.pass(29 * SECOND);
    assert_eq!(ann.causes(), [], "the log asked to be left alone");
    ann.desk.fails(None);
    ann.pass(2 * SECOND);
    assert_eq!(ann.causes(), [Cause::Again]);
    ann.pass(SECOND);
    assert_eq!(ann.causes(), [], "that sync took both");
}

#[pollster::test]
async fn news_end_the_wait_for_a_log_out_of_reach() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails_for(ErrorKind::Unavailable, 1_000);
    ann.handle.sync_now();
    ann.settle();
    ann.desk.fails(None);
    let _ = ann.events();
    ann.desk.cries_wolf();
    ann.settle();
    assert_eq!(names(&ann.events()), ["started", "online", "finished"]);
}

#[pollster::test]
async fn news_that_only_make_syncs_fail_are_not_heeded() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails_for(ErrorKind::Unavailable, 1_000);
    for _ in 0..5 {
        ann.desk.cries_wolf();
        ann.settle();
    }
    assert_eq!(ann.causes(), [Cause::Notice]);
    ann.desk.fails(ErrorKind::Full);
    ann.handle.try_again();
    ann.settle();
    ann.desk.cries_wolf();
    ann.settle();
    assert_eq!(ann.causes(), [Cause::Again], "a full disk is not emptied by news");
}

#[pollster::test]
async fn trying_again_ends_the_wait_and_does_nothing_otherwise() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.handle.try_again();
    ann.settle();
    assert_eq!(ann.causes(), []);
    ann.desk.fails(ErrorKind::Unavailable);
    ann.handle.sync_now();
    ann.settle();
    ann.desk.fails(None);
    ann.handle.try_again();
    ann.settle();
    assert_eq!(ann.causes(), [Cause::Asked, Cause::Again]);
}

#[pollster::test]
async fn a_wait_is_told_by_the_clock() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails_for(ErrorKind::Unavailable, 60);
    ann.handle.sync_now();
    ann.settle();
    let now = 1_800_000_000_001;
    let told = ann.events();
    let Some(ContinuousEvent::Waiting { until }) = told.last() else { panic!("{told:?}") };
    assert!(*until >= now + 60_000 && *until < now + 600_000, "{until}");
}

#[pollster::test]
async fn an_error_of_another_kind_is_told_and_tried_again() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails(ErrorKind::Corrupt);
    ann.handle.sync_now();
    ann.settle();
    let events = ann.events();
    assert_eq!(names(&events), ["started", "failed", "waiting"]);
    let ContinuousEvent::Failed { kind, message } = &events[1] else { panic!("{events:?}") };
    assert_eq!((*kind, message.as_str()), (ErrorKind::Corrupt, "told to fail"));
    ann.desk.fails(None);
    let _ = ann.pass_to_next();
    assert_eq!(names(&ann.events()), ["started", "finished"]);
}
