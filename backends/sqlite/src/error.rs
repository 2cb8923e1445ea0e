//! What can go wrong, and its one mapping to [`ErrorKind`].

use std::borrow::Cow;
use std::path::PathBuf;

use rusqlite::{Error as Driver, ErrorCode, ffi};
use syncline_core::value::{Key, Name};
use syncline_core::{Error, ErrorKind};

pub(crate) type Result<T, E = SqliteError> = std::result::Result<T, E>;

/// Everything that fails inside this crate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    #[error(transparent)]
    Core(#[from] Error),

    #[error("sqlite could not carry out the operation")]
    Driver(#[from] Driver),

    #[error("the guard does not hold; read again and decide")]
    Guard { name: Cow<'static, str>, collection: Name },

    #[error("an object with this key is already there")]
    KeyTaken { collection: Name, key: Key },

    #[error("a newer version of this library, or of the application, wrote the database; update")]
    Newer { what: &'static str, found: i64, known: i64 },

    #[error("storage was not prepared for a schema; prepare it first")]
    NotPrepared,

    #[error("the database cannot be opened")]
    Open { path: PathBuf, source: Driver },

    #[error("the work was given up before it ran; repeat the call")]
    Stopped,

    #[error("{problem}")]
    Table { table: String, column: Option<String>, problem: Cow<'static, str> },

    #[error("more objects meet the filter than the delete allows")]
    TooMany { collection: Name, limit: u64, count: u64 },

    #[error("a column holds something else than the schema says; another program wrote it")]
    WrongValue { table: Name, column: Name, wanted: &'static str, found: &'static str },
}

impl SqliteError {
    /// A table that does not fit the schema, and what to do about it.
    pub(crate) fn table(
        table: impl Into<String>,
        column: Option<&str>,
        problem: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Table {
            table: table.into(),
            column: column.map(str::to_owned),
            problem: problem.into(),
        }
    }

    /// Whether a create met a key that is there already.
    pub(crate) fn is_taken_key(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        let code = error.sqlite_error().map(|error| error.extended_code);
        matches!(code, Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID))
    }

    /// Whether another connection is in the way.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Driver(error) = self else { return false };
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }
}

impl From<SqliteError> for Error {
    fn from(error: SqliteError) -> Self {
        let message = error.to_string();
        match error {
            SqliteError::Core(error) => error,
            SqliteError::Driver(error) => from_driver(error),
            SqliteError::Guard { name, collection } => Self::new(ErrorKind::Conflict, message)
                .at_guard(name)
                .with("collection", collection),
            SqliteError::KeyTaken { collection, key } => Self::new(ErrorKind::Conflict, message)
                .with("collection", collection)
                .with("key", key),
            SqliteError::Newer { what, found, known } => Self::new(ErrorKind::Unsupported, message)
                .with("newer", what)
                .with("found", found)
                .with("known", known),
            SqliteError::NotPrepared => Self::invalid(message),
            SqliteError::Open { path, source } => from_open(&path, source),
            SqliteError::Stopped => Self::new(ErrorKind::Unavailable, message),
            SqliteError::Table { table, column, .. } => {
                let error = Self::invalid(message).with("table", table);
                match column {
                    Some(column) => error.with("column", column),
                    None => error,
                }
            }
            SqliteError::TooMany { collection, limit, count } => Self::invalid(message)
                .with("collection", collection)
                .with("limit", limit)
                .with("count", count),
            SqliteError::WrongValue { table, column, wanted, found } => Self::corrupt(message)
                .with("table", table)
                .with("column", column)
                .with("wanted", wanted)
                .with("found", found),
        }
    }
}

fn from_driver(error: Driver) -> Error {
    let (kind, message) = explain(&error);
    Error::new(kind, message).with("sqlite", &error).caused_by(error)
}

fn explain(error: &Driver) -> (ErrorKind, &'static str) {
    let Some(code) = error.sqlite_error() else {
        return (ErrorKind::Internal, "sqlite could not carry out the operation");
    };
    match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            ErrorKind::Unavailable,
            "another connection held the database longer than the busy timeout; repeat the call",
        ),
        ErrorCode::DiskFull => FULL,
        // The file beside the database that processes share memory through needs room as well.
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => FULL,
        ErrorCode::SystemIoFailure if disk_is_full() => FULL,
        ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed => {
            (ErrorKind::Unavailable, "the disk could not be read or written; repeat the call")
        }
        ErrorCode::ReadOnly => {
            (ErrorKind::Denied, "the database may be read only; allow writing to it and its folder")
        }
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            (ErrorKind::Denied, "the database may not be used; check its permissions")
        }
        ErrorCode::CannotOpen => (
            ErrorKind::Denied,
            "the database, or a file beside it, cannot be opened; check permissions, folder and room",
        ),
        ErrorCode::NotADatabase => {
            (ErrorKind::Corrupt, "the file is not a SQLite database, or it is encrypted")
        }
        ErrorCode::DatabaseCorrupt => {
            (ErrorKind::Corrupt, "the database file is damaged; restore it from a backup")
        }
        ErrorCode::ConstraintViolation => (
            constraint(code.extended_code),
            "a rule of the table, made by another program, refuses this write",
        ),
        ErrorCode::TooBig => (ErrorKind::Invalid, "a value is larger than SQLite can store"),
        _ => (ErrorKind::Internal, "sqlite could not carry out the operation"),
    }
}

const FULL: (ErrorKind, &str) =
    (ErrorKind::Full, "the disk is full; nothing was written, make room and repeat the call");

/// What the operating system said last to this thread. SQLite tells a full disk itself, but neither a
/// quota nor a disk that finds out only when it syncs.
fn disk_is_full() -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(std::io::Error::last_os_error().kind(), QuotaExceeded | StorageFull)
}

/// A taken unique value may be free later; any other rule refuses the same write every time.
fn constraint(extended_code: i32) -> ErrorKind {
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => ErrorKind::Conflict,
        _ => ErrorKind::Invalid,
    }
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
