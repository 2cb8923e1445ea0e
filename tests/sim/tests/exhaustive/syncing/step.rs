//! One letter carried out, once for each state of the one replica and the log that it meets.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use syncline::backend::memory::MemoryBackend;
use syncline::merge::Discard;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::discards;
use syncline::{Object, Stamp, SyncReport, do_sync};

use super::letters::{Act, Letter, Part, batch, deeds, key};
use super::replica::{Opened, digest, digest_of, digest_of_log};
use crate::law::{FIELDS, Held};

/// Whether applications stay open from letter to letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// One is closed behind every letter, and one is opened again for the next.
    Restarts,
    /// So many stay open on each storage. Then the past counts, and not only what is stored.
    Stays(usize),
}

/// A replica as it is stored, and how it came to that.
#[derive(Clone, Debug)]
pub struct Stored {
    pub number: usize,
    pub clock: i64,
    pub backend: MemoryBackend,
    /// Of all that is stored.
    pub digest: u128,
    /// Of all that counts: what is stored, or the past.
    pub identity: u128,
    past: Option<Arc<Past>>,
}

/// A letter that an open application carried out, and those before it.
#[derive(Debug)]
struct Past {
    before: Stored,
    letter: Letter,
    log: MemoryLog,
}

/// A shared log, and one number for all that it holds.
#[derive(Clone, Debug)]
pub struct Shared {
    pub log: MemoryLog,
    pub digest: u128,
}

/// What one letter came to.
#[derive(Debug)]
pub struct Outcome {
    pub replica: Stored,
    pub shared: Shared,
    /// What the rows hold.
    pub rows: [Option<Held>; 2],
    /// The stamps of all own entries, in the order of their `seq`.
    pub stamps: Vec<Stamp>,
    /// What the sync reported, if it was one.
    pub report: Option<SyncReport>,
    /// All values that were ever told to have lost.
    pub told: Vec<Discard>,
}

/// All letters that were carried out.
#[derive(Debug)]
pub struct Steps {
    process: Process,
    /// Where a letter changed nothing.
    idle: Mutex<HashSet<(u128, Letter)>>,
}

impl Stored {
    /// A new replica that has stored nothing but its name.
    pub async fn new(number: usize, clock: i64) -> Self {
        let backend = MemoryBackend::default();
        let _ = Opened::new(backend.clone(), number, clock).await;
        let digest = digest(&backend).await;
        Self { number, clock, backend, digest, identity: digest, past: None }
    }

    /// An application that has just opened a copy of the storage.
    async fn reopened(&self) -> Opened {
        Opened::new(self.backend.copied(), self.number, self.clock).await
    }

    /// Applications that have been open all the time, and that have one storage.
    async fn kept_open(&self, applications: usize) -> Vec<Opened> {
        let mut past = Vec::new();
        let mut first = self;
        while let Some(last) = first.past.as_ref() {
            past.push(last.as_ref());
            first = &last.before;
        }
        let mut opened = vec![first.reopened().await];
        while opened.len() < applications {
            let backend = opened[0].backend.clone();
            opened.push(Opened::new(backend, self.number, self.clock).await);
        }
        for Past { letter, log, .. } in past.into_iter().rev() {
            let _ = carry_out(&opened[letter.application], *letter, &log.copied()).await;
        }
        opened
    }
}

impl Shared {
    /// A log and its digest.
    pub async fn new(log: MemoryLog) -> Self {
        Self { digest: digest_of_log(&log).await, log }
    }
}

impl Steps {
    /// None carried out yet.
    pub fn new(process: Process) -> Self {
        Self { process, idle: Mutex::default() }
    }

