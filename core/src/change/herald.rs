//! Gathers what this manager touches, for those who tell other tabs or processes.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use super::{ChangeFeed, Touched};

/// What was touched and not told yet.
#[derive(Debug, Default)]
pub(super) struct Herald(Mutex<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    touched: Touched,
    waker: Option<Waker>,
}

impl Herald {
    /// Adds what was touched, and wakes whoever tells it.
    pub fn hear(&self, touched: Touched) {
        if touched.is_empty() {
            return;
        }
        let mut gathered = self.gathered();
        gathered.touched.merge(touched);
        let waker = gathered.waker.take();
        drop(gathered);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what a manager and its syncs touch in the database, as it happens; not what others told it.
///
/// What is touched while nobody asks comes as one. This is a [`Stream`]; [`next`](Self::next) serves where no
/// stream library is at hand.
#[derive(Debug)]
#[must_use = "a stream tells nothing until it is asked"]
pub struct TouchedStream {
    feed: ChangeFeed,
    herald: Arc<Herald>,
}

impl TouchedStream {
    pub(super) fn new(feed: ChangeFeed, herald: Arc<Herald>) -> Self {
        Self { feed, herald }
    }

    /// What was touched since the last time; waits until something is.
    pub async fn next(&mut self) -> Touched {
        poll_fn(|context| self.poll_touched(context)).await
    }

    fn poll_touched(&mut self, context: &mut Context<'_>) -> Poll<Touched> {
        let mut gathered = self.herald.gathered();
        if gathered.touched.is_empty() {
            gathered.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(std::mem::take(&mut gathered.touched))
    }
}

impl Stream for TouchedStream {
    type Item = Touched;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Touched>> {
        self.get_mut().poll_touched(context).map(Some)
    }
}

impl Drop for TouchedStream {
    fn drop(&mut self) {
        self.feed.dismiss(&self.herald);
    }
}
