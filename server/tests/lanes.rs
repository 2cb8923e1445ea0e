//! Lanes over HTTP.

mod common;

use common::{Builder, NOW, TestStore, appending, at, exchange, group, hub, hub_with, sealer};
use syncline_core::Stamp;
use syncline_core::log::{After, Append, Exchange, Fetch, Receipt, VersionVector};
use syncline_shared_log_wire::{
    PeersJson, Welcome, read_exchanged, sum_of, write_exchange, write_segments, write_vector,
};

fn fetch_all(replica: syncline_core::ReplicaId) -> Fetch {
    let after = After::Known(VersionVector::default());
    Fetch { replica, after, limit_bytes: usize::MAX, limit_entries: u64::MAX }
}

#[test]
fn whoever_comes_is_told_versions_and_time() {
    pollster::block_on(async {
        let hub = hub();
        let answer = hub.ask(Builder::get("/v1").without("authorization")).await;
        assert_eq!(answer.json::<Welcome>(), Welcome { protocols: vec![1], time: NOW });
        assert_eq!(answer.header("syncline-time"), Some(NOW.to_string().as_str()));
    });
}

#[test]
fn one_exchange_joins_acknowledges_fetches_and_appends() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let (mut ann, mut bob) = (sealer(&family, 1), sealer(&family, 2));
        let (first, second) = (ann.notes(["a"]), bob.notes(["b", "c"]));
        let answer = hub.ask(exchange(&family, &appending(vec![first.clone()]))).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("syncline-number"), Some("1"));

        let known = VersionVector::new([ann.tip()]);
        let request = Exchange {
            join: true,
            acknowledge: Some(known.clone()),
            fetch: Some(fetch_all(bob.replica())),
            ..appending(vec![second])
        };
        let request = Exchange { replica: bob.replica(), ..request };
        let answer = hub.ask(exchange(&family, &request)).await;
        let exchanged = read_exchanged(&answer.body).unwrap();
        assert_eq!(exchanged.receipts, Some(vec![Receipt::Stored]));
        assert_eq!(exchanged.fetched.unwrap().segments, [first]);
        assert_eq!(answer.header("syncline-number"), Some("2"));

        let peers = hub.ask(Builder::get(&at(&family, "peers"))).await.json::<PeersJson>().peers;
        let bob = peers.iter().find(|peer| peer.replica == bob.replica().to_string()).unwrap();
        assert_eq!((bob.heads[0].seq, bob.acknowledged.len()), (2, 1));
    });
}

#[test]
fn a_body_whose_bits_were_changed_on_the_way_is_not_taken() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let request = write_exchange(&appending(vec![sealer(&family, 1).notes(["a"])]));
        let sum = sum_of(&request);
        let ask = |body: Vec<u8>| {
            Builder::post(&at(&family, "exchange")).bytes(body).header("syncline-sum", &sum)
        };
        for at in 0..request.len() {
            let mut flipped = request.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(hub.ask(ask(flipped)).await.refused(), (422, "Corrupt".to_owned()), "{at}");
        }
        for no_sum in ["", "1", "xxxxxxxx"] {
            let asks = ask(request.clone()).header("syncline-sum", no_sum);
            assert_eq!(hub.ask(asks).await.refused().0, 422, "{no_sum}");
        }
        let answer = hub.ask(ask(request.clone())).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.header("syncline-sum"), Some(sum_of(&answer.body).as_str()));
        let peers = hub.ask(Builder::get(&at(&family, "peers"))).await;
        assert_eq!(peers.header("syncline-sum"), Some(sum_of(&peers.body).as_str()));
        let item = r#"{"epoch":0,"items":[]}"#;
        let upload = |sum| {
            Builder::post(&at(&family, "items/upload")).json(item).header("syncline-sum", sum)
        };
        assert_eq!(hub.ask(upload("00000000")).await.refused().0, 422);
        assert_eq!(hub.ask(upload(&sum_of(item.as_bytes()))).await.status(), 200);
    });
}

