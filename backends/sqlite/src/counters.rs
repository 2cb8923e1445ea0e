//! How many statements and transactions were run, for diagnostics.

use std::sync::atomic::{AtomicU64, Ordering};

/// How much was asked of SQLite since the database was opened.
///
/// For diagnostics, and for tests that hold an operation to its number of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Statements that were run; those that begin and end transactions are not among them, nor is
    /// setting up a connection.
    pub statements: u64,
    /// Transactions that write. A read is none.
    pub transactions: u64,
}

/// Counts for all connections of one database.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    statements: AtomicU64,
    transactions: AtomicU64,
}

impl Tally {
    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn transaction(&self) {
        self.transactions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counters {
        Counters {
            statements: self.statements.load(Ordering::Relaxed),
            transactions: self.transactions.load(Ordering::Relaxed),
        }
    }
}
