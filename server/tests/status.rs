//! What is refused, with which status and which kind.

mod common;

use axum::http::Method;
use common::{Builder, appending, at, exchange, group, hub, sealer};
use syncline_core::log::{After, Exchange, Fetch, VersionVector};
use syncline_core::{Error, ErrorKind, ReplicaId};
use syncline_shared_log_wire::{PeersJson, read_exchanged, write_segments, write_vector};

fn is(kind: &str, status: u16) -> (u16, String) {
    (status, kind.to_owned())
}

#[test]
fn whoever_is_not_known_is_told_how_to_say_who_they_are() {
    pollster::block_on(async {
        let hub = hub();
        let peers = || Builder::get(&at(&group("family"), "peers"));
        let cases = [
            peers().without("authorization"),
            peers().token("unknown"),
            peers().token("expired"),
            peers().header("authorization", "Bearer"),
            peers().header("authorization", "Bearer "),
            peers().header("authorization", "Basic YTpi"),
            peers().header("authorization", "read:*"),
        ];
        for case in cases {
            let told = format!("{:?}", case.request.headers().get("authorization"));
            let answer = hub.ask(case).await;
            assert_eq!(answer.refused(), is("Denied", 401), "{told}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{told}");
        }
        let twice = peers().token("admin:*");
        let mut twice = twice.build();
        twice.headers_mut().append("authorization", "Bearer read:*".parse().unwrap());
        assert_eq!(hub.send(twice).await.status(), 401, "which of the two?");
        assert_eq!(hub.ask(peers().header("authorization", "bearer read:*")).await.status(), 200);
        let answer = hub.ask(peers().token("offline")).await;
        assert_eq!(answer.refused(), is("Unavailable", 503));
        assert!(answer.header("retry-after").is_some());
    });
}

#[test]
fn another_group_or_a_smaller_scope_is_forbidden() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let mut ann = sealer(&family, 1);
        let append = exchange(&family, &appending(vec![ann.notes(["a"])]));
        let problem = hub.ask(append.token("write:club")).await.problem();
        assert_eq!((problem.status, problem.context["group"].as_str()), (403, "family"));

        let append = exchange(&family, &appending(vec![ann.notes(["a"])]));
        let problem = hub.ask(append.token("read:family")).await.problem();
        assert_eq!((problem.status, problem.context["scope"].as_str()), (403, "write"));
        let nothing = exchange(&family, &appending(vec![])).token("read:family");
        assert_eq!(hub.ask(nothing).await.status(), 200, "who appends nothing only reads");

        let lease = r#"{"holder":"ann","millis":1000}"#;
        let writes = [
            Builder::post(&at(&family, "segments")).bytes(write_segments(&[])),
            Builder::new(Method::PUT, &at(&family, "leases/a")).json(lease),
            Builder::new(Method::DELETE, &at(&family, "leases/a?token=1")),
            Builder::post(&at(&family, "items/upload")).json(r#"{"epoch":0,"items":[]}"#),
            Builder::post(&at(&family, "items/flush")).json(r#"{"epoch":0,"items":[]}"#),
            Builder::post(&at(&family, "items/lock")).json(r#"{"type":"a","key":"b"}"#),
            Builder::post(&at(&family, "items/epochs/0/restore")).json(r#"{"epoch":0}"#),
        ];
        for write in writes {
            let path = write.request.uri().clone();
            assert_eq!(
                hub.ask(write.token("read:family")).await.refused(),
                is("Denied", 403),
                "{path}"
            );
        }
    });
}

#[test]
fn what_is_not_there_is_a_problem_too() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        for path in ["/v2", "/v1/", "/v1/groups", "/v1/groups/family", "/v1/groups/family/other"] {
            assert_eq!(hub.ask(Builder::get(path)).await.refused(), is("NotFound", 404), "{path}");
        }
        let answer = hub.ask(Builder::get(&at(&family, "exchange"))).await;
        assert_eq!(answer.refused(), is("Invalid", 405));
        assert_eq!(answer.header("allow"), Some("POST"));
        let answer = hub.ask(Builder::post("/v1")).await;
        assert_eq!(
            (answer.refused(), answer.header("allow")),
            (is("Invalid", 405), Some("GET,HEAD"))
        );
    });
}

