//! Bodies of requests: read within the limits, unfolded within the limits, never more in memory than allowed.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use bytes::{Buf, Bytes};
use flate2::write::GzDecoder;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_wire::{BYTES, SUM_HEADER, read_object, sum_holds};

use crate::Hub;
use crate::budget::Held;
use crate::failure::Failure;
use crate::frame::Visit;
use crate::serve::Late;

/// So many compressed bytes are unfolded in one go; they become at most [`UNFOLDED`].
const FOLDED: usize = 1024;
/// DEFLATE unfolds to at most 1,032 times as much, and its decoder keeps 64 kB back.
const UNFOLDED: usize = FOLDED * 1032 + (64 << 10);

/// From this size on a body gets room for the largest one at once, and touches what it needs of that.
const LARGE: usize = 1 << 20;
/// Pieces of this size are asked of the system and given back to it when they are dropped. After a smaller one was
/// dropped, up to 32 MB, glibc keeps pieces of its size in each of its arenas, and a hub kept twice what it used.
const MAPPED: usize = 33 << 20;

/// The body of a request, and the memory that it holds.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) bytes: Vec<u8>,
    pub(crate) held: Held,
}

impl Hub {
    /// Reads a body of bytes.
    pub(crate) async fn bytes(&self, head: &Parts, body: Body) -> Result<Taken, Failure> {
        check_media(head, BYTES)?;
        self.read(head, body).await
    }

    /// Reads a body of JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        head: &Parts,
        body: Body,
    ) -> Result<(T, Held), Failure> {
        check_media(head, "application/json")?;
        let mut taken = self.read(head, body).await?;
        // Text becomes values that take about as much again.
        taken.held.resize(taken.bytes.len() * 2).await?;
        let value = read_object(&taken.bytes).map_err(|source| {
            let message = format!("the body is not the JSON that this path takes: {source}");
            Failure::from(Error::invalid(message))
        })?;
        Ok((value, taken.held))
    }

    async fn read(&self, head: &Parts, mut body: Body) -> Result<Taken, Failure> {
        let limit = self.config().body_bytes;
        let is_folded = is_folded(head)?;
        let announced = body.size_hint().exact().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large(limit));
        }
        let mut sink = Sink::new(is_folded, limit, self.budget().hold());
        if !is_folded {
            // What was announced never makes it take memory: only what came does.
            sink.expected = usize::try_from(announced).unwrap_or(0);
        }
        let visit = head.extensions.get::<Arc<Visit>>();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if let Some(visit) = visit {
                visit.received.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
            sink.put(data).await?;
        }
        let taken = sink.end().await?;
        check_sum(head, &taken.bytes)?;
        Ok(taken)
    }
}

/// Holds a body to the sum that its client told, if it did.
fn check_sum(head: &Parts, body: &[u8]) -> Result<(), Failure> {
    let mut told = head.headers.get_all(SUM_HEADER).iter();
    if told.all(|told| sum_holds(body, told.as_bytes())) {
        return Ok(());
    }
    Err(Error::corrupt("the request's body has not arrived as it was sent; send it again").into())
}

/// Where a body is gathered.
struct Sink {
    to: Unfold,
    limit: usize,
    expected: usize,
    /// How much of the budget is meant for it: what is touched of the room that it has.
    counted: usize,
    held: Held,
}

enum Unfold {
    Plain(Vec<u8>),
    Gzip(Box<GzDecoder<Limited>>),
}

impl Sink {
    fn new(is_folded: bool, limit: usize, held: Held) -> Self {
        let to = match is_folded {
            false => Unfold::Plain(Vec::new()),
            true => Unfold::Gzip(Box::new(GzDecoder::new(Limited { bytes: Vec::new(), limit }))),
        };
        Self { to, limit, expected: 0, counted: 0, held }
    }

