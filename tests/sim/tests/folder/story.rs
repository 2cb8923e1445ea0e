//! Random stories on one disk: several processes, any act, any fault, any power cut, one after the other.

use syncline::log::{Segment, VersionVector};
use syncline::shared_log::fs::FsLog;
use syncline_conformance::lanes::Sealer;
use syncline_sim::folder::{Choose, Fault, dice};

use crate::acts::{Act, Machine, sealer};

const STORIES: u64 = 300;
const ACTS: usize = 40;

/// Someone who writes a lane.
struct Writer {
    number: u8,
    sealer: Sealer,
    lane: Vec<Segment>,
    /// So many segments the log has, as it said.
    shared: usize,
}

impl Writer {
    fn new(number: u8) -> Self {
        Self { number, sealer: sealer(number), lane: Vec::new(), shared: 0 }
    }

    /// Something to do next: it always continues what the log said it has.
    fn act(&mut self, choose: Choose<'_>) -> Act {
        match choose(8) {
            0 => Act::Join(self.number),
            1 => Act::Fetch,
            2 => Act::Peers,
            3 | 4 if self.shared > 0 => {
                let upto = choose(self.shared);
                let known = VersionVector::new([self.lane[upto].span().tip()]);
                Act::Acknowledge(self.number, known)
            }
            _ => {
                for _ in 0..choose(3) {
                    self.lane.push(self.sealer.notes(["a", "b"]));
                }
                if self.lane.is_empty() {
                    return Act::Join(self.number);
                }
                let from = choose(self.shared.min(self.lane.len() - 1) + 1);
                Act::Append(self.lane[from..].to_vec())
            }
        }
    }
}

fn fault(choose: Choose<'_>) -> Fault {
    match choose(5) {
        0 => Fault::Fails { done: choose(2) == 0 },
        1 => Fault::Fills,
        _ => Fault::Dies { done: choose(2) == 0 },
    }
}

fn story(seed: u64) {
    let mut dice = dice(seed);
    let mut machine = Machine::new(!seed.is_multiple_of(3));
    let mut writers: Vec<Writer> = (1..=3).map(Writer::new).collect();
    // Processes that have the log open at once, each with findings of its own.
    let mut processes: Vec<Option<FsLog>> = vec![None; 2];
    for _ in 0..ACTS {
        if dice(2) == 0 {
            let fault = fault(&mut dice);
            machine.disk.fail_at(1 + dice(40) as u64, fault);
        }
        let (process, writer) = (dice(2), dice(writers.len()));
        machine.log = processes[process].take();
        let act = writers[writer].act(&mut dice);
        let answer = machine.act(&act);
        processes[process] = machine.log.take();
        if let (Ok(()), Act::Append(_)) = (&answer, &act) {
            writers[writer].shared = writers[writer].lane.len();
        }
        if answer.is_err() || dice(6) == 0 {
            match dice(4) {
                0 => machine.disk.restart(),
                1 => {
                    processes[process] = None;
                    machine.disk.restart();
                }
                2 => {
                    processes.fill(None);
                    machine.disk.crash(&mut |_| 0);
                }
                _ => {
                    processes.fill(None);
                    machine.disk.crash(&mut dice);
                }
            }
            let _ = machine.check(&format!("seed {seed}, after {act:?} and {answer:?}"));
        }
    }
    machine.disk.crash(&mut |_| 0);
    let _ = machine.check(&format!("seed {seed}, at the end"));
    for writer in writers.iter().filter(|writer| !writer.lane.is_empty()) {
        machine.act(&Act::Append(writer.lane.clone())).expect("nothing fails any more");
    }
    machine.disk.crash(&mut |_| 0);
    let seen = machine.check(&format!("seed {seed}, appended again"));
    let all: usize = writers.iter().map(|writer| writer.lane.len()).sum();
    assert_eq!(seen.segments.len(), all, "seed {seed}");
}

#[test]
fn whatever_happens_what_was_promised_is_kept() {
    (0..STORIES).for_each(story);
}
