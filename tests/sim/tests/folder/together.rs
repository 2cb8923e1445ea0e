//! Somebody else acts between any two calls: another process on the same disk, or who carries the files.

use std::sync::{Arc, Mutex};

use syncline::log::VersionVector;
use syncline_sim::folder::{Carrier, VirtualDisk, dice};

use crate::acts::{Act, Machine, sealer};
use crate::synced::Peer;

/// Before each call of the first act in turn, the second one is done as a whole.
#[track_caller]
fn interrupt(before: &[Act], first: &Act, second: &Act) {
    for has_links in [true, false] {
        let mut start = Machine::new(has_links);
        for act in before {
            start.act(act).expect("nothing fails");
        }
        let mut alone = start.copy();
        alone.act(first).expect("nothing fails");
        alone.act(second).expect("nothing fails");
        let end = alone.check("one after the other");
        for call in 1.. {
            let when = format!("{second:?} at call {call} of {first:?}");
            let mut machine = start.copy();
            let other = Arc::new(Mutex::new(machine.clone()));
            let (theirs, act) = (other.clone(), second.clone());
            machine.disk.meanwhile(call, move || {
                let mut other = theirs.lock().expect("nobody panics");
                other.act(&act).expect("nothing fails");
            });
            let calls = machine.disk.calls();
            machine.act(first).unwrap_or_else(|error| panic!("{when}: {error}"));
            if machine.disk.calls() < calls + call {
                break;
            }
            machine.and_also(&other.lock().expect("nobody panics"));
            assert_eq!(machine.check(&when), end, "{when}");
            machine.disk.crash(&mut |_| 0);
            assert_eq!(machine.check(&format!("{when}, no power")), end, "{when}");
        }
    }
}

#[test]
fn two_processes_act_at_once() {
    let (mut ann, mut bob) = (sealer(1), sealer(2));
    let segments: Vec<_> = (0..3).map(|_| ann.notes(["a"])).collect();
    let other = vec![bob.notes(["x"])];
    let known = VersionVector::new([ann.tip()]);
    let append = Act::Append(segments.clone());
    let acts = [
        Act::Open,
        Act::Join(1),
        Act::Join(2),
        append.clone(),
        Act::Append(other),
        Act::Append(segments[..1].to_vec()),
        Act::Acknowledge(1, known.clone()),
        Act::Acknowledge(2, known),
        Act::Fetch,
        Act::Peers,
    ];
    let more = [append, Act::Acknowledge(1, VersionVector::new([segments[0].span().tip()]))];
    for first in &acts {
        for second in &acts {
            interrupt(&[], first, second);
            interrupt(&more, first, second);
        }
    }
}

/// A file may be carried off half-written, and a folder be changed by others while it is read.
#[test]
fn files_are_carried_between_any_two_calls_of_a_sync() {
    let calls = (1..).take_while(|call| pollster::block_on(carried_at(*call))).count();
    assert!(calls > 30, "a sync takes more calls than {calls}");
}

/// One of two replicas syncs, and before one of its calls files are carried. Says whether it made that call.
async fn carried_at(call: u64) -> bool {
    let disks = [VirtualDisk::new(), VirtualDisk::without_links()];
    let (ann, bob) = (Peer::new(1, &disks[0]).await, Peer::new(2, &disks[1]).await);
    for id in ["a", "b", "c", "d"] {
        ann.note(id, "by Ann").await;
        bob.note(&format!("bob-{id}"), "by Bob").await;
    }
    bob.sync().await.expect("nothing fails");
    let carrier = Arc::new(Mutex::new(Carrier::new(disks.clone(), "/meet")));
    let (carried, mut dice) = (carrier.clone(), dice(call));
    let steps = dice(30);
    disks[0].meanwhile(call, move || {
        let mut carrier = carried.lock().expect("nobody panics");
        for _ in 0..steps {
            let _ = carrier.step(&mut dice);
        }
    });
    let calls = disks[0].calls();
    ann.sync().await.expect("nothing fails");
    let is_over = disks[0].calls() < calls + call;
    for _ in 0..3 {
        carrier.lock().expect("nobody panics").finish();
        for peer in [&ann, &bob] {
            peer.sync().await.expect("nothing fails");
        }
    }
    for peer in [&ann, &bob] {
        assert_eq!(peer.replica.all("note").await.len(), 8, "call {call}");
    }
    syncline_it::law::check_equal(&[ann.replica, bob.replica]).await;
    !is_over
}
