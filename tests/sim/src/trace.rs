//! What happened, as a story for people; the same seed tells the same story, byte for byte.

use std::sync::{Mutex, PoisonError};

/// The story of one world.
#[derive(Debug)]
pub(crate) struct Trace {
    listens: bool,
    lines: Mutex<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(listens: bool) -> Self {
        Self { listens, lines: Mutex::default() }
    }

    /// Tells one thing, if anybody listens.
    pub(crate) fn tell(&self, now: i64, what: impl FnOnce() -> String) {
        if self.listens {
            let line = format!("{:>9.3} s  {}", now as f64 / 1_000.0, what());
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    /// Everything that was told.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
