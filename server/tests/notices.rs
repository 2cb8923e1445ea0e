//! Live notice.

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use common::{
    Builder, TestStore, Tested, appending, at, exchange, group, hub, hub_on, hub_with, sealer,
};
use http_body_util::BodyExt;
use syncline_conformance::lanes::Sealer;
use syncline_core::Group;
use syncline_shared_log_wire::notice::Notice;

async fn append(hub: &Tested, family: &Group, lane: &mut Sealer) {
    let request = exchange(family, &appending(vec![lane.notes(["news"])]));
    assert_eq!(hub.ask(request).await.status(), 200);
}

async fn listen(hub: &Tested, family: &Group) -> Body {
    let request = Builder::get(&at(family, "notices")).header("accept-encoding", "gzip");
    let answer = hub.send(request.build()).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.headers().get("content-encoding").is_none());
    answer.into_body()
}

async fn next(events: &mut Body) -> Option<String> {
    let frame = events.frame().await?.expect("a stream that does not break");
    Some(String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text"))
}

fn event(number: u64) -> Option<String> {
    Some(format!("event: notice\ndata: {{\"number\":{number}}}\n\n"))
}

async fn poll(hub: &Tested, family: &Group, query: &str) -> u64 {
    let request = Builder::get(&at(family, &format!("notices?{query}")));
    let answer = hub.ask(request).await;
    let number = answer.json::<Notice>().number;
    assert_eq!(answer.header("syncline-number"), Some(number.to_string().as_str()));
    number
}

#[tokio::test(start_paused = true)]
async fn a_stream_shows_that_it_lives_once_it_was_silent_for_long_and_not_before() {
    let (hub, family) = (hub(), group("family"));
    let mut ann = sealer(&family, 1);
    let mut events = listen(&hub, &family).await;
    assert_eq!(next(&mut events).await, event(0));
    let begun = tokio::time::Instant::now();
    for number in 1..=3 {
        tokio::time::advance(Duration::from_secs(10)).await;
        append(&hub, &family, &mut ann).await;
        assert_eq!(next(&mut events).await, event(number), "each within the silence allowed");
    }
    for silent in [45, 60] {
        assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"));
        assert_eq!(begun.elapsed().as_secs(), silent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_the_number_at_once_and_then_each_newer_one() {
    let (hub, family) = (hub(), group("family"));
    let mut ann = sealer(&family, 1);
    append(&hub, &family, &mut ann).await;
    let mut events = listen(&hub, &family).await;
    assert_eq!(next(&mut events).await, event(1));
    append(&hub, &family, &mut ann).await;
    assert_eq!(next(&mut events).await, event(2));
    assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"), "it lives");
    for _ in 0..3 {
        append(&hub, &family, &mut ann).await;
    }
    assert_eq!(next(&mut events).await, event(5), "whoever is slow hears of the newest only");
}

#[tokio::test(start_paused = true)]
async fn news_of_one_group_is_none_for_another() {
    let (hub, family, club) = (hub(), group("family"), group("club"));
    let mut events = listen(&hub, &club).await;
    assert_eq!(next(&mut events).await, event(0));
    append(&hub, &family, &mut sealer(&family, 1)).await;
    assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"));
}

#[tokio::test(start_paused = true)]
async fn what_another_hub_appends_to_the_same_store_is_found() {
    let store: Arc<TestStore> = Arc::default();
    let (one, two) = (hub_on(store.clone(), |_| {}), hub_on(store, |_| {}));
    let family = group("family");
    let mut events = listen(&one, &family).await;
    assert_eq!(next(&mut events).await, event(0));
    append(&two, &family, &mut sealer(&family, 1)).await;
    assert_eq!(next(&mut events).await, event(1));
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_around_when_nobody_waits() {
    use std::sync::atomic::Ordering;
    let (hub, family) = (hub(), group("family"));
    let mut events = listen(&hub, &family).await;
    assert_eq!(next(&mut events).await, event(0));
    assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"));
    assert!(hub.store.looks.load(Ordering::SeqCst) >= 50, "four times a second");
    assert_eq!(hub.hub.subscribers(), 1);
    drop(events);
    assert_eq!(hub.hub.subscribers(), 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::task::yield_now().await;
    let looks = hub.store.looks.load(Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::task::yield_now().await;
    assert_eq!(hub.store.looks.load(Ordering::SeqCst), looks);
    let mut events = listen(&hub, &family).await;
    assert_eq!(next(&mut events).await, event(0), "and it begins anew");
    assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"));
    assert!(hub.store.looks.load(Ordering::SeqCst) >= looks + 50);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_token_expires() {
    let (hub, family) = (hub(), group("family"));
    let request = Builder::get(&at(&family, "notices")).token("brief").build();
    let mut events = hub.send(request).await.into_body();
    assert_eq!(next(&mut events).await, event(0));
    assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"));
    hub.clock.set(common::NOW + 20_000);
    assert_eq!(next(&mut events).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_hub_stops() {
    let (hub, family) = (hub(), group("family"));
    let mut events = listen(&hub, &family).await;
    assert_eq!(next(&mut events).await, event(0));
    hub.hub.stop();
    assert_eq!(next(&mut events).await, None);
    assert!(hub.hub.is_stopping());
}

#[tokio::test(start_paused = true)]
async fn only_so_many_may_wait() {
    let (hub, family) = (hub_with(|config| config.subscribers = 2), group("family"));
    let (first, _second) = (listen(&hub, &family).await, listen(&hub, &family).await);
    let third = Builder::get(&at(&family, "notices"));
    let answer = hub.ask(third).await;
    assert_eq!(answer.refused(), (503, "Unavailable".into()));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.problem().context["limit"], "2");
    drop(first);
    assert_eq!(poll(&hub, &family, "after=0&wait=0").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_answers_at_once_if_there_is_news() {
    let (hub, family) = (hub(), group("family"));
    let mut ann = sealer(&family, 1);
    append(&hub, &family, &mut ann).await;
    append(&hub, &family, &mut ann).await;
    assert_eq!(poll(&hub, &family, "after=0").await, 2);
    assert_eq!(poll(&hub, &family, "after=5").await, 2, "the hub was restored");
    assert_eq!(poll(&hub, &family, "after=2&wait=0").await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_waits_for_news_but_not_for_ever() {
    let (hub, family) = (hub(), group("family"));
    let waits = async {
        let begun = tokio::time::Instant::now();
        let number = poll(&hub, &family, "after=0&wait=100000").await;
        (number, begun.elapsed().as_secs())
    };
    assert_eq!(waits.await, (0, 60));

    let asked = hub.clone();
    let of = family.clone();
    let waits = tokio::spawn(async move { poll(&asked, &of, "after=0&wait=60").await });
    while hub.hub.subscribers() == 0 {
        tokio::task::yield_now().await;
    }
    append(&hub, &family, &mut sealer(&family, 1)).await;
    assert_eq!(waits.await.unwrap(), 1);

    let asked = hub.clone();
    let waits = tokio::spawn(async move { poll(&asked, &family, "after=1&wait=60").await });
    while hub.hub.subscribers() == 0 {
        tokio::task::yield_now().await;
    }
    hub.hub.stop();
    assert_eq!(waits.await.unwrap(), 1, "a hub that stops keeps nobody waiting");
}
