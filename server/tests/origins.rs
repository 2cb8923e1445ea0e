//! Pages in browsers: which may ask, and what they may send and see.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::Method;
use common::{Answer, Builder, Tested, at, group, hub, hub_behind, hub_with};
use http_body_util::BodyExt;
use syncline_server::Origins;
use syncline_server::auth::{AnyOf, Authenticate, Open};

const APP: &str = "https://app.example";

fn open_hub(origins: &[&str]) -> Tested {
    let origins = Origins::parse(origins.iter().copied()).expect("origins");
    hub_behind(Arc::new(Open), Arc::default(), |config| config.origins = origins)
}

fn closed_hub(origins: &[&str]) -> Tested {
    let origins = Origins::parse(origins.iter().copied()).expect("origins");
    hub_with(|config| config.origins = origins)
}

fn ask(tested: &Tested, request: Builder) -> Answer {
    pollster::block_on(tested.ask(request))
}

/// A request by a page of this origin, sent to this name.
fn by_page(origin: &str, host: &str) -> Builder {
    Builder::get(&at(&group("g"), "peers")).header("origin", origin).header("host", host)
}

/// What a browser asks before a page may send more than a form could.
fn preflight(path: &str, origin: &str, method: &str) -> Builder {
    Builder::new(Method::OPTIONS, path)
        .without("authorization")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization,content-type")
}

