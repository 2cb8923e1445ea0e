//! How much was done, for diagnostics.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much a store did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Changes that were accepted to be carried out.
    pub accepted: u64,
    /// Changes that were answered, whatever the answer.
    pub answered: u64,
    /// Commits, each of one change or more.
    pub commits: u64,
    /// Questions that were answered without the right to write.
    pub reads: u64,
}

/// Counts for all threads of one store.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    accepted: AtomicU64,
    answered: AtomicU64,
    commits: AtomicU64,
    reads: AtomicU64,
}

impl Tally {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters {
            accepted: self.accepted.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            reads: self.reads.load(Ordering::Relaxed),
        }
    }
}
