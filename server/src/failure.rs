//! What a hub answers when it does not do what was asked.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_wire::{PROBLEM, Problem};

/// How many seconds a client should wait at least before it repeats what could not be answered.
const PATIENCE: u64 = 1;

/// A refusal: a problem, and the headers that belong to it.
#[derive(Debug)]
pub(crate) struct Failure {
    problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// With another status than that of the error's kind, where HTTP has one that fits better.
    pub(crate) fn with_status(error: Error, status: StatusCode) -> Self {
        let failure = Self::from(error);
        let problem = Box::new(failure.problem.with_status(status.as_u16()));
        Self { problem, ..failure }
    }

    /// The request contradicts itself or what the hub takes.
    pub(crate) fn invalid(message: &'static str) -> Self {
        Error::invalid(message).into()
    }

    /// More than the hub takes at once.
    pub(crate) fn too_large(error: Error) -> Self {
        Self::with_status(error, StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// The same may be asked again after so many seconds.
    pub(crate) fn later(error: Error, status: StatusCode, seconds: u64) -> Self {
        let failure = Self::with_status(error.with("seconds", seconds), status);
        failure.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// With this header, in place of one of the same name.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let problem = Box::new(Problem::new(&error));
        let mut headers = Vec::new();
        match error.kind() {
            ErrorKind::Internal | ErrorKind::Corrupt if problem.status >= 500 => {
                tracing::error!(error = %Told(&error), "a promise was broken");
            }
            ErrorKind::Unavailable => {
                tracing::warn!(error = %Told(&error), "not available now");
                headers.push((header::RETRY_AFTER, HeaderValue::from(PATIENCE)));
            }
            _ => tracing::debug!(error = %Told(&error), "refused"),
        }
        Self { problem, headers }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Plain data of text and numbers always becomes JSON.
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM)], body).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Kind(self.problem.kind.into()));
        response
    }
}

/// The kind of a refusal, for the hub's own log.
#[derive(Clone, Debug)]
pub(crate) struct Kind(pub(crate) std::sync::Arc<str>);

/// An error with everything that caused it.
struct Told<'a>(&'a Error);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = std::error::Error::source(self.0);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
