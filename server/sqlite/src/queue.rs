//! What waits for a thread, up to a limit.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Result, StoreError};

/// Work that waits, in the order it came.
pub(crate) struct Queue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    most_jobs: usize,
    most_bytes: usize,
}

struct State<J> {
    jobs: VecDeque<(J, usize)>,
    bytes: usize,
    is_closed: bool,
}

impl<J> Queue<J> {
    pub(crate) fn new(most_jobs: usize, most_bytes: usize) -> Self {
        let state = State { jobs: VecDeque::new(), bytes: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), most_jobs, most_bytes }
    }

    /// Lets a job of so many bytes wait.
    pub(crate) fn push(&self, job: J, bytes: usize) -> Result<()> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Closed);
        }
        let is_full = state.bytes.saturating_add(bytes) > self.most_bytes;
        if state.jobs.len() >= self.most_jobs || is_full && !state.jobs.is_empty() {
            return Err(StoreError::Busy);
        }
        state.bytes += bytes;
        state.jobs.push_back((job, bytes));
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits until there is a job; false if there is none and none will come.
    pub(crate) fn wait(&self) -> bool {
        let is_idle = |state: &mut State<J>| state.jobs.is_empty() && !state.is_closed;
        let state = self.changed.wait_while(self.state(), is_idle);
        !state.unwrap_or_else(PoisonError::into_inner).jobs.is_empty()
    }

    /// How many jobs wait.
    pub(crate) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    /// The next job, if one waits.
    pub(crate) fn try_take(&self) -> Option<J> {
        let mut state = self.state();
        let (job, bytes) = state.jobs.pop_front()?;
        state.bytes -= bytes;
        Some(job)
    }

    /// The next job; nothing if none will come.
    pub(crate) fn take(&self) -> Option<J> {
        // Somebody else may have taken what was waited for.
        while self.wait() {
            if let Some(job) = self.try_take() {
                return Some(job);
            }
        }
        None
    }

    /// Accepts nothing more; what waits can still be taken.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Accepts nothing more and forgets what waits, which is how those who wait for it learn of it.
    pub(crate) fn abandon(&self) {
        self.close();
        while self.try_take().is_some() {}
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> fmt::Debug for Queue<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("waiting", &self.state().jobs.len()).finish_non_exhaustive()
    }
}