#[test]
fn names_in_paths_play_no_tricks() {
    pollster::block_on(async {
        let hub = hub();
        let long = "a".repeat(201);
        let groups =
            ["..", ".", "%2e%2e", "%2E", "%00", "a%0ab", "%ff", "%", "%f", "%zz", "", &long];
        for name in groups {
            let answer = hub.ask(Builder::get(&format!("/v1/groups/{name}/peers"))).await;
            assert_eq!(answer.refused(), is("Invalid", 400), "{name}");
        }
        for path in ["/v1/groups/a/../b/peers", "/v1/groups/a//peers", "/v1/groups/a/peers/"] {
            assert_eq!(hub.ask(Builder::get(path)).await.refused(), is("NotFound", 404), "{path}");
        }
        // These are names like any other: nothing is decoded twice, and a slash in a name is no slash of the path.
        for name in
            ["%252e%252e", "a%2Fb", "..%2F..%2Fetc%2Fpasswd", "%F0%9F%90%88", "...", "a%20b"]
        {
            let answer = hub.ask(Builder::get(&format!("/v1/groups/{name}/peers"))).await;
            assert_eq!(answer.status(), 200, "{name}");
        }
        let replicas = ["1", "..", "%00", &"g".repeat(32), &"a".repeat(33), "%2e%2e"];
        for name in replicas {
            let join = Builder::new(Method::PUT, &format!("/v1/groups/g/replicas/{name}"));
            assert_eq!(hub.ask(join).await.refused(), is("Invalid", 400), "{name}");
        }
        for name in ["%00", "a%7F", "%ff", &"a".repeat(513)] {
            let take = Builder::new(Method::PUT, &format!("/v1/groups/g/leases/{name}"));
            let take = take.json(r#"{"holder":"ann","millis":1000}"#);
            assert_eq!(hub.ask(take).await.refused(), is("Invalid", 400), "{name}");
        }
        for query in ["?after=-1", "?after=a", "?after=%ff", "?after=1&after=2", "?after=1&wait=%"]
        {
            let poll = Builder::get(&format!("/v1/groups/g/notices{query}"));
            assert_eq!(hub.ask(poll).await.refused(), is("Invalid", 400), "{query}");
        }
        for query in ["", "?type=a", "?key=b", "?type=&key=b", "?type=a&key=%00"] {
            let history = Builder::get(&format!("/v1/groups/g/items/history{query}"));
            assert_eq!(hub.ask(history).await.refused(), is("Invalid", 400), "{query}");
        }
    });
}

#[test]
fn what_a_body_is_said_to_be_must_fit() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let bytes = || exchange(&family, &appending(vec![]));
        let json = || Builder::post(&at(&family, "items/upload")).json(r#"{"epoch":0,"items":[]}"#);
        let mislabelled = [
            bytes().header("content-type", "application/json"),
            bytes().header("content-type", "application/vnd.synclined"),
            json().header("content-type", "text/plain"),
            json().header("content-type", "application/x-www-form-urlencoded"),
            bytes().header("content-encoding", "br"),
            bytes().header("content-encoding", "gzip, gzip"),
            json().header("content-encoding", "zstd"),
        ];
        for case in mislabelled {
            let told = format!("{:?}", case.request.headers());
            assert_eq!(hub.ask(case).await.refused(), is("Unsupported", 415), "{told}");
        }
        let fine = [
            json().header("content-type", "Application/JSON; charset=utf-8"),
            bytes().header("content-encoding", "identity"),
            bytes().without("content-type"),
        ];
        for case in fine {
            assert_eq!(hub.ask(case).await.status(), 200);
        }
    });
}

#[test]
fn what_cannot_be_read_has_not_arrived() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let whole = syncline_shared_log_wire::write_exchange(&appending(vec![
            sealer(&family, 1).notes(["a"]),
        ]));
        for length in 0..whole.len() {
            let cut = Builder::post(&at(&family, "exchange")).bytes(whole[..length].to_vec());
            assert_eq!(hub.ask(cut).await.refused(), is("Corrupt", 422), "cut at {length}");
            let mut flipped = whole.clone();
            flipped[length] ^= 0x80;
            let flipped = Builder::post(&at(&family, "exchange")).bytes(flipped);
            let answer = hub.ask(flipped).await;
            assert!(matches!(answer.status(), 200 | 422), "flipped at {length}: {answer:?}");
        }
        let wrong = Builder::post(&at(&family, "segments")).bytes(whole);
        assert_eq!(hub.ask(wrong).await.refused(), is("Corrupt", 422), "another kind of body");
        let texts =
            ["", "{", "[]", "null", r#"{"epoch":-1,"items":[]}"#, r#"{"epoch":0}"#, "\u{0}"];
        for text in texts {
            let upload = Builder::post(&at(&family, "items/upload")).json(text);
            assert_eq!(hub.ask(upload).await.refused(), is("Invalid", 400), "{text}");
        }
        let deep = "[".repeat(100_000);
        let upload = Builder::post(&at(&family, "items/upload")).json(&deep);
        assert_eq!(hub.ask(upload).await.refused(), is("Invalid", 400));
    });
}

