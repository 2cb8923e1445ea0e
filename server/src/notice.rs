//! Who waits for news of which group, and how they hear of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use bytes::Bytes;
use syncline_core::{Error, ErrorKind, Group};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::MissedTickBehavior;

use crate::Hub;
use crate::failure::Failure;

/// One channel for each group that somebody waits for. A channel holds the newest number and nothing else, so
/// that a slow client costs no memory: it hears of the newest one when it comes to it.
#[derive(Debug)]
pub(crate) struct Notices {
    state: Mutex<State>,
    seats: Arc<Semaphore>,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    channels: HashMap<Group, watch::Sender<News>>,
    is_looking: bool,
    is_closed: bool,
}

/// What is told: a number, and the event that says so, written once for all who hear of it.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) number: u64,
    pub(crate) event: Bytes,
}

impl News {
    pub(crate) fn new(number: u64) -> Self {
        let event = format!("event: notice\ndata: {{\"number\":{number}}}\n\n").into();
        Self { number, event }
    }
}

impl Notices {
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { state: Mutex::default(), seats: Arc::new(Semaphore::new(limit)), limit }
    }

    /// The group has something new, up to this number.
    pub(crate) fn tell(&self, group: &Group, number: u64) {
        if let Some(channel) = self.state().channels.get(group) {
            channel.send_if_modified(|newest| {
                let is_news = newest.number < number;
                if is_news {
                    *newest = News::new(number);
                }
                is_news
            });
        }
    }

    /// Nobody waits any longer, nor will anybody.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.channels.clear();
    }

    /// How many clients wait.
    pub(crate) fn waiting(&self) -> usize {
        self.limit - self.seats.available_permits()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom there is to look for; if there is nobody, the search ends with this answer.
    fn waited_for(&self) -> Vec<Group> {
        let mut state = self.state();
        let groups: Vec<Group> = state.channels.keys().cloned().collect();
        state.is_looking = !groups.is_empty();
        groups
    }
}

/// Somebody who waits for news of a group.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Hub,
    group: Group,
    receiver: watch::Receiver<News>,
    _seat: OwnedSemaphorePermit,
}

impl Hub {
    /// Waits for news of a group from now on; answers with its number now.
    pub(crate) async fn subscribe(&self, group: &Group) -> Result<(Subscription, u64), Failure> {
        let seat = self.notices().seats.clone().try_acquire_owned().map_err(|_| {
            let message = "too many clients wait for notices; sync now and then instead";
            let error = Error::new(ErrorKind::Unavailable, message);
            let error = error.with("limit", self.config().subscribers);
            Failure::later(error, StatusCode::SERVICE_UNAVAILABLE, 10)
        })?;
        let receiver = {
            let mut state = self.notices().state();
            let made = || watch::channel(News::new(0));
            if state.is_closed {
                made().1
            } else {
                if !state.is_looking {
                    state.is_looking = true;
                    tokio::spawn(look_around(self.clone()));
                }
                let channel = state.channels.entry(group.clone());
                channel.or_insert_with(|| made().0).subscribe()
            }
        };
        let mut subscription =
            Subscription { hub: self.clone(), group: group.clone(), receiver, _seat: seat };
        // Asked behind the subscription, so that nothing falls between the two.
        let newest = self.store().newest(std::slice::from_ref(group)).await?;
        let newest = newest.first().copied().unwrap_or_default();
        self.notices().tell(group, newest);
        subscription.receiver.mark_unchanged();
        Ok((subscription, newest))
    }
}

impl Subscription {
    /// The first news beyond this number; nothing if the hub stops before.
    pub(crate) async fn beyond(&mut self, number: u64) -> Option<News> {
        let news = self.receiver.wait_for(|newest| newest.number > number).await;
        news.ok().map(|news| news.clone())
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.hub.notices().state();
        let is_last = |channel: &watch::Sender<News>| channel.receiver_count() <= 1;
        if state.channels.get(&self.group).is_some_and(is_last) {
            state.channels.remove(&self.group);
        }
    }
}

/// Looks for what other hubs appended to the same store, as long as anybody waits.
async fn look_around(hub: Hub) {
    let mut ticks =
        tokio::time::interval(hub.config().look_around.max(std::time::Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = hub.stopped() => return,
        }
        let groups = hub.notices().waited_for();
        if groups.is_empty() {
            return;
        }
        match hub.store().newest(&groups).await {
            Ok(numbers) => {
                for (group, number) in groups.iter().zip(numbers) {
                    hub.notices().tell(group, number);
                }
            }
            Err(error) => tracing::debug!(%error, "could not look for what other hubs appended"),
        }
    }
}
