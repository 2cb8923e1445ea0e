//! Goes through every state that a small world can come to, each once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::letters::{Act, Alphabet, Part};
use super::step::Steps;
use super::world::World;
use crate::threads;

/// What an enumeration came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Different states.
    pub states: usize,
    /// Letters that came next somewhere.
    pub edges: usize,
    /// States in which no sync moves anything.
    pub quiet: usize,
    /// So many syncs at most move something until it is quiet, whoever syncs.
    pub longest: usize,
}

/// What is left to do, and what was seen.
struct Search<'a> {
    alphabet: &'a Alphabet,
    steps: &'a Steps,
    waiting: Mutex<Vec<World>>,
    /// How many worlds wait or are being looked at.
    open: AtomicUsize,
    seen: Mutex<HashSet<u128>>,
    /// Where syncs that do all stages lead from each state.
    syncs: Mutex<HashMap<u128, Vec<u128>>>,
    edges: AtomicUsize,
    quiet: AtomicUsize,
}

/// Goes through everything that these letters can lead to from here.
pub fn explore(start: World, alphabet: &Alphabet, steps: &Steps) -> Found {
    let search = Search {
        alphabet,
        steps,
        waiting: Mutex::default(),
        open: AtomicUsize::new(0),
        seen: Mutex::default(),
        syncs: Mutex::default(),
        edges: AtomicUsize::new(0),
        quiet: AtomicUsize::new(0),
    };
    search.add(start);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            let _ = scope.spawn(|| search.work());
        }
    });
    let syncs = search.syncs.into_inner().expect("no thread panicked");
    Found {
        states: syncs.len(),
        edges: search.edges.into_inner(),
        quiet: search.quiet.into_inner(),
        longest: longest(&syncs),
    }
}

impl Search<'_> {
    fn add(&self, world: World) {
        let is_new = self.seen.lock().expect("no thread panicked").insert(world.digest());
        if is_new {
            let _ = self.open.fetch_add(1, Ordering::SeqCst);
            self.waiting.lock().expect("no thread panicked").push(world);
        }
    }

    fn work(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            let next = self.waiting.lock().expect("no thread panicked").pop();
            match next {
                Some(world) => {
                    self.look_at(&world);
                    let _ = self.open.fetch_sub(1, Ordering::SeqCst);
                }
                None => thread::yield_now(),
            }
        }
    }

    fn look_at(&self, world: &World) {
        let (here, mut moved) = (world.digest(), Vec::new());
        for letter in world.letters(self.alphabet) {
            let next = || pollster::block_on(world.after(letter, self.steps));
            let after = threads::at(&(world, letter), next);
            let _ = self.edges.fetch_add(1, Ordering::SeqCst);
            let there = after.digest();
            if there == here {
                continue;
            }
            if matches!(letter.act, Act::Sync(Part::Whole | Part::Settled | Part::Single)) {
                moved.push(there);
            }
            self.add(after);
        }
        if moved.is_empty() {
            threads::at(world, || pollster::block_on(world.check_quiet()));
            let _ = self.quiet.fetch_add(1, Ordering::SeqCst);
        }
        let _ = self.syncs.lock().expect("no thread panicked").insert(here, moved);
    }
}

/// The most syncs that can move something one after the other; panics if that never ends.
fn longest(syncs: &HashMap<u128, Vec<u128>>) -> usize {
    let mut known: BTreeMap<u128, Option<usize>> = BTreeMap::new();
    let mut stack: Vec<u128> = syncs.keys().copied().collect();
    while let Some(state) = stack.last().copied() {
        let next = &syncs[&state];
        let open: Vec<u128> =
            next.iter().filter(|next| !matches!(known.get(next), Some(Some(_)))).copied().collect();
        if open.is_empty() {
            let longest = next.iter().filter_map(|next| known[next]).map(|after| after + 1).max();
            let _ = known.insert(state, Some(longest.unwrap_or(0)));
            let _ = stack.pop();
            continue;
        }
        let again = known.insert(state, None);
        assert!(again.is_none() || again != Some(None), "syncs go round and round");
        stack.extend(open);
    }
    known.into_values().flatten().max().unwrap_or(0)
}
