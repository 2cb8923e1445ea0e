//! Answering a fetch: what the caller lacks by the names, as far as the files hold what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syncline_core::log::chain::{Chains, Gap};
use syncline_core::log::{
    After, Cursor, Damage, Fetch, Fetched, Segment, Span, Tip, VersionVector, lane_start,
};
use syncline_core::value::canonical::{Reader, put_bytes};
use syncline_core::{Group, ReplicaId, Result};

use crate::error::FsError;
use crate::folder::Folder;
use crate::listing::{Listing, damage};
use crate::name;
use crate::read::{Contents, Verdict};

/// The first byte of a cursor, so that a later kind can be told apart.
const CURSOR: u8 = 1;

/// One answer in the making.
#[derive(Debug)]
pub(crate) struct Fetching<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) listing: Listing,
    /// What was read for this answer.
    read: BTreeMap<Span, Segment>,
    /// A file did not hold what its name says, so the plan was made with wrong names.
    is_outdated: bool,
}

/// The segments of a page.
#[derive(Debug, Default)]
struct Page {
    spans: Vec<Span>,
    more: bool,
}

impl<'a> Fetching<'a> {
    pub(crate) fn new(folder: &'a Folder, listing: Listing) -> Self {
        Self { folder, listing, read: BTreeMap::new(), is_outdated: false }
    }

    /// The answer.
    pub(crate) fn answer(mut self, request: &Fetch) -> Result<Fetched, FsError> {
        let (known, held) = known(&request.after)?;
        // Each time around, one more file is known for what it is.
        let (plan, page) = loop {
            self.is_outdated = false;
            let plan = self.listing.hopeful_chains();
            // What was here is not: the folder was restored, or files were removed. Somebody has it still.
            if held.tips.iter().any(|tip| !plan.leads_to(tip)) {
                return Err(FsError::UnknownCursor);
            }
            let page = self.page(&plan, &known, request);
            if !self.is_outdated && !page.more {
                self.look_behind_gaps(&plan, &known, request.limit_bytes);
            }
            if !self.is_outdated {
                break (plan, page);
            }
        };
        let cursor = cursor(&known, &page.spans, &plan);
        self.tell_gaps(&plan, &known);
        let own = self.own(plan, request.replica);
        let segments = page.spans.iter().filter_map(|span| self.read.remove(span)).collect();
        let damaged = self.listing.missing();
        Ok(Fetched { segments, cursor, more: page.more, own, time: None, damaged })
    }

    fn page(&mut self, plan: &Chains, known: &VersionVector, request: &Fetch) -> Page {
        let mut page = Page::default();
        let (mut bytes, mut entries) = (0, 0);
        for span in plan.lacking(known) {
            entries += span.last - span.first + 1;
            if entries > request.limit_entries && !page.spans.is_empty() {
                page.more = true;
                break;
            }
            let Some(length) = self.read(&span) else {
                self.is_outdated = true;
                break;
            };
            bytes += length;
            if bytes > request.limit_bytes && !page.spans.is_empty() {
                page.more = true;
                break;
            }
            page.spans.push(span);
        }
        page
    }

    /// Reads a segment from the first place that really holds it; the length of its bytes.
    fn read(&mut self, span: &Span) -> Option<usize> {
        if let Some(segment) = self.read.get(span) {
            return Some(segment.bytes().len());
        }
        for path in self.listing.places(span) {
            match self.folder.contents(&path) {
                Contents::Segment(segment) if segment.span() == span => {
                    let length = segment.bytes().len();
                    self.folder.findings.correct(&path, *span);
                    let _ = self.read.insert(*span, segment);
                    return Some(length);
                }
                Contents::Segment(segment) => {
                    self.listing.remove(span, &path);
                    self.listing.add(*segment.span(), path.clone());
                    self.is_outdated = true;
                    self.folder.findings.note(&path, Verdict::Whole(*segment.span()));
                }
                Contents::Damaged(reason) => self.put_aside(span, &path, reason),
                Contents::Foreign | Contents::Acknowledgement(_) if self.folder.has(&path) => {
                    self.put_aside(span, &path, "it is not a segment".to_owned());
                }
                // It was removed since the folder was listed.
                Contents::Foreign | Contents::Acknowledgement(_) => {
                    self.listing.remove(span, &path);
                }
            }
        }
        None
    }

