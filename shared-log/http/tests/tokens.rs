//! Who a client says it is, and who hears of it.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Act, Play, REPLICA, config, exchange, told};
use syncline_core::{Error, ErrorKind, SharedLog};
use syncline_shared_log_http::{FixedToken, HttpLogConfig, TokenFrom};

const URL: &str = "https://hub.example.org";

/// Tokens that are counted: the first, and another one whenever one is refused.
fn counted(url: &str) -> HttpLogConfig {
    let count = AtomicU64::new(0);
    let tokens = TokenFrom::new(move |refused: Option<String>| {
        let number = match refused {
            Some(_) => count.fetch_add(1, Ordering::SeqCst) + 1,
            None => count.load(Ordering::SeqCst),
        };
        async move { Ok(Some(format!("secret-{number}"))) }
    });
    config(url).0.credentials(Arc::new(tokens))
}

#[pollster::test]
async fn a_token_is_asked_for_whenever_something_is_sent() {
    let play = Play::new([Act::status(204), Act::denied(401), Act::status(204), Act::status(204)]);
    let log = play.log(counted(URL));
    for _ in 0..3 {
        log.join(REPLICA).await.expect("it is let in");
    }
    let expected = ["secret-0", "secret-0", "secret-1", "secret-1"];
    assert_eq!(play.tokens(), expected.map(|token| format!("Bearer {token}")));
}

#[pollster::test]
async fn a_token_that_is_refused_twice_denies() {
    let play = Play::new([Act::denied(401), Act::denied(401), Act::status(204)]);
    let error = play.log(counted(URL)).join(REPLICA).await.unwrap_err();
    assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Denied, 2));
    assert!(!told(&error).contains("secret"), "{}", told(&error));
}

#[pollster::test]
async fn who_has_no_other_token_asks_once() {
    let stubborn = TokenFrom::new(|_| async { Ok(Some("secret".to_owned())) });
    let stubborn = config(URL).0.credentials(Arc::new(stubborn));
    for config in [config(URL).0.token("secret"), config(URL).0, stubborn] {
        let play = Play::new([Act::denied(401), Act::status(204)]);
        let error = play.log(config).join(REPLICA).await.unwrap_err();
        assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Denied, 1));
    }
}

#[pollster::test]
async fn a_fresh_token_is_no_new_try() {
    let play = Play::new([Act::status(503), Act::denied(401), Act::status(503), Act::status(204)]);
    let mut config = counted(URL);
    config.retry.tries = 3;
    play.log(config).join(REPLICA).await.expect("three tries, and one with another token");
    assert_eq!(play.asked().len(), 4);
}

#[pollster::test]
async fn a_token_that_does_not_allow_it_is_not_asked_anew() {
    let play = Play::new([Act::denied(403), Act::status(204)]);
    let error = play.log(counted(URL)).join(REPLICA).await.unwrap_err();
    assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Denied, 1));
}

#[pollster::test]
async fn a_proxy_that_wants_credentials_denies() {
    let play = Play::new([Act::with(401, &[("content-type", "text/html")], "<h1>Log in</h1>")]);
    let error = play.log(config(URL).0).join(REPLICA).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[pollster::test]
async fn a_login_service_out_of_reach_is_no_denial() {
    let tokens = TokenFrom::new(|_| async { Err(Error::new(ErrorKind::Unavailable, "no login")) });
    let play = Play::new([Act::status(204)]);
    let log = play.log(config(URL).0.credentials(Arc::new(tokens)));
    let error = log.join(REPLICA).await.unwrap_err();
    assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Unavailable, 0));
}

#[pollster::test]
async fn no_token_travels_where_it_can_be_read() {
    let plain = "http://hub.example.org";
    let play = Play::new([Act::status(204), Act::status(204), Act::status(204)]);
    let error = play.log(config(plain).0.token("secret")).join(REPLICA).await.unwrap_err();
    assert_eq!((error.kind(), play.asked().len()), (ErrorKind::Denied, 0));
    assert!(error.to_string().contains("https://"), "{error}");

    let mut allowed = config(plain).0.token("secret");
    allowed.allow_plain_token = true;
    play.log(allowed).join(REPLICA).await.expect("allowed");
    play.log(config("http://127.0.0.1:1").0.token("secret"))
        .join(REPLICA)
        .await
        .expect("nobody else");
    play.log(config(plain).0).join(REPLICA).await.expect("nothing to read");
    assert_eq!(play.tokens(), ["Bearer secret", "Bearer secret", "none"]);
}

#[pollster::test]
async fn tokens_are_never_printed() {
    let config = config(URL).0.token("secret\n");
    assert!(!format!("{config:?}").contains("secret"));
    assert!(!format!("{:?}", FixedToken::new("secret")).contains("secret"));
    let play = Play::new([Act::status(204)]);
    let log = play.log(config);
    assert!(!format!("{log:?}").contains("secret"));
    let error = log.exchange(&exchange()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "no token has such characters");
    assert!(!told(&error).contains("secret"), "{}", told(&error));

    let play = Play::new([Act::status(204)]);
    let _ = play.log(usual().token("secret")).join(REPLICA).await;
    assert!(!format!("{:?}", play.asked()).contains("secret"), "sensitive headers are masked");
}

fn usual() -> HttpLogConfig {
    common::config(URL).0
}
