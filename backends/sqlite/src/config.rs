//! What an application can set, and where long work runs.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What a write survives once its answer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: every commit is synced to the disk (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process, however sudden. A power cut may take the last commits with it, but
    /// leaves the database whole (`synchronous=NORMAL`).
    Normal,
}

/// How a database is opened.
///
/// # Example
///
/// ```
/// use syncline_backend_sqlite::{Durability, SqliteConfig};
///
/// let config = SqliteConfig { durability: Durability::Normal, ..SqliteConfig::default() };
/// assert_eq!(config.cache_bytes, 64 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// What a write survives; a power cut unless something else is said.
    pub durability: Durability,
    /// How much memory each connection may use for pages it has read; 64 MB unless something else is
    /// said. Bulk writes are about a third faster with it than with SQLite's own 2 MB.
    pub cache_bytes: usize,
    /// How long to wait for another process, or another connection, that writes; then the answer is
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable). 10 seconds unless something else is
    /// said.
    pub busy_timeout: Duration,
    /// At most this many connections that only read, beside the one that writes; they are opened when
    /// they are first needed. 4 unless something else is said, and never fewer than 1.
    pub readers: usize,
    /// Where work runs; in the task that asks unless something else is said.
    pub blocking: Option<Arc<dyn Blocking>>,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            cache_bytes: 64 << 20,
            busy_timeout: Duration::from_secs(10),
            readers: 4,
            blocking: None,
        }
    }
}

/// Takes work off the task that asks for it.
///
/// A point read takes some microseconds, far less than sending it to another thread, so work runs in
/// place by default. An application whose runtime must never wait (a write with
/// [`Durability::Full`] waits for the disk, a write beside another process waits for that) hands it
/// to `tokio::task::block_in_place` or to a pool of threads here.
///
/// Work that was handed over runs to its end, even if nobody waits for its answer any more.
///
/// # Example
///
/// With tokio, put `tokio::task::block_in_place(work)` where this says `work()`:
///
/// ```
/// use std::future::Future;
/// use std::pin::Pin;
/// use syncline_backend_sqlite::Blocking;
///
/// #[derive(Debug)]
/// struct InPlace;
///
/// impl Blocking for InPlace {
///     fn run(
///         &self,
///         work: Box<dyn FnOnce() + Send>,
///     ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
///         work();
///         Box::pin(std::future::ready(()))
///     }
/// }
/// ```
pub trait Blocking: Debug + Send + Sync {
    /// Runs `work` somewhere; the future is ready once it has run.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
