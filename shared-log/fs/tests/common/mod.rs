//! What the tests of a folder share.

#![allow(dead_code, reason = "not every test needs everything")]

use std::path::{Path, PathBuf};

use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_core::log::{After, Damage, Fetched, Receipt, Segment, Span};
use syncline_core::{ErrorKind, Group, SharedLog};
use syncline_shared_log_fs::FsLog;

pub fn family() -> Group {
    "family".parse().expect("a valid name")
}

pub fn sealer(number: u8) -> Sealer {
    Sealer::new(&family(), replica(number))
}

/// A folder with an open log in it.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub log: FsLog,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = FsLog::open(folder.path(), family()).expect("an empty folder");
        Self { folder, log }
    }

    /// A place that holds these segments.
    pub fn with(segments: &[Segment]) -> Self {
        let place = Self::new();
        place.append(segments);
        place
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Another process, which has found out nothing yet.
    pub fn again(&self) -> FsLog {
        FsLog::open(self.path(), family()).expect("it is there already")
    }

    pub fn append(&self, segments: &[Segment]) -> Vec<Receipt> {
        pollster::block_on(self.log.append(segments)).expect("there is room")
    }

    pub fn lane(&self, number: u8) -> PathBuf {
        self.path().join(format!("lane-{}", replica(number)))
    }

    /// The file of a segment.
    pub fn file(&self, segment: &Segment) -> PathBuf {
        let Span { replica, first, last, before, after } = segment.span();
        self.path()
            .join(format!("lane-{replica}"))
            .join(format!("{first:012}-{last:012}-{before}-{after}.seg"))
    }

    /// What someone new gets, with a log that was opened anew.
    pub fn arrived(&self) -> Vec<Segment> {
        let mut follower = Follower::new(replica(99));
        pollster::block_on(follower.all(&self.again())).expect("the folder is there")
    }

    /// What someone new is told is damaged.
    pub fn damaged(&self) -> Vec<Damage> {
        page(&mut Follower::new(replica(99)), &self.again()).damaged
    }

    /// The names in a lane.
    pub fn names(&self, number: u8) -> Vec<String> {
        let entries = std::fs::read_dir(self.lane(number)).expect("the lane is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("it can be listed").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort_unstable();
        names
    }
}

/// A page; where files are gone that were there, it goes on from what is known, as a sync does.
pub fn page(follower: &mut Follower, log: &dyn SharedLog) -> Fetched {
    match pollster::block_on(follower.page(log)) {
        Err(error) if error.kind() == ErrorKind::Rejoin => {
            follower.request.after = After::Known(follower.known());
            pollster::block_on(follower.page(log)).expect("the folder is there")
        }
        other => other.expect("the folder is there"),
    }
}

pub fn all(follower: &mut Follower, log: &dyn SharedLog) -> Vec<Segment> {
    let before = follower.received.len();
    while page(follower, log).more {}
    follower.received[before..].to_vec()
}

/// Turns one bit round.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("it is there");
    bytes[at] ^= 0x20;
    std::fs::write(path, bytes).expect("it can be written");
}
