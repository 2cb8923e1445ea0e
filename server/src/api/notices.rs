//! Notices: that there is something new, as a stream of events or as an answer that waits.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream;
use syncline_shared_log_wire::NUMBER_HEADER;
use syncline_shared_log_wire::notice::{LONGEST_POLL, Notice};
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::{Answered, json};
use crate::Hub;
use crate::admit::Admitted;
use crate::auth::{Access, Scope};
use crate::notice::{News, Subscription};
use crate::text::Query;

pub(super) async fn notices(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let query = Query::of(&head.uri)?;
    match query.number("after")? {
        Some(after) => {
            let wait = query.number("wait")?.unwrap_or(LONGEST_POLL).min(LONGEST_POLL);
            poll(&hub, &admitted, after, Duration::from_secs(wait)).await
        }
        None => events(hub, admitted).await,
    }
}

/// Answers at once if the number is another one already: also a smaller one is news, because then the hub was
/// restored.
async fn poll(hub: &Hub, admitted: &Admitted, after: u64, wait: Duration) -> Answered {
    let (mut subscription, mut number) = hub.subscribe(&admitted.group).await?;
    if number == after && !wait.is_zero() {
        // No news in time, or the hub stops: that is an answer too.
        if let Ok(Some(newer)) = timeout(wait, subscription.beyond(number)).await {
            number = newer.number;
        }
    }
    let mut answer = json(&Notice { number })?;
    answer.headers_mut().insert(NUMBER_HEADER, number.into());
    answer.headers_mut().insert(header::CACHE_CONTROL, NEVER.clone());
    Ok(answer)
}

const NEVER: axum::http::HeaderValue = axum::http::HeaderValue::from_static("no-store");

async fn events(hub: Hub, admitted: Admitted) -> Answered {
    let (subscription, number) = hub.subscribe(&admitted.group).await?;
    // A heart that beats without a pause would be all that the hub does.
    let heartbeat = hub.config().heartbeat.max(Duration::from_millis(100));
    let (sent, beat) = (Instant::now(), Box::pin(sleep(heartbeat)));
    let (access, first) = (admitted.access, Some(News::new(number)));
    let follower = Follower { hub, access, subscription, number, first, heartbeat, sent, beat };
    let events = stream::unfold(follower, Follower::next);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that gather answers would keep the news to themselves.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// A stream of events.
struct Follower {
    hub: Hub,
    access: Access,
    subscription: Subscription,
    /// What was told last.
    number: u64,
    first: Option<News>,
    heartbeat: Duration,
    /// When something was sent last.
    sent: Instant,
    /// When to see whether it has been silent for long. It is not set anew by what is sent, since with many
    /// followers that would be most of the work.
    beat: Pin<Box<Sleep>>,
}

impl Follower {
    /// The next event: the number now, then each newer one, and a comment now and then. It ends when the hub
    /// stops or the token expires.
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Self)> {
        if self.access.has_ended(self.hub.now()) {
            return None;
        }
        if let Some(first) = self.first.take() {
            return Some((Ok(first.event), self));
        }
        loop {
            tokio::select! {
                biased;
                newer = self.subscription.beyond(self.number) => {
                    let newer = newer?;
                    (self.number, self.sent) = (newer.number, Instant::now());
                    return Some((Ok(newer.event), self));
                }
                () = &mut self.beat => {
                    let silent = Instant::now() >= self.sent + self.heartbeat;
                    if silent {
                        self.sent = Instant::now();
                    }
                    let next = self.sent + self.heartbeat;
                    self.beat.as_mut().reset(next);
                    if silent {
                        return Some((Ok(Bytes::from_static(b":\n\n")), self));
                    }
                }
            }
        }
    }
}