    /// Carries out a letter; nothing, if it is known to change nothing here.
    pub async fn step(&self, replica: &Stored, shared: &Shared, letter: Letter) -> Option<Outcome> {
        let mut place = Vec::with_capacity(64);
        place.extend_from_slice(&replica.identity.to_be_bytes());
        place.extend_from_slice(&shared.digest.to_be_bytes());
        let place = (digest_of(&place), letter);
        if self.idle.lock().expect("no thread panicked").contains(&place) {
            return None;
        }
        let outcome = self.carry_out(replica, shared, letter).await;
        if outcome.replica.identity == replica.identity && outcome.shared.digest == shared.digest {
            let _ = self.idle.lock().expect("no thread panicked").insert(place);
        }
        Some(outcome)
    }

    async fn carry_out(&self, replica: &Stored, shared: &Shared, letter: Letter) -> Outcome {
        let log = shared.log.copied();
        let opened = match letter.act {
            Act::Write(_) => replica.reopened().await,
            Act::Sync(_) => {
                let Stored { number, clock, .. } = *replica;
                Opened::only_to_sync(replica.backend.copied(), number, clock).await
            }
        };
        let report = carry_out(&opened, letter, &log).await;
        let shared_after = Shared::new(log).await;
        let digest = digest(&opened.backend).await;
        let is_same = digest == replica.digest && shared_after.digest == shared.digest;
        let mut after = Stored {
            backend: opened.backend.clone(),
            digest,
            identity: digest,
            past: None,
            ..*replica
        };
        if let Process::Stays(applications) = self.process {
            let open = replica.kept_open(applications).await;
            let opened = &open[letter.application];
            check_the_same(opened, shared, letter, (&after, &shared_after)).await;
            if is_same {
                after = replica.clone();
            } else {
                let past = [replica.identity, shared.digest];
                let past = format!("{past:?} {letter:?}");
                after.identity = digest_of(past.as_bytes());
                let (before, log) = (replica.clone(), shared.log.clone());
                after.past = Some(Arc::new(Past { before, letter, log }));
            }
        }
        Outcome {
            replica: after,
            shared: shared_after,
            rows: rows(&opened.rows().await),
            stamps: opened.entries().await.iter().map(|entry| entry.stamp).collect(),
            report,
            told: discards(&opened.log).await.expect("they are read").iter().map(untied).collect(),
        }
    }
}

/// An application that stayed open does what one does that was opened again.
async fn check_the_same(
    opened: &Opened,
    shared: &Shared,
    letter: Letter,
    (reopened, shared_after): (&Stored, &Shared),
) {
    let log = shared.log.copied();
    let _ = carry_out(opened, letter, &log).await;
    assert_eq!(digest(&opened.backend).await, reopened.digest, "a restart changes nothing");
    assert_eq!(digest_of_log(&log).await, shared_after.digest, "a restart changes nothing");
}

async fn carry_out(opened: &Opened, letter: Letter, log: &MemoryLog) -> Option<SyncReport> {
    let part = match letter.act {
        Act::Write(write) => {
            let own = opened.entries().await.len();
            let deeds = deeds(letter.replica, own, write);
            opened.write(batch(&deeds)).await.expect("it can be written");
            return None;
        }
        Act::Sync(part) => part,
    };
    let report = do_sync(&opened.log, log, &part.options()).await.expect("it syncs");
    if part == Part::Settled && report.shared > 0 {
        let again = do_sync(&opened.log, log, &part.options()).await.expect("it syncs");
        assert_eq!((again.received, again.shared, again.integrated), (0, 0, 0));
    }
    Some(report)
}

/// What the rows of all objects hold.
fn rows(rows: &[Object]) -> [Option<Held>; 2] {
    let mut held = [None; 2];
    for row in rows {
        let id = row.value("id");
        let object = (0..2).find(|at| key(*at).single() == Some(id)).expect("one of the objects");
        held[object] = Some(FIELDS.map(|field| row.value(field).as_int()));
    }
    held
}

/// No lane of a small world is ever forked: hashes decide nothing.
fn untied(discard: &Discard) -> Discard {
    let mut discard = discard.clone();
    (discard.loser.tie, discard.winner.tie) = (0, 0);
    discard
}
