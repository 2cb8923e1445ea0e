//! What an operator sees: the page, the state, the metrics.

mod common;

use common::{Answer, Builder, Tested, appending, at, exchange, group, hub, hub_with, sealer};
use syncline_core::log::{Exchange, VersionVector};
use syncline_core::{Error, ErrorKind, ReplicaId};
use syncline_shared_log_wire::admin::{GroupDetail, GroupsJson, HubStatus};

fn get(tested: &Tested, path: &str) -> Answer {
    pollster::block_on(tested.ask(Builder::get(path)))
}

/// Appends one segment for each of these texts to the lane of this replica.
fn append(
    tested: &Tested,
    name: &str,
    replica: u8,
    texts: &[&str],
) -> Vec<syncline_core::log::Tip> {
    let group = group(name);
    let mut sealer = sealer(&group, replica);
    let segments: Vec<_> = texts.iter().map(|text| sealer.notes([*text])).collect();
    let tips = segments.iter().map(|segment| segment.span().tip()).collect();
    let request = Exchange { join: true, replica: ReplicaId([replica; 16]), ..appending(segments) };
    let answer = pollster::block_on(tested.ask(exchange(&group, &request)));
    assert_eq!(answer.status(), 200);
    tips
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_lets_nothing_in() {
    let tested = hub();
    for (path, media) in [
        ("/", "text/html; charset=utf-8"),
        ("/hub", "text/html; charset=utf-8"),
        ("/hub/page.css", "text/css; charset=utf-8"),
        ("/hub/page.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = pollster::block_on(tested.ask(Builder::get(path).without("authorization")));
        assert_eq!(answer.status(), 200, "{path} holds nothing secret");
        assert_eq!(answer.header("content-type"), Some(media));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").expect("a policy");
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.split("; ").any(|part| part == rule), "{rule} in {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'));
    }
}

#[test]
fn the_page_has_no_script_in_its_markup_and_makes_no_markup_from_text() {
    let tested = hub();
    let text = |path| String::from_utf8(get(&tested, path).body).expect("text");
    let page = text("/");
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("<script src=\"/hub/page.js\" type=\"module\"></script>"));
    let attributes = page.split('<').filter_map(|tag| tag.split('>').next());
    for attribute in attributes.flat_map(str::split_whitespace) {
        let is_handler = attribute.starts_with("on") && attribute.contains('=');
        assert!(!is_handler && !attribute.starts_with("style="), "{attribute}");
    }
    let script = text("/hub/page.js");
    for forbidden in
        ["innerHTML", "outerHTML =", "insertAdjacent", "document.write", "eval(", "http:", "https:"]
    {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn every_answer_says_what_it_is() {
    let tested = hub();
    for path in ["/v1", "/v1/groups/g/peers", "/nowhere", "/healthz"] {
        assert_eq!(get(&tested, path).header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[test]
fn the_state_is_for_admins_only() {
    let tested = hub();
    for path in ["/v1/admin/status", "/v1/admin/groups", "/v1/admin/groups/g", "/metrics"] {
        let ask = |request: Builder| pollster::block_on(tested.ask(request)).refused();
        let denied = |status| (status, "Denied".to_owned());
        assert_eq!(ask(Builder::get(path).without("authorization")), denied(401), "{path}");
        assert_eq!(ask(Builder::get(path).token("write:*")), denied(403), "{path}");
        assert_eq!(ask(Builder::get(path).token("read:g")), denied(403), "{path}");
    }
}

#[test]
fn groups_come_in_pages_by_name() {
    let tested = hub();
    for name in ["b", "a", "d/<script>", "c"] {
        append(&tested, name, 1, &["x"]);
    }
    let mut seen = Vec::new();
    let mut path = "/v1/admin/groups?limit=2".to_owned();
    loop {
        let page: GroupsJson = get(&tested, &path).json();
        assert!(page.groups.len() <= 2);
        seen.extend(page.groups.into_iter().map(|group| group.group));
        let Some(after) = page.more_after else { break };
        path = format!("/v1/admin/groups?limit=2&after={after}");
    }
    assert_eq!(seen, ["a", "b", "c", "d/<script>"]);
    let behind_all: GroupsJson = get(&tested, "/v1/admin/groups?after=zz").json();
    assert_eq!(behind_all, GroupsJson::default());
}

#[test]
fn a_group_tells_how_far_each_member_is_behind() {
    let tested = hub();
    let ann = append(&tested, "g", 1, &["a", "b", "c"]);
    let _ = append(&tested, "g", 2, &["x"]);
    let known = VersionVector::new([ann[1]]);
    let request = Exchange { acknowledge: Some(known), ..Exchange::of(ReplicaId([2; 16])) };
    let answer = pollster::block_on(tested.ask(exchange(&group("g"), &request)));
    assert_eq!(answer.status(), 200);
    let detail: GroupDetail = get(&tested, "/v1/admin/groups/g").json();
    assert_eq!((detail.group.group.as_str(), detail.group.number), ("g", 4));
    let behind: Vec<_> = detail
        .members
        .iter()
        .map(|member| (member.heads[0].seq, member.behind, member.behind_lanes))
        .collect();
    assert_eq!(behind, [(3, 1, 1), (1, 1, 1)]);
}

#[test]
fn a_forked_lane_counts_each_branch() {
    let tested = hub();
    let _ = append(&tested, "g", 1, &["a", "b"]);
    let other = append(&tested, "g", 1, &["a", "other", "more"]);
    let known = VersionVector::new([other[2]]);
    let request =
        Exchange { join: true, acknowledge: Some(known), ..Exchange::of(ReplicaId([2; 16])) };
    let _ = pollster::block_on(tested.ask(exchange(&group("g"), &request)));
    let detail: GroupDetail = get(&tested, "/v1/admin/groups/g").json();
    let two = &detail.members[1];
    assert_eq!(detail.members[0].heads.len(), 2);
    assert_eq!((two.behind, two.behind_lanes), (2, 1), "the branch that it does not have");
}

#[test]
fn a_group_that_is_not_there_is_not_found() {
    let answer = get(&hub(), "/v1/admin/groups/nowhere").refused();
    assert_eq!(answer, (404, "NotFound".to_owned()));
    assert_eq!(get(&hub(), "/v1/admin/groups/%2e%2e").refused().0, 400);
}

#[test]
fn what_goes_wrong_is_told_without_secrets() {
    let tested = hub();
    append(&tested, "g", 1, &["a"]);
    let ask = |request| pollster::block_on(tested.ask(request));
    for _ in 0..3 {
        assert_eq!(
            ask(Builder::get("/v1/groups/secret-group/peers").token("secret")).status(),
            401
        );
    }
    let full = Error::new(ErrorKind::Full, "the disk is full").with("path", "/secret/hub.db");
    *tested.store.fails.lock().expect("not poisoned") = Some(full);
    assert_eq!(get(&tested, &at(&group("g"), "peers")).status(), 507);
    let status: HubStatus = get(&tested, "/v1/admin/status").json();
    let told: Vec<_> = status
        .errors
        .iter()
        .map(|error| (error.kind.as_str(), error.status, error.count, error.group.as_deref()))
        .collect();
    let expected = [
        ("Full", Some(507), 1, Some("g")),
        ("Full", None, 1, Some("g")),
        ("Denied", Some(401), 3, None),
    ];
    assert_eq!(told, expected);
    assert!(!format!("{status:?}").contains("secret"));
    let detail: GroupDetail = get(&tested, "/v1/admin/groups/g").json();
    assert_eq!(detail.errors.len(), 2);
}

#[test]
fn the_state_counts_requests_and_contents() {
    let tested = hub();
    append(&tested, "g", 1, &["a", "b"]);
    let _ = get(&tested, "/nowhere");
    let status: HubStatus = get(&tested, "/v1/admin/status").json();
    assert!(status.ready);
    assert_eq!((status.started, status.now), (common::NOW, common::NOW));
    let totals = status.totals;
    assert_eq!((totals.requests, totals.refused), (2, 1));
    assert_eq!((totals.groups, totals.segments, totals.bytes), (1, 2, 200));
    assert!(totals.received > 0 && totals.sent > 0);
}

#[test]
fn metrics_count_without_naming_anybody() {
    let tested = hub();
    append(&tested, "secret-group", 1, &["a", "b"]);
    append(&tested, "secret-group", 1, &["a", "b"]);
    let made_up =
        Builder::new("MADEUP".parse().expect("a method"), "/v1/groups/secret-group/peers");
    let _ = pollster::block_on(tested.ask(made_up));
    let _ = get(&tested, "/secret-path");
    let full = Error::new(ErrorKind::Full, "the disk is full");
    *tested.store.fails.lock().expect("not poisoned") = Some(full);
    let _ = get(&tested, &at(&group("secret-group"), "peers"));
    let answer = get(&tested, "/metrics");
    let media = answer.header("content-type").expect("a type");
    assert!(media.starts_with("application/openmetrics-text"));
    let text = String::from_utf8(answer.body).expect("text");
    for line in [
        r#"syncline_requests_total{route="/v1/groups/{group}/exchange",method="POST",status="200"} 2"#,
        r#"syncline_requests_total{route="/v1/groups/{group}/peers",method="GET",status="507"} 1"#,
        r#"syncline_refusals_total{kind="Full"} 1"#,
        r#"syncline_store_errors_total{kind="Full"} 1"#,
        "syncline_segments_appended_total 2",
        "syncline_entries_appended_total 2",
        "syncline_segments_known_total 2",
        "syncline_commits_total 7",
        "syncline_groups 1",
        "syncline_ready 1",
        "syncline_subscribers 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    assert!(text.contains("method=\"other\"") && text.contains("route=\"none\""), "{text}");
    assert!(text.contains("syncline_request_seconds_bucket{le=\"0.001\",route="), "{text}");
    assert!(!text.contains("secret") && !text.contains("admin:*"), "{text}");
}

#[test]
fn metrics_are_open_only_where_the_hub_says_so() {
    let tested = hub_with(|config| config.open_metrics = true);
    let ask =
        |path| pollster::block_on(tested.ask(Builder::get(path).without("authorization"))).status();
    assert_eq!((ask("/metrics"), ask("/v1/admin/status")), (200, 401));
}

#[test]
fn a_hub_that_is_up_may_not_be_ready() {
    let tested = hub();
    let ask = |path| pollster::block_on(tested.ask(Builder::get(path).without("authorization")));
    assert_eq!((ask("/healthz").status(), ask("/readyz").status()), (200, 200));
    let broken = Error::new(ErrorKind::Unavailable, "the disk does not answer");
    *tested.store.fails.lock().expect("not poisoned") = Some(broken);
    assert_eq!(ask("/readyz").status(), 200, "asked a moment ago");
    tested.clock.set(common::NOW + 1_000);
    let answer = ask("/readyz");
    assert_eq!(answer.refused(), (503, "Unavailable".to_owned()));
    assert!(!String::from_utf8_lossy(&answer.body).contains("disk"), "not told to everyone");
    assert_eq!(ask("/healthz").status(), 200);
    tested.clock.set(common::NOW + 2_000);
    assert_eq!(ask("/readyz").status(), 200);
    tested.hub.stop();
    assert_eq!(ask("/readyz").status(), 503);
}
