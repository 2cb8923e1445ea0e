//! What an application can set.

use std::time::Duration;

/// What a write survives once its answer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: the browser has flushed the write to the disk.
    #[default]
    Strict,
    /// The end of the tab and of the browser. The system may hold the last writes back for some seconds,
    /// and a power cut takes them; the database stays whole.
    Relaxed,
}

impl Durability {
    /// IndexedDB's word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Relaxed => "relaxed",
        }
    }
}

/// How a database is opened.
///
/// # Example
///
/// ```no_run
/// # #[cfg(target_family = "wasm")] {
/// use syncline_backend_indexeddb::{Durability, IndexedDbConfig};
///
/// let config = IndexedDbConfig { durability: Durability::Relaxed, ..IndexedDbConfig::new("notes") };
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IndexedDbConfig {
    /// The database's name, within the page's origin.
    pub name: String,
    /// What a write survives; a power cut unless something else is said.
    pub durability: Durability,
    /// How long to wait for other tabs that do not let go of the database while it has to change; then the
    /// answer is [`Unavailable`](syncline_core::ErrorKind::Unavailable). 10 seconds unless something else
    /// is said.
    pub patience: Duration,
}

impl IndexedDbConfig {
    /// A database of this name.
    pub fn new(name: impl Into<String>) -> Self {
        let (durability, patience) = (Durability::default(), Duration::from_secs(10));
        Self { name: name.into(), durability, patience }
    }

    pub(crate) fn patience_millis(&self) -> u32 {
        u32::try_from(self.patience.as_millis()).unwrap_or(u32::MAX)
    }
}