#[test]
fn the_same_can_be_asked_one_by_one() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("a/b"));
        let mut ann = sealer(&family, 1);
        let segment = ann.notes(["a"]);
        let replica = at(&family, &format!("replicas/{}", ann.replica()));
        let put = |path: &str| Builder::new(axum::http::Method::PUT, path);
        assert_eq!(hub.ask(put(&replica)).await.status(), 204);
        let append = Builder::post(&at(&family, "segments"));
        let append = append.bytes(write_segments(std::slice::from_ref(&segment)));
        let answer = hub.ask(append).await;
        assert_eq!(read_exchanged(&answer.body).unwrap().receipts, Some(vec![Receipt::Stored]));
        let vector = write_vector(&VersionVector::new([ann.tip()]));
        let answer = hub.ask(put(&format!("{replica}/acknowledged")).bytes(vector)).await;
        assert_eq!(answer.status(), 204);
        let fetch =
            Exchange { fetch: Some(fetch_all(ann.replica())), ..Exchange::of(ann.replica()) };
        let fetch = Builder::post(&at(&family, "fetch")).bytes(write_exchange(&fetch));
        let fetched = read_exchanged(&hub.ask(fetch).await.body).unwrap().fetched.unwrap();
        assert_eq!(fetched.segments, [segment]);
        let fetch = Builder::post(&at(&family, "fetch")).bytes(write_exchange(&appending(vec![])));
        assert_eq!(hub.ask(fetch).await.refused(), (400, "Invalid".into()));
    });
}

#[test]
fn a_repeated_append_is_known_and_no_news() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let request = appending(vec![sealer(&family, 1).notes(["a"])]);
        for receipt in [Receipt::Stored, Receipt::Known, Receipt::Known] {
            let answer = hub.ask(exchange(&family, &request)).await;
            assert_eq!(read_exchanged(&answer.body).unwrap().receipts, Some(vec![receipt]));
            assert_eq!(answer.header("syncline-number"), Some("1"));
        }
    });
}

#[test]
fn groups_see_nothing_of_each_other() {
    pollster::block_on(async {
        let (hub, family, club) = (hub(), group("family"), group("club"));
        let segment = sealer(&family, 1).notes(["a"]);
        assert_eq!(
            hub.ask(exchange(&family, &appending(vec![segment.clone()]))).await.status(),
            200
        );
        let fetch = Exchange {
            fetch: Some(fetch_all(Default::default())),
            ..Exchange::of(Default::default())
        };
        let answer = hub.ask(exchange(&club, &fetch)).await;
        assert!(read_exchanged(&answer.body).unwrap().fetched.unwrap().segments.is_empty());
        assert_eq!(answer.header("syncline-number"), Some("0"));
        assert!(
            hub.ask(Builder::get(&at(&club, "peers"))).await.json::<PeersJson>().peers.is_empty()
        );

        let problem = hub.ask(exchange(&club, &appending(vec![segment]))).await.problem();
        assert_eq!((problem.status, problem.kind.as_str()), (403, "Denied"));
        assert_eq!(problem.context["group"], "family");
    });
}

#[test]
fn a_stamp_from_the_future_is_refused_with_the_offset_unless_it_is_frozen() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let drift = 5 * 60 * 1000;
        let mut ann = sealer(&family, 1).stamped_after(Stamp::at_millis(NOW + drift));
        let allowed = ann.notes(["on the border"]);
        assert_eq!(hub.ask(exchange(&family, &appending(vec![allowed]))).await.status(), 200);

        let mut ann = ann.stamped_after(Stamp::at_millis(NOW + drift + 7));
        let mut request = appending(vec![ann.notes(["beyond it"])]);
        let problem = hub.ask(exchange(&family, &request)).await.problem();
        assert_eq!((problem.status, problem.kind.as_str()), (422, "ClockSkew"));
        assert_eq!(problem.context["offset"], format!("-{}", drift + 7));

        request.append.as_mut().unwrap().frozen = true;
        assert_eq!(hub.ask(exchange(&family, &request)).await.status(), 200);
        let terms = hub.store.terms.lock().unwrap().unwrap();
        assert_eq!((terms.now, terms.latest), (NOW, NOW + drift), "so that the store counts it");
    });
}

