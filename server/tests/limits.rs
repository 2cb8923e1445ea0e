//! What a client may cost.

mod common;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use common::{Builder, Gate, NOW, appending, at, exchange, group, hub, hub_with, sealer};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::stream;
use syncline_core::log::{After, Codec, Exchange, Fetch, VersionVector};
use syncline_shared_log_wire::{read_exchanged, write_exchange};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn in_pieces(bytes: Vec<u8>, size: usize) -> Body {
    let pieces: Vec<_> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
}

#[test]
fn a_compressed_body_is_taken_in_pieces_of_any_size() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let mut ann = sealer(&family, 1);
        for size in [1, 7, 1024, 100_000] {
            let text = "many words ".repeat(10_000);
            let body = gzip(&write_exchange(&appending(vec![ann.notes([text.as_str()])])));
            let append = Builder::post(&at(&family, "exchange")).bytes(in_pieces(body, size));
            let answer = hub.ask(append.header("content-encoding", "gzip")).await;
            assert_eq!(read_exchanged(&answer.body).unwrap().receipts.unwrap().len(), 1);
        }
    });
}

#[test]
fn a_body_that_unfolds_to_more_than_allowed_is_too_large() {
    pollster::block_on(async {
        let hub = hub_with(|config| config.body_bytes = 1 << 20);
        let bomb = gzip(&vec![0; 16 << 20]);
        assert!(bomb.len() < 100_000);
        for what in ["exchange", "segments"] {
            let path = at(&group("family"), what);
            let send = Builder::post(&path).bytes(bomb.clone()).header("content-encoding", "gzip");
            assert_eq!(hub.ask(send).await.refused(), (413, "Invalid".into()));
        }
        let upload = Builder::post(&at(&group("family"), "items/upload")).json("");
        let mut upload = upload.header("content-encoding", "gzip");
        *upload.request.body_mut() = bomb.into();
        assert_eq!(hub.ask(upload).await.refused(), (413, "Invalid".into()));
    });
}

#[test]
fn a_compressed_body_that_is_cut_or_damaged_has_not_arrived() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let whole = gzip(&write_exchange(&appending(vec![sealer(&family, 1).notes(["a"])])));
        let send = |body: Vec<u8>| {
            let send = Builder::post(&at(&family, "exchange")).bytes(body);
            hub.ask(send.header("content-encoding", "gzip"))
        };
        for length in 0..whole.len() {
            assert_eq!(send(whole[..length].to_vec()).await.status(), 422, "cut at {length}");
        }
        let twice = [whole.clone(), whole.clone()].concat();
        assert_eq!(send(twice).await.refused(), (422, "Corrupt".into()), "more behind its end");
        assert_eq!(send(vec![b'x'; 5_000]).await.refused(), (422, "Corrupt".into()));
        assert_eq!(send(whole).await.status(), 200);
    });
}

#[test]
fn a_body_without_a_length_is_held_to_the_limit_too() {
    pollster::block_on(async {
        let hub = hub_with(|config| config.body_bytes = 10_000);
        let path = at(&group("family"), "exchange");
        let send = Builder::post(&path).bytes(in_pieces(vec![b'X'; 10_001], 999));
        assert_eq!(hub.ask(send).await.refused(), (413, "Invalid".into()));
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"X")));
        let send = Builder::post(&path).bytes(Body::from_stream(endless));
        assert_eq!(hub.ask(send).await.refused(), (413, "Invalid".into()));
    });
}