    async fn put(&mut self, mut data: Bytes) -> Result<(), Failure> {
        match &mut self.to {
            Unfold::Plain(bytes) => {
                let length = bytes.len() + data.len();
                if length > self.limit {
                    return Err(too_large(self.limit));
                }
                if length > self.counted {
                    let wanted = (length * 2).min(self.limit.max(length));
                    let wanted =
                        if self.expected >= length { wanted.min(self.expected) } else { wanted };
                    // While it moves, it is there twice.
                    self.held.resize(wanted).await?;
                    self.counted = wanted;
                }
                if length > bytes.capacity() {
                    let is_large = self.counted >= LARGE;
                    let room = if is_large { self.limit.max(MAPPED) } else { self.counted };
                    bytes.reserve_exact(room - bytes.len());
                }
                bytes.extend_from_slice(&data);
            }
            Unfold::Gzip(decoder) => {
                while data.has_remaining() {
                    let piece = data.split_to(data.len().min(FOLDED));
                    self.held.resize(decoder.get_ref().most_after(UNFOLDED)).await?;
                    decoder.write_all(&piece).map_err(|error| unfolds_badly(&error, self.limit))?;
                    self.held.resize(decoder.get_ref().bytes.capacity()).await?;
                }
            }
        }
        Ok(())
    }

    async fn end(mut self) -> Result<Taken, Failure> {
        let bytes = match self.to {
            Unfold::Plain(bytes) => bytes,
            Unfold::Gzip(decoder) => {
                let limited = decoder.finish();
                limited.map_err(|error| unfolds_badly(&error, self.limit))?.bytes
            }
        };
        // Room beyond that was never touched.
        self.held.resize(bytes.capacity().min(self.counted.max(bytes.len()))).await?;
        Ok(Taken { bytes, held: self.held })
    }
}

/// Takes so many bytes and no more.
#[derive(Debug)]
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl Limited {
    /// The most memory that it has after so many bytes more: it doubles, up to the limit.
    fn most_after(&self, more: usize) -> usize {
        self.bytes.capacity().max(2 * (self.bytes.len() + more)).min(self.limit)
    }
}

impl Write for Limited {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + data.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if self.bytes.capacity() < self.bytes.len() + data.len() {
            let capacity = self.most_after(data.len());
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn check_media(head: &Parts, wanted: &'static str) -> Result<(), Failure> {
    let Some(named) = head.headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let named = named.to_str().unwrap_or("text that cannot be read");
    let media = named.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let message = "this path takes a body of another media type";
    let error = Error::new(ErrorKind::Unsupported, message);
    Err(Failure::from(error.with("allowed", wanted).with("got", media)))
}

fn is_folded(head: &Parts) -> Result<bool, Failure> {
    let mut values = head.headers.get_all(header::CONTENT_ENCODING).iter();
    let first = values.next().map_or("identity", |value| value.to_str().unwrap_or("unreadable"));
    let first = first.trim().to_ascii_lowercase();
    match (first.as_str(), values.next()) {
        ("identity" | "", None) => Ok(false),
        ("gzip" | "x-gzip", None) => Ok(true),
        _ => {
            let message = "the hub takes bodies as they are, or with the content encoding gzip";
            let error = Error::new(ErrorKind::Unsupported, message).with("allowed", "gzip");
            let allowed = HeaderValue::from_static("gzip, identity");
            Err(Failure::from(error).header(header::ACCEPT_ENCODING, allowed))
        }
    }
}

fn too_large(limit: usize) -> Failure {
    let message = "a request's body is too large; send it in parts";
    Failure::too_large(Error::invalid(message).with("limit", limit))
}

fn unfolds_badly(error: &io::Error, limit: usize) -> Failure {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return too_large(limit);
    }
    Error::corrupt("a compressed body has not arrived whole; send it again").into()
}

/// The connection broke, or its client took too long.
fn broken(error: axum::Error) -> Failure {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if cause.is::<Late>() {
            let message = "the request's body came too slowly; send it again, or in smaller parts";
            let error = Error::new(ErrorKind::Unavailable, message);
            return Failure::with_status(error, StatusCode::REQUEST_TIMEOUT);
        }
        source = cause.source();
    }
    Failure::invalid("the request's body ended before it was whole; send it again")
}
