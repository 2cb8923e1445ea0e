//! Answers that are none, not whole, too large, or not a hub's.

mod common;

use std::io::Write;

use common::{Act, Play, REPLICA, Script, config, everything, exchange, reply, told};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use syncline_core::log::{Exchanged, Receipt};
use syncline_core::{Error, ErrorKind, Result, SharedLog};
use syncline_shared_log_http::{Compression, HttpLog, HttpLogConfig, Retry};
use syncline_shared_log_wire::{
    BYTES, PROTOCOL_HEADER, REQUEST_HEADER, SUM_HEADER, sum_of, write_exchanged,
};

const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
const OURS: (&str, &str) = ("content-type", BYTES);

async fn exchanged_with(answer: Vec<u8>) -> Result<Exchanged> {
    exchanged_by(answer, |config| config).await
}

/// What an exchange comes to when a server answers so, and nobody tries again.
async fn exchanged_by(
    answer: Vec<u8>,
    configure: impl FnOnce(HttpLogConfig) -> HttpLogConfig,
) -> Result<Exchanged> {
    let script = Script::new([answer]).await;
    let log = HttpLog::with(configure(config(script.url()).0))?;
    let exchanged = log.exchange(&exchange()).await;
    assert_eq!(script.asked().len(), 1, "tried once: {exchanged:?}");
    exchanged
}

