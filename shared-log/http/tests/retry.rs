//! What is tried again, when, and how often.

mod common;

use std::time::Duration;

use common::{Act, Most, Play, REPLICA, Script, config, exchange, reply, waits};
use syncline_core::{Error, ErrorKind, SharedLog};
use syncline_shared_log_http::{FaultKind, HttpLog, Retry};

const URL: &str = "https://hub.example.org";
const SECOND: Duration = Duration::from_secs(1);

#[pollster::test]
async fn what_is_temporary_is_tried_again() {
    for status in [408, 425, 429, 502, 503, 504] {
        let play = Play::new([Act::status(status), Act::status(204)]);
        let (config, timer) = config(URL);
        play.log(config).join(REPLICA).await.expect("the second try goes well");
        assert_eq!((play.asked().len(), waits(&timer).len()), (2, 1), "{status}");
    }
    for fault in [FaultKind::Unreachable, FaultKind::Late, FaultKind::Broken] {
        let play = Play::new([Act::Fails(fault), Act::status(204)]);
        play.log(config(URL).0).join(REPLICA).await.expect("the second try goes well");
    }
    let busy = Error::new(ErrorKind::Unavailable, "busy");
    let play = Play::new([Act::problem(&busy, Some(429)), Act::status(204)]);
    play.log(config(URL).0).join(REPLICA).await.expect("the second try goes well");
}

#[pollster::test]
async fn everything_else_is_an_error_at_once() {
    for status in [301, 400, 403, 404, 409, 411, 500, 501] {
        let play = Play::new([Act::status(status), Act::status(204)]);
        let error = play.log(config(URL).0).join(REPLICA).await.unwrap_err();
        assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Unavailable, 1), "{status}");
    }
    for kind in [
        ErrorKind::ClockSkew,
        ErrorKind::Conflict,
        ErrorKind::Denied,
        ErrorKind::Full,
        ErrorKind::Internal,
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Rejoin,
    ] {
        let problem = Error::new(kind, "so it is").with("offset", -5);
        let play = Play::new([Act::problem(&problem, None), Act::status(204)]);
        let error = play.log(config(URL).0).join(REPLICA).await.unwrap_err();
        assert_eq!((error.kind(), play.asked().len()), (kind, 1));
        assert_eq!(error.to_string(), "so it is (offset: -5)");
    }
}

#[pollster::test]
async fn tries_are_limited_and_waits_grow() {
    let play = Play::default();
    let (mut config, timer) = config(URL);
    config.retry.tries = 7;
    config.retry.backoff.longest = 5 * SECOND;
    let error = play.log(config).exchange(&exchange()).await.unwrap_err();
    assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Unavailable, 7));
    let expected = [250, 500, 1_000, 2_000, 4_000, 5_000].map(Duration::from_millis);
    assert_eq!(waits(&timer), expected);
}

#[pollster::test]
async fn no_try_begins_after_the_longest_time() {
    let play = Play::default();
    let (mut config, timer) = config(URL);
    config.retry = Retry { tries: u32::MAX, longest: 60 * SECOND, ..config.retry };
    let _ = play.log(config).exchange(&exchange()).await.unwrap_err();
    let all: Duration = waits(&timer).iter().sum();
    assert!(all >= 50 * SECOND && all <= 70 * SECOND, "{all:?}");
}

#[pollster::test]
async fn whoever_never_tries_again_asks_once() {
    let play = Play::default();
    let (mut config, timer) = config(URL);
    config.retry = Retry::never();
    let _ = play.log(config).exchange(&exchange()).await.unwrap_err();
    assert_eq!((play.asked().len(), waits(&timer).len()), (1, 0));
}

#[pollster::test]
async fn a_hub_that_asks_to_wait_is_waited_for() {
    let date = [
        ("retry-after", "Fri, 20 Nov 2026 10:00:07 GMT"),
        ("date", "Fri, 20 Nov 2026 10:00:00 GMT"),
    ];
    for headers in [&[("retry-after", "7")][..], &date] {
        let play = Play::new([Act::with(503, headers, ""), Act::status(204)]);
        let (config, timer) = config(URL);
        play.log(config).join(REPLICA).await.expect("the second try goes well");
        assert_eq!(waits(&timer), [7 * SECOND + SECOND / 4], "and not all at the same moment");
    }
}

#[pollster::test]
async fn a_hub_that_asks_for_too_long_a_wait_is_left_alone() {
    for wait in ["3600", "18446744073709551615"] {
        let play = Play::new([Act::with(503, &[("retry-after", wait)], "")]);
        let (config, timer) = config(URL);
        let error = play.log(config).join(REPLICA).await.unwrap_err();
        assert_eq!((error.kind(), waits(&timer).len()), (ErrorKind::Unavailable, 0));
        assert_eq!(error.context().find(|(key, _)| *key == "seconds"), Some(("seconds", wait)));
    }
}

#[pollster::test]
async fn a_hub_that_hangs_is_given_up() {
    let play = Play::new([Act::Hangs, Act::status(204)]);
    let (mut config, timer) = config(URL);
    config.timeouts.answer = 28 * SECOND;
    play.log(config).join(REPLICA).await.expect("the second try goes well");
    assert_eq!(waits(&timer)[0], 28 * SECOND);
}

#[tokio::test]
async fn where_nobody_listens_the_hub_is_out_of_reach() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let (config, timer) = config(&url);
    let error = HttpLog::with(config).unwrap().join(REPLICA).await.unwrap_err();
    assert_eq!((error.kind(), waits(&timer).len()), (ErrorKind::Unavailable, 3));
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    let script = Script::new([b"".to_vec(), b"HTTP/1.1 20".to_vec(), reply(204, &[], b"")]).await;
    let log = HttpLog::with(config(script.url()).0).unwrap();
    log.join(REPLICA).await.expect("the third try goes well");
    assert_eq!(script.asked().len(), 3);
}

#[test]
fn chance_is_spread() {
    // What the default does; the tests above want it still.
    let config = syncline_shared_log_http::HttpLogConfig::new(URL, common::family());
    let drawn: std::collections::BTreeSet<_> = (0..100).map(|_| config.random.bytes()).collect();
    assert_eq!(drawn.len(), 100);
    let _ = Most;
}
