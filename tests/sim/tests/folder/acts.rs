//! What is done to a log, what it promised by answering well, and whether it keeps that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use syncline::log::{Segment, VersionVector};
use syncline::shared_log::fs::FsLog;
use syncline::{Group, ReplicaId, Result, SharedLog};
use syncline_conformance::lanes::{Follower, Sealer, replica};
use syncline_sim::folder::VirtualDisk;

pub const PLACE: &str = "/disk/meet";

pub fn family() -> Group {
    "family".parse().expect("a valid name")
}

pub fn sealer(number: u8) -> Sealer {
    Sealer::new(&family(), replica(number))
}

pub fn open(disk: &VirtualDisk) -> Result<FsLog> {
    FsLog::open_on(Arc::new(disk.clone()), PLACE, family())
}

/// One call to a log.
#[derive(Clone, Debug)]
pub enum Act {
    Open,
    Join(u8),
    Append(Vec<Segment>),
    Acknowledge(u8, VersionVector),
    Fetch,
    Peers,
}

/// A machine: its disk, the log that it has open, and what that promised so far.
#[derive(Clone, Debug)]
pub struct Machine {
    pub disk: VirtualDisk,
    pub log: Option<FsLog>,
    /// Whether its disk makes whole files under their names, by a link.
    has_links: bool,
    /// Every segment that was ever handed to it.
    handed: BTreeSet<Vec<u8>>,
    appended: BTreeSet<Vec<u8>>,
    members: BTreeSet<ReplicaId>,
    /// What each replica said last that was answered well, and what it tried to say since.
    said: BTreeMap<ReplicaId, Vec<VersionVector>>,
}

/// What anyone can see of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub segments: BTreeSet<Vec<u8>>,
    peers: Vec<(ReplicaId, usize, VersionVector)>,
}

impl Machine {
    /// A machine with an empty disk.
    pub fn new(has_links: bool) -> Self {
        let disk = if has_links { VirtualDisk::new() } else { VirtualDisk::without_links() };
        let (handed, appended, members) = Default::default();
        Self { disk, log: None, has_links, handed, appended, members, said: BTreeMap::new() }
    }

    /// The same machine on a disk of its own, on which no log is open.
    pub fn copy(&self) -> Self {
        Self { disk: self.disk.copy(), log: None, ..self.clone() }
    }

    /// Takes note of what another process on this machine was promised.
    pub fn and_also(&mut self, other: &Self) {
        self.handed.extend(other.handed.iter().cloned());
        self.appended.extend(other.appended.iter().cloned());
        self.members.extend(&other.members);
        for (replica, said) in &other.said {
            self.said.entry(*replica).or_default().extend(said.iter().cloned());
        }
    }

    /// Does something, and takes note of what an answer promises.
    pub fn act(&mut self, act: &Act) -> Result<()> {
        if self.log.is_none() {
            self.log = Some(open(&self.disk)?);
        }
        let log = self.log.clone().expect("it was just opened");
        pollster::block_on(async {
            match act {
                Act::Open => {}
                Act::Join(number) => {
                    log.join(replica(*number)).await?;
                    let _ = self.members.insert(replica(*number));
                }
                Act::Append(segments) => {
                    let bytes: Vec<_> = segments.iter().map(|one| one.bytes().to_vec()).collect();
                    self.handed.extend(bytes.iter().cloned());
                    let receipts = log.append(segments).await?;
                    assert_eq!(receipts.len(), segments.len());
                    self.appended.extend(bytes);
                }
                Act::Acknowledge(number, known) => {
                    let nothing = || vec![VersionVector::default()];
                    self.said.entry(replica(*number)).or_insert_with(nothing).push(known.clone());
                    log.acknowledge(replica(*number), known).await?;
                    let _ = self.said.insert(replica(*number), vec![known.clone()]);
                }
                Act::Fetch => drop(Follower::new(replica(99)).all(&log).await?),
                Act::Peers => drop(log.peers().await?),
            }
            Ok(())
        })
    }

    /// What a process that starts now sees. Whatever was promised must be there, and nothing else than what was
    /// handed in.
    #[track_caller]
    pub fn check(&self, when: &str) -> Seen {
        let log = open(&self.disk).expect("it opens");
        let mut follower = Follower::new(replica(99));
        let received = pollster::block_on(follower.all(&log)).expect("it can be read");
        let segments: BTreeSet<_> = received.iter().map(|one| one.bytes().to_vec()).collect();
        assert_eq!(segments.len(), received.len(), "{when}: one came twice");
        assert!(segments.is_subset(&self.handed), "{when}: nobody wrote what came");
        assert!(self.appended.is_subset(&segments), "{when}: a segment is lost");

        let last = pollster::block_on(follower.page(&log)).expect("it can be read");
        let files = self.disk.files(Path::new("/"));
        let half = last.damaged.iter().find(|one| files.contains_key(Path::new(&one.place)));
        assert!(
            !self.has_links || half.is_none(),
            "{when}: a part has the name of the whole: {half:?}"
        );

        let peers = pollster::block_on(log.peers()).expect("it can be read");
        let there: BTreeSet<_> = peers.iter().map(|peer| peer.replica).collect();
        assert!(self.members.is_subset(&there), "{when}: a member is lost");
        for (replica, said) in &self.said {
            let peer = peers.iter().find(|peer| peer.replica == *replica);
            let known = peer.map(|peer| peer.acknowledged.clone()).unwrap_or_default();
            assert!(said.contains(&known), "{when}: an acknowledgement is lost");
        }
        let peers = peers.into_iter().map(|one| (one.replica, one.heads.len(), one.acknowledged));
        Seen { segments, peers: peers.collect() }
    }
}
