//! When a disk fails, and how.

use std::io;

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before or after the call has its effect: no later call has any.
    Dies {
        /// Whether it has its effect.
        done: bool,
    },
    /// The disk fails this once, before or after the call has its effect.
    Fails {
        /// Whether it has its effect.
        done: bool,
    },
    /// The disk is full from this call on; of what is written then, half finds room.
    Fills,
}

/// What a call has to do.
#[derive(Debug)]
pub(super) enum Fate {
    Goes,
    FailsBefore(io::Error),
    FailsAfter(io::Error),
}

/// The fault that is to come, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// How many calls there were.
    pub(super) calls: u64,
    /// At which call what happens.
    pub(super) next: Option<(u64, Fault)>,
    /// Whether it has happened.
    pub(super) happened: bool,
    is_dead: bool,
    pub(super) is_full: bool,
}

impl Faults {
    /// Counts a call, and says what it has to do.
    pub(super) fn meet(&mut self, needs_room: bool) -> Fate {
        self.calls += 1;
        if self.is_dead {
            return Fate::FailsBefore(died());
        }
        if let Some((_, fault)) = self.next.take_if(|(at, _)| *at == self.calls) {
            self.happened = true;
            match fault {
                Fault::Dies { done } => {
                    self.is_dead = true;
                    return if done { Fate::FailsAfter(died()) } else { Fate::FailsBefore(died()) };
                }
                Fault::Fails { done: true } => return Fate::FailsAfter(broken()),
                Fault::Fails { done: false } => return Fate::FailsBefore(broken()),
                Fault::Fills => self.is_full = true,
            }
        }
        if self.is_full && needs_room {
            return Fate::FailsBefore(io::ErrorKind::StorageFull.into());
        }
        Fate::Goes
    }

    /// Nothing fails any more.
    pub(super) fn clear(&mut self) {
        *self = Self { calls: self.calls, happened: self.happened, ..Self::default() };
    }
}

fn died() -> io::Error {
    io::Error::other("the process has died")
}

fn broken() -> io::Error {
    io::Error::other("the disk does not answer")
}