/// The names in a header that is a list.
fn listed(answer: &Answer, name: &str) -> BTreeSet<String> {
    let list = answer.header(name).unwrap_or_default();
    list.split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[test]
fn a_hub_with_tokens_answers_every_page_since_browsers_send_no_token_by_themselves() {
    let tested = hub();
    for origin in [APP, "http://localhost:5173", "null"] {
        let answer = ask(&tested, by_page(origin, "hub.example.org"));
        assert_eq!(answer.status(), 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let refused = ask(&tested, by_page(origin, "hub.example.org").without("authorization"));
        assert_eq!(refused.status(), 401);
        assert_eq!(refused.header("access-control-allow-origin"), Some("*"), "it sees why");
    }
}

#[test]
fn a_hub_that_lets_in_everyone_answers_no_page_from_elsewhere() {
    let tested = open_hub(&[]);
    for origin in [
        APP,
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://192.168.1.1",
        "http://localhost@evil.example",
        "localhost",
        "",
    ] {
        let answer = ask(&tested, by_page(origin, "127.0.0.1:4747"));
        assert_eq!(answer.refused(), (403, "Denied".to_owned()), "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let before = ask(&tested, preflight("/v1/groups/g/items/upload", origin, "POST"));
        assert_eq!(before.header("access-control-allow-origin"), None, "{origin}");
    }
    assert!(tested.store.asked.lock().expect("not poisoned").is_empty());
}

#[test]
fn a_page_from_elsewhere_changes_nothing_with_what_a_form_could_send() {
    let tested = open_hub(&[]);
    // Without a content type, browsers ask nothing beforehand.
    let upload = Builder::post(&at(&group("g"), "items/upload"))
        .json(r#"{"epoch":0,"items":[]}"#)
        .without("content-type")
        .header("host", "127.0.0.1:4747");
    let by = |origin| Builder { request: clone(&upload) }.header("origin", origin);
    assert_eq!(ask(&tested, by(APP)).refused().0, 403);
    assert!(tested.store.asked.lock().expect("not poisoned").is_empty());
    assert_eq!(ask(&tested, by("http://localhost:5173")).status(), 200);
    assert_eq!(tested.store.asked.lock().expect("not poisoned").len(), 1);
}

fn clone(builder: &Builder) -> axum::http::Request<axum::body::Body> {
    let mut request = axum::http::Request::new(r#"{"epoch":0,"items":[]}"#.into());
    *request.method_mut() = builder.request.method().clone();
    *request.uri_mut() = builder.request.uri().clone();
    *request.headers_mut() = builder.request.headers().clone();
    request
}

#[test]
fn a_hub_that_lets_in_everyone_answers_pages_of_its_own_machine() {
    let tested = open_hub(&[]);
    for origin in
        ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443", "http://app.localhost"]
    {
        let answer = ask(&tested, by_page(origin, "localhost:4747"));
        assert_eq!(answer.status(), 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert!(listed(&answer, "vary").contains("origin"), "caches keep them apart");
    }
}

#[test]
fn a_name_that_was_made_to_lead_here_leads_nowhere() {
    let tested = open_hub(&[]);
    // To a browser, such a page is the hub's own: it names no origin when it reads.
    let named = |host| Builder::get(&at(&group("g"), "peers")).header("host", host);
    for host in ["evil.example:4747", "localhost.evil.example", "127.0.0.1.evil.example", "a@b", ""]
    {
        assert_eq!(ask(&tested, named(host)).refused(), (403, "Denied".to_owned()), "{host}");
        assert_eq!(ask(&tested, named(host).header("origin", "http://evil.example")).status(), 403);
    }
    for host in
        ["localhost", "LOCALHOST:4747", "localhost.", "127.0.0.1:4747", "[::1]:4747", "10.0.0.7"]
    {
        assert_eq!(ask(&tested, named(host)).status(), 200, "{host}");
    }
    let mut whole = named("localhost");
    *whole.request.uri_mut() = "http://evil.example/v1/groups/g/peers".parse().expect("a URI");
    assert_eq!(ask(&tested, whole).refused().0, 403);
    assert_eq!(ask(&hub(), named("evil.example")).status(), 200, "with tokens that is harmless");
}

#[test]
fn named_origins_are_the_only_ones_and_the_hubs_own_pages_stay() {
    for tested in [closed_hub(&[APP, "tauri://localhost"]), open_hub(&[APP, "tauri://localhost"])] {
        for origin in [APP, "tauri://localhost"] {
            let answer = ask(&tested, by_page(origin, "127.0.0.1:4747"));
            assert_eq!(answer.status(), 200, "{origin}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        }
        for origin in
            ["http://app.example", "https://app.example:444", "http://localhost:5173", "null"]
        {
            assert_eq!(ask(&tested, by_page(origin, "127.0.0.1:4747")).status(), 403, "{origin}");
        }
        assert_eq!(ask(&tested, by_page("http://127.0.0.1:4747", "127.0.0.1:4747")).status(), 200);
        let by_name = ask(&tested, by_page(APP, "app.example"));
        assert_eq!(by_name.status(), 200, "a proxy of that origin may pass its name on");
    }
}

#[test]
fn origins_are_written_in_one_way() {
    let same = Origins::parse(["HTTPS://App.Example:443", "http://localhost:80"]);
    assert_eq!(same.expect("origins"), Origins::parse([APP, "http://localhost"]).expect("origins"));
    for wrong in ["app.example", "https://", "https://a/b", "https://a/", "https://u@a", "://a", ""]
    {
        assert!(Origins::parse([wrong]).is_err(), "{wrong}");
    }
    let any = Origins::parse([APP, "*"]).expect("origins");
    let tested = hub_behind(Arc::new(Open), Arc::default(), |config| config.origins = any);
    assert_eq!(ask(&tested, by_page("https://evil.example", "evil.example")).status(), 200);
}

#[test]
fn one_open_gate_among_several_counts_as_open() {
    let gates = |last: Arc<dyn Authenticate>| AnyOf::new([Arc::new(common::Doors) as Arc<_>, last]);
    assert!(gates(Arc::new(Open)).is_open());
    assert!(!gates(Arc::new(common::Doors)).is_open());
}

#[test]
fn before_asking_a_page_learns_what_it_may_send_on_every_path() {
    let tested = closed_hub(&[APP]);
    let paths = [
        ("/v1", "GET"),
        ("/v1/groups/g/exchange", "POST"),
        ("/v1/groups/g/replicas/00000000000000000000000000000000", "PUT"),
        ("/v1/groups/g/leases/name", "DELETE"),
        ("/v1/groups/g/notices", "GET"),
        ("/v1/admin/status", "GET"),
    ];
    for (path, method) in paths {
        let answer = ask(&tested, preflight(path, APP, method));
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP));
        assert_eq!(answer.header("access-control-max-age"), Some("7200"));
        assert!(answer.header("syncline-time").is_some());
        assert!(listed(&answer, "access-control-allow-methods").contains(&method.to_lowercase()));
        let headers = listed(&answer, "access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "content-encoding",
            "syncline-protocol",
            "syncline-request",
            "syncline-sum",
        ] {
            assert!(headers.contains(name), "{name} at {path}");
        }
    }
}

/// The headers of the table in the protocol that a hub sends.
fn documented() -> Vec<String> {
    let text = include_str!("../../docs/protocol.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| header | from"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    let by_hub = cells.filter(|cells| matches!(cells[2], "hub" | "both"));
    by_hub
        .map(|cells| cells[1].trim_matches('`').split(':').next().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn a_page_sees_every_header_of_the_protocol() {
    let answer = ask(&closed_hub(&[APP]), by_page(APP, "hub"));
    let seen = listed(&answer, "access-control-expose-headers");
    let documented = documented();
    assert!(documented.len() >= 5, "{documented:?}");
    for name in documented {
        // Browsers show the type anyway, and unfold what is compressed themselves.
        let is_browsers = ["content-type", "content-encoding"].contains(&name.as_str());
        assert!(seen.contains(&name) || is_browsers, "{name} in {seen:?}");
    }
    assert!(!seen.contains("content-encoding"), "it would be unfolded twice");
}

#[tokio::test]
async fn notices_reach_a_page_as_a_stream_and_as_an_answer_that_waits() {
    let tested = hub();
    let path = at(&group("g"), "notices");
    let stream = tested.send(Builder::get(&path).header("origin", APP).build()).await;
    assert_eq!(stream.headers()["access-control-allow-origin"], "*");
    let mut body = stream.into_body();
    let first = body.frame().await.expect("an event").expect("whole").into_data().expect("data");
    assert!(first.starts_with(b"event: notice"));
    let waits = Builder::get(&format!("{path}?after=0&wait=0")).header("origin", APP);
    let answer = tested.ask(waits).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(listed(&answer, "access-control-expose-headers").contains("syncline-number"));
}

#[test]
fn compressed_answers_reach_a_page_too() {
    let tested = hub();
    let plain =
        Builder::get("/hub/page.js").header("origin", APP).header("accept-encoding", "gzip");
    let answer = ask(&tested, plain);
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn a_page_sees_why_it_was_refused() {
    let tested = closed_hub(&[APP]);
    for (request, status) in [
        (Builder::get("/v1/groups/g/peers").header("syncline-protocol", "2"), 426),
        (Builder::get("/nowhere"), 404),
        (Builder::post("/v1/groups/g/peers"), 405),
        (Builder::get("/v1/groups/g/peers").token("unknown"), 401),
    ] {
        let answer = ask(&tested, request.header("origin", APP));
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP), "{status}");
    }
}
