//! The places where replicas meet.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline::shared_log::fs::FsLog;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Clock, Group, Result, SharedLog};

use crate::dice::Dice;
use crate::folder::{Carrier, Snapshot, VirtualDisk};
use crate::hub::Hub;
use crate::time::{Time, WallClock};

/// What kind of shared log replicas meet at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// A log in memory, which takes segments one after the other.
    Memory,
    /// A model of a hub that knows the time, and whose transactions overlap.
    Hub,
    /// The real hub: its router over a store in memory, with the real client.
    #[cfg(feature = "hub")]
    Router,
    /// A folder of which each replica has a copy of its own; somebody carries files between them, in time.
    Folder,
}

/// A shared log, with what can happen to it as a whole.
#[derive(Debug)]
pub(crate) enum Place {
    Memory(MemoryLog),
    Hub(Hub),
    #[cfg(feature = "hub")]
    Router(crate::router::Router),
    Folder(Folder),
}

/// Copies of one folder, one for each replica.
#[derive(Debug)]
pub(crate) struct Folder {
    group: Group,
    sites: Vec<VirtualDisk>,
    logs: Mutex<Vec<FsLog>>,
    carrier: Mutex<Carrier>,
    backup: Mutex<Option<(usize, Snapshot)>>,
    is_restored: AtomicBool,
}

/// What a place is made with.
pub(crate) struct Ground<'a> {
    pub(crate) group: &'a Group,
    pub(crate) time: &'a Arc<Time>,
    pub(crate) dice: &'a Dice,
    /// How many replicas there may ever be.
    pub(crate) sites: usize,
}

const FOLDER: &str = "/meet";

impl Place {
    pub(crate) fn new(meeting: Meeting, number: usize, ground: &Ground<'_>) -> Result<Self> {
        let Ground { group, time, dice, sites } = ground;
        Ok(match meeting {
            Meeting::Memory => {
                let log = MemoryLog::new((*group).clone()).named(&format!("memory {number}"));
                let clock: Arc<dyn Clock> = Arc::new(WallClock::new((*time).clone(), 0, 0));
                Self::Memory(if dice.percent(30) { log.with_clock(clock) } else { log })
            }
            Meeting::Hub => Self::Hub(Hub::new(number, (*time).clone(), dice.fork())),
            #[cfg(feature = "hub")]
            Meeting::Router => Self::Router(crate::router::Router::new(number, group, time)?),
            Meeting::Folder => Self::Folder(Folder::new(group, dice, *sites)?),
        })
    }

    /// The log as a replica sees it.
    pub(crate) fn log(&self, who: usize) -> Arc<dyn SharedLog> {
        match self {
            Self::Memory(log) => Arc::new(log.clone()),
            Self::Hub(hub) => Arc::new(hub.clone()),
            #[cfg(feature = "hub")]
            Self::Router(router) => Arc::new(router.log()),
            Self::Folder(folder) => Arc::new(folder.log(who)),
        }
    }

    /// Ends what is under way there; false if nothing ever is.
    pub(crate) fn restart(&self) -> bool {
        if let Self::Hub(hub) = self {
            hub.restart();
            return true;
        }
        false
    }

    /// The machine of a replica loses its power, and what was not made durable with it.
    pub(crate) fn cut_power(&self, who: usize, dice: &Dice) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.cut_power(who, dice),
            _ => Ok(()),
        }
    }

    /// Somebody carries a file from one copy of a folder to another; says which.
    pub(crate) fn carry(&self, dice: &Dice) -> Option<String> {
        match self {
            Self::Folder(folder) => folder.carrier().step(&mut |choices| dice.below(choices)),
            _ => None,
        }
    }

    /// Everything arrives everywhere.
    pub(crate) fn arrive(&self) -> Result<()> {
        if let Self::Folder(folder) = self {
            folder.carrier().finish();
            if folder.is_restored.load(Ordering::Relaxed) {
                // Who restores a folder verifies it: a backup may hold files that were still on their way.
                for log in &*folder.logs.lock().unwrap_or_else(PoisonError::into_inner) {
                    let _ = log.verify()?;
                }
            }
        }
        Ok(())
    }

    /// Forgets the latest segments, as a restore from a backup does; says what is left.
    pub(crate) fn restore(&self, dice: &Dice) -> Result<Option<String>> {
        match self {
            Self::Memory(log) => {
                let keep = dice.below(log.segments() + 1);
                log.truncate_to(keep);
                Ok(Some(format!("{keep} segments")))
            }
            Self::Hub(hub) => {
                let keep = dice.below(hub.segments() + 1);
                hub.restore(keep);
                Ok(Some(format!("{keep} segments")))
            }
            #[cfg(feature = "hub")]
            Self::Router(router) => router.restore(),
            Self::Folder(folder) => folder.restore(dice),
        }
    }

    /// Whether asking it all the time costs little.
    pub(crate) fn is_quick(&self) -> bool {
        !matches!(self, Self::Folder(_))
    }
}

impl Folder {
    fn new(group: &Group, dice: &Dice, sites: usize) -> Result<Self> {
        let disk = |_| match dice.percent(25) {
            true => VirtualDisk::without_links(),
            false => VirtualDisk::new(),
        };
        let sites: Vec<VirtualDisk> = (0..sites).map(disk).collect();
        let logs = sites.iter().map(|site| open(site, group)).collect::<Result<_>>()?;
        Ok(Self {
            group: group.clone(),
            logs: Mutex::new(logs),
            carrier: Mutex::new(Carrier::new(sites.iter().cloned(), FOLDER)),
            sites,
            backup: Mutex::default(),
            is_restored: AtomicBool::default(),
        })
    }

    fn log(&self, who: usize) -> FsLog {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        logs[who % logs.len()].clone()
    }

    fn carrier(&self) -> MutexGuard<'_, Carrier> {
        self.carrier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut_power(&self, who: usize, dice: &Dice) -> Result<()> {
        let site = &self.sites[who % self.sites.len()];
        site.crash(&mut |choices| dice.below(choices));
        self.reopen(who)
    }

    fn reopen(&self, who: usize) -> Result<()> {
        let at = who % self.sites.len();
        let again = open(&self.sites[at], &self.group)?;
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)[at] = again;
        Ok(())
    }

    /// Backs one copy up, or restores it.
    fn restore(&self, dice: &Dice) -> Result<Option<String>> {
        let mut backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((at, snapshot)) = backup.take() else {
            let at = dice.below(self.sites.len());
            *backup = Some((at, self.sites[at].snapshot()));
            return Ok(None);
        };
        self.sites[at].restore(&snapshot);
        self.is_restored.store(true, Ordering::Relaxed);
        self.reopen(at)?;
        Ok(Some(format!("what copy {} was", at + 1)))
    }
}

fn open(site: &VirtualDisk, group: &Group) -> Result<FsLog> {
    FsLog::open_on(Arc::new(site.clone()), Path::new(FOLDER), group.clone())
}
