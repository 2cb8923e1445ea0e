//! What can go wrong in memory, and how callers see it.

use std::borrow::Cow;

use syncline_core::value::{Key, Name};
use syncline_core::{Error, ErrorKind};

/// Everything this backend can say to us. Private: callers see [`ErrorKind`] only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// A guard does not hold.
    #[error("a guard does not hold; read again and decide")]
    Guard { guard: Cow<'static, str>, collection: Name },
    /// The keys of a collection would change under its objects.
    #[error("the primary key of a collection cannot change; copy its objects to a new collection")]
    KeyChanged { collection: Name },
    /// A new object has no complete key.
    #[error("a new object lacks a part of its primary key")]
    NoKey { collection: Name },
    /// There is no higher key left to count up to.
    #[error("the counted keys of this collection are used up")]
    NoKeyLeft { collection: Name },
    /// A field is to take a key that no earlier step made.
    #[error("no earlier step of the batch creates an object under this placeholder")]
    NoPlaceholder { collection: Name, placeholder: String },
    /// The collection is in no schema that storage was prepared for.
    #[error("there is no such collection; prepare storage for a schema that has it")]
    NotPrepared { collection: Name },
    /// A primary key is taken.
    #[error("an object with this key exists already; update it or choose another key")]
    Taken { collection: Name, key: Key },
    /// A delete would remove more than it allows.
    #[error("the delete is too broad; narrow its filter or raise its limit")]
    TooBroad { collection: Name, count: u64, limit: u64 },
}

impl From<MemoryError> for Error {
    fn from(error: MemoryError) -> Self {
        let told = |kind: ErrorKind, collection: &Name| {
            Self::new(kind, error.to_string()).with("collection", collection)
        };
        match &error {
            MemoryError::Guard { guard, collection } => {
                told(ErrorKind::Conflict, collection).at_guard(guard.clone())
            }
            MemoryError::KeyChanged { collection }
            | MemoryError::NoKey { collection }
            | MemoryError::NotPrepared { collection } => told(ErrorKind::Invalid, collection),
            MemoryError::NoKeyLeft { collection } => told(ErrorKind::Full, collection),
            MemoryError::NoPlaceholder { collection, placeholder } => {
                told(ErrorKind::Invalid, collection).with("placeholder", placeholder)
            }
            MemoryError::Taken { collection, key } => {
                told(ErrorKind::Conflict, collection).with("key", key)
            }
            MemoryError::TooBroad { collection, count, limit } => {
                told(ErrorKind::Invalid, collection).with("count", count).with("limit", limit)
            }
        }
    }
}
