//! News: what is some, what is none, and what becomes of the line on which they come.

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::{Act, Play, REPLICA, config, exchange};
use syncline_conformance::lanes::Sealer;
use syncline_core::log::{
    Append, AppendIf, Cursor, Exchange, Exchanged, Fetched, Notices, Receipt,
};
use syncline_core::timer::HandTimer;
use syncline_core::{ErrorKind, Result, SharedLog};
use syncline_shared_log_http::{FaultKind, HttpLog};

const URL: &str = "https://hub.example.org";

/// Somebody who waits for news, and does so only while a test lets them.
struct Listener {
    play: Play,
    log: HttpLog,
    timer: HandTimer,
    waits: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Listener {
    /// Somebody who has fetched everything up to a number.
    async fn at(number: u64, acts: impl IntoIterator<Item = Act>) -> Self {
        let play = Play::new([fetched(number, false)].into_iter().chain(acts));
        let (mut config, _) = config(URL);
        let timer = HandTimer::default();
        config.timer = Arc::new(timer.clone());
        config.retry.tries = 1;
        let log = play.log(config);
        let _ = log.exchange(&exchange()).await.expect("it answers");
        Self { play, log, timer, waits: None }
    }

    /// What is told now, if anything is.
    fn hears(&mut self) -> Option<Result<()>> {
        let log = self.log.clone();
        let waits = self.waits.get_or_insert_with(|| Box::pin(async move { log.changed().await }));
        let flag = Arc::new(Flag(true.into()));
        let waker = Waker::from(flag.clone());
        while flag.0.swap(false, Ordering::SeqCst) {
            if let Poll::Ready(told) = waits.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.waits = None;
                return Some(told);
            }
        }
        None
    }

    fn hears_news(&mut self) -> bool {
        self.hears().is_some_and(|told| told.is_ok())
    }

    fn hears_nothing(&mut self) -> bool {
        self.hears().is_none()
    }

    /// Lets time pass until whatever it waits for.
    fn pass(&mut self) -> Duration {
        let time = self.timer.next().expect("it waits for some time");
        self.timer.advance(time);
        time
    }

    fn paths(&self) -> Vec<String> {
        let asked = self.play.asked();
        let paths = asked.iter().skip(1).filter_map(|asked| asked.uri().path_and_query());
        paths.map(|path| path.as_str().replace("/v1/groups/family/", "")).collect()
    }
}

fn fetched(number: u64, more: bool) -> Act {
    let (segments, own, damaged) = Default::default();
    let cursor = Cursor(vec![1]);
    let fetched = Fetched { segments, cursor, more, own, time: None, damaged };
    Act::exchanged(&Exchanged { fetched: Some(fetched), receipts: None }, number)
}

