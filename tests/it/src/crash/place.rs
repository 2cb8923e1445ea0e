//! Where a story takes place: databases by name, and the log where they meet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline::log::{Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::shared_log::fs::FsLog;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Backend, ReplicaId, Result, SharedLog, async_trait};
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

    /// A copy of everything that lies in the folder.
    pub fn copied(&self) -> Self {
        let copy = Self::new(self.storage, self.meeting);
        copy_folder(&self.root, &copy.root);
        copy
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
    ///
    /// # Errors
    ///
    /// Whatever opening a file reports.
    pub fn open(&self, name: &str) -> Result<Arc<dyn Backend>> {
        match self.storage {
            Storage::Held(store) => {
                let mut held = self.held.lock().expect("no test fails here");
                Ok(held.entry(name.to_owned()).or_insert_with(|| crate::storage(store)).clone())
            }
            Storage::Files => {
                Ok(Arc::new(SqliteBackend::open(self.file(name), SqliteConfig::default())?))
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

    /// Lets SQLite's own command look through a database, if it is a file.
    pub fn check_file(&self, name: &str) {
        if self.storage != Storage::Files {
            return;
        }
        let mut command = Command::new("sqlite3");
        let asked = command.arg(self.file(name)).arg("PRAGMA integrity_check").output();
        let said = asked.expect("sqlite3 is installed");
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "ok", "{said:?}");
    }

    /// What keeps databases that are not files.
    pub(super) fn store(&self) -> Store {
        match self.storage {
            Storage::Held(store) => store,
            Storage::Files => Store::Sqlite,
        }
    }

    /// The log, as a new process finds it.
    ///
    /// # Errors
    ///
    /// Whatever opening a folder reports.
    pub fn log(&self) -> Result<Arc<dyn SharedLog>> {
        match self.meeting {
            Meeting::Memory => Ok(Arc::new(self.memory.clone())),
            Meeting::Folder => {
                Ok(Arc::new(Moved(FsLog::open(self.root.join("log"), "test".parse()?)?)))
            }
        }
    }
}

/// A folder that keeps its name when it is copied: to those who know it, it is the same log.
#[derive(Debug)]
struct Moved(FsLog);

#[async_trait]
impl SharedLog for Moved {
    fn name(&self) -> String {
        "fs:wherever it is".to_owned()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.0.join(replica).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.0.append(segments).await
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        self.0.fetch(request).await
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.0.acknowledge(replica, known).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.0.peers().await
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("it is listed") {
        let entry = entry.expect("it is listed");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            std::fs::create_dir(&to).expect("it is made");
            copy_folder(&entry.path(), &to);
        } else {
            let _ = std::fs::copy(entry.path(), to).expect("it is copied");
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
