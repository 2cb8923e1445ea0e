//! Appending: one file for each segment, made durable together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syncline_core::log::{Receipt, Segment, Span, Tip};
use syncline_core::{ReplicaId, Result};

use crate::error::FsError;
use crate::folder::Folder;
use crate::listing::Listing;
use crate::name;
use crate::read::{Contents, Verdict};
use crate::write::{Created, create, create_folder};

/// How many damaged files may have a segment's name before it is given up.
const CHOICES: u32 = 1_000;

/// One append in the making.
#[derive(Debug)]
pub(crate) struct Appending<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) listing: Listing,
}

impl Appending<'_> {
    /// Stores segments. None is stored if one continues nothing.
    pub(crate) fn store(&mut self, segments: &[Segment]) -> Result<Vec<Receipt>, FsError> {
        let mut coming = BTreeSet::new();
        for segment in segments {
            let span = segment.span();
            if !coming.contains(&span.root()) && !self.continues(span) {
                return Err(FsError::Gap { span: *span });
            }
            let _ = coming.insert(span.tip());
        }
        let (mut receipts, mut folders) = (Vec::with_capacity(segments.len()), BTreeSet::new());
        for segment in segments {
            let (receipt, path) = self.store_one(segment)?;
            receipts.push(receipt);
            folders.extend(path.parent().map(Path::to_owned));
        }
        for folder in folders {
            self.folder.settle(&folder)?;
        }
        Ok(receipts)
    }

    /// Stores one segment, or finds it; durable but for its place in the folder.
    fn store_one(&mut self, segment: &Segment) -> Result<(Receipt, PathBuf), FsError> {
        let (fs, span) = (&*self.folder.fs, segment.span());
        for path in self.listing.places(span) {
            if self.holds(&path, span) {
                fs.sync(&path).map_err(FsError::io("make durable", &path))?;
                return Ok((Receipt::Known, path));
            }
        }
        let folder = self.folder.root.join(name::lane(span.replica));
        create_folder(fs, &folder).map_err(FsError::io("make", &folder))?;
        for choice in 1..CHOICES {
            let name = name::segment(span, choice);
            let path = folder.join(&name);
            let created = create(fs, &folder, &name, segment.bytes());
            match created.map_err(FsError::io("write", &path))? {
                Created::New => {
                    self.folder.findings.note(&path, Verdict::Whole(*span));
                    self.listing.add(*span, path.clone());
                    return Ok((Receipt::Stored, path));
                }
                // Another writer was faster.
                Created::Exists if self.holds(&path, span) => {
                    fs.sync(&path).map_err(FsError::io("make durable", &path))?;
                    return Ok((Receipt::Known, path));
                }
                Created::Exists => {}
            }
        }
        Err(FsError::NoName { path: folder })
    }

    /// Whether a segment begins a lane or continues one that really is here.
    fn continues(&self, span: &Span) -> bool {
        let leads_there = |held: &&Span| held.tip() == span.root();
        let is_whole = |path: &PathBuf, span: &Span| {
            self.folder.findings.of(path) == Some(Verdict::Whole(*span)) || self.holds(path, span)
        };
        span.first == 1
            || self
                .before(span.root())
                .filter(leads_there)
                .any(|held| self.listing.places(held).iter().any(|path| is_whole(path, held)))
    }

    /// The spans of a lane that end no later than a place.
    fn before(&self, place: Tip) -> impl Iterator<Item = &Span> {
        let all = self.listing.segments.keys().chain(self.listing.suspects.keys());
        all.filter(move |span| span.replica == place.replica && span.last == place.seq)
    }

    /// Whether a file really holds a segment.
    fn holds(&self, path: &Path, span: &Span) -> bool {
        let verdict = match self.folder.contents(path) {
            Contents::Segment(segment) => Verdict::Whole(*segment.span()),
            Contents::Foreign | Contents::Acknowledgement(_) | Contents::Damaged(_) => {
                Verdict::Damaged
            }
        };
        self.folder.findings.note(path, verdict);
        verdict == Verdict::Whole(*span)
    }
}

/// Whose lanes these are.
pub(crate) fn replicas(segments: &[Segment]) -> BTreeSet<ReplicaId> {
    segments.iter().map(|segment| segment.span().replica).collect()
}
