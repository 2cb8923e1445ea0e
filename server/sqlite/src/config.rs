//! What whoever runs a store can set.

use std::time::Duration;

const MB: usize = 1 << 20;

/// What a change survives once its answer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: every commit is synced to the disk (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process, however sudden. A power cut may take the last commits with it, but
    /// leaves the file whole (`synchronous=NORMAL`).
    Normal,
}

/// On which threads a store works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// On its own: one that writes, with many changes in one commit, and some that read beside it.
    #[default]
    Threads,
    /// On the thread of who asks, one question after another: what is done and in which order depends on the
    /// questions only. For simulations and tests.
    Inline,
}

/// How a store is opened.
///
/// # Example
///
/// ```
/// use syncline_server_sqlite::{Durability, SqliteStoreConfig};
///
/// let config = SqliteStoreConfig { readers: 4, ..SqliteStoreConfig::default() };
/// assert_eq!(config.durability, Durability::Full);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteStoreConfig {
    /// What a change survives; a power cut unless something else is said.
    pub durability: Durability,
    /// On which threads it works; on its own unless something else is said.
    pub mode: Mode,
    /// How much memory each connection may use for pages it has read: 3 MB.
    pub cache_bytes: usize,
    /// How long to wait for another process that writes; then the answer is
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable): 10 seconds.
    pub busy_timeout: Duration,
    /// How many threads read, each with a connection of its own: 2, and never fewer than 1.
    pub readers: usize,
    /// The most questions that wait for a thread; one more is
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable): 4,096.
    pub queue_jobs: usize,
    /// The most bytes of changes that wait: 64 MB. One comes in any case.
    pub queue_bytes: usize,
    /// The most changes in one commit: 1,024.
    pub commit_jobs: usize,
    /// About the most bytes of changes and their answers in one commit: 16 MB.
    pub commit_bytes: usize,
}

impl Default for SqliteStoreConfig {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            mode: Mode::default(),
            cache_bytes: 3 * MB,
            busy_timeout: Duration::from_secs(10),
            readers: 2,
            queue_jobs: 4_096,
            queue_bytes: 64 * MB,
            commit_jobs: 1_024,
            commit_bytes: 16 * MB,
        }
    }
}
