//! Pauses: asked for, or because the log denies.

use std::time::Duration;

use syncline::ErrorKind;
use syncline::sync::{Cause, ContinuousEvent, Pause};

use crate::desk::Hub;
use crate::runner::Runner;

const LONG: Duration = Duration::from_secs(100_000);

#[pollster::test]
async fn a_denial_pauses_until_credentials_change() {
    let hub = Hub::new();
    let mut ann = Runner::new(1, hub.desk()).await;
    ann.desk.fails(ErrorKind::Denied);
    ann.write("kept").await;
    ann.handle.sync_now();
    ann.settle();
    let events = ann.events();
    assert_eq!(events.last(), Some(&ContinuousEvent::Paused(Pause::Denied)));

    ann.write("kept, too").await;
    ann.desk.cries_wolf();
    ann.pass(LONG);
    assert_eq!(ann.events(), [], "it knocks at no door that is closed");

    ann.desk.fails(None);
    ann.handle.try_again();
    ann.settle();
    let events = ann.events();
    let [ContinuousEvent::Resumed, ContinuousEvent::Started(Cause::Again), end] = &events[..]
    else {
        panic!("{events:?}")
    };
    let ContinuousEvent::Finished(report) = end else { panic!("{end:?}") };
    assert_eq!(report.shared, 2);
}

#[pollster::test]
async fn a_denial_after_a_denial_pauses_again() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails(ErrorKind::Denied);
    ann.handle.sync_now();
    ann.settle();
    ann.handle.try_again();
    ann.settle();
    let paused = ContinuousEvent::Paused(Pause::Denied);
    let events = ann.events();
    assert_eq!(events.iter().filter(|event| **event == paused).count(), 2, "{events:?}");
    assert_eq!(events.last(), Some(&paused));
}

#[pollster::test]
async fn asking_for_a_sync_ends_a_denial_that_is_none_any_more() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails(ErrorKind::Denied);
    ann.handle.sync_now();
    ann.settle();
    ann.desk.fails(None);
    ann.handle.sync_now();
    ann.settle();
    assert!(ann.events().contains(&ContinuousEvent::Resumed));
    ann.pass(Duration::from_secs(60));
    assert_eq!(ann.causes(), [Cause::Due]);
}

#[pollster::test]
async fn paused_nothing_happens_by_itself() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.handle.pause();
    ann.settle();
    assert_eq!(ann.events(), [ContinuousEvent::Paused(Pause::Asked)]);
    ann.write("a").await;
    ann.desk.cries_wolf();
    ann.pass(LONG);
    ann.handle.try_again();
    ann.settle();
    assert_eq!(ann.events(), []);

    ann.handle.sync_now();
    ann.settle();
    assert_eq!(ann.causes(), [Cause::Asked], "but what is asked for is done");
    ann.pass(LONG);
    assert_eq!(ann.causes(), []);

    ann.handle.resume();
    ann.settle();
    assert_eq!(
        ann.events()[..2],
        [ContinuousEvent::Resumed, ContinuousEvent::Started(Cause::Resumed)]
    );
}

#[pollster::test]
async fn a_pause_lets_the_sync_at_hand_end() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.opens(false);
    ann.handle.sync_now();
    ann.settle();
    ann.handle.pause();
    ann.desk.opens(true);
    ann.settle();
    let events = ann.events();
    assert!(matches!(events[1], ContinuousEvent::Finished(_)), "{events:?}");
    assert_eq!(events.last(), Some(&ContinuousEvent::Paused(Pause::Asked)));
}

#[pollster::test]
async fn resuming_ends_both_pauses_once() {
    let mut ann = Runner::new(1, Hub::new().desk()).await;
    ann.desk.fails(ErrorKind::Denied);
    ann.handle.sync_now();
    ann.handle.pause();
    ann.settle();
    ann.desk.fails(None);
    let _ = ann.events();
    ann.handle.resume();
    ann.settle();
    assert_eq!(ann.causes(), [Cause::Resumed]);
    ann.pass(Duration::from_secs(60));
    assert_eq!(ann.causes(), [Cause::Due]);
}
