//! What lies in the folder, told by names where they tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use syncline_core::ReplicaId;
use syncline_core::log::chain::Chains;
use syncline_core::log::{Damage, Span, Tip};

use crate::acknowledgement::Acknowledgement;
use crate::error::FsError;
use crate::file_system::{FileKind, Listed};
use crate::folder::Folder;
use crate::name::{self, Kind};
use crate::read::{Contents, Verdict};

/// Everything that was found in the folder.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Where each segment lies, as far as names and earlier reading tell.
    pub(crate) segments: BTreeMap<Span, Vec<PathBuf>>,
    /// The same for files that were damaged when this process last read them.
    pub(crate) suspects: BTreeMap<Span, Vec<PathBuf>>,
    /// Files of acknowledgements, with their counters.
    pub(crate) acknowledgements: Vec<(u64, PathBuf)>,
    /// Acknowledgements in files with other names, and those files.
    pub(crate) strays: Vec<(Acknowledgement, PathBuf)>,
    /// Who joined.
    pub(crate) joined: BTreeSet<ReplicaId>,
    /// What is there and has not arrived. If the name tells which segment it should be, that one may be
    /// whole elsewhere.
    pub(crate) damaged: Vec<Damage>,
}

/// Looks through a folder for one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lister<'a> {
    pub(crate) folder: &'a Folder,
}

impl Lister<'_> {
    /// Lists the lanes of all replicas that are wanted, and what lies beside them.
    ///
    /// Names are listed anew each time. The time of a folder's last change is too coarse to rely on, and
    /// to list ten thousand names takes less time than to open a hundred files.
    pub(crate) fn list(&self, wanted: impl Fn(ReplicaId) -> bool) -> Result<Listing, FsError> {
        let mut listing = Listing::default();
        let root = &self.folder.root;
        for Listed { name, kind } in self.folder.fs.list(root).map_err(FsError::io("list", root))? {
            match kind {
                FileKind::File => self.take(None, root, &name, &mut listing),
                FileKind::Folder => {
                    let replica = name.to_str().and_then(name::lane_of);
                    if let Some(replica) = replica.filter(|replica| wanted(*replica)) {
                        self.list_lane(replica, &root.join(name), &mut listing)?;
                    }
                }
                FileKind::Other => {}
            }
        }
        Ok(listing)
    }

    fn list_lane(
        &self,
        replica: ReplicaId,
        path: &Path,
        listing: &mut Listing,
    ) -> Result<(), FsError> {
        let files = match self.folder.fs.list(path) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // One lane that may not be read does not stop the others.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                listing.damaged.push(damage(path, format!("it cannot be listed: {error}"), None));
                return Ok(());
            }
            Err(error) => return Err(FsError::io("list", path)(error)),
        };
        for Listed { name, kind } in files {
            if kind == FileKind::File {
                self.take(Some(replica), path, &name, listing);
            }
        }
        Ok(())
    }

    fn take(&self, replica: Option<ReplicaId>, folder: &Path, name: &OsStr, listing: &mut Listing) {
        let path = || folder.join(name);
        match name::kind(replica, Path::new(name)) {
            Kind::Nothing => {}
            Kind::Joined(replica) => drop(listing.joined.insert(replica)),
            Kind::Acknowledgement(counter) => {
                listing.acknowledgements.push((counter, path()));
            }
            Kind::Segment(span) => {
                let path = path();
                match self.folder.findings.against(&path, &span) {
                    Some(Verdict::Whole(other)) => listing.add(other, path),
                    Some(Verdict::Damaged) => listing.suspect(span, path),
                    None => listing.add(span, path),
                }
            }
            Kind::Unknown => self.look_into(name::was(replica, Path::new(name)), path(), listing),
        }
    }

    /// A file whose name tells nothing is what it contains.
    fn look_into(&self, was: Option<Span>, path: PathBuf, listing: &mut Listing) {
        if let Some(Verdict::Whole(span)) = self.folder.findings.of(&path) {
            return listing.add(span, path);
        }
        match self.folder.contents(&path) {
            Contents::Segment(segment) => {
                self.folder.findings.note(&path, Verdict::Whole(*segment.span()));
                listing.add(*segment.span(), path);
            }
            Contents::Acknowledgement(found) => listing.strays.push((found, path)),
            // Sync tools name files that are still under way so.
            Contents::Damaged(_) if is_under_way(&path) => {}
            Contents::Damaged(reason) => listing.damaged.push(damage(&path, reason, was)),
            Contents::Foreign => {}
        }
    }
}

impl Listing {
    /// How the segments hang together, without those that were damaged.
    pub(crate) fn chains(&self) -> Chains {
        chains(self.segments.keys())
    }

    /// How the segments hang together if the damaged ones are whole by now.
    pub(crate) fn hopeful_chains(&self) -> Chains {
        chains(self.segments.keys().chain(self.suspects.keys()))
    }

    /// What has not arrived, given what did.
    pub(crate) fn missing(self) -> Vec<Damage> {
        let is_missing =
            |damage: &Damage| damage.span.is_none_or(|span| !self.segments.contains_key(&span));
        self.damaged.into_iter().filter(is_missing).collect()
    }

    /// Where a segment may lie, the best places first.
    pub(crate) fn places(&self, span: &Span) -> Vec<PathBuf> {
        let all = [self.segments.get(span), self.suspects.get(span)];
        all.into_iter().flatten().flatten().cloned().collect()
    }

    /// What lies further on in a lane, with its places.
    pub(crate) fn behind(&self, tip: Tip) -> Vec<(Span, PathBuf)> {
        let is_behind = |span: &Span| span.replica == tip.replica && span.first > tip.seq;
        let behind = self.segments.iter().filter(|(span, _)| is_behind(span));
        behind.flat_map(|(span, paths)| paths.iter().map(|path| (*span, path.clone()))).collect()
    }

    /// Forgets a place that turned out to hold something else.
    pub(crate) fn remove(&mut self, span: &Span, path: &Path) {
        for places in [&mut self.segments, &mut self.suspects] {
            if let Some(paths) = places.get_mut(span) {
                paths.retain(|other| other != path);
                if paths.is_empty() {
                    let _ = places.remove(span);
                }
            }
        }
    }

    pub(crate) fn add(&mut self, span: Span, path: PathBuf) {
        self.segments.entry(span).or_default().push(path);
    }

    fn suspect(&mut self, span: Span, path: PathBuf) {
        self.suspects.entry(span).or_default().push(path);
    }
}

pub(crate) fn damage(path: &Path, reason: String, span: Option<Span>) -> Damage {
    Damage { place: path.display().to_string(), reason, span }
}

fn chains<'a>(spans: impl Iterator<Item = &'a Span>) -> Chains {
    let mut chains = Chains::default();
    for span in spans {
        let _ = chains.insert(*span);
    }
    chains
}

fn is_under_way(path: &Path) -> bool {
    let first = path.file_name().and_then(|name| name.as_encoded_bytes().first());
    matches!(first, Some(b'.' | b'~'))
}
