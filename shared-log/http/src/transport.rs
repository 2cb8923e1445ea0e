//! How requests travel: the one thing that a test or a simulator replaces.

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use syncline_core::{MaybeSend, MaybeSync};

/// Carries one request to a hub and brings the beginning of its answer.
///
/// # Contract
///
/// - One call is one request: no retries, no redirects, no credentials of its own.
/// - It returns when the head of the answer is there; the body follows in [`Chunks`], unfolded if it was
///   compressed.
/// - It may be stopped at any time; then nobody reads the answer.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Transport: fmt::Debug + MaybeSend + MaybeSync {
    /// Sends a request.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if no answer began.
    async fn send(
        &self,
        request: crate::http::Request<Bytes>,
    ) -> Result<crate::http::Response<Box<dyn Chunks>>, Fault>;

    /// Uses none of its connections for another request: on one of them answers came in disorder.
    fn forget_connections(&self) {}
}

/// The body of an answer, piece by piece.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Chunks: MaybeSend {
    /// The next piece; nothing at the end. May be stopped, and called again: no piece is lost.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if the body breaks off before its end.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault>;
}

/// A body that is there as a whole.
///
/// # Example
///
/// ```
/// use syncline_shared_log_http::{Chunks, Whole};
///
/// # pollster::block_on(async {
/// let mut body = Whole::new("all of it");
/// assert_eq!(body.next().await?.as_deref(), Some(&b"all of it"[..]));
/// assert_eq!(body.next().await?, None);
/// # Ok::<(), syncline_shared_log_http::Fault>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Whole(Option<Bytes>);

impl Whole {
    /// A body of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Some(bytes.into()).filter(|bytes| !bytes.is_empty()))
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Chunks for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        Ok(self.0.take())
    }
}

/// Why an answer did not come, or not to its end.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What kind of [`Fault`] it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// There was no way to the hub: no network, no such name, nobody listens, no secure connection.
    Unreachable,
    /// It took too long.
    Late,
    /// The connection broke.
    Broken,
}

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, source: None }
    }

    /// The connection brought what no hub says.
    #[cfg(target_family = "wasm")]
    pub(crate) fn broken(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(FaultKind::Broken).caused_by(why)
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of fault it is.
    pub fn kind(&self) -> FaultKind {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, self.kind) {
            (Some(source), _) => fmt::Display::fmt(source, f),
            (None, FaultKind::Unreachable) => f.write_str("no way to the hub"),
            (None, FaultKind::Late) => f.write_str("it took too long"),
            (None, FaultKind::Broken) => f.write_str("the connection broke"),
        }
    }
}

impl StdError for Fault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The source's own words are this one's already.
        self.source.as_deref().and_then(StdError::source)
    }
}
