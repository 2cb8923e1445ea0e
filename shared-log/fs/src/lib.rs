#![doc = include_str!("../README.md")]

mod acknowledgement;
mod append;
mod error;
mod fetch;
mod listing;
mod name;
mod peer;
mod read;
mod verify;
mod write;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::log::{Damage, Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline_core::{Group, ReplicaId, Result, SharedLog};

use crate::append::Appending;
use crate::error::FsError;
use crate::fetch::Fetching;
use crate::listing::{Lister, Listing};
use crate::read::Findings;
use crate::write::{create, create_folder, sync_folder};

/// A shared log in a folder; clones share what they found out about it.
///
/// Any number of processes and machines may use the folder at once. Reading and writing happen while the
/// caller waits.
///
/// # Example
///
/// ```
/// use syncline_core::log::{After, Fetch, VersionVector};
/// use syncline_core::{ReplicaId, SharedLog};
/// use syncline_shared_log_fs::FsLog;
///
/// # let place = tempfile::tempdir().expect("a temporary folder");
/// # pollster::block_on(async {
/// let log = FsLog::open(place.path().join("meet here"), "family".parse()?)?;
/// let phone = ReplicaId([1; 16]);
/// log.join(phone).await?;
///
/// let everything = Fetch {
///     replica: phone,
///     after: After::Known(VersionVector::default()),
///     limit_bytes: 1 << 20,
///     limit_entries: 1_000,
/// };
/// assert!(log.fetch(&everything).await?.segments.is_empty());
/// # Ok::<(), syncline_core::Error>(())
/// # }).expect("the folder can be written");
/// ```
#[derive(Clone, Debug)]
pub struct FsLog {
    root: Arc<Path>,
    group: Group,
    marker: Arc<Path>,
    findings: Arc<Findings>,
}

impl FsLog {
    /// Opens the log of a group in a folder, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`Denied`](syncline_core::ErrorKind::Denied) if another group meets there or the folder may not be
    /// written, [`Invalid`](syncline_core::ErrorKind::Invalid) if the path is something else than a
    /// folder, [`Unavailable`](syncline_core::ErrorKind::Unavailable) if it is out of reach.
    pub fn open(path: impl Into<PathBuf>, group: Group) -> Result<Self> {
        Ok(Self::open_folder(&path.into(), group)?)
    }

    /// Reads every file and tells which are damaged, also those that nobody asked for yet.
    ///
    /// Owners learn of what was found damaged in their lanes by their next fetch through this handle, and
    /// append it again.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable) if the folder is out of reach,
    /// [`Denied`](syncline_core::ErrorKind::Denied) if it may not be read.
    pub fn verify(&self) -> Result<Vec<Damage>> {
        Ok(verify::damages(self.list(|_| true)?, &self.group, &self.findings))
    }

    fn open_folder(path: &Path, group: Group) -> Result<Self, FsError> {
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(FsError::NoFolder { path: path.to_owned() });
        }
        create_folder(path).map_err(|error| match error.kind() {
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                FsError::NoFolder { path: path.to_owned() }
            }
            _ => FsError::io("make", path)(error),
        })?;
        // One name for one place, however it was reached.
        let root = path.canonicalize().map_err(FsError::io("find", path))?;
        let marker = root.join(name::marker(&group));
        if !marker.exists() {
            refuse_other_groups(&root, &group)?;
            let says = format!("{{\"format\":1,\"group\":{}}}\n", peer::json(&group));
            let _ = create(&root, &name::marker(&group), says.as_bytes())
                .map_err(FsError::io("begin a log in", &root))?;
            sync_folder(&root).map_err(FsError::io("make durable", &root))?;
        }
        let findings = Arc::default();
        Ok(Self { root: root.into(), group, marker: marker.into(), findings })
    }

    /// Lists the lanes of the replicas that are wanted.
    fn list(&self, wanted: impl Fn(ReplicaId) -> bool) -> Result<Listing, FsError> {
        self.check()?;
        let lister = Lister { root: &self.root, group: &self.group, findings: &self.findings };
        lister.list(wanted)
    }

    /// Where a disk was unmounted there is an empty folder, or none: that is not an empty log.
    fn check(&self) -> Result<(), FsError> {
        match std::fs::symlink_metadata(&self.marker) {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Err(FsError::Gone { marker: self.marker.to_path_buf() })
            }
            Err(error) => Err(FsError::io("look into", &self.root)(error)),
        }
    }

    fn check_group(&self, segments: &[Segment]) -> Result<(), FsError> {
        let other = segments.iter().find(|segment| segment.header().group != self.group);
        other.map_or(Ok(()), |segment| {
            let wanted = segment.header().group.clone();
            Err(FsError::OtherGroup { here: self.group.to_string(), wanted })
        })
    }
}

#[async_trait]
impl SharedLog for FsLog {
    fn name(&self) -> String {
        format!("fs:{}", self.root.display())
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.check()?;
        Ok(peer::join(&self.root, &self.group, replica)?)
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.check_group(segments)?;
        let wanted = append::replicas(segments);
        let listing = self.list(|replica| wanted.contains(&replica))?;
        let (root, group, findings) = (&*self.root, &self.group, &*self.findings);
        Ok(Appending { root, group, findings, listing }.store(segments)?)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let listing = self.list(|_| true)?;
        let fetching = Fetching::new(&self.root, &self.group, &self.findings, listing);
        Ok(fetching.answer(request)?)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let listing = self.list(|other| other == replica)?;
        Ok(peer::acknowledge(&self.root, &self.group, replica, known, listing)?)
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        Ok(peer::peers(self.list(|_| true)?, &self.group))
    }
}

/// A folder without our marker must not have that of others.
fn refuse_other_groups(root: &Path, wanted: &Group) -> Result<(), FsError> {
    for entry in std::fs::read_dir(root).map_err(FsError::io("list", root))? {
        let name = entry.map_err(FsError::io("list", root))?.file_name();
        if name.to_str().is_some_and(name::is_marker) {
            let here = told_by(&root.join(&name), &name);
            return Err(FsError::OtherGroup { here, wanted: wanted.clone() });
        }
    }
    Ok(())
}

/// What a marker says, for people to read.
fn told_by(path: &Path, name: &OsStr) -> String {
    let says = std::fs::read_to_string(path).unwrap_or_default();
    if says.is_empty() { name.to_string_lossy().into_owned() } else { says.trim().to_owned() }
}
