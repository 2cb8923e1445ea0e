//! What one live query waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::question::{Question, Shown};
use super::trace::Trace;
use crate::change::ChangeFeed;
use crate::query::Find;
use crate::schema::Collection;
use crate::value::Name;

/// A question whose answer somebody wants to know whenever it may have changed.
///
/// It remembers that something happened, never what: so it stays small however much happens.
#[derive(Debug)]
pub(crate) struct Interest {
    question: Question,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Whether the answer has to be read again.
    stale: bool,
    /// Whether any change matters, because the last answer could not be read.
    blind: bool,
    /// The last answer; nothing while it is read.
    shown: Option<Arc<Shown>>,
    waker: Option<Waker>,
}

impl Interest {
    /// An interest in the answer to `find`, which is not known yet.
    pub fn new(find: Find, definition: Arc<Collection>) -> Self {
        let state = State { stale: true, blind: false, shown: None, waker: None };
        Self { question: Question::new(find, definition), state: Mutex::new(state) }
    }

    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The collection that it is about.
    pub fn collection(&self) -> &Name {
        &self.question.find().collection
    }

    /// Takes note of what happened in the collection, if it can matter.
    pub fn hear<'a>(&self, traces: impl IntoIterator<Item = Trace<'a>>) {
        let mut state = self.state();
        if state.stale {
            return;
        }
        let mut traces = traces.into_iter();
        state.stale = match state.blind {
            true => traces.next().is_some(),
            false => self.question.is_concerned(state.shown.as_deref(), traces),
        };
        let waker = if state.stale { state.waker.take() } else { None };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ready when the answer has to be read; whoever asked reads it now.
    pub fn poll_stale(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if std::mem::replace(&mut state.stale, false) {
            // What happens from now on may or may not be in the answer that is read.
            state.shown = None;
            return Poll::Ready(());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// The answer was read.
    pub fn show(&self, shown: Arc<Shown>) {
        let mut state = self.state();
        (state.shown, state.blind) = (Some(shown), false);
    }

    /// The answer could not be read.
    pub fn lose_sight(&self) {
        let mut state = self.state();
        (state.shown, state.blind) = (None, true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An interest that is told what happens for as long as this is there.
#[derive(Debug)]
pub(crate) struct Listening {
    feed: ChangeFeed,
    interest: Arc<Interest>,
}

impl Listening {
    /// Begins to listen.
    pub fn new(feed: ChangeFeed, interest: Arc<Interest>) -> Self {
        feed.listen(interest.clone());
        Self { feed, interest }
    }

    /// What listens.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.feed.ignore(&self.interest);
    }
}
