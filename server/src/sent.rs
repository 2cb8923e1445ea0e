//! The body of an answer that lies in parts.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use syncline_shared_log_wire::Part;

use crate::budget::Held;

/// Sends parts where they lie, and lets go of each when it was sent; of the budget, when all were.
#[derive(Debug)]
pub(crate) struct Sent {
    parts: VecDeque<Part>,
    left: u64,
    _held: Held,
}

impl Sent {
    pub(crate) fn new(parts: Vec<Part>, held: Held) -> Self {
        let left = parts.iter().map(|part| part.as_ref().len() as u64).sum();
        Self { parts: parts.into(), left, _held: held }
    }
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(part) = self.parts.pop_front() else { return Poll::Ready(None) };
        self.left -= part.as_ref().len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(part)))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
