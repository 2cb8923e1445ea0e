//! The description of the routes says what the hub does.

mod common;

use std::collections::BTreeSet;

use axum::http::Method;
use common::{Builder, hub};
use syncline_core::ErrorKind;
use syncline_shared_log_wire::kind_name;

const DESCRIPTION: &str = include_str!("../../docs/openapi.yaml");
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// Every path with its methods. YAML is read by its indentation: the file is written in one way only.
fn described() -> Vec<(String, BTreeSet<&'static str>)> {
    let lines = DESCRIPTION.lines().skip_while(|line| *line != "paths:");
    let mut all: Vec<(String, BTreeSet<&str>)> = Vec::new();
    for line in lines.take_while(|line| *line != "components:") {
        if let Some(path) = line.strip_prefix("  /") {
            all.push((format!("/{}", path.trim_end_matches(':')), BTreeSet::new()));
        }
        let method = line.strip_prefix("    ").and_then(|line| line.strip_suffix(':'));
        if let (Some(method), Some((_, methods))) = (method, all.last_mut()) {
            methods.extend(METHODS.iter().find(|known| **known == method));
        }
    }
    all
}

fn filled(path: &str) -> String {
    path.replace("{replica}", &"0".repeat(32)).replace("{epoch}", "1").replace(['{', '}'], "")
}

#[test]
fn every_described_route_is_there_and_takes_no_other_method() {
    let tested = hub();
    let described = described();
    assert!(described.len() > 25, "{described:?}");
    for (path, methods) in described {
        for method in METHODS {
            let name = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            // Without a token, so that nothing waits and nothing is done.
            let request = Builder::new(name, &filled(&path)).without("authorization");
            let answer = pollster::block_on(tested.ask(request));
            let expected = if methods.contains(method) { [200, 401] } else { [405, 405] };
            assert!(expected.contains(&answer.status()), "{method} {path}: {}", answer.status());
        }
    }
}

#[test]
fn the_hub_tells_the_description_itself() {
    let request = Builder::get("/v1/openapi.yaml").without("authorization");
    let answer = pollster::block_on(hub().ask(request.header("syncline-protocol", "2")));
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("application/yaml")));
    assert!(answer.body == DESCRIPTION.as_bytes());
}

#[test]
fn every_route_is_described() {
    let described: BTreeSet<String> = described().into_iter().map(|(path, _)| path).collect();
    let routes = concat!(include_str!("../src/api/mod.rs"), include_str!("../src/page.rs"));
    let mut found = 0;
    for route in routes.split(".route(").skip(1) {
        let text = route.split('"').nth(1).expect("a path in quotes");
        let is_of_group = route.trim_start().starts_with("&at(");
        let path =
            if is_of_group { format!("/v1/groups/{{group}}/{text}") } else { text.to_owned() };
        assert!(described.contains(&path), "docs/openapi.yaml lacks {path}");
        found += 1;
    }
    assert_eq!(found + 1, described.len(), "and `/v1`");
}

#[test]
fn every_kind_of_error_is_described() {
    let kinds = DESCRIPTION.lines().find_map(|line| line.trim().strip_prefix("enum: [ClockSkew"));
    let kinds: Vec<&str> = kinds.expect("the kinds").trim_end_matches(']').split(", ").collect();
    for kind in [ErrorKind::Conflict, ErrorKind::Rejoin, ErrorKind::Forked, ErrorKind::WrongKey] {
        assert!(kinds.contains(&kind_name(kind)), "{kind}");
    }
}
