//! Reading files that may be anything: whole, half, damaged, or a stranger's.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use syncline_core::Group;
use syncline_core::log::{Segment, Span};

use crate::acknowledgement::Acknowledgement;
use crate::file_system::{FileSystem, Metadata, Opened};

/// No segment is larger.
const LARGEST: u64 = 256 << 20;

/// What was found in a file.
#[derive(Debug)]
pub(crate) enum Contents {
    /// Something else than what we write.
    Foreign,
    /// A whole segment of our group.
    Segment(Segment),
    /// A whole acknowledgement of our group.
    Acknowledgement(Acknowledgement),
    /// What begins like ours and is not whole, or not for us.
    Damaged(String),
}

/// Reads a file as far as it takes to know what it is.
pub(crate) fn contents(fs: &dyn FileSystem, path: &Path, group: &Group) -> Contents {
    match read(fs, path) {
        Ok(None) => Contents::Foreign,
        Ok(Some(bytes)) if bytes.starts_with(&Acknowledgement::MAGIC) => {
            match Acknowledgement::parse(&bytes) {
                Ok(found) if found.group == *group => Contents::Acknowledgement(found),
                Ok(found) => Contents::Damaged(of_another(&found.group)),
                Err(error) => Contents::Damaged(error.to_string()),
            }
        }
        Ok(Some(bytes)) => match Segment::parse(bytes) {
            Ok(found) if found.header().group == *group => Contents::Segment(found),
            Ok(found) => Contents::Damaged(of_another(&found.header().group)),
            Err(error) => Contents::Damaged(error.to_string()),
        },
        // Whoever made it removed it meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound => Contents::Foreign,
        Err(error) => Contents::Damaged(format!("it cannot be read: {error}")),
    }
}

fn of_another(group: &Group) -> String {
    format!("it belongs to another group, {group}")
}

/// The whole file, if it begins like one of ours.
fn read(fs: &dyn FileSystem, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let Opened { length, contents: mut file } = fs.open(path)?;
    let mut magic = [0; 4];
    match file.read_exact(&mut magic) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    if magic != Segment::MAGIC && magic != Acknowledgement::MAGIC {
        return Ok(None);
    }
    if length > LARGEST {
        return Err(io::Error::other("it is too large for a segment"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    bytes.extend_from_slice(&magic);
    let _ = file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// What this process found out about files, so that it need not read them again to know what they are.
///
/// It only saves work: what is delivered is read and verified anyway, and what was found damaged is read
/// again whenever it is wanted, for a file may be completed within one tick of its file system's clock.
#[derive(Debug)]
pub(crate) struct Findings {
    fs: Arc<dyn FileSystem>,
    all: Mutex<BTreeMap<PathBuf, Finding>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Finding {
    length: u64,
    modified: Option<SystemTime>,
    verdict: Verdict,
}

/// What a file was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A whole segment.
    Whole(Span),
    /// Damaged.
    Damaged,
}

impl Findings {
    /// Nothing yet.
    pub(crate) fn new(fs: Arc<dyn FileSystem>) -> Self {
        Self { fs, all: Mutex::default() }
    }

    /// What was found in the file, if it looks the same since.
    pub(crate) fn of(&self, path: &Path) -> Option<Verdict> {
        let finding = *self.all().get(path)?;
        let metadata = self.fs.metadata(path).ok()?;
        (finding == Finding::new(&metadata, finding.verdict)).then_some(finding.verdict)
    }

    /// What was found in the file against its name, if it looks the same since.
    pub(crate) fn against(&self, path: &Path, name: &Span) -> Option<Verdict> {
        let told = self.all().get(path)?.verdict;
        if told == Verdict::Whole(*name) { None } else { self.of(path) }
    }

    /// Remembers what was found.
    pub(crate) fn note(&self, path: &Path, verdict: Verdict) {
        if let Ok(metadata) = self.fs.metadata(path) {
            let _ = self.all().insert(path.to_owned(), Finding::new(&metadata, verdict));
        }
    }

    /// Remembers that a file is whole, if anything is remembered of it.
    pub(crate) fn correct(&self, path: &Path, span: Span) {
        if self.all().contains_key(path) {
            self.note(path, Verdict::Whole(span));
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Finding>> {
        self.all.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Finding {
    fn new(metadata: &Metadata, verdict: Verdict) -> Self {
        Self { length: metadata.length, modified: metadata.modified, verdict }
    }
}
