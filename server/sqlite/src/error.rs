//! What can go wrong, and its one mapping to [`ErrorKind`].

use std::path::PathBuf;

use rusqlite::{Error as Driver, ErrorCode, ffi};
use syncline_core::log::Span;
use syncline_core::{Error, ErrorKind, Group};

pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Everything that fails inside this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Core(#[from] Error),

    #[error("sqlite could not carry out the request")]
    Driver(#[from] Driver),

    #[error("the file cannot be opened")]
    Open { path: PathBuf, source: Driver },

    #[error("a newer version of the hub made this file; update")]
    Newer { found: i64, known: i64 },

    #[error("the file is a database of another program; name another file")]
    Foreign { application: i64 },

    #[error("the file cannot have a write-ahead log here; put it on a local disk")]
    NoLog { journal: String },

    #[error("the store is closed; open it again")]
    Closed,

    #[error("too many requests wait for the store; repeat the request later")]
    Busy,

    #[error("the work was given up before it was done; repeat the request")]
    Stopped,

    #[error("a thread of the store could not be started")]
    Thread(#[source] std::io::Error),

    #[error(
        "a store that works on threads of its own cannot be taken back; open a copy in its place"
    )]
    NotInline,

    #[error("a segment continues nothing that the log holds; append what comes before it again")]
    Gap { span: Span },

    #[error("this is a log of another group; name the right group")]
    OtherGroup { here: Group, segment: Group },

    #[error("the log does not know this cursor; fetch from what is known")]
    UnknownCursor,

    #[error(
        "the group's quota is used up; ask the hub's operator for more, or begin another group"
    )]
    Quota { quota: u64, used: u64, wanted: u64 },

    #[error(
        "the hub keeps as many groups as it may; use one that is there, or ask its operator to allow more"
    )]
    TooManyGroups { limit: u64 },

    #[error(
        "the group has as many replicas as it may; sync one that it knows, or ask the hub's operator to allow more"
    )]
    TooManyReplicas { limit: u64 },

    #[error("somebody else holds this name, or the token is an old one; wait until it is free")]
    Held { name: String, holder: String },

    #[error("nobody holds this name, or no longer; take it first")]
    NoLease { name: String },

    #[error("the group holds as many names as it may; release some")]
    TooManyLeases { limit: i64 },

    #[error("the group's items are at another epoch; download them and decide")]
    OtherEpoch { epoch: u64, based_on: u64 },

    #[error("there is no such old epoch, or no longer; ask which can be restored")]
    NoEpoch { epoch: u64 },

    #[error("too many items in one request; send them in parts")]
    TooManyItems { limit: usize, count: usize },

    #[error("the store can number no more segments or groups; begin another file")]
    Numbers,
}

impl StoreError {
    /// Whether another connection is in the way.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        let told = |kind| Self::new(kind, message);
        match error {
            StoreError::Core(error) => error,
            StoreError::Driver(error) => from_driver(error),
            StoreError::Open { path, source } => from_open(&path, source),
            StoreError::Newer { found, known } => {
                told(ErrorKind::Unsupported).with("found", found).with("known", known)
            }
            StoreError::Foreign { application } => {
                told(ErrorKind::Invalid).with("application", application)
            }
            StoreError::NoLog { journal } => told(ErrorKind::Unsupported).with("journal", journal),
            StoreError::Closed | StoreError::Busy | StoreError::Stopped => {
                told(ErrorKind::Unavailable)
            }
            StoreError::Thread(source) => told(ErrorKind::Unavailable).caused_by(source),
            StoreError::NotInline => told(ErrorKind::Unsupported),
            StoreError::Gap { span } => told(ErrorKind::Rejoin)
                .with("replica", span.replica)
                .with("first", span.first)
                .with("last", span.last),
            StoreError::OtherGroup { here, segment } => {
                told(ErrorKind::Denied).with("here", here).with("segment", segment)
            }
            StoreError::UnknownCursor => told(ErrorKind::Rejoin),
            StoreError::Quota { quota, used, wanted } => {
                told(ErrorKind::Full).with("quota", quota).with("used", used).with("wanted", wanted)
            }
            StoreError::TooManyGroups { limit } | StoreError::TooManyReplicas { limit } => {
                told(ErrorKind::Full).with("limit", limit)
            }
            StoreError::Numbers => told(ErrorKind::Full),
            StoreError::Held { name, holder } => {
                told(ErrorKind::Conflict).with("name", name).with("holder", holder)
            }
            StoreError::NoLease { name } => told(ErrorKind::NotFound).with("name", name),
            StoreError::TooManyLeases { limit } => told(ErrorKind::Full).with("limit", limit),
            StoreError::OtherEpoch { epoch, based_on } => {
                told(ErrorKind::Conflict).with("epoch", epoch).with("based_on", based_on)
            }
            StoreError::NoEpoch { epoch } => told(ErrorKind::NotFound).with("epoch", epoch),
            StoreError::TooManyItems { limit, count } => {
                told(ErrorKind::Invalid).with("limit", limit).with("count", count)
            }
        }
    }
}

