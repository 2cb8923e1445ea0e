#![doc = include_str!("../README.md")]

mod acknowledgement;
mod append;
mod error;
mod fetch;
mod file_system;
mod folder;
mod listing;
mod name;
mod peer;
mod read;
mod verify;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::log::{Damage, Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline_core::{Group, ReplicaId, Result, SharedLog};

use crate::append::Appending;
use crate::fetch::Fetching;
pub use crate::file_system::{FileKind, FileSystem, Listed, Metadata, NewFile, Opened, OsFiles};
use crate::folder::Folder;

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
pub struct FsLog(Arc<Folder>);

impl FsLog {
    /// Opens the log of a group in a folder, which is made if it is missing.
    ///
    /// # Errors
    ///
    /// [`Denied`](syncline_core::ErrorKind::Denied) if another group meets there or the folder may not be
    /// written, [`Invalid`](syncline_core::ErrorKind::Invalid) if the path is something else than a
    /// folder, [`Unavailable`](syncline_core::ErrorKind::Unavailable) if it is out of reach.
    pub fn open(path: impl Into<PathBuf>, group: Group) -> Result<Self> {
        Self::open_on(Arc::new(OsFiles), path, group)
    }

    /// Opens the log of a group in a folder of this file system.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_on(
        fs: Arc<dyn FileSystem>,
        path: impl Into<PathBuf>,
        group: Group,
    ) -> Result<Self> {
        Ok(Self(Arc::new(Folder::open(fs, &path.into(), group)?)))
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
        Ok(verify::damages(&self.0, self.0.list(|_| true)?))
    }
}

#[async_trait]
impl SharedLog for FsLog {
    fn name(&self) -> String {
        format!("fs:{}", self.0.root.display())
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.0.check()?;
        Ok(peer::join(&self.0, replica)?)
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.0.check_group(segments)?;
        let wanted = append::replicas(segments);
        let listing = self.0.list(|replica| wanted.contains(&replica))?;
        Ok(Appending { folder: &self.0, listing }.store(segments)?)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let listing = self.0.list(|_| true)?;
        Ok(Fetching::new(&self.0, listing).answer(request)?)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let listing = self.0.list(|other| other == replica)?;
        Ok(peer::acknowledge(&self.0, replica, known, listing)?)
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        Ok(peer::peers(&self.0, self.0.list(|_| true)?))
    }
}
