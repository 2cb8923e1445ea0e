//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::House;
use super::guests::{Asking, Guest};
use super::pace::{InTime, Left, Paced, drain};

/// The most memory that a connection takes for the head of a request and for reading.
const BUFFER: usize = 64 << 10;

/// How long the rest of a request is read that was answered before its end.
const LINGER: Duration = Duration::from_secs(5);

pub(super) async fn attend(
    house: Arc<House>,
    stream: TcpStream,
    from: SocketAddr,
    guest: Arc<Guest>,
) {
    // Small answers must not wait for others; where that cannot be had, they do.
    let _ = stream.set_nodelay(true);
    let config = house.hub.config();
    let stream = Paced::new(stream, config.stall_time);
    let Some(tls) = &house.tls else { return speak(&house, stream, from, &guest).await };
    let shaken = tokio::select! {
        shaken = timeout(config.head_time, tls.accept(stream)) => shaken,
        () = guest.has_to_go() => return,
        () = house.hub.stopped() => return,
    };
    match shaken {
        Ok(Ok(stream)) => speak(&house, stream, from, &guest).await,
        Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
        Err(_) => tracing::debug!("a handshake took too long"),
    }
}

async fn speak<S>(house: &Arc<House>, stream: S, from: SocketAddr, guest: &Arc<Guest>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| answer(house, from, guest.asks(), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(house.hub.config().idle_time)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = guest.has_to_go() => return,
        () = stays_mute(guest, house.hub.config().head_time) => return,
        () = house.hub.stopped() => {
            if guest.is_mute() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke, or was cut");
    }
}

/// Ready if it asks nothing in this time.
async fn stays_mute(guest: &Guest, time: Duration) {
    sleep(time).await;
    if !guest.is_mute() {
        std::future::pending().await
    }
}

async fn answer(
    house: &House,
    from: SocketAddr,
    asking: Asking,
    request: Request<Incoming>,
) -> Result<Response<Answering>, Infallible> {
    let config = house.hub.config();
    let waits = request.headers().contains_key(header::EXPECT);
    let (head, body) = request.into_parts();
    let (body, left) = InTime::new(body, config.stall_time, config.body_time);
    let mut request = Request::from_parts(head, Body::new(body));
    request.extensions_mut().insert(ConnectInfo(from));
    let Ok(mut response) = house.router.clone().oneshot(request).await;
    if is_left(&left) {
        if !waits {
            drain(&left, 2 * config.body_bytes, LINGER.min(config.stall_time)).await;
        }
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answering { body, _asking: asking }))
}

fn is_left(left: &Left) -> bool {
    left.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
}

/// An answer's body; its connection counts as being answered until its end.
struct Answering {
    body: Body,
    _asking: Asking,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
