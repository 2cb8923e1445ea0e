//! Where a story takes place: databases by name, and the log where they meet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline::shared_log::fs::FsLog;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Backend, SharedLog};
use tempfile::TempDir;

use crate::Store;

/// Where databases are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In the memory of this process.
    Held(Store),
    /// SQLite files in the place's folder.
    Files,
}

/// Where replicas meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// In the memory of this process.
    Memory,
    /// In the place's folder.
    Folder,
}

/// Databases by name, and the log where they meet; what dies with a process is opened anew.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    storage: Storage,
    meeting: Meeting,
    held: Mutex<BTreeMap<String, Arc<dyn Backend>>>,
    memory: MemoryLog,
    _own: Option<TempDir>,
}

impl Place {
    /// A new place, gone when this ends.
    pub fn new(storage: Storage, meeting: Meeting) -> Self {
        let own = folder();
        Self { _own: Some(own.1), ..Self::at(&own.0, storage, meeting) }
    }

    /// A place in a folder that is there.
    pub fn at(root: &Path, storage: Storage, meeting: Meeting) -> Self {
        let memory = MemoryLog::new("test".parse().expect("a group"));
        Self { root: root.to_owned(), storage, meeting, held: Mutex::default(), memory, _own: None }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of a database.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.db"))
    }

    /// The database of this name, as a new process finds it.
    pub fn open(&self, name: &str) -> Arc<dyn Backend> {
        match self.storage {
            Storage::Held(store) => {
                let mut held = self.held.lock().expect("no test fails here");
                held.entry(name.to_owned()).or_insert_with(|| crate::storage(store)).clone()
            }
            Storage::Files => {
                let opened = SqliteBackend::open(self.file(name), SqliteConfig::default());
                Arc::new(opened.expect("SQLite opens"))
            }
        }
    }

    /// Gives a database under a name.
    pub fn hold(&self, name: &str, database: Arc<dyn Backend>) {
        let _ = self.held.lock().expect("no test fails here").insert(name.to_owned(), database);
    }

    /// Copies a database as a whole, if it is a file; nobody may have it open for writing meanwhile.
    pub(super) fn copy_file(&self, from: &str, to: &str) -> bool {
        if self.storage != Storage::Files {
            return false;
        }
        for ending in ["", "-wal"] {
            let file = |name: &str| self.root.join(format!("{name}.db{ending}"));
            if file(from).exists() {
                let _ = std::fs::copy(file(from), file(to)).expect("it is copied");
            }
        }
        true
    }

    /// What keeps databases that are not files.
    pub(super) fn store(&self) -> Store {
        match self.storage {
            Storage::Held(store) => store,
            Storage::Files => Store::Sqlite,
        }
    }

    /// The log, as a new process finds it.
    pub fn log(&self) -> Arc<dyn SharedLog> {
        match self.meeting {
            Meeting::Memory => Arc::new(self.memory.clone()),
            Meeting::Folder => {
                let group = "test".parse().expect("a group");
                Arc::new(FsLog::open(self.root.join("log"), group).expect("the folder opens"))
            }
        }
    }
}

/// A temporary folder, in memory where the machine has such a place: no test here cuts the power.
pub fn folder() -> (PathBuf, TempDir) {
    let in_memory = Path::new("/dev/shm");
    let folder = match in_memory.is_dir() {
        true => tempfile::tempdir_in(in_memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.expect("a folder");
    (folder.path().to_owned(), folder)
}
