//! Worlds repeat, and every promise holds in them.

use std::collections::BTreeSet;

use syncline_sim::{Fault, Meeting, Notes, Store, Summary, world};

fn lives(seed: u64) -> Summary {
    match world(seed).trace(true).run(Notes) {
        Ok(summary) => summary,
        Err(violation) => panic!("{violation}"),
    }
}

#[test]
fn the_same_seed_tells_the_same_story_byte_for_byte() {
    for seed in 1..=100 {
        assert_eq!(lives(seed), lives(seed), "seed {seed}");
    }
}

#[test]
fn other_seeds_tell_other_stories() {
    let endings: BTreeSet<String> = (1..=50).map(|seed| lives(seed).story.concat()).collect();
    assert_eq!(endings.len(), 50);
}

#[test]
fn every_fault_alone_breaks_no_promise() {
    for fault in Fault::ALL {
        for seed in 1..=20 {
            if let Err(violation) = world(seed).faults([fault]).run(Notes) {
                panic!("{fault:?}: {violation}");
            }
        }
    }
}

#[test]
fn every_fault_together_breaks_no_promise() {
    for seed in 1..=50 {
        if let Err(violation) = world(seed).faults(Fault::ALL).run(Notes) {
            panic!("{violation}");
        }
    }
}

#[test]
fn a_world_is_what_it_is_told_to_be() {
    let told = world(3)
        .replicas(5)
        .acts(12)
        .stores(Store::ALL.iter().copied())
        .meetings([Meeting::Memory, Meeting::Hub])
        .faults([]);
    let summary = told.run(Notes).expect("nothing goes wrong");
    assert_eq!((summary.acts, summary.faults), (12, 0));
    assert!(summary.story.is_empty(), "nobody asked for the story");
}
