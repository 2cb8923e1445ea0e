//! What can go wrong with a folder, and how callers see it.

use std::io;
use std::path::{Path, PathBuf};

use syncline_core::log::Span;
use syncline_core::{Error, ErrorKind, Group};

/// Everything this log can say to us. Private: callers see [`ErrorKind`] only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FsError {
    /// A segment continues nothing that is held.
    #[error("a segment continues nothing that the log holds; append what comes before it again")]
    Gap { span: Span },
    /// The marker of the group is no longer in the folder.
    #[error("this folder is no longer the shared log it was; is the right disk mounted?")]
    Gone { marker: PathBuf },
    /// The file system refuses.
    #[error("{}", advice(source.kind()))]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// There is a file where the folder should be.
    #[error("a shared log needs a folder, and this is something else; choose another path")]
    NoFolder { path: PathBuf },
    /// A segment, or the whole folder, belongs to another group.
    #[error("this is a log of another group; name the right group or choose another folder")]
    OtherGroup { here: String, wanted: Group },
    /// All names for a file are taken by damaged files.
    #[error("too many damaged files have the same name; remove them")]
    NoName { path: PathBuf },
    /// This log never issued such a cursor.
    #[error("the log does not know this cursor; fetch from what is known")]
    UnknownCursor,
}

impl FsError {
    /// Says what was done to which path when the file system refused.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

fn kind(error: io::ErrorKind) -> ErrorKind {
    match error {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        _ => ErrorKind::Unavailable,
    }
}

fn advice(error: io::ErrorKind) -> &'static str {
    match kind(error) {
        ErrorKind::Denied => {
            "the shared log's folder does not allow this; let this user read and write it"
        }
        ErrorKind::Full => "the shared log's folder is full; make room and sync again",
        _ => "the shared log's folder is out of reach; sync again when it is there",
    }
}

impl From<FsError> for Error {
    fn from(error: FsError) -> Self {
        let told = |kind| Self::new(kind, error.to_string());
        let told = match &error {
            FsError::Gap { span } => told(ErrorKind::Rejoin)
                .with("replica", span.replica)
                .with("first", span.first)
                .with("last", span.last),
            FsError::Gone { marker } => {
                told(ErrorKind::Unavailable).with("missing", marker.display())
            }
            FsError::Io { doing, path, source } => {
                told(kind(source.kind())).with("to", doing).with("path", path.display())
            }
            FsError::NoFolder { path } => told(ErrorKind::Invalid).with("path", path.display()),
            FsError::NoName { path } => told(ErrorKind::Unavailable).with("path", path.display()),
            FsError::OtherGroup { here, wanted } => {
                told(ErrorKind::Denied).with("here", here).with("wanted", wanted)
            }
            FsError::UnknownCursor => told(ErrorKind::Rejoin),
        };
        match error {
            FsError::Io { source, .. } => told.caused_by(source),
            _ => told,
        }
    }
}