fn polled(number: u64) -> Act {
    let json = format!(r#"{{"number":{number}}}"#);
    Act::with(200, &[("content-type", "application/json")], json)
}

fn append() -> Exchange {
    let segments = vec![Sealer::new(&common::family(), REPLICA).notes(["a"])];
    let append = Append { segments, only_if: AppendIf::Always, frozen: false };
    Exchange { append: Some(append), ..Exchange::of(REPLICA) }
}

fn appended(number: u64) -> Act {
    let receipts = Some(vec![Receipt::Stored]);
    Act::exchanged(&Exchanged { fetched: None, receipts }, number)
}

#[pollster::test]
async fn a_greater_number_is_news_once() {
    let (stream, feed) = Act::stream();
    let mut ann = Listener::at(5, [stream]).await;
    assert!(ann.hears_nothing());
    feed.number(5);
    feed.say(":\n\n");
    assert!(ann.hears_nothing(), "all of that was fetched");
    feed.number(6);
    assert!(ann.hears_news());
    assert!(ann.hears_nothing(), "told once");
    feed.number(6);
    feed.number(4);
    assert!(ann.hears_nothing(), "late, or repeated");
    feed.number(7);
    feed.number(8);
    assert!(ann.hears_news());
    assert!(ann.hears_news());
    assert_eq!(ann.paths(), ["notices"], "on one line");
}

#[pollster::test]
async fn what_came_before_anybody_listened_is_news() {
    let (stream, feed) = Act::stream();
    feed.number(9);
    assert!(Listener::at(5, [stream]).await.hears_news());
}

#[pollster::test]
async fn an_own_append_is_no_news() {
    let (stream, feed) = Act::stream();
    feed.number(5);
    let mut ann = Listener::at(5, [stream, appended(6), appended(8)]).await;
    assert!(ann.hears_nothing());
    let _ = ann.log.exchange(&append()).await.unwrap();
    feed.number(6);
    assert!(ann.hears_nothing());
    let _ = ann.log.exchange(&append()).await.unwrap();
    feed.number(8);
    assert!(ann.hears_news(), "somebody appended number 7");
}

#[pollster::test]
async fn what_was_fetched_is_no_news() {
    let (stream, feed) = Act::stream();
    feed.number(5);
    let mut ann = Listener::at(5, [stream, fetched(7, true), fetched(9, false)]).await;
    assert!(ann.hears_nothing());
    let _ = ann.log.exchange(&exchange()).await.unwrap();
    feed.number(6);
    assert!(ann.hears_news(), "only a part was fetched");
    let _ = ann.log.exchange(&exchange()).await.unwrap();
    feed.number(8);
    feed.number(9);
    assert!(ann.hears_nothing());
}

#[pollster::test]
async fn a_restored_hub_is_news() {
    let (stream, feed) = Act::stream();
    feed.number(3);
    let mut ann = Listener::at(5, [stream]).await;
    assert!(ann.hears_news(), "it holds less than was fetched");
    assert!(ann.hears_nothing());
    feed.number(4);
    assert!(ann.hears_news(), "numbers begin anew");
}

#[pollster::test]
async fn whoever_stops_waiting_misses_nothing() {
    let (stream, feed) = Act::stream();
    let mut ann = Listener::at(5, [stream]).await;
    feed.number(5);
    feed.say("event: notice\nda");
    assert!(ann.hears_nothing());
    ann.waits = None;
    feed.say("ta: {\"number\":6}\n\n");
    assert!(ann.hears_news(), "on the same line");
    assert_eq!(ann.paths(), ["notices"]);
}

#[pollster::test]
async fn a_stream_that_ends_is_opened_again() {
    let (first, mut one) = Act::stream();
    let (second, two) = Act::stream();
    let mut ann = Listener::at(5, [first, second]).await;
    one.number(5);
    one.say(":\n\n");
    assert!(ann.hears_nothing());
    one.breaks();
    assert!(ann.hears_nothing());
    assert!(ann.pass() <= Duration::from_secs(1), "a little later");
    two.number(6);
    assert!(ann.hears_news());
}

#[pollster::test]
async fn streams_that_end_at_once_are_opened_more_and_more_rarely() {
    let mut ann = Listener::at(5, []).await;
    let mut waited = Vec::new();
    for _ in 0..8 {
        let (stream, mut feed) = Act::stream();
        feed.number(5);
        feed.breaks();
        ann.play.add(stream);
        assert!(ann.hears_nothing());
        waited.push(ann.pass().as_secs());
    }
    assert_eq!(waited, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[pollster::test]
async fn a_hub_that_is_back_is_news() {
    let (stream, feed) = Act::stream();
    let mut ann = Listener::at(5, [Act::Fails(FaultKind::Unreachable), stream]).await;
    let error = ann.hears().expect("out of reach").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    feed.number(5);
    assert!(ann.hears_news(), "though its number is the same");
    feed.number(5);
    assert!(ann.hears_nothing());
}

#[pollster::test]
async fn a_denial_is_told() {
    let mut ann = Listener::at(5, [Act::denied(401)]).await;
    let error = ann.hears().expect("denied").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[pollster::test]
async fn where_streams_are_kept_back_polls_wait() {
    let (silent, feed) = Act::stream();
    let (again, fresh) = Act::stream();
    let mut ann = Listener::at(5, [silent, polled(5), polled(6), Act::status(500), again]).await;
    assert!(ann.hears_nothing());
    assert_eq!(ann.pass().as_secs(), 15, "the first event comes at once, if it comes");
    assert!(ann.hears_nothing());
    assert!(!feed.is_heard(), "nobody listens to that stream any more");
    assert!(ann.pass().as_secs() <= 1, "an answer that brought nothing is not asked for at once");
    assert!(ann.hears_news());
    assert_eq!(ann.paths(), ["notices", "notices?after=5&wait=25", "notices?after=5&wait=25"]);
    assert!(ann.hears().is_some_and(|told| told.is_err()));
    fresh.number(6);
    assert!(ann.hears_news(), "in reach again, and streams are tried again");
    assert_eq!(ann.paths().last().map(String::as_str), Some("notices"));
}

#[pollster::test]
async fn where_streams_become_something_else_polls_wait() {
    let page = Act::with(200, &[("content-type", "text/html")], "<h1>Not here</h1>");
    let mut ann = Listener::at(5, [page, polled(6), polled(4)]).await;
    assert!(ann.hears_news());
    assert!(ann.hears_news(), "a smaller number: it was restored");
    assert_eq!(ann.paths(), ["notices", "notices?after=5&wait=25", "notices?after=6&wait=25"]);
}

#[pollster::test]
async fn a_line_that_falls_silent_is_opened_again() {
    let (first, one) = Act::stream();
    let (second, two) = Act::stream();
    let mut ann = Listener::at(5, [first, second]).await;
    one.number(5);
    assert!(ann.hears_nothing());
    assert_eq!(ann.pass().as_secs(), 45);
    assert!(ann.hears_nothing());
    let _ = ann.pass();
    two.number(6);
    assert!(ann.hears_news());
    assert_eq!(ann.paths(), ["notices", "notices"], "it is no reason to poll");
}

#[pollster::test]
async fn what_is_no_notice_is_passed_over() {
    let (stream, feed) = Act::stream();
    let mut ann = Listener::at(5, [stream, Act::Hangs]).await;
    feed.say("data: hello\n\nevent: other\ndata: {}\n\ndata: {\"number\":-1}\n\n");
    assert!(ann.hears_nothing());
    feed.number(6);
    assert!(ann.hears_news());
    feed.say(&"x".repeat(100_000));
    assert!(ann.hears_nothing());
    assert!(!feed.is_heard(), "whoever never ends a line is not listened to");
}
