//! Making files that are there as a whole or not at all, and stay when the power fails.
//!
//! A file is written beside its place, made durable, and linked to its name: a link never replaces what
//! has that name, and no reader sees a part of it. Where the file system has no links, the file is written
//! in place; readers know a part of it by its checksum.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::file_system::{FileKind, FileSystem, NewFile};
use crate::name::TEMPORARY;

/// What became of a file that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// It is there now; the folder is still to be made durable.
    New,
    /// There is a file of this name, which was left alone.
    Exists,
}

/// Makes a file with these contents, durable but for its place in the folder.
pub(crate) fn create(
    fs: &dyn FileSystem,
    folder: &Path,
    name: &str,
    bytes: &[u8],
) -> io::Result<Created> {
    let path = folder.join(name);
    let (temporary, file) = temporary(fs, folder)?;
    let linked = fill(file, bytes).map(|()| fs.link(&temporary, &path));
    // What is left behind is ignored by everyone.
    let _ = fs.remove(&temporary);
    match linked? {
        Ok(()) => Ok(Created::New),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::Exists),
        Err(_) => create_in_place(fs, &path, bytes),
    }
}

/// Makes a file without a link: for file systems that have none.
fn create_in_place(fs: &dyn FileSystem, path: &Path, bytes: &[u8]) -> io::Result<Created> {
    let file = match fs.create(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Created::Exists),
        Err(error) => return Err(error),
    };
    fill(file, bytes).inspect_err(|_| {
        // It is ours and half-written; where it can't be removed, its checksum tells.
        let _ = fs.remove(path);
    })?;
    Ok(Created::New)
}

/// Makes a folder and those above it, durable, where they were missing.
pub(crate) fn create_folder(fs: &dyn FileSystem, path: &Path) -> io::Result<()> {
    if is_folder(fs, path) {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match parent {
        Some(parent) if is_folder(fs, parent) => settle_folder(fs, parent)?,
        Some(parent) => create_folder(fs, parent)?,
        None => {}
    }
    match fs.create_folder(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_folder(fs, path) => {}
        other => other?,
    }
    sync_folder(fs, parent.unwrap_or(Path::new(".")))
}

fn is_folder(fs: &dyn FileSystem, path: &Path) -> bool {
    fs.metadata(path).is_ok_and(|found| found.kind == FileKind::Folder)
}

/// Makes durable that a folder is there, whoever made it.
fn settle_folder(fs: &dyn FileSystem, path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    match sync_folder(fs, parent) {
        // Where we may not look, others make the folders.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(fs: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match fs.sync(path) {
        // Some network file systems know no such thing.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

/// A new file that no reader takes for anything.
fn temporary(fs: &dyn FileSystem, folder: &Path) -> io::Result<(PathBuf, Box<dyn NewFile>)> {
    loop {
        let path = folder.join(format!("{TEMPORARY}{}", fs.unique()));
        match fs.create(&path) {
            // Another machine, or a process of long ago, had the same id.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return Ok((path, file?)),
        }
    }
}

fn fill(mut file: Box<dyn NewFile>, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_system::OsFiles;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_made_once_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let make = |bytes: &[u8]| create(&OsFiles, folder.path(), "a", bytes).unwrap();
        assert_eq!(make(b"one"), Created::New);
        assert_eq!(make(b"two"), Created::Exists);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["a"], "nothing is left behind");
    }

    #[test]
    fn without_links_a_file_is_made_once_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(create_in_place(&OsFiles, &path, b"one").unwrap(), Created::New);
        assert_eq!(create_in_place(&OsFiles, &path, b"two").unwrap(), Created::Exists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn temporary_files_of_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..200 {
            let name = format!("{TEMPORARY}{}-{number}", std::process::id());
            std::fs::write(folder.path().join(name), b"somebody else's").unwrap();
        }
        assert_eq!(create(&OsFiles, folder.path(), "a", b"one").unwrap(), Created::New);
        assert_eq!(names(folder.path()).len(), 201);
    }

    #[test]
    fn folders_are_made_with_those_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&OsFiles, &deep).unwrap();
        create_folder(&OsFiles, &deep).unwrap();
        assert!(deep.is_dir());
        std::fs::write(folder.path().join("file"), b"").unwrap();
        assert!(create_folder(&OsFiles, &folder.path().join("file")).is_err());
        assert!(create_folder(&OsFiles, &folder.path().join("file/in")).is_err());
    }
}
