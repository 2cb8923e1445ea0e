//! Through `do_sync`: everything that a few replicas can come to that write a little and sync at any time.
//!
//! A world is a few replicas and a shared log, all in memory. Its letters are writes and syncs of each replica;
//! its words are all words over these letters with so many writes and any number of syncs. They are walked as
//! a tree whose branches copy storage and log. A state that was seen before, by whatever word, is not looked
//! at again: what storage and log hold, byte by byte, is all that a later letter can depend on, because clocks
//! stand still (stamps rise by their counters) and an application is opened anew for every letter. So all
//! words are covered, with a restart between every two letters. [`Process::Stays`] covers applications that
//! stay open: there the whole past of a replica counts, and each letter is carried out both ways.
//!
//! Behind every letter the rows must equal the law over what ought to be applied, reports must count what
//! moved, stamps must rise, and exactly the values that lost must be told. Whatever syncs next, something
//! moves until all replicas know everything and see the same, and that takes a bounded number of syncs.
//!
//! Each test says what it enumerates. Nowhere: replicas that get a part of what the log holds, forked lanes,
//! parked entries, and reconcilers other than the usual one.

mod explore;
mod letters;
mod replica;
mod step;
mod world;

use std::sync::Arc;

use explore::explore;
use letters::{Alphabet, ONE_OBJECT, Part, TWO_OBJECTS, Write};
use step::{Process, Steps};
use syncline::clock::StepClock;
use syncline::shared_log::memory::MemoryLog;
use world::World;

const NOON: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// All clocks show the same: stamps tie, or are told apart by their counters.
const EQUAL: [i64; 3] = [NOON; 3];
/// One clock is so far ahead that others do not follow it.
const ONE_AHEAD: [i64; 3] = [NOON, NOON + HOUR, NOON];

/// One enumeration.
struct Worlds<'a> {
    clocks: &'a [i64],
    writes: usize,
    write: &'static [Write],
    sync: &'static [Part],
    process: Process,
    /// Whether the replicas have met the log before the first letter.
    joined: bool,
    /// What time the log says it is, if it knows.
    time: Option<i64>,
}

impl Default for Worlds<'_> {
    fn default() -> Self {
        Self {
            clocks: &EQUAL,
            writes: 3,
            write: ONE_OBJECT,
            sync: &[Part::Whole],
            process: Process::Restarts,
            joined: true,
            time: None,
        }
    }
}

impl Worlds<'_> {
    /// Goes through all of them. There must be so many states, and never more syncs in a row may move
    /// something. Without optimisation there is time for fewer writes.
    fn check(self, states: usize, longest: usize) {
        let least = if cfg!(debug_assertions) { 0 } else { states };
        let is_large = cfg!(debug_assertions) && states > 5_000;
        let writes = if is_large { LONGEST_WORD.min(self.writes - 1) } else { self.writes };
        let alphabet = Alphabet {
            applications: match self.process {
                Process::Restarts => 1,
                Process::Stays(applications) => applications,
            },
            writes,
            write: self.write,
            sync: self.sync,
        };
        let steps = Steps::new(self.process);
        let mut log = MemoryLog::new("small".parse().expect("a group"));
        if let Some(time) = self.time {
            log = log.with_clock(Arc::new(StepClock::new(time, 0)));
        }
        let world = pollster::block_on(async {
            let world = World::new(self.clocks, self.time, log).await;
            if self.joined { world.joined(&steps).await } else { world }
        });
        let found = explore(world, &alphabet, &steps);
        assert!(found.states >= least.max(10), "{found:?}");
        assert!(found.quiet < found.states && found.edges > found.states, "{found:?}");
        assert!(found.longest <= longest, "{found:?}");
    }
}

/// How many writes there are at most without optimisation.
const LONGEST_WORD: usize = 2;

/// Create, update of each field, delete, by any of three replicas, four times; a sync is followed at once by
/// the one that sees what it shared.
#[test]
fn four_writes_of_three_replicas_with_equal_clocks_come_to_one_law() {
    Worlds { writes: 4, sync: &[Part::Settled], ..Worlds::default() }.check(385_000, 6);
}

#[test]
fn four_writes_of_three_replicas_one_of_them_far_ahead_come_to_one_law() {
    let worlds =
        Worlds { clocks: &ONE_AHEAD, writes: 4, sync: &[Part::Settled], ..Worlds::default() };
    worlds.check(385_000, 6);
}

/// Three times, with every single sync as a letter of its own.
#[test]
fn three_writes_and_single_syncs_come_to_one_law() {
    Worlds::default().check(38_000, 9);
    Worlds { clocks: &ONE_AHEAD, ..Worlds::default() }.check(38_000, 9);
}

/// A clock that is ahead by less than others follow.
#[test]
fn clocks_that_follow_each_other_come_to_one_law() {
    let clocks = [NOON, NOON + MINUTE, NOON];
    Worlds { clocks: &clocks, sync: &[Part::Settled], ..Worlds::default() }.check(13_000, 6);
}

/// Two clocks are off, one in each direction; entries get the log's time before they are sent.
#[test]
fn entries_that_are_stamped_anew_come_to_one_law() {
    let (clocks, time) = ([NOON - HOUR, NOON + HOUR, NOON], Some(NOON));
    Worlds { clocks: &clocks, time, sync: &[Part::Settled], ..Worlds::default() }.check(13_000, 6);
}

/// Nobody has met the log before.
#[test]
fn replicas_that_meet_for_the_first_time_come_to_one_law() {
    Worlds { writes: 2, joined: false, ..Worlds::default() }.check(1_800, 8);
}

/// Batches over two objects, up to three by three replicas.
#[test]
fn batches_come_to_one_law() {
    Worlds { write: TWO_OBJECTS, ..Worlds::default() }.check(32_000, 9);
}

/// Two batches over two objects by three replicas, three by two, cut into single entries: every sync gets one and sends one,
/// so that others see the first half of a batch and must not apply it.
#[test]
fn batches_in_halves_come_to_one_law() {
    let (write, sync) = (TWO_OBJECTS, &[Part::Single]);
    Worlds { write, writes: 2, sync, ..Worlds::default() }.check(5_000, 13);
    Worlds { clocks: &EQUAL[..2], write, sync, ..Worlds::default() }.check(18_000, 13);
}

/// Whole syncs, and each half of one: receive and apply, receive and only store, apply, share.
#[test]
fn syncs_in_parts_come_to_one_law() {
    let sync = &[Part::Whole, Part::Receive, Part::Store, Part::Apply, Part::Share];
    Worlds { writes: 2, sync, ..Worlds::default() }.check(11_000, 7);
    Worlds { clocks: &EQUAL[..2], sync, ..Worlds::default() }.check(16_000, 5);
}

/// Two writes of three replicas, three of two: applications that are opened once, and the same words with a
/// restart between every two letters, store the same.
#[test]
fn a_restart_changes_nothing() {
    let process = Process::Stays(1);
    Worlds { writes: 2, process, ..Worlds::default() }.check(12_000, 7);
    Worlds { clocks: &ONE_AHEAD[..2], process, ..Worlds::default() }.check(22_000, 5);
}

/// Two writes of two replicas, each of which two applications have open at once.
#[test]
fn two_applications_on_one_storage_do_what_one_does() {
    for clocks in [&EQUAL[..2], &ONE_AHEAD[..2]] {
        let (sync, process): (&[Part], _) = (&[Part::Settled], Process::Stays(2));
        Worlds { clocks, writes: 2, sync, process, ..Worlds::default() }.check(2_700, 3);
    }
}
