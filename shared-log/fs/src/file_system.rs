//! What the log needs of a file system, and the one of the operating system.

use std::ffi::OsString;
use std::fmt;
use std::fs::{DirEntry, File, FileType, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// The file access of an [`FsLog`](crate::FsLog), all of it: where a test wants disks that fail or a
/// power cut between any two calls, it hands in a file system of its own.
///
/// # Contract
///
/// - A name never leads to a part of what was linked to it.
/// - What was [synced](FileSystem::sync) survives a power cut: of a file its contents, of a folder the names in
///   it. Neither sees to the other: a whole file is gone with its name, and a name may lead to half a file.
/// - [`create`](FileSystem::create), [`create_folder`](FileSystem::create_folder) and
///   [`link`](FileSystem::link) fail with [`AlreadyExists`](io::ErrorKind::AlreadyExists) where something has
///   the name, and leave it alone.
pub trait FileSystem: fmt::Debug + Send + Sync {
    /// The one name of a place that may be reached in several ways.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is nothing.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a folder, in any order.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being listed as a whole.
    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>>;

    /// What is at a path, links followed.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is nothing.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none, or whatever keeps it from being read.
    fn open(&self, path: &Path) -> io::Result<Opened>;

    /// Makes an empty file.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the name.
    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>>;

    /// Makes a folder.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the name.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Gives a file one more name, which leads to the whole of it at once.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has the new name, or whatever a file
    /// system says that has no links.
    fn link(&self, file: &Path, name: &Path) -> io::Result<()>;

    /// Takes a file's name away.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes what is at a path durable: a file's contents, or the names in a folder.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being durable, or `InvalidInput` or `Unsupported` where the file system knows
    /// no such thing.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// The end of a temporary file's name. It should be another one each time, in any process; that it is
    /// makes nothing right or wrong, it saves looking for a free name.
    fn unique(&self) -> String;
}

/// A file that was just made.
pub trait NewFile: Write + fmt::Debug {
    /// Makes its contents durable.
    ///
    /// # Errors
    ///
    /// Whatever keeps them from being so.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that can be read.
pub struct Opened {
    /// How many bytes it has, as far as the file system knows.
    pub length: u64,
    /// Its bytes.
    pub contents: Box<dyn Read>,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name, without the folder.
    pub name: OsString,
    /// What has it.
    pub kind: FileKind,
}

/// What has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Something else, such as a link.
    Other,
}

/// What a file system knows of a file or folder without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// How many bytes it has.
    pub length: u64,
    /// When it was last changed, where that is known.
    pub modified: Option<SystemTime>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("length", &self.length).finish_non_exhaustive()
    }
}

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsFiles;

impl FileSystem for OsFiles {
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        let listed = |entry: io::Result<DirEntry>| {
            let entry = entry?;
            let kind = entry.file_type().map_or(FileKind::Other, FileKind::from);
            Ok(Listed { name: entry.file_name(), kind })
        };
        std::fs::read_dir(folder)?.map(listed).collect()
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let found = std::fs::metadata(path)?;
        let kind = found.file_type().into();
        Ok(Metadata { kind, length: found.len(), modified: found.modified().ok() })
    }

    fn open(&self, path: &Path) -> io::Result<Opened> {
        let file = File::open(path)?;
        Ok(Opened { length: file.metadata()?.len(), contents: Box::new(file) })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn NewFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(file))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir(path)
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        std::fs::hard_link(file, name)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a folder can't be opened, nor a file be synced that was opened to read it.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    fn unique(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl NewFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else {
            Self::Other
        }
    }
}
