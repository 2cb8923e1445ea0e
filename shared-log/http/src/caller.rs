//! One request to a hub: its token, its retries, and what its answer means.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use crate::http::response::Parts;
use crate::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use syncline_core::id::hex;
use syncline_core::log::deflate;
use syncline_core::timer::within;
use syncline_core::{BoxFuture, Error, ErrorKind, Random, Result, Timer};
use syncline_shared_log_wire::{BYTES, PROTOCOL, crc_of, sum_holds, sum_of};

use crate::address::Address;
use crate::answer::{self, retry_after};
use crate::config::{Compression, HttpLogConfig, Retry, Timeouts};
use crate::credentials::Credentials;
use crate::error::{HttpError, not_before};
use crate::names;
use crate::transport::{Chunks, Fault, FaultKind, Transport};

/// Bodies up to this size travel as they are: compressing saves no packet.
const WORTH_COMPRESSING: usize = 1 << 10;

/// How gzip (RFC 1952) begins: its mark, DEFLATE, no flags, no time, compressed fast, on whatever system. Behind the
/// compressed bytes stand their sum and how many they are, before.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// So much of an answer's announced length is made room for at once.
const BELIEVED: usize = 16 << 20;

/// Asks a hub.
#[derive(Debug)]
pub(crate) struct Caller {
    pub address: Address,
    transport: Arc<dyn Transport>,
    credentials: Arc<dyn Credentials>,
    allow_plain_token: bool,
    retry: Retry,
    compresses: bool,
    pub timeouts: Timeouts,
    answer_bytes: usize,
    pub timer: Arc<dyn Timer>,
    pub random: Arc<dyn Random>,
    /// What the names of its requests begin with, and how many there were.
    names: (String, AtomicU64),
}

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    pub method: Method,
    pub path: String,
    pub body: Vec<u8>,
    /// Whether the body is not worth compressing.
    pub is_dense: bool,
    /// The media type of the answer.
    pub accept: &'static str,
    /// How long the hub may think about it, beyond the usual.
    pub patience: Duration,
}

impl Question {
    pub fn new(method: Method, path: impl Into<String>, accept: &'static str) -> Self {
        let (path, body) = (path.into(), Vec::new());
        Self { method, path, body, is_dense: false, accept, patience: Duration::ZERO }
    }

    pub fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }
}

/// An answer that is there as a whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub(crate) type Begun = Response<Box<dyn Chunks>>;

/// What became of one try.
enum Tried {
    Begun(Begun),
    /// The hub does not take the token.
    Refused(Error),
    /// It may be tried again, but not before this time has passed.
    Failed(Error, Option<Duration>),
}

impl Caller {
    pub fn new(transport: Arc<dyn Transport>, address: Address, config: HttpLogConfig) -> Self {
        let random = config.random.bytes();
        Self {
            names: (hex(&random[..8]), AtomicU64::new(0)),
            compresses: compresses(config.compression, &address),
            address,
            transport,
            credentials: config.credentials,
            allow_plain_token: config.allow_plain_token,
            retry: config.retry,
            timeouts: config.timeouts,
            answer_bytes: config.answer_bytes,
            timer: config.timer,
            random: config.random,
        }
    }

    /// Asks, and reads the whole answer.
    pub async fn ask(&self, question: Question) -> Result<Answer> {
        let begun = self.begin(question).await?;
        let (head, body) = begun.into_parts();
        let body = self.read(&head, body, self.answer_bytes).await?;
        let mut told = head.headers.get_all(&names::SUM).iter();
        if !told.all(|told| sum_holds(&body, told.as_bytes())) {
            return Err(HttpError::Flipped.into());
        }
        Ok(Answer { headers: head.headers, body })
    }