    /// Reads files behind a gap, as many as fit into a page: one may hold what is missing under a wrong
    /// name. Each is read once, in this answer or a later one.
    fn look_behind_gaps(&mut self, plan: &Chains, known: &VersionVector, limit: usize) {
        let mut budget = limit;
        let gaps = plan.gaps(known);
        let waiting = gaps.iter().flat_map(|gap| self.listing.behind(gap.to)).collect::<Vec<_>>();
        for (span, path) in waiting {
            if self.folder.findings.of(&path).is_some() {
                continue;
            }
            let Contents::Segment(segment) = self.folder.contents(&path) else {
                self.folder.findings.note(&path, Verdict::Damaged);
                continue;
            };
            self.folder.findings.note(&path, Verdict::Whole(*segment.span()));
            if *segment.span() != span {
                self.listing.remove(&span, &path);
                self.listing.add(*segment.span(), path);
                self.is_outdated = true;
            }
            let Some(left) = budget.checked_sub(segment.bytes().len()) else { return };
            budget = left;
        }
    }

    fn put_aside(&mut self, span: &Span, path: &Path, reason: String) {
        self.listing.remove(span, path);
        self.listing.damaged.push(damage(path, reason, Some(*span)));
        self.folder.findings.note(path, Verdict::Damaged);
    }

    /// How far the caller's lane is whole, as far as this process knows.
    fn own(&self, plan: Chains, replica: ReplicaId) -> Vec<Tip> {
        let chains = if self.listing.suspects.is_empty() { plan } else { self.listing.chains() };
        chains.heads(replica)
    }

    /// Says which runs are missing, unless a damaged file says so already.
    fn tell_gaps(&mut self, plan: &Chains, known: &VersionVector) {
        for gap in plan.gaps(known) {
            // Any file that leads to the place was damaged, or it would not be a gap.
            let is_told = |damage: &Damage| damage.span.is_some_and(|span| span.tip() == gap.to);
            if !self.listing.damaged.iter().any(is_told) {
                let folder = self.folder.root.join(name::lane(gap.to.replica));
                let reason = "files of this lane are missing; it waits for them".to_owned();
                let span = missing(&gap, &self.folder.group);
                self.listing.damaged.push(damage(&folder, reason, Some(span)));
            }
        }
    }
}

/// What the caller knows, and what of it was here when the cursor was issued.
fn known(after: &After) -> Result<(VersionVector, VersionVector), FsError> {
    match after {
        After::Known(known) => Ok((known.clone(), VersionVector::default())),
        After::Cursor(Cursor(bytes)) => read_cursor(bytes).ok_or(FsError::UnknownCursor),
    }
}

fn read_cursor(bytes: &[u8]) -> Option<(VersionVector, VersionVector)> {
    let mut reader = Reader::new(bytes.strip_prefix(&[CURSOR])?);
    let known = VersionVector::from_bytes(reader.bytes().ok()?).ok()?;
    let held = VersionVector::from_bytes(reader.bytes().ok()?).ok()?;
    reader.end().ok()?;
    Some((known, held))
}

/// What the caller knows behind these segments, and what of it is here: where a lane goes on, its earlier
/// place is let go.
fn cursor(known: &VersionVector, delivered: &[Span], plan: &Chains) -> Cursor {
    let mut tips: BTreeSet<Tip> = known.tips.iter().copied().collect();
    for span in delivered {
        let _ = tips.insert(span.tip());
    }
    for span in delivered {
        let _ = tips.remove(&span.root());
    }
    let held = tips.iter().copied().filter(|tip| plan.leads_to(tip));
    let held = VersionVector::new(held).to_bytes();
    let mut bytes = vec![CURSOR];
    put_bytes(&mut bytes, &VersionVector::new(tips).to_bytes());
    put_bytes(&mut bytes, &held);
    Cursor(bytes)
}

fn missing(gap: &Gap, group: &Group) -> Span {
    let replica = gap.to.replica;
    let start = Tip { replica, seq: 0, hash: lane_start(group, replica) };
    let from = gap.from.unwrap_or(start);
    Span { replica, first: from.seq + 1, last: gap.to.seq, before: from.hash, after: gap.to.hash }
}
