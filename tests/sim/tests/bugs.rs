//! The worlds see every mistake that is made on purpose, within the number of seeds that `docs/trust.md` states.
//!
//! Compiled with `--cfg syncline_bugs`, as `cargo xtask test` does; without it there is nothing here.

#![cfg(syncline_bugs)]

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline::bug::Bug;
use syncline_sim::{Notes, Violation, world};

/// Where the numbers are stated.
const STATED: &str = include_str!("../../../docs/trust.md");

/// The most seeds that are tried.
const MOST: u64 = 10_000;

/// The first seed that shows it, up to a limit, and what it shows.
fn first_seen(limit: u64) -> Option<Violation> {
    let (next, found) = (AtomicU64::new(1), Mutex::new(None::<Violation>));
    let is_found = |by: u64| {
        let found = found.lock().expect("nobody panics");
        found.as_ref().is_some_and(|violation| violation.seed < by)
    };
    let look = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > limit || is_found(seed) {
                return;
            }
            if let Err(violation) = world(seed).run(Notes)
                && !is_found(seed)
            {
                *found.lock().expect("nobody panics") = Some(violation);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let _ = scope.spawn(look);
        }
    });
    found.into_inner().expect("nobody panics")
}

/// Within how many seeds a mistake is seen, as stated.
fn stated(bug: Bug) -> Option<u64> {
    let begins = format!("| `{bug:?}` |");
    let line = STATED.lines().find(|line| line.starts_with(&begins))?;
    line.split('|').nth(3)?.trim().parse().ok()
}

#[test]
fn every_deliberate_bug_is_found() {
    if let Some(violation) = first_seen(100) {
        panic!("without a bug: {violation}");
    }
    let (mut table, mut missed) = (String::new(), Vec::new());
    for bug in Bug::ALL {
        Bug::make(Some(bug));
        let seen = first_seen(MOST);
        match &seen {
            Some(Violation { seed, broken, .. }) => {
                let _ = writeln!(table, "| `{bug:?}` | {:?} | {seed} |", broken.invariant);
            }
            None => drop(writeln!(table, "| `{bug:?}` | not seen | {MOST} |")),
        }
        let within = stated(bug).expect("docs/trust.md states how many seeds it takes");
        if seen.is_none_or(|seen| seen.seed > within) {
            missed.push((bug, within));
        }
    }
    Bug::make(None);
    println!("{table}");
    assert!(missed.is_empty(), "not seen within the stated seeds: {missed:?}\n{table}");
}