fn whole() -> Vec<u8> {
    let fetched = syncline_core::log::Fetched {
        segments: Vec::new(),
        cursor: syncline_core::log::Cursor(vec![1; 40]),
        more: false,
        own: Vec::new(),
        time: Some(5),
        damaged: Vec::new(),
    };
    write_exchanged(&Exchanged { fetched: Some(fetched), receipts: None })
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[tokio::test]
async fn an_answer_arrives() {
    let exchanged = exchanged_with(reply(200, &[OURS], &whole())).await.unwrap();
    assert_eq!(write_exchanged(&exchanged), whole());
    let always = |config| HttpLogConfig { compression: Compression::Always, ..config };
    let answer = reply(200, &[OURS, ("content-encoding", "gzip")], &zipped(&whole()));
    let exchanged = exchanged_by(answer, always).await.unwrap();
    assert_eq!(write_exchanged(&exchanged), whole());
}

#[tokio::test]
async fn an_answer_to_another_request_is_not_taken() {
    for (status, body) in [(200, whole()), (507, b"{}".to_vec())] {
        let other = (REQUEST_HEADER, "somebody-elses");
        let once = |config| HttpLogConfig { retry: Retry::never(), ..config };
        let answer = reply(status, &[OURS, other], &body);
        let error = exchanged_by(answer, once).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("mixed up"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_whose_bits_were_changed_on_the_way_is_not_taken() {
    let sum = sum_of(&whole());
    let summed = |body: &[u8]| reply(200, &[OURS, (SUM_HEADER, &sum)], body);
    assert!(exchanged_with(summed(&whole())).await.is_ok());
    for at in 0..whole().len() {
        let mut flipped = whole();
        flipped[at] ^= 1 << (at % 8);
        let error = exchanged_with(summed(&flipped)).await.expect_err("it is another answer");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
}

#[pollster::test]
async fn what_did_not_arrive_as_it_was_sent_is_sent_again() {
    let corrupt = Error::corrupt("send it again");
    let play = Play::new([Act::problem(&corrupt, Some(422)), Act::status(204)]);
    play.log(config("http://localhost").0).join(REPLICA).await.expect("the second time");
    let play = Play::new([Act::problem(&corrupt, Some(500)), Act::status(204)]);
    let error = play.log(config("http://localhost").0).join(REPLICA).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Corrupt,
        "what the hub has lost comes back by no repetition"
    );
}

#[tokio::test]
async fn a_login_page_is_no_hub() {
    let error = exchanged_with(reply(200, &[HTML], b"<h1>Free Wi-Fi</h1>")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("login page"), "{error}");
    for page in [reply(200, &[HTML], b"<h1>Hi</h1>"), reply(200, &[], b"")] {
        let script = Script::new([page]).await;
        let log = HttpLog::with(config(script.url()).0).unwrap();
        let error = log.join(REPLICA).await.expect_err("nobody joined anything");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = ("location", "http://127.0.0.1:9/login?ticket=secret");
    for status in [301, 302, 303, 307, 308] {
        let error = exchanged_with(reply(status, &[HTML, elsewhere], b"")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("http://127.0.0.1:9/login"), "{error}");
        assert!(!told(&error).contains("ticket"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unavailable() {
    let body = whole();
    let long = (body.len() + 10).to_string();
    let chunked = [b"20\r\n".to_vec(), body.clone(), b"\r\n".to_vec()].concat();
    for answer in [
        reply(200, &[OURS, ("content-length", &long)], &body),
        reply(200, &[OURS, ("transfer-encoding", "chunked")], &chunked),
        // Whole by its frame; what is in it is not.
        reply(200, &[OURS], &body[..body.len() - 1]),
        reply(200, &[OURS], &[]),
        reply(200, &[OURS], &[b"?", &body[..]].concat()),
        reply(200, &[OURS], &[&body[..], b"?"].concat()),
    ] {
        let error = exchanged_with(answer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_while_it_comes() {
    let small = |config| HttpLogConfig { answer_bytes: 1_000, ..config };
    let endless = reply(200, &[OURS, ("content-length", "9999999999")], &[0; 100_000]);
    let error = exchanged_by(endless, small).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("answer_bytes"), "{error}");

    let packed = |config| HttpLogConfig {
        answer_bytes: 1 << 20,
        compression: Compression::Always,
        ..config
    };
    let bomb = zipped(&vec![0; 16 << 20]);
    assert!(bomb.len() < 200_000);
    let answer = reply(200, &[OURS, ("content-encoding", "gzip")], &bomb);
    assert_eq!(exchanged_by(answer, packed).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_problem_that_never_ends_is_cut() {
    let headers = [HTML, ("content-length", "9999999999")];
    let error = exchanged_with(reply(404, &headers, &[b' '; 200_000])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn another_version_is_told() {
    let newer = [OURS, (PROTOCOL_HEADER, "2")];
    for answer in [reply(200, &newer, &whole()), reply(426, &[HTML], b""), reply(404, &newer, b"")]
    {
        let error = exchanged_with(answer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("update"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_takes_no_large_bodies_is_named() {
    let error = exchanged_with(reply(413, &[HTML], b"<h1>413</h1>")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("upload_bytes"), "{error}");
}

#[pollster::test]
async fn a_problem_arrives_as_it_was_meant() {
    let skew = Error::new(ErrorKind::ClockSkew, "set the clock").with("offset", -400_000);
    let play = Play::new([Act::problem(&skew, None)]);
    let log = play.log(config("https://hub.example.org").0);
    let error = log.exchange(&exchange()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClockSkew);
    assert_eq!(error.to_string(), "set the clock (offset: -400000)");
}

#[pollster::test]
async fn an_answer_to_another_question_is_corrupt() {
    let nothing = Exchanged::default();
    let receipts = Exchanged { receipts: Some(vec![Receipt::Stored; 2]), ..Exchanged::default() };
    for answer in [nothing, receipts] {
        let play = Play::new((0..3).map(|_| Act::exchanged(&answer, 1)));
        let log = play.log(config("https://hub.example.org").0);
        assert_eq!(log.exchange(&exchange()).await.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(log.fetch(&everything()).await.unwrap_err().kind(), ErrorKind::Corrupt);
        let segment =
            syncline_conformance::lanes::Sealer::new(&common::family(), REPLICA).notes(["a"]);
        assert_eq!(log.append(&[segment]).await.unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
