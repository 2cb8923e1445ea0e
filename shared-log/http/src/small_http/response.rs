//! Answers.

use std::error::Error as StdError;
use std::fmt;

use super::header::HeaderMap;

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCode(u16);

impl StatusCode {
    /// There is nothing to say.
    pub const NO_CONTENT: Self = Self(204);
    /// Who asks?
    pub const UNAUTHORIZED: Self = Self(401);
    /// It was too much.
    pub const PAYLOAD_TOO_LARGE: Self = Self(413);
    /// It is understood, and wrong.
    pub const UNPROCESSABLE_ENTITY: Self = Self(422);
    /// Another protocol is spoken here.
    pub const UPGRADE_REQUIRED: Self = Self(426);

    /// The status of this number.
    ///
    /// # Errors
    ///
    /// Whatever does not have three digits.
    pub fn from_u16(status: u16) -> Result<Self, InvalidStatusCode> {
        match status {
            100..=999 => Ok(Self(status)),
            _ => Err(InvalidStatusCode),
        }
    }

    /// Its number.
    pub fn as_u16(&self) -> u16 {
        self.0
    }

    /// Whether it went well.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.0)
    }
}

/// A number that is no status.
#[derive(Debug)]
pub struct InvalidStatusCode;

impl fmt::Display for InvalidStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no status has this number")
    }
}

impl StdError for InvalidStatusCode {}

/// What an answer begins with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// How the request went.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

/// An answer.
#[derive(Debug)]
pub struct Response<T> {
    head: Parts,
    body: T,
}

impl<T> Response<T> {
    /// An answer that says that it went well.
    pub fn new(body: T) -> Self {
        Self { head: Parts { status: StatusCode(200), headers: HeaderMap::new() }, body }
    }

    /// How the request went.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The same, to be changed.
    pub fn status_mut(&mut self) -> &mut StatusCode {
        &mut self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.head.headers
    }

    /// The body.
    pub fn into_body(self) -> T {
        self.body
    }

    /// The beginning, and the body.
    pub fn into_parts(self) -> (Parts, T) {
        (self.head, self.body)
    }

    /// The same beginning with another body.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        Response { head: self.head, body: change(self.body) }
    }
}
