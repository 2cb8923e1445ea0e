//! What is sent, and in how many requests.

mod common;

use std::io::Read;

use common::{Act, Play, REPLICA, config, everything};
use flate2::read::GzDecoder;
use http::Method;
use syncline_conformance::lanes::Sealer;
use syncline_core::log::{
    Append, AppendIf, Codec, Cursor, Exchange, Exchanged, Fetched, Receipt, Segment, VersionVector,
};
use syncline_core::{ReplicaId, SharedLog};
use syncline_shared_log_http::{Compression, HttpLogConfig};
use syncline_shared_log_wire::{read_exchange, read_segments, sum_of};

const FAR: &str = "https://hub.example.org/sync";
const NEAR: &str = "http://localhost:8080";

fn segments(count: usize, codec: Codec) -> Vec<Segment> {
    let mut sealer = Sealer::new(&common::family(), REPLICA).with_codec(codec);
    let text = "all work and no play ".repeat(100);
    (0..count).map(|_| sealer.notes([text.as_str()])).collect()
}

fn append(segments: Vec<Segment>) -> Exchange {
    let append = Append { segments, only_if: AppendIf::Always, frozen: false };
    Exchange { append: Some(append), ..Exchange::of(REPLICA) }
}

fn receipts(count: usize) -> Act {
    let receipts = Some(vec![Receipt::Stored; count]);
    Act::exchanged(&Exchanged { fetched: None, receipts }, 1)
}

#[pollster::test]
async fn an_exchange_is_one_request() {
    let fetched = Fetched {
        segments: Vec::new(),
        cursor: Cursor(vec![1]),
        more: false,
        own: Vec::new(),
        time: None,
        damaged: Vec::new(),
    };
    let receipts = Some(vec![Receipt::Known]);
    let answer = Exchanged { fetched: Some(fetched), receipts };
    let play = Play::new([Act::exchanged(&answer, 1)]);
    let request = Exchange {
        join: true,
        acknowledge: Some(VersionVector::default()),
        fetch: Some(everything()),
        ..append(segments(1, Codec::Packed))
    };
    let config = HttpLogConfig { compression: Compression::Never, ..config(FAR).0 };
    assert_eq!(play.log(config).exchange(&request).await.unwrap(), answer);

    let asked = play.asked();
    let [asked] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(asked.method(), Method::POST);
    assert_eq!(asked.uri(), "https://hub.example.org/sync/v1/groups/family/exchange");
    assert_eq!(asked.headers()["syncline-protocol"], "1");
    assert_eq!(asked.headers()["content-type"], "application/vnd.syncline");
    assert_eq!(asked.headers()["syncline-sum"], sum_of(asked.body()).as_str());
    assert_eq!(read_exchange(asked.body()).unwrap(), request);
}

#[pollster::test]
async fn each_question_of_its_own_has_its_path() {
    let play = Play::new([
        Act::status(204),
        Act::status(204),
        Act::with(200, &[("content-type", "application/json")], r#"{"peers":[]}"#),
        receipts(1),
    ]);
    let log = play.log(config(FAR).0);
    log.join(REPLICA).await.unwrap();
    log.acknowledge(REPLICA, &VersionVector::default()).await.unwrap();
    assert_eq!(log.peers().await.unwrap(), []);
    let _ = log.append(&segments(1, Codec::Packed)).await.unwrap();
    let paths: Vec<String> = play
        .asked()
        .iter()
        .map(|asked| {
            format!("{} {}", asked.method(), asked.uri().path().replace("/sync/v1/groups", ""))
        })
        .collect();
    let replica: ReplicaId = REPLICA;
    assert_eq!(
        paths,
        [
            format!("PUT /family/replicas/{replica}"),
            format!("PUT /family/replicas/{replica}/acknowledged"),
            "GET /family/peers".to_owned(),
            "POST /family/segments".to_owned(),
        ]
    );
}

#[pollster::test]
async fn a_long_append_goes_in_parts() {
    let all = segments(5, Codec::Packed);
    let play = Play::new([receipts(2), receipts(2), receipts(1)]);
    let limit = all[0].bytes().len() * 5 / 2;
    let config =
        HttpLogConfig { append_bytes: limit, compression: Compression::Never, ..config(FAR).0 };
    let receipts = play.log(config).append(&all).await.unwrap();
    assert_eq!(receipts, [Receipt::Stored; 5]);
    let sent = play.asked().into_iter().flat_map(|asked| read_segments(asked.body()).unwrap());
    assert_eq!(sent.collect::<Vec<_>>(), all);
}

#[pollster::test]
async fn appending_nothing_asks_nothing() {
    let play = Play::default();
    assert_eq!(play.log(config(FAR).0).append(&[]).await.unwrap(), []);
    assert!(play.asked().is_empty());
}

#[pollster::test]
async fn bodies_are_compressed_where_that_saves_time() {
    let plain = || append(segments(2, Codec::Packed));
    let dense = || append(segments(2, Codec::PackedDeflate));
    let little = || Exchange { join: true, ..append(Vec::new()) };
    for (url, compression, request, is_compressed) in [
        (FAR, Compression::Auto, plain(), true),
        (FAR, Compression::Auto, dense(), false),
        (FAR, Compression::Auto, little(), false),
        (FAR, Compression::Never, plain(), false),
        (NEAR, Compression::Auto, plain(), false),
        (NEAR, Compression::Always, plain(), true),
    ] {
        let count = request.append.as_ref().map_or(0, |append| append.segments.len());
        let play = Play::new([receipts(count)]);
        let config = HttpLogConfig { compression, ..config(url).0 };
        let _ = play.log(config).exchange(&request).await.unwrap();
        let asked = &play.asked()[0];
        let encoding = asked.headers().get("content-encoding");
        assert_eq!(encoding.is_some(), is_compressed, "{url} {compression:?}");
        let mut body = asked.body().to_vec();
        if is_compressed {
            let small = std::mem::take(&mut body);
            GzDecoder::new(&small[..]).read_to_end(&mut body).unwrap();
            assert!(small.len() * 4 < body.len());
        }
        assert_eq!(read_exchange(&body).unwrap(), request);
    }
}