    /// Asks, until an answer of the media type that was asked for begins.
    pub async fn begin(&self, question: Question) -> Result<Begun> {
        let sending =
            Duration::from_secs(question.body.len() as u64) / self.timeouts.slowest.max(1);
        let longest = self.timeouts.answer + sending + question.patience;
        let request = self.request(question)?;
        let mut token = self.credentials.token(None).await?;
        let (mut tries, mut was_refused) = (0, false);
        // It passes while requests are under way, and ends none of them.
        let mut deadline = Deadline::new(self.timer.sleep(self.retry.longest));
        let _ = deadline.first(std::future::ready(())).await;
        loop {
            tries += 1;
            let (error, not_sooner) =
                match self.try_once(&request, token.as_deref(), longest).await? {
                    Tried::Begun(begun) => return Ok(begun),
                    Tried::Refused(error) if was_refused => return Err(error),
                    Tried::Refused(error) => {
                        was_refused = true;
                        let refused = token.unwrap_or_default();
                        token = self.credentials.token(Some(&refused)).await?;
                        if token.as_ref().is_none_or(|fresh| *fresh == refused) {
                            return Err(error);
                        }
                        tries -= 1;
                        continue;
                    }
                    Tried::Failed(error, not_sooner) => (error, not_sooner),
                };
            if tries >= self.retry.tries {
                return Err(not_before(error, not_sooner));
            }
            let wait = self.retry.backoff.wait(tries, self.random.as_ref());
            let wait = not_sooner.unwrap_or_default().saturating_add(wait);
            if wait > self.retry.longest || deadline.first(self.timer.sleep(wait)).await {
                return Err(not_before(error, not_sooner));
            }
        }
    }

    /// Sends a request once.
    async fn try_once(
        &self,
        request: &Request<Bytes>,
        token: Option<&str>,
        longest: Duration,
    ) -> Result<Tried> {
        let mut request = request.clone();
        if let Some(token) = token {
            let _ = request.headers_mut().insert(AUTHORIZATION, self.authorization(token)?);
        }
        let name = self.name()?;
        let _ = request.headers_mut().insert(&names::REQUEST, name.clone());
        let accept = request.headers().get(ACCEPT).cloned();
        let size = request.body().len();
        let sent = within(self.timer.as_ref(), longest, self.transport.send(request)).await;
        let begun = match sent.unwrap_or_else(|| Err(Fault::new(FaultKind::Late))) {
            Ok(begun) => begun,
            Err(fault) => return Ok(Tried::Failed(HttpError::Fault(fault).into(), None)),
        };
        let answered = begun.headers().get(&names::REQUEST);
        if answered.is_some_and(|answered| *answered != name) {
            self.transport.forget_connections();
            return Ok(Tried::Failed(HttpError::Mixed.into(), None));
        }
        let answered = answered.cloned();
        if let Some(theirs) = answer::other_protocol(begun.headers()) {
            return Err(HttpError::Protocol { ours: PROTOCOL, theirs }.into());
        }
        if begun.status().is_success() {
            answer::check_media(&begun, accept.as_ref())?;
            if answered.is_none() {
                return Ok(Tried::Failed(HttpError::Mixed.into(), None));
            }
            return Ok(Tried::Begun(begun));
        }
        let (status, wait) = (begun.status(), retry_after(begun.headers()));
        let error = self.refusal(begun, size).await;
        Ok(match status {
            StatusCode::UNAUTHORIZED if error.kind() == ErrorKind::Denied => Tried::Refused(error),
            status if is_temporary(status) && error.kind().is_temporary() => {
                Tried::Failed(error, wait)
            }
            // It did not arrive as it was sent. Next time it may.
            StatusCode::UNPROCESSABLE_ENTITY if error.kind() == ErrorKind::Corrupt => {
                Tried::Failed(error, wait)
            }
            _ => return Err(error),
        })
    }

    /// A name for the next request, that no other has.
    fn name(&self) -> Result<HeaderValue> {
        let (prefix, count) = &self.names;
        let name = format!("{prefix}-{}", count.fetch_add(1, Ordering::Relaxed));
        HeaderValue::try_from(name)
            .map_err(|error| Error::internal("a request has no name").caused_by(error))
    }

