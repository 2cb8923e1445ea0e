//! Requests and answers, in a browser: what this crate uses of the crate `http`, under the same names. Browsers have
//! all that is behind those already, and need not load it again.

pub mod header;
pub mod response;
mod uri;

use std::convert::Infallible;
use std::fmt;

pub use header::{HeaderMap, HeaderName, HeaderValue};
pub use response::{Response, StatusCode};
pub use uri::Uri;

/// What is asked of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(&'static str);

impl Method {
    /// To read it.
    pub const GET: Self = Self("GET");
    /// To put something there.
    pub const PUT: Self = Self("PUT");
    /// To have it do something.
    pub const POST: Self = Self("POST");

    /// As it is written.
    pub fn as_str(&self) -> &str {
        self.0
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<T> {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: T,
}

impl Request<()> {
    /// Begins one.
    pub fn builder() -> Builder {
        Builder { method: Method::GET, uri: String::new(), headers: HeaderMap::new() }
    }
}

impl<T> Request<T> {
    /// What is asked.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Of what: its URL.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body.
    pub fn body(&self) -> &T {
        &self.body
    }
}

/// A request that is not whole yet.
#[derive(Debug)]
pub struct Builder {
    method: Method,
    uri: String,
    headers: HeaderMap,
}

impl Builder {
    /// Says what is asked.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// Says of what.
    #[must_use]
    pub fn uri(self, uri: String) -> Self {
        Self { uri, ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<HeaderName>, value: impl fmt::Display) -> Self {
        let _ = self.headers.append(name, HeaderValue::of(value.to_string()));
        self
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// None.
    pub fn body<T>(self, body: T) -> Result<Request<T>, Infallible> {
        let Self { method, uri, headers } = self;
        Ok(Request { method, uri, headers, body })
    }
}
