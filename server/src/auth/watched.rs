//! Files that may change while a hub runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use syncline_core::Error;

use super::refusal::{FileError, read};

/// What a file held when it was last read, and what it said.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    path: PathBuf,
    parse: fn(&[u8]) -> Result<T, FileError>,
    last: Mutex<Last<T>>,
}

#[derive(Debug)]
struct Last<T> {
    seen: Option<Seen>,
    said: Arc<T>,
}

/// What tells that a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    length: u64,
    changed: Option<SystemTime>,
    identity: (u64, i64, i64),
}

impl<T> Watched<T> {
    /// Reads the file for the first time.
    pub(crate) fn open(
        path: impl Into<PathBuf>,
        parse: fn(&[u8]) -> Result<T, FileError>,
    ) -> Result<Self, Error> {
        let path = path.into();
        let seen = seen(&path);
        let said = read(&path).and_then(|bytes| parse(&bytes)).map_err(|why| why.of(&path))?;
        let last = Last { seen, said: Arc::new(said) };
        Ok(Self { path, parse, last: Mutex::new(last) })
    }

    /// What the file says now. While it cannot be read or is wrong, what it last said counts, and the hub's
    /// own log tells why: a slip in an editor does not lock everybody out.
    pub(crate) fn now(&self) -> Arc<T> {
        let now = seen(&self.path);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.seen != now {
            match read(&self.path).and_then(|bytes| (self.parse)(&bytes)) {
                Ok(said) => {
                    tracing::info!(path = %self.path.display(), "read a changed file of tokens or keys");
                    last.said = Arc::new(said);
                }
                Err(why) => {
                    let why = why.of(&self.path);
                    tracing::error!(error = %why, "what this file said before still counts");
                }
            }
            last.seen = now;
        }
        last.said.clone()
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let identity = (0, 0, 0);
    Some(Seen { length: metadata.len(), changed: metadata.modified().ok(), identity })
}
