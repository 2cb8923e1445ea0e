//! What can go wrong in IndexedDB, and how callers see it.

use std::borrow::Cow;

use syncline_core::value::{Key, Name};
use syncline_core::{Error, ErrorKind};
use wasm_bindgen::JsValue;

use crate::glue;

/// What this crate's functions return among themselves.
pub(crate) type Result<T, E = IndexedDbError> = std::result::Result<T, E>;

/// Everything IndexedDB and this backend can say to us. Private: callers see [`ErrorKind`] only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexedDbError {
    /// There is no IndexedDB, or this page may not use it.
    #[error("there is no IndexedDB here; keep the data in memory, or leave private browsing")]
    Missing { told: String },
    /// Another connection does not let go while the database has to change.
    #[error("another tab holds the database and does not let go; close it and try again")]
    Blocked { name: String },
    /// The connection was closed, by the browser or because another tab changes the database.
    #[error("the connection to the database was closed; try again")]
    Closed { told: String },
    /// Another tab changed the database meanwhile.
    #[error("another tab changes the database; try again")]
    Overtaken,
    /// Somebody deleted the database while it was in use.
    #[error("the database was deleted, from another tab or with the site's data; open it anew")]
    Gone { name: String },
    /// The database is not one of ours.
    #[error("the database belongs to something else; choose another name")]
    Foreign { name: String },
    /// The database was written by a newer version.
    #[error("the database was written by a newer version; update Syncline to open it")]
    Newer { format: i64 },
    /// There is no room.
    #[error("the browser grants this site no more room; make room or ask for persistent storage")]
    Quota { told: String },
    /// A write of this number failed, because its key is taken.
    #[error("an object with this key exists already")]
    Constraint { number: usize },
    /// IndexedDB failed by itself.
    #[error("IndexedDB failed; try again")]
    Failed { name: String, told: String },
    /// This backend asked for something that IndexedDB does not take.
    #[error("IndexedDB refused what it was asked")]
    Refused { name: String, told: String },
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
    /// Storage was prepared for no schema at all.
    #[error("storage has to be prepared for a schema before anything is asked of it")]
    Unprepared,
    /// A primary key is taken.
    #[error("an object with this key exists already; update it or choose another key")]
    Taken { collection: Name, key: Key },
    /// A delete would remove more than it allows.
    #[error("the delete is too broad; narrow its filter or raise its limit")]
    TooBroad { collection: Name, count: u64, limit: u64 },
    /// Stored bytes are not what was written.
    #[error("a stored row cannot be read")]
    Row { collection: Name, source: Error },
}

impl IndexedDbError {
    /// What something thrown by JavaScript says, in words: nothing of JavaScript goes further.
    pub(crate) fn from_js(thrown: &JsValue) -> Self {
        let part = |name: &str| js_sys::Reflect::get(thrown, &JsValue::from_str(name)).ok();
        let text = |name: &str| part(name).and_then(|value| value.as_string());
        let name = text("name").unwrap_or_else(|| "UnknownError".to_owned());
        let told = text("message").or_else(|| glue::string_of(thrown).ok()).unwrap_or_default();
        // Of some failures, such as a full quota, Chromium says the name alone.
        let told = if told.is_empty() { name.clone() } else { told };
        match name.as_str() {
            "BlockedError" => Self::Blocked { name: String::new() },
            "QuotaExceededError" => Self::Quota { told },
            "VersionError" => Self::Overtaken,
            "SecurityError" | "ReferenceError" => Self::Missing { told },
            "ConstraintError" => {
                let number = part("number").and_then(|number| number.as_f64());
                match number {
                    // Numbers of steps are far smaller than what a float holds exactly.
                    Some(number) => Self::Constraint { number: number as usize },
                    None => Self::Refused { name, told },
                }
            }
            "AbortError" | "InvalidStateError" | "TimeoutError" | "UnknownError" => {
                Self::Failed { name, told }
            }
            _ => Self::Refused { name, told },
        }
    }

    /// The same, said by what begins a transaction: if that is not possible, the connection is closed.
    pub(crate) fn from_beginning(thrown: &JsValue) -> Self {
        match Self::from_js(thrown) {
            Self::Failed { name, told } if name == "InvalidStateError" => Self::Closed { told },
            other => other,
        }
    }

    /// The same, said by what opens a database; some browsers say so in private windows.
    pub(crate) fn from_opening(thrown: &JsValue, database: &str) -> Self {
        match Self::from_js(thrown) {
            Self::Failed { name, told } if name == "InvalidStateError" => Self::Missing { told },
            Self::Blocked { .. } => Self::Blocked { name: database.to_owned() },
            other => other,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Newer { .. } => ErrorKind::Unsupported,
            Self::Blocked { .. } | Self::Closed { .. } | Self::Overtaken | Self::Failed { .. } => {
                ErrorKind::Unavailable
            }
            Self::Gone { .. } => ErrorKind::NotFound,
            Self::Quota { .. } | Self::NoKeyLeft { .. } => ErrorKind::Full,
            Self::Constraint { .. } | Self::Guard { .. } | Self::Taken { .. } => {
                ErrorKind::Conflict
            }
            Self::Refused { .. } => ErrorKind::Internal,
            Self::Foreign { .. }
            | Self::KeyChanged { .. }
            | Self::NoKey { .. }
            | Self::NoPlaceholder { .. }
            | Self::NotPrepared { .. }
            | Self::Unprepared
            | Self::TooBroad { .. } => ErrorKind::Invalid,
            Self::Row { .. } => ErrorKind::Corrupt,
        }
    }
}

impl From<JsValue> for IndexedDbError {
    fn from(thrown: JsValue) -> Self {
        Self::from_js(&thrown)
    }
}

impl From<IndexedDbError> for Error {
    fn from(error: IndexedDbError) -> Self {
        let told = Self::new(error.kind(), error.to_string());
        match error {
            IndexedDbError::Missing { told: why }
            | IndexedDbError::Closed { told: why }
            | IndexedDbError::Quota { told: why } => told.with("browser", why),
            IndexedDbError::Failed { name, told: why }
            | IndexedDbError::Refused { name, told: why } => {
                told.with("browser", why).with("error", name)
            }
            IndexedDbError::Blocked { name }
            | IndexedDbError::Gone { name }
            | IndexedDbError::Foreign { name } => told.with("database", name),
            IndexedDbError::Newer { format } => told.with("format", format),
            IndexedDbError::Overtaken
            | IndexedDbError::Unprepared
            | IndexedDbError::Constraint { .. } => told,
            IndexedDbError::Guard { guard, collection } => {
                told.with("collection", collection).at_guard(guard)
            }
            IndexedDbError::KeyChanged { collection }
            | IndexedDbError::NoKey { collection }
            | IndexedDbError::NoKeyLeft { collection }
            | IndexedDbError::NotPrepared { collection } => told.with("collection", collection),
            IndexedDbError::NoPlaceholder { collection, placeholder } => {
                told.with("collection", collection).with("placeholder", placeholder)
            }
            IndexedDbError::Taken { collection, key } => {
                told.with("collection", collection).with("key", key)
            }
            IndexedDbError::TooBroad { collection, count, limit } => {
                told.with("collection", collection).with("count", count).with("limit", limit)
            }
            IndexedDbError::Row { collection, source } => {
                told.with("collection", collection).caused_by(source)
            }
        }
    }
}
