//! What every request and every answer has, whatever it is about.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_wire::{
    PROTOCOL, PROTOCOL_HEADER, REQUEST_HEADER, TIME_HEADER, is_request_name,
};
use tracing::Instrument;
use tracing::field::Empty;

use crate::Hub;
use crate::failure::{Failure, Kind};
use crate::origin;
use crate::record::Record;

/// What is learned about a request while it is answered.
#[derive(Debug, Default)]
pub(crate) struct Visit {
    /// Which group it is about.
    pub(crate) group: OnceLock<String>,
    /// Who asks.
    pub(crate) subject: OnceLock<String>,
    /// How many bytes of its body came.
    pub(crate) received: AtomicU64,
}

/// Answers with the time, and records what was done.
pub(crate) async fn around(State(hub): State<Hub>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let visit = Arc::new(Visit::default());
    request.extensions_mut().insert(visit.clone());
    let method = request.method().clone();
    let route = route(&request);
    let span =
        tracing::info_span!("request", %method, route = &*route, group = Empty, subject = Empty);
    let named = request.headers().get(REQUEST_HEADER).cloned();
    let mut response = next.run(request).instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(TIME_HEADER, HeaderValue::from(hub.now()));
    if let Some(named) = named.filter(|named| is_request_name(named.as_bytes())) {
        headers.insert(REQUEST_HEADER, named);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let record = record(&method, &route, &visit, &response, started);
    record.tell();
    hub.insight().request(&record, hub.now());
    response
}

fn record<'a>(
    method: &'a Method,
    route: &'a str,
    visit: &'a Visit,
    response: &'a Response,
    started: Instant,
) -> Record<'a> {
    Record {
        method: method.as_str(),
        route,
        group: visit.group.get().map(String::as_str),
        subject: visit.subject.get().map(String::as_str),
        status: response.status().as_u16(),
        kind: response.extensions().get::<Kind>().map(|kind| &*kind.0),
        received: visit.received.load(Ordering::Relaxed),
        sent: response.body().size_hint().exact().unwrap_or(0),
        micros: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}

/// The route's pattern: a path itself could hold anything, also what should not be kept.
fn route(request: &Request) -> Arc<str> {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).into()
}

/// Refuses pages that may not ask, and protocols of other versions.
pub(crate) async fn check(
    State(hub): State<Hub>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    origin::check(&hub, &request)?;
    check_protocol(&request)?;
    Ok(next.run(request).await)
}

/// A missing header is version 1: clients in other languages need not know of it. What needs no token is told
/// to everyone, so that a client of another version can ask which ones there are.
fn check_protocol(request: &Request) -> Result<(), Failure> {
    let path = request.uri().path();
    let Some(named) = request.headers().get(PROTOCOL_HEADER) else { return Ok(()) };
    let is_told_to_all = !path.starts_with("/v1/") || path == "/v1/openapi.yaml";
    if is_told_to_all || named.as_bytes() == PROTOCOL.to_string().as_bytes() {
        return Ok(());
    }
    let message = "the hub speaks another version of the protocol; update the older of the two";
    let error = Error::new(ErrorKind::Unsupported, message).with("supported", PROTOCOL);
    let failure = Failure::with_status(error, StatusCode::UPGRADE_REQUIRED);
    let wanted = HeaderValue::from_static("syncline/1");
    Err(failure.header(header::UPGRADE, wanted))
}

/// There is nothing at this path.
pub(crate) fn nothing_here() -> Failure {
    Error::new(ErrorKind::NotFound, "the hub has nothing at this path; see docs/protocol.md").into()
}

/// There is something at this path, for other methods.
pub(crate) async fn other_method() -> Failure {
    let message = "this path takes other methods; the header `allow` names them";
    Failure::with_status(Error::invalid(message), StatusCode::METHOD_NOT_ALLOWED)
}

/// What remains of a panic of a handler: the connection and all other requests go on.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Failure::from(Error::internal("the hub broke a promise; please report what its log says"))
        .into_response()
}