#[test]
fn answers_are_compressed_for_those_who_take_it_and_where_it_helps() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let everything = |replica| {
            let after = After::Known(VersionVector::default());
            let fetch = Fetch { replica, after, limit_bytes: 1 << 20, limit_entries: 1_000 };
            exchange(&family, &Exchange { fetch: Some(fetch), ..Exchange::of(replica) })
        };
        let text = "many words ".repeat(1_000);
        let mut ann = sealer(&family, 1);
        let append = appending(vec![ann.notes([text.as_str()])]);
        assert_eq!(hub.ask(exchange(&family, &append)).await.status(), 200);

        let plain = hub.ask(everything(ann.replica())).await;
        assert_eq!(plain.header("content-encoding"), None);
        let folded = hub.ask(everything(ann.replica()).header("accept-encoding", "gzip")).await;
        assert_eq!(folded.header("content-encoding"), Some("gzip"));
        assert!(folded.body.len() * 5 < plain.body.len());
        let mut unfolded = Vec::new();
        std::io::Read::read_to_end(&mut GzDecoder::new(&*folded.body), &mut unfolded).unwrap();
        assert_eq!(unfolded, plain.body);
        let small = Builder::get("/v1").header("accept-encoding", "gzip");
        assert_eq!(hub.ask(small).await.header("content-encoding"), None);

        let club = group("club");
        let mut bob = sealer(&club, 2).with_codec(Codec::PackedDeflate);
        let texts: Vec<String> = (0..2_000).map(|number| format!("{number} {number}")).collect();
        let append = appending(vec![bob.notes(texts.iter().map(String::as_str))]);
        assert_eq!(hub.ask(exchange(&club, &append)).await.status(), 200);
        let after = After::Known(VersionVector::default());
        let replica = bob.replica();
        let fetch = Fetch { replica, after, limit_bytes: 1 << 20, limit_entries: 10_000 };
        let fetch = Exchange { fetch: Some(fetch), ..Exchange::of(replica) };
        let dense = hub.ask(exchange(&club, &fetch).header("accept-encoding", "gzip")).await;
        assert!(dense.body.len() > 5_000);
        assert_eq!(dense.header("content-encoding"), None, "it is compressed already");
    });
}

#[test]
fn too_many_requests_are_told_when_to_come_back() {
    pollster::block_on(async {
        let hub = hub_with(|config| (config.rate, config.burst) = (1, 2));
        let ask = |token: &str, name: &str| {
            let request = Builder::get(&at(&group(name), "peers")).token(token);
            hub.ask(request)
        };
        assert_eq!(ask("read:*", "family").await.status(), 200);
        assert_eq!(ask("read:*", "family").await.status(), 200);
        let answer = ask("read:*", "family").await;
        assert_eq!(answer.refused(), (429, "Unavailable".into()));
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(ask("read:*", "club").await.status(), 200, "another group");
        assert_eq!(ask("read:family", "family").await.status(), 200, "another subject");
        hub.clock.set(NOW + 1_000);
        assert_eq!(ask("read:*", "family").await.status(), 200);
    });
}

#[tokio::test(start_paused = true)]
async fn bodies_have_a_budget_together_and_those_without_room_wait_briefly() {
    let hub = hub_with(|config| {
        (config.body_bytes, config.fetch_bytes, config.segment_bytes) = (1 << 20, 1, 1 << 20);
        config.budget_bytes = 1;
        config.budget_wait = Duration::from_secs(2);
    });
    let family = group("family");
    // The least that a hub has: 2 MB for the largest body, 1 MB for a segment, and 4 MB.
    let text = "x".repeat(1000 << 10);
    let mut lanes: Vec<_> = (1..=9).map(|number| sealer(&family, number)).collect();
    let mut gates = Vec::new();
    let mut tasks = Vec::new();
    for lane in &mut lanes[..7] {
        let gate = Arc::new(Gate::default());
        *hub.store.gate.lock().unwrap() = Some(gate.clone());
        let append = exchange(&family, &appending(vec![lane.notes([text.as_str()])]));
        let asked = hub.clone();
        tasks.push(tokio::spawn(async move { asked.ask(append).await.status() }));
        gate.entered.notified().await;
        gates.push(gate);
    }
    let large = appending(vec![lanes[7].notes([text.as_str()])]);
    let answer = hub.ask(exchange(&family, &large)).await;
    assert_eq!(answer.refused(), (503, "Unavailable".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
    let small = exchange(&family, &appending(vec![lanes[8].notes(["small"])]));
    assert_eq!(hub.ask(small).await.status(), 200, "what fits goes on");

    let asked = hub.clone();
    let waits = tokio::spawn(async move { asked.ask(exchange(&family, &large)).await.status() });
    for gate in gates {
        gate.open.notify_one();
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(waits.await.unwrap(), 200, "whoever waited is let in");
}
