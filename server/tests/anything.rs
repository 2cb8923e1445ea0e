//! Whatever is asked, there is an answer, and it is never that the hub broke a promise.

mod common;

use axum::body::Body;
use axum::http::{Method, Request, Uri};
use common::{Answer, appending, group, hub, sealer};
use http_body_util::BodyExt;
use proptest::prelude::*;
use syncline_shared_log_wire::write_exchange;

const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
];

const PLACES: [&str; 22] = [
    "exchange",
    "fetch",
    "segments",
    "replicas/01010101010101010101010101010101",
    "replicas/01010101010101010101010101010101/acknowledged",
    "peers",
    "leases",
    "leases/door",
    "items/epoch",
    "items/upload",
    "items/download",
    "items/check",
    "items/lock",
    "items/flush",
    "items/epochs",
    "items/epochs/1/restore",
    "items/history",
    "items",
    "replicas",
    "notices/x",
    "",
    "..",
];

/// A path that begins like one of the hub's, and goes on in any way.
fn paths() -> impl Strategy<Value = String> {
    let group =
        prop_oneof![Just("family".to_owned()), "[a-z%./0-9A-F]{0,12}", "(%[0-9a-f]{2}){1,8}"];
    let place = prop_oneof![
        prop::sample::select(&PLACES[..]).prop_map(str::to_owned),
        "[a-z%./0-9A-F]{0,20}",
    ];
    let query = prop_oneof![
        Just(String::new()),
        "\\?[a-z=&%+0-9]{0,20}",
        Just("?token=1".to_owned()),
        Just("?type=a&key=b".to_owned()),
    ];
    let whole = (group, place, query)
        .prop_map(|(group, place, query)| format!("/v1/groups/{group}/{place}{query}"));
    prop_oneof![9 => whole, 1 => "/[a-z0-9/%.]{0,30}"]
}

/// A body that is one, is nearly one, or is none.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let exchange = write_exchange(&appending(vec![sealer(&group("family"), 1).notes(["a", "b"])]));
    let nearly = (any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(at, byte)| {
        let mut body = exchange.clone();
        let at = at.index(body.len());
        body[at] = byte;
        body
    });
    let json = prop_oneof![
        Just(r#"{"epoch":0,"items":[]}"#),
        Just(r#"{"epoch":0,"items":[{"type":"a","key":"b","timestamp":-9223372036854775808}]}"#),
        Just(
            r#"{"items":[{"type":"a","key":"b","timestamp":1}],"after":["",""],"up_to":["b",""]}"#
        ),
        Just(r#"{"holder":"ann","millis":1,"type":"a","key":"b","token":18446744073709551615}"#),
        Just(r#"{"after":18446744073709551615,"limit":1,"include_deleted":true}"#),
        Just(r#"{"epoch":1e400}"#),
    ];
    prop_oneof![
        nearly,
        json.prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
        "[XSV][\\x00-\\x7f]{0,40}".prop_map(String::into_bytes),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let one = |name, values: &'static [&'static str]| {
        prop::sample::select(values).prop_map(move |value| (name, value.as_bytes().to_vec()))
    };
    let any_value = prop::collection::vec(0x20..=0xff_u8, 0..20);
    let header = prop_oneof![
        one("authorization", &["Bearer read:*", "Bearer write:club", "Bearer expired", "x"]),
        one("content-type", &["application/json", "application/vnd.syncline", "text/plain", ";"]),
        one("content-encoding", &["gzip", "identity", "br", ""]),
        one("accept-encoding", &["gzip", "*", "gzip;q=0", "q=x"]),
        one("syncline-protocol", &["1", "2"]),
        (
            prop::sample::select(&["authorization", "content-type", "accept", "range"][..]),
            any_value
        ),
    ];
    prop::collection::vec(header, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_asked_is_answered_and_never_by_a_broken_promise(
        method in prop::sample::select(&METHODS[..]),
        path in paths(),
        headers in headers(),
        body in bodies(),
    ) {
        let Ok(uri) = path.parse::<Uri>() else { return Ok(()) };
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        request.headers_mut().insert("authorization", "Bearer admin:*".parse().unwrap());
        for (name, value) in headers {
            if let Ok(value) = value.as_slice().try_into() {
                request.headers_mut().insert(name, value);
            }
        }
        let hub = hub();
        let answer = pollster::block_on(async {
            let (head, body) = hub.send(request).await.into_parts();
            Answer { head, body: body.collect().await.unwrap().to_bytes().to_vec() }
        });
        prop_assert!(answer.status() < 500, "{answer:?}");
        prop_assert!(answer.header("syncline-time").is_some());
        let is_folded = answer.header("content-encoding").is_some();
        if answer.status() >= 400 && method != Method::HEAD && !is_folded {
            answer.problem();
        }
    }
}