#[test]
fn another_version_of_the_protocol_is_told_which_one_the_hub_speaks() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        for version in ["2", "0", "1.0", "", "one"] {
            let peers = Builder::get(&at(&family, "peers")).header("syncline-protocol", version);
            let problem = hub.ask(peers).await.problem();
            assert_eq!((problem.status, problem.kind.as_str()), (426, "Unsupported"));
            assert_eq!(problem.context["supported"], "1");
            let welcome = Builder::get("/v1").header("syncline-protocol", version);
            assert_eq!(hub.ask(welcome).await.status(), 200, "everyone may ask which there are");
        }
        let peers = Builder::get(&at(&family, "peers")).header("syncline-protocol", "1");
        assert_eq!(hub.ask(peers).await.status(), 200);
    });
}

#[test]
fn each_error_of_a_store_has_its_status() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let cases = [
            (ErrorKind::Full, 507, "Full"),
            (ErrorKind::Rejoin, 410, "Rejoin"),
            (ErrorKind::Conflict, 409, "Conflict"),
            (ErrorKind::Unavailable, 503, "Unavailable"),
            (ErrorKind::Internal, 500, "Internal"),
        ];
        for (kind, status, name) in cases {
            let error = Error::new(kind, "as told").with("path", "/secret/place");
            *hub.store.fails.lock().unwrap() = Some(error);
            let answer = hub.ask(exchange(&family, &appending(vec![]))).await;
            assert_eq!(answer.refused(), is(name, status));
            assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
            assert_eq!(answer.header("retry-after").is_some(), status == 503);
        }
    });
}

#[test]
fn a_panic_of_a_store_is_the_end_of_one_request() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        hub.store.panics.store(true, std::sync::atomic::Ordering::SeqCst);
        let answer = hub.ask(Builder::get(&at(&family, "peers"))).await;
        assert_eq!(answer.refused(), is("Internal", 500));
        assert_eq!(hub.ask(Builder::get(&at(&family, "peers"))).await.status(), 200);
    });
}

#[test]
fn who_only_reads_is_no_member_and_hears_no_refusal_for_that() {
    pollster::block_on(async {
        let (hub, family) = (hub(), group("family"));
        let mut ann = sealer(&family, 1);
        let append = appending(vec![ann.notes(["a"])]);
        assert_eq!(hub.ask(exchange(&family, &append).token("write:*")).await.status(), 200);
        let reader = ReplicaId([9; 16]);
        let after = After::Known(VersionVector::default());
        let fetch = Fetch { replica: reader, after, limit_bytes: 1 << 20, limit_entries: 10 };
        let known = Some(VersionVector::default());
        let asks =
            Exchange { join: true, fetch: Some(fetch), acknowledge: known, ..Exchange::of(reader) };
        let answer = hub.ask(exchange(&family, &asks).token("read:*")).await;
        let read = read_exchanged(&answer.body).expect("an answer").fetched.expect("a page");
        assert_eq!(read.segments.len(), 1, "it reads");
        let at_replica = at(&family, &format!("replicas/{reader}"));
        let joins = || Builder::new(Method::PUT, &at_replica);
        let knows = || {
            let path = format!("{at_replica}/acknowledged");
            Builder::new(Method::PUT, &path).bytes(write_vector(&VersionVector::default()))
        };
        for request in [joins(), knows()] {
            assert_eq!(hub.ask(request.token("read:*")).await.status(), 204);
        }
        let members = async || -> PeersJson {
            hub.ask(Builder::get(&at(&family, "peers")).token("read:*")).await.json()
        };
        assert_eq!(members().await.peers.len(), 1, "nobody keeps anything for a reader");
        assert_eq!(hub.ask(joins().token("write:*")).await.status(), 204);
        assert_eq!(members().await.peers.len(), 2);
    });
}