#[test]
fn what_a_client_fetches_is_held_to_the_limit_of_the_hub() {
    pollster::block_on(async {
        let (hub, family) = (hub_with(|config| config.fetch_bytes = 1), group("family"));
        let mut ann = sealer(&family, 1);
        let segments = vec![ann.notes(["a"]), ann.notes(["b"])];
        assert_eq!(hub.ask(exchange(&family, &appending(segments))).await.status(), 200);
        let fetch = Exchange {
            fetch: Some(fetch_all(Default::default())),
            ..Exchange::of(Default::default())
        };
        let answer = hub.ask(exchange(&family, &fetch)).await;
        let fetched = read_exchanged(&answer.body).unwrap().fetched.unwrap();
        assert_eq!((fetched.segments.len(), fetched.more), (1, true));
    });
}

#[test]
fn segments_and_requests_have_a_largest_size() {
    pollster::block_on(async {
        let family = group("family");
        let mut ann = sealer(&family, 1);
        let segments = vec![ann.notes(["a", "b"]), ann.notes(["c"])];
        let bytes = segments[0].bytes().len();
        let request = exchange(&family, &appending(segments.clone()));

        let hub = hub_with(|config| config.segment_bytes = bytes - 1);
        let problem = hub.ask(exchange(&family, &appending(segments.clone()))).await.problem();
        assert_eq!((problem.status, problem.kind.as_str()), (413, "Invalid"));
        assert_eq!(problem.context["limit"], (bytes - 1).to_string());

        let hub = hub_with(|config| config.entries = 2);
        let problem = hub.ask(exchange(&family, &appending(segments))).await.problem();
        assert_eq!((problem.status, problem.context["entries"].as_str()), (413, "3"));

        let hub = hub_with(|config| config.body_bytes = 100);
        let problem = hub.ask(request).await.problem();
        assert_eq!((problem.status, problem.context["limit"].as_str()), (413, "100"));
    });
}

#[test]
fn lanes_that_do_not_fit_are_refused_or_kept_beside_each_other() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let mut ann = sealer(&family, 1);
        let first = ann.notes(["a"]);
        let mut clone = ann.clone();
        let (second, forked) = (ann.notes(["b"]), clone.notes(["c"]));
        let gap = hub.ask(exchange(&family, &appending(vec![second.clone()]))).await;
        assert_eq!(gap.refused(), (410, "Rejoin".into()));
        for segment in [first, second, forked] {
            assert_eq!(hub.ask(exchange(&family, &appending(vec![segment]))).await.status(), 200);
        }
        let peers = hub.ask(Builder::get(&at(&family, "peers"))).await.json::<PeersJson>().peers;
        assert_eq!(peers[0].heads.len(), 2, "a fork loses nothing");
    });
}

#[test]
fn a_repeated_lane_condition_reaches_the_store() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let mut ann = sealer(&family, 1);
        let request = appending(vec![ann.notes(["a"])]);
        assert_eq!(hub.ask(exchange(&family, &request)).await.status(), 200);
        let only_if = syncline_core::log::AppendIf::LaneEndsAt(None);
        let segments = vec![ann.notes(["b"])];
        let append = Append { segments, only_if, frozen: false };
        let request = Exchange { append: Some(append), ..request };
        let answer = hub.ask(exchange(&family, &request)).await;
        assert_eq!(read_exchanged(&answer.body).unwrap().receipts, None);
    });
}

#[test]
fn two_hubs_on_one_store_show_the_same() {
    pollster::block_on(async {
        let store: std::sync::Arc<TestStore> = Default::default();
        let one = common::hub_on(store.clone(), |_| {});
        let two = common::hub_on(store, |_| {});
        let family = group("family");
        let request = appending(vec![sealer(&family, 1).notes(["a"])]);
        assert_eq!(one.ask(exchange(&family, &request)).await.status(), 200);
        let answer = two.ask(exchange(&family, &request)).await;
        assert_eq!(read_exchanged(&answer.body).unwrap().receipts, Some(vec![Receipt::Known]));
    });
}