    /// What an answer says that is no success.
    async fn refusal(&self, begun: Begun, sent: usize) -> Error {
        let (head, body) = begun.into_parts();
        // Long enough for any problem, and for nothing that a stranger says instead.
        let body = self.read(&head, body, 64 << 10).await.unwrap_or_default();
        answer::refusal(&head, &body, sent)
    }

    /// Reads a body to its end, in bounded memory.
    async fn read(&self, head: &Parts, mut body: Box<dyn Chunks>, limit: usize) -> Result<Bytes> {
        let announced = answer::length(&head.headers).unwrap_or(0);
        let (mut whole, mut all) = (Bytes::new(), Vec::new());
        loop {
            let next = within(self.timer.as_ref(), self.timeouts.pause, body.next()).await;
            let next = next.unwrap_or_else(|| Err(Fault::new(FaultKind::Late)));
            let Some(piece) = next.map_err(HttpError::Fault)? else {
                return Ok(if whole.is_empty() { all.into() } else { whole });
            };
            if whole.len() + all.len() + piece.len() > limit {
                return Err(HttpError::AnswerTooLarge { limit }.into());
            }
            if all.is_empty() {
                if piece.len() == announced && whole.is_empty() {
                    whole = piece;
                    continue;
                }
                // Room for all of it, unless that is a promise that is hard to believe.
                all.reserve_exact(announced.min(limit).min(BELIEVED).max(piece.len()));
            }
            all.extend_from_slice(&std::mem::take(&mut whole));
            all.extend_from_slice(&piece);
        }
    }

    fn request(&self, question: Question) -> Result<Request<Bytes>> {
        let Question { method, path, body, is_dense, accept, .. } = question;
        let request = Request::builder()
            .method(method)
            .uri(self.address.of(&path)?)
            .header(ACCEPT, accept)
            .header(&names::PROTOCOL, PROTOCOL);
        let body = if body.is_empty() {
            request.body(Bytes::new())
        } else {
            let request = request.header(CONTENT_TYPE, BYTES).header(&names::SUM, sum_of(&body));
            let small = if is_dense { None } else { self.compressed(&body) };
            match small {
                Some(small) => request.header(CONTENT_ENCODING, "gzip").body(small.into()),
                None => request.body(body.into()),
            }
        };
        body.map_err(|error| {
            Error::internal("an address that was checked is none").caused_by(error)
        })
    }

    /// The body, compressed, if that is wanted and worth it.
    fn compressed(&self, body: &[u8]) -> Option<Vec<u8>> {
        if !self.compresses || body.len() <= WORTH_COMPRESSING {
            return None;
        }
        let mut small = GZIP.to_vec();
        deflate(body, &mut small).ok()?;
        small.extend_from_slice(&crc_of([body]).to_le_bytes());
        small.extend_from_slice(&(body.len() as u32).to_le_bytes());
        Some(small).filter(|small| small.len() < body.len())
    }

    fn authorization(&self, token: &str) -> Result<HeaderValue> {
        if !self.address.keeps_secrets() && !self.allow_plain_token {
            return Err(HttpError::PlainToken.into());
        }
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        let mut value = value.map_err(|_| HttpError::OddToken)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Whether bodies to this address are compressed.
pub(crate) fn compresses(compression: Compression, address: &Address) -> bool {
    match compression {
        Compression::Always => true,
        Compression::Never => false,
        Compression::Auto => !address.is_loopback(),
    }
}

fn is_temporary(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
}

/// A time that passes while something else is waited for.
struct Deadline<'a> {
    left: Option<BoxFuture<'a, ()>>,
}

impl<'a> Deadline<'a> {
    fn new(sleep: BoxFuture<'a, ()>) -> Self {
        Self { left: Some(sleep) }
    }

    /// Waits; true if the deadline comes first, or has come before.
    async fn first(&mut self, wait: impl Future<Output = ()>) -> bool {
        let mut wait = pin!(wait);
        poll_fn(|context| {
            let Some(left) = &mut self.left else { return Poll::Ready(true) };
            if left.as_mut().poll(context).is_ready() {
                self.left = None;
                return Poll::Ready(true);
            }
            wait.as_mut().poll(context).map(|()| false)
        })
        .await
    }
}
