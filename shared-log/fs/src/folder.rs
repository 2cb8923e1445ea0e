//! The folder of one group: what is asked of it, and what was found out about it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::log::Segment;
use syncline_core::{Group, ReplicaId};

use crate::error::FsError;
use crate::file_system::{FileKind, FileSystem};
use crate::listing::{Lister, Listing};
use crate::name;
use crate::peer;
use crate::read::{Contents, Findings, contents};
use crate::write::{create, create_folder, sync_folder};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) fs: Arc<dyn FileSystem>,
    pub(crate) root: PathBuf,
    pub(crate) group: Group,
    pub(crate) findings: Findings,
    /// The file that says which group meets here.
    marker: PathBuf,
    /// Folders that are there for good.
    settled: Mutex<BTreeSet<PathBuf>>,
}

impl Folder {
    /// Opens the folder, and makes it where it is missing.
    pub(crate) fn open(
        fs: Arc<dyn FileSystem>,
        path: &Path,
        group: Group,
    ) -> Result<Self, FsError> {
        let is_something_else = || FsError::NoFolder { path: path.to_owned() };
        if fs.metadata(path).is_ok_and(|found| found.kind != FileKind::Folder) {
            return Err(is_something_else());
        }
        create_folder(&*fs, path).map_err(|error| match error.kind() {
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => is_something_else(),
            _ => FsError::io("make", path)(error),
        })?;
        // One name for one place, however it was reached.
        let root = fs.canonicalize(path).map_err(FsError::io("find", path))?;
        let marker = root.join(name::marker(&group));
        let findings = Findings::new(fs.clone());
        let folder = Self { fs, root, group, findings, marker, settled: Mutex::default() };
        match folder.check() {
            Err(FsError::Gone { .. }) => folder.begin()?,
            other => other?,
        }
        Ok(folder)
    }

    /// Says which group meets here.
    fn begin(&self) -> Result<(), FsError> {
        let (fs, root, group) = (&*self.fs, &self.root, &self.group);
        self.refuse_other_groups()?;
        let says = format!("{{\"format\":1,\"group\":{}}}\n", peer::json(group));
        let _ = create(fs, root, &name::marker(group), says.as_bytes())
            .map_err(FsError::io("begin a log in", root))?;
        sync_folder(fs, root).map_err(FsError::io("make durable", root))
    }

    /// A folder without our marker must not have that of others.
    fn refuse_other_groups(&self) -> Result<(), FsError> {
        for entry in self.fs.list(&self.root).map_err(FsError::io("list", &self.root))? {
            let is_marker = |name| name::is_marker_of_others(name, &self.group);
            if entry.name.to_str().is_some_and(is_marker) {
                let here = self.told_by(&entry.name);
                return Err(FsError::OtherGroup { here, wanted: self.group.clone() });
            }
        }
        Ok(())
    }

    /// What a marker says, for people to read.
    fn told_by(&self, name: &OsStr) -> String {
        let mut says = String::new();
        if let Ok(mut file) = self.fs.open(&self.root.join(name)) {
            let _ = file.contents.read_to_string(&mut says);
        }
        if says.is_empty() { name.to_string_lossy().into_owned() } else { says.trim().to_owned() }
    }

    /// Lists the lanes of the replicas that are wanted.
    pub(crate) fn list(&self, wanted: impl Fn(ReplicaId) -> bool) -> Result<Listing, FsError> {
        self.check()?;
        Lister { folder: self }.list(wanted)
    }

    /// Where a disk was unmounted there is an empty folder, or none: that is not an empty log.
    pub(crate) fn check(&self) -> Result<(), FsError> {
        match self.fs.metadata(&self.marker) {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Err(FsError::Gone { marker: self.marker.clone() })
            }
            Err(error) => Err(FsError::io("look into", &self.root)(error)),
        }
    }

    /// Makes the names in a lane's folder durable, and once also that the folder is there: who made it may have
    /// died before it was durable. That the log's own folder is there is seen to where a lane is made.
    pub(crate) fn settle(&self, folder: &Path) -> Result<(), FsError> {
        let durable =
            |path: &Path| sync_folder(&*self.fs, path).map_err(FsError::io("make durable", path));
        durable(folder)?;
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        if !settled.contains(folder) {
            durable(&self.root)?;
            let _ = settled.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Refuses segments of other groups.
    pub(crate) fn check_group(&self, segments: &[Segment]) -> Result<(), FsError> {
        let other = segments.iter().find(|segment| segment.header().group != self.group);
        other.map_or(Ok(()), |segment| {
            let wanted = segment.header().group.clone();
            Err(FsError::OtherGroup { here: self.group.to_string(), wanted })
        })
    }

    /// Reads a file as far as it takes to know what it is.
    pub(crate) fn contents(&self, path: &Path) -> Contents {
        contents(&*self.fs, path, &self.group)
    }

    /// Whether there is something.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.fs.metadata(path).is_ok()
    }
}
