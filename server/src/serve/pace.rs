//! Clients that are too slow: what they send comes in time, what is sent to them is taken in time, or they are cut.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// A client took too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it came too slowly")]
pub(crate) struct Late;

/// So many bytes have to be taken in each stall time, once a client does not take everything at once.
const LEAST: usize = 16 << 10;

/// A stream that is cut when the other side stops reading.
#[derive(Debug)]
pub(super) struct Paced<S> {
    io: S,
    stall: Duration,
    slow: Option<Slow>,
}

/// Since it did not take everything.
#[derive(Debug)]
struct Slow {
    taken: usize,
    until: Pin<Box<Sleep>>,
}

impl<S> Paced<S> {
    pub(super) fn new(io: S, stall: Duration) -> Self {
        Self { io, stall, slow: None }
    }

    /// Judges what came of writing so many bytes.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        offered: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(taken)) = written {
            if let Some(slow) = &mut self.slow {
                slow.taken += taken;
            }
            if taken == offered || self.slow.as_ref().is_some_and(|slow| slow.taken >= LEAST) {
                self.slow = None;
            }
        }
        if written.is_pending() {
            let begin = || Slow { taken: 0, until: Box::pin(sleep(self.stall)) };
            let slow = self.slow.get_or_insert_with(begin);
            ready!(slow.until.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, data);
        self.judge(context, data.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.judge(context, parts.iter().map(|part| part.len()).sum(), written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// The body of a request, which has to come in time.
///
/// When whoever reads it lets go of it before its end, it can be had [back](Left): an answer that comes before
/// the request has ended would get lost if the connection were closed at once.
#[derive(Debug)]
pub(super) struct InTime<B: HttpBody = Incoming> {
    body: Option<B>,
    stall: Duration,
    until: Pin<Box<Sleep>>,
    end: Instant,
    left: Left<B>,
}

/// What was not read of a body.
pub(super) type Left<B = Incoming> = Arc<Mutex<Option<B>>>;

impl<B: HttpBody> InTime<B> {
    pub(super) fn new(body: B, stall: Duration, whole: Duration) -> (Self, Left<B>) {
        let left: Left<B> = Arc::default();
        let (until, end) = (Box::pin(sleep(stall)), Instant::now() + whole);
        (Self { body: Some(body), stall, until, end, left: left.clone() }, left)
    }
}

impl<B> HttpBody for InTime<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            let next = (Instant::now() + this.stall).min(this.end);
            this.until.as_mut().reset(next);
            if !matches!(frame, Some(Ok(_))) {
                this.body = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(this.until.as_mut().poll(context));
        // What comes late is not waited for again.
        this.body = None;
        Poll::Ready(Some(Err(Late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl<B: HttpBody> Drop for InTime<B> {
    fn drop(&mut self) {
        let body = self.body.take().filter(|body| !body.is_end_stream());
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = body;
    }
}

/// Reads what is left of a body, so that the client gets to reading the answer: so many bytes, for so long.
pub(super) async fn drain(left: &Left, bytes: usize, time: Duration) {
    let body = left.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut body) = body else { return };
    let end = Box::pin(sleep_until(Instant::now() + time));
    let read = async {
        let mut read = 0;
        while let Some(Ok(frame)) = http_body_util::BodyExt::frame(&mut body).await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > bytes {
                break;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = end => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use futures_util::stream;
    use http_body_util::BodyExt;

    /// A body of so many pieces, one after each such time.
    fn pieces(number: usize, each: Duration) -> Body {
        let piece = move |sent| async move {
            sleep(each).await;
            (sent < number).then(|| (Ok::<_, io::Error>(Bytes::from_static(b"x")), sent + 1))
        };
        Body::from_stream(Box::pin(stream::unfold(0, piece)))
    }

    async fn is_late(pieces: Body) -> bool {
        let (stall, whole) = (Duration::from_secs(10), Duration::from_secs(60));
        let (body, left) = InTime::new(pieces, stall, whole);
        let error = body.collect().await.err();
        assert!(left.lock().unwrap().is_none(), "what comes late is not waited for again");
        error.inspect(|error| assert!(error.is::<Late>())).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_comes_without_long_pauses_and_not_for_ever() {
        assert!(!is_late(pieces(5, Duration::from_secs(9))).await);
        assert!(is_late(pieces(1, Duration::from_secs(11))).await, "a long pause");
        assert!(is_late(pieces(100, Duration::from_secs(1))).await, "a trickle");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_read_can_be_had_back() {
        let (mut body, left) =
            InTime::new(pieces(5, Duration::ZERO), Duration::from_secs(1), Duration::from_secs(1));
        assert!(body.frame().await.is_some());
        drop(body);
        let rest = left.lock().unwrap().take().unwrap();
        assert_eq!(rest.collect().await.unwrap().to_bytes().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_is_cut_and_whoever_takes_little_is_not() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let pair = || {
            let (client, server) = tokio::io::duplex(1024);
            (client, Paced::new(server, Duration::from_secs(10)))
        };
        let (_client, mut server) = pair();
        let cut = server.write_all(&[0; 4096]).await.unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::TimedOut);

        let (mut client, mut server) = pair();
        let reads = tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while client.read(&mut buffer).await.is_ok_and(|length| length > 0) {
                sleep(Duration::from_millis(500)).await;
            }
        });
        server.write_all(&[0; 100 << 10]).await.unwrap();
        drop(server);
        reads.await.unwrap();
    }
}
