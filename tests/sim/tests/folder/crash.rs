//! Every call to the file system may be the last one, or fail: nothing that was promised is lost, nothing
//! half-written is taken for whole, and a repeat comes to the same end.

use syncline::ErrorKind;
use syncline::log::VersionVector;
use syncline_sim::folder::{Fault, VirtualDisk, dice};

use crate::acts::{Act, Machine, Seen, sealer};

/// So many ways of losing things are tried at each call, besides losing nothing, all, and as little as can be.
const WAYS: u64 = 4;

/// What is left when a process has died.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// Everything: only the process died.
    All,
    /// What was synced and no more.
    Synced,
    /// This or that.
    Some(u64),
}

impl Left {
    fn all() -> impl Iterator<Item = Self> {
        [Self::All, Self::Synced].into_iter().chain((0..WAYS).map(Self::Some))
    }

    fn apply(self, disk: &VirtualDisk, call: u64) {
        match self {
            Self::All => disk.restart(),
            Self::Synced => disk.crash(&mut |_| 0),
            Self::Some(seed) => disk.crash(&mut dice(seed << 32 | call)),
        }
    }
}

/// Does these acts on a disk where all is well, then again with a fault at each call that they make.
#[track_caller]
fn enumerate(before: &[Act], acts: &[Act]) -> u64 {
    let mut runs = 0;
    for has_links in [true, false] {
        let mut start = Machine::new(has_links);
        for act in before {
            start.act(act).expect("nothing fails yet");
        }
        start.disk.crash(&mut |_| 0);
        let mut well = start.copy();
        for act in acts {
            well.act(act).expect("nothing fails");
        }
        let calls = well.disk.calls() - start.disk.calls();
        let end = well.check("without faults");
        for call in 1..=calls {
            for done in [false, true] {
                for left in Left::all() {
                    dies(&start, acts, &end, call, done, left);
                    runs += 1;
                }
                fails(&start, acts, &end, call, Fault::Fails { done });
            }
            fails(&start, acts, &end, call, Fault::Fills);
            runs += 3;
        }
    }
    runs
}

/// The process dies at a call and another one goes on, on the same disk.
#[track_caller]
fn dies(start: &Machine, acts: &[Act], end: &Seen, call: u64, done: bool, left: Left) {
    let when = format!("death at call {call}, done: {done}, left: {left:?}");
    let mut machine = start.copy();
    machine.disk.fail_at(call, Fault::Dies { done });
    let at = acts.iter().position(|act| machine.act(act).is_err());
    assert!(machine.disk.has_failed(), "{when}: it never came to that");
    left.apply(&machine.disk, call);
    machine.log = None;
    let _ = machine.check(&when);
    go_on(machine, &acts[at.unwrap_or(acts.len())..], end, &when);
}

/// The disk fails at a call and the same process goes on.
#[track_caller]
fn fails(start: &Machine, acts: &[Act], end: &Seen, call: u64, fault: Fault) {
    let when = format!("{fault:?} at call {call}");
    let mut machine = start.copy();
    machine.disk.fail_at(call, fault);
    // What cannot be read is nothing to continue: its owner appends it again, and the lane goes on.
    let wanted = match fault {
        Fault::Fills => [ErrorKind::Full; 2],
        _ => [ErrorKind::Unavailable, ErrorKind::Rejoin],
    };
    let mut rest = acts;
    while let Some((act, later)) = rest.split_first() {
        if let Err(error) = machine.act(act) {
            assert!(wanted.contains(&error.kind()), "{when}: {error}");
            assert!(error.kind() != ErrorKind::Rejoin || matches!(act, Act::Append(_)), "{when}");
            break;
        }
        rest = later;
    }
    assert!(machine.disk.has_failed(), "{when}: it never came to that");
    machine.disk.restart();
    let _ = machine.check(&when);
    go_on(machine, rest, end, &when);
}

/// What failed is done again, and what was to come. Then the power is cut at its worst.
#[track_caller]
fn go_on(mut machine: Machine, rest: &[Act], end: &Seen, when: &str) {
    for act in rest {
        machine.act(act).unwrap_or_else(|error| panic!("{when}: {act:?} again: {error}"));
    }
    assert_eq!(machine.check(&format!("{when}, again")), *end, "{when}");
    machine.disk.crash(&mut |_| 0);
    assert_eq!(machine.check(&format!("{when}, again, no power")), *end, "{when}");
}

/// Another replica is there already, with two segments.
fn somebody() -> Vec<Act> {
    let mut bob = sealer(2);
    let segments = vec![bob.notes(["x"]), bob.notes(["y", "z"])];
    let known = VersionVector::new([bob.tip()]);
    vec![Act::Join(2), Act::Append(segments), Act::Acknowledge(2, known)]
}

#[test]
fn opening() {
    assert!(enumerate(&[], &[Act::Open]) > 100);
    let _ = enumerate(&somebody(), &[Act::Open]);
}

#[test]
fn joining() {
    let _ = enumerate(&[], &[Act::Join(1)]);
    let _ = enumerate(&somebody(), &[Act::Join(1)]);
    let _ = enumerate(&somebody(), &[Act::Join(2)]);
}

#[test]
fn appending() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let segments: Vec<_> = (0..4).map(|_| ann.notes(["a", "b"])).collect();
    let _ = enumerate(&somebody(), &[Act::Append(segments[..2].to_vec())]);
    let before = [somebody(), vec![Act::Append(segments[..2].to_vec())]].concat();
    // One is known, and lanes of several replicas come at once, as from one that passes them on.
    let mixed = [&segments[1..3], &[bob.notes(["x"])], &segments[3..]].concat();
    let _ = enumerate(&before, &[Act::Append(mixed)]);
}

#[test]
fn acknowledging() {
    let mut ann = sealer(1);
    let (first, second) = (ann.notes(["a"]), ann.notes(["b"]));
    let known = |one: &syncline::log::Segment| VersionVector::new([one.span().tip()]);
    let before = [somebody(), vec![Act::Append(vec![first.clone(), second.clone()])]].concat();
    let acknowledge = |one| Act::Acknowledge(1, known(one));
    let _ = enumerate(&before, &[acknowledge(&first)]);
    let before = [before, vec![acknowledge(&first)]].concat();
    let _ = enumerate(&before, &[acknowledge(&second)]);
    let _ = enumerate(&before, &[acknowledge(&first)]);
    let _ = enumerate(&before, &[acknowledge(&second), acknowledge(&first)]);
}

#[test]
fn reading() {
    let _ = enumerate(&somebody(), &[Act::Fetch, Act::Peers]);
}

#[test]
fn a_whole_life() {
    let mut ann = sealer(1);
    let segments: Vec<_> = (0..3).map(|_| ann.notes(["a"])).collect();
    let known = VersionVector::new([ann.tip()]);
    let acts = [
        Act::Open,
        Act::Join(1),
        Act::Append(segments[..2].to_vec()),
        Act::Fetch,
        Act::Acknowledge(1, VersionVector::new([segments[1].span().tip()])),
        Act::Append(segments),
        Act::Acknowledge(1, known),
        Act::Peers,
    ];
    let _ = enumerate(&[], &acts);
}
