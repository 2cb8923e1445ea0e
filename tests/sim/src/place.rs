//! The places where replicas meet.

use std::sync::Arc;

use syncline::shared_log::memory::MemoryLog;
use syncline::{Clock, Group, SharedLog};

use crate::dice::Dice;
use crate::hub::Hub;
use crate::time::{Time, WallClock};

/// What kind of shared log replicas meet at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// A log in memory, which takes segments one after the other.
    Memory,
    /// A hub that knows the time, and whose transactions overlap.
    Hub,
}

/// A shared log, with what can happen to it as a whole.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Memory(MemoryLog),
    Hub(Hub),
}

impl Place {
    pub(crate) fn new(
        meeting: Meeting,
        number: usize,
        group: &Group,
        time: &Arc<Time>,
        dice: &Dice,
    ) -> Self {
        match meeting {
            Meeting::Memory => {
                let log = MemoryLog::new(group.clone()).named(&format!("memory {number}"));
                let knows_time = dice.percent(30);
                let clock: Arc<dyn Clock> = Arc::new(WallClock::new(time.clone(), 0, 0));
                Self::Memory(if knows_time { log.with_clock(clock) } else { log })
            }
            Meeting::Hub => Self::Hub(Hub::new(number, time.clone(), dice.fork())),
        }
    }

    /// The log as a replica sees it.
    pub(crate) fn log(&self) -> Arc<dyn SharedLog> {
        match self {
            Self::Memory(log) => Arc::new(log.clone()),
            Self::Hub(hub) => Arc::new(hub.clone()),
        }
    }

    /// Ends what is under way there; false if nothing ever is.
    pub(crate) fn restart(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Hub(hub) => {
                hub.restart();
                true
            }
        }
    }

    /// Forgets the latest segments, as a restore from a backup does; says how many are left.
    pub(crate) fn restore(&self, dice: &Dice) -> usize {
        match self {
            Self::Memory(log) => {
                let keep = dice.below(log.segments() + 1);
                log.truncate_to(keep);
                keep
            }
            Self::Hub(hub) => {
                let keep = dice.below(hub.segments() + 1);
                hub.restore(keep);
                keep
            }
        }
    }
}