/// The same failure, told to one more who met it.
pub(crate) fn again(error: &Error) -> Error {
    let same = Error::new(error.kind(), error.message().to_owned());
    error.context().fold(same, |same, (key, value)| same.with(key, value))
}

fn from_driver(error: Driver) -> Error {
    let (kind, message) = explain(&error);
    Error::new(kind, message).with("sqlite", &error).caused_by(error)
}

fn explain(error: &Driver) -> (ErrorKind, &'static str) {
    let Some(code) = error.sqlite_error() else {
        return match error {
            Driver::FromSqlConversionFailure(..)
            | Driver::IntegralValueOutOfRange(..)
            | Driver::InvalidColumnType(..) => DAMAGED,
            _ => (ErrorKind::Internal, "sqlite could not carry out the request"),
        };
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Unavailable,
            "another process held the store longer than the busy timeout; repeat the request",
        ),
        ErrorCode::DiskFull => FULL,
        // The file beside the database that processes share memory through needs room as well.
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => FULL,
        ErrorCode::SystemIoFailure if disk_is_full() => FULL,
        ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => (
            ErrorKind::Unavailable,
            "the store's disk could not be read or written; repeat the request",
        ),
        ErrorCode::ReadOnly => (
            ErrorKind::Denied,
            "the store's file may be read only; allow writing to it and its folder",
        ),
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            (ErrorKind::Denied, "the store's file may not be used; check its permissions")
        }
        ErrorCode::CannotOpen => (
            ErrorKind::Denied,
            "the store's file, or one beside it, cannot be opened; check permissions, folder and room",
        ),
        ErrorCode::NotADatabase => {
            (ErrorKind::Corrupt, "the file is not a SQLite database, or it is encrypted")
        }
        ErrorCode::DatabaseCorrupt => DAMAGED,
        ErrorCode::TooBig => (ErrorKind::Invalid, "a value is larger than SQLite can store"),
        _ => (ErrorKind::Internal, "sqlite could not carry out the request"),
    }
}

const FULL: (ErrorKind, &str) = (
    ErrorKind::Full,
    "the store's disk is full; nothing was written, make room and repeat the request",
);

const DAMAGED: (ErrorKind, &str) =
    (ErrorKind::Corrupt, "the store's file is damaged; restore it from a backup");

/// What the operating system said last to this thread. SQLite tells a full disk itself, but neither a
/// quota nor a disk that finds out only when it syncs.
fn disk_is_full() -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(std::io::Error::last_os_error().kind(), QuotaExceeded | StorageFull)
}

fn from_open(path: &std::path::Path, source: Driver) -> Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let error = match explain(&source) {
        (ErrorKind::Denied, _) if folder.is_some_and(|folder| !folder.is_dir()) => {
            Error::new(ErrorKind::NotFound, "there is no such folder; create it first")
        }
        (kind, message) => Error::new(kind, message),
    };
    error.with("path", path.display()).with("sqlite", &source).caused_by(source)
}
