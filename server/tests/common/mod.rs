//! A hub for tests, and how to ask it.
// Each test uses a part of it.
#![allow(dead_code, unused_imports, clippy::unwrap_used)]

pub mod store;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use syncline_conformance::lanes::Sealer;
use syncline_core::clock::StepClock;
use syncline_core::log::{Append, AppendIf, Exchange, Segment};
use syncline_core::{Error, ErrorKind, Group, ReplicaId, Result};
use syncline_server::auth::{Access, Authenticate, Groups, Scope};
use syncline_server::{Hub, HubConfig};
use syncline_shared_log_wire::{BYTES, Problem, path, write_exchange};
use tower::ServiceExt;

pub use store::{Gate, TestStore};

/// What time it is in tests: later than what [`Sealer`] stamps.
pub const NOW: i64 = 1_800_000_000_000;

pub fn group(name: &str) -> Group {
    name.parse().expect("a valid name")
}

/// Lets in `SCOPE:GROUP` (or `*` for all groups) as tokens; `expired` is one that was good once,
/// `brief` one that is good for 20 seconds.
#[derive(Debug)]
pub struct Doors;

#[async_trait]
impl Authenticate for Doors {
    async fn authenticate(&self, token: Option<&str>, now: i64) -> Result<Access> {
        let denied = || Error::new(ErrorKind::Denied, "no token that this hub knows");
        let token = token.ok_or_else(denied)?;
        if token == "expired" {
            return access("write:*", Some(now)).ok_or_else(denied);
        }
        if token == "brief" {
            return access("write:*", Some(NOW + 20_000)).ok_or_else(denied);
        }
        if token == "offline" {
            return Err(Error::new(ErrorKind::Unavailable, "whoever knows is out of reach"));
        }
        access(token, None).ok_or_else(denied)
    }
}

fn access(token: &str, expires: Option<i64>) -> Option<Access> {
    let (scope, name) = token.split_once(':')?;
    let groups = Groups::parse([name]).ok()?;
    Some(Access { subject: token.to_owned(), groups, scope: Scope::named(scope)?, expires })
}

/// A hub, its store and its clock.
#[derive(Clone)]
pub struct Tested {
    pub hub: Hub,
    pub store: Arc<TestStore>,
    pub clock: Arc<StepClock>,
    pub router: Router,
}

pub fn hub() -> Tested {
    hub_with(|_| {})
}

pub fn hub_with(set: impl FnOnce(&mut HubConfig)) -> Tested {
    hub_on(Arc::default(), set)
}

pub fn hub_on(store: Arc<TestStore>, set: impl FnOnce(&mut HubConfig)) -> Tested {
    hub_behind(Arc::new(Doors), store, set)
}

pub fn hub_behind(
    gate: Arc<dyn Authenticate>,
    store: Arc<TestStore>,
    set: impl FnOnce(&mut HubConfig),
) -> Tested {
    let mut config = HubConfig::default();
    set(&mut config);
    let clock = Arc::new(StepClock::new(NOW, 0));
    let hub = Hub::new(config, store.clone(), gate, clock.clone());
    let router = hub.router();
    Tested { hub, store, clock, router }
}

impl Tested {
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("a router always answers")
    }

    /// Asks with a token that may write everywhere.
    pub async fn ask(&self, request: Builder) -> Answer {
        let (head, body) = self.send(request.build()).await.into_parts();
        let body = body.collect().await.expect("a body without an end").to_bytes();
        Answer { head, body: body.to_vec() }
    }
}

/// A request.
pub struct Builder {
    pub request: Request<Body>,
}

impl Builder {
    pub fn new(method: Method, path: &str) -> Self {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a valid path");
        Self { request }.header("authorization", "Bearer admin:*")
    }

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().expect("a valid header"));
        self
    }

    pub fn without(mut self, name: &'static str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn bytes(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header("content-type", BYTES)
    }

    pub fn json(mut self, body: &str) -> Self {
        *self.request.body_mut() = Body::from(body.to_owned());
        self.header("content-type", "application/json")
    }

    pub fn build(self) -> Request<Body> {
        self.request
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub head: axum::http::response::Parts,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status(), 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("JSON of this shape")
    }

    /// The problem, which has everything that a problem has.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        let told = String::from_utf8_lossy(&self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{told}");
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        assert_eq!(problem.status, self.status());
        assert!(self.header("syncline-time").is_some(), "each answer tells the time");
        problem
    }

    /// The status and the kind of a problem.
    #[track_caller]
    pub fn refused(&self) -> (u16, String) {
        let problem = self.problem();
        (problem.status, problem.kind)
    }
}

pub fn at(group: &Group, what: &str) -> String {
    path::of(group, what).expect("a group of a hub")
}

/// An exchange that appends these segments.
pub fn appending(segments: Vec<Segment>) -> Exchange {
    let append = Append { segments, only_if: AppendIf::Always, frozen: false };
    Exchange { append: Some(append), ..Exchange::of(ReplicaId([1; 16])) }
}

pub fn exchange(group: &Group, exchange: &Exchange) -> Builder {
    Builder::post(&at(group, "exchange")).bytes(write_exchange(exchange))
}

pub fn sealer(group: &Group, number: u8) -> Sealer {
    Sealer::new(group, ReplicaId([number; 16]))
}

pub const TYPE: header::HeaderName = header::CONTENT_TYPE;
