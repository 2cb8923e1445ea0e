//! The world: what it is made of, and how it runs.

mod chaos;
mod finale;
mod live;
mod member;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use chaos::Fault;

use self::live::Live;
use crate::app::App;
use crate::check::{Broken, Invariant};
use crate::dice::Dice;
use crate::disk::Store;
use crate::place::Meeting;

/// A world that a seed decides: everything that is not said is drawn from it.
///
/// # Example
///
/// ```
/// use syncline_sim::{Fault, Notes, world};
///
/// let summary = world(7).replicas(2).acts(10).faults([Fault::Crash]).run(Notes)?;
/// assert!(summary.acts == 10 && summary.steps > 10);
/// # Ok::<(), syncline_sim::Violation>(())
/// ```
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) seed: u64,
    pub(crate) replicas: Option<usize>,
    pub(crate) acts: Option<usize>,
    pub(crate) stores: Option<Vec<Store>>,
    pub(crate) meetings: Option<Vec<Meeting>>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) all_faults: bool,
    pub(crate) trace: bool,
}

/// The world of a seed.
pub fn world(seed: u64) -> World {
    World {
        seed,
        replicas: None,
        acts: None,
        stores: None,
        meetings: None,
        faults: Fault::ALL.to_vec(),
        all_faults: false,
        trace: false,
    }
}

impl World {
    /// How many replicas there are in the beginning; copies come to them. From 2 to 4 unless it is said.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = Some(replicas.max(1));
        self
    }

    /// How many things users do. From 10 to 40 unless it is said.
    #[must_use]
    pub fn acts(mut self, acts: usize) -> Self {
        self.acts = Some(acts);
        self
    }

    /// Where replicas keep their objects, in turn.
    #[must_use]
    pub fn stores(mut self, stores: impl IntoIterator<Item = Store>) -> Self {
        self.stores = Some(stores.into_iter().collect());
        self
    }

    /// Where they meet: one log of each kind that is named.
    #[must_use]
    pub fn meetings(mut self, meetings: impl IntoIterator<Item = Meeting>) -> Self {
        self.meetings = Some(meetings.into_iter().collect());
        self
    }

    /// What may go wrong; all of it unless it is said. Each world has some of them, as swarm testing does
    /// (Groce and others, *Swarm Testing*, 2012).
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self.all_faults = true;
        self
    }

    /// Keeps the story, for people to read.
    #[must_use]
    pub fn trace(mut self, trace: bool) -> Self {
        self.trace = trace;
        self
    }

    /// Lets the application live in this world.
    ///
    /// # Errors
    ///
    /// The first promise that was broken, and how it was seen.
    pub fn run(&self, app: impl App + 'static) -> Result<Summary, Violation> {
        self.run_shared(Arc::new(app))
    }

    /// Like [`run`](Self::run), for an application that many worlds share.
    ///
    /// # Errors
    ///
    /// The first promise that was broken, and how it was seen.
    pub fn run_shared(&self, app: Arc<dyn App>) -> Result<Summary, Violation> {
        let mut live = Live::new(self, app, Dice::new(self.seed));
        let lived = catch_unwind(AssertUnwindSafe(|| live.live(self)));
        let lived = lived.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let seen = text.unwrap_or_else(|| "something without words".into());
            Err(Broken::new(Invariant::NothingPanics, seen))
        });
        let story = live.story();
        match lived {
            Ok(()) => Ok(Summary { story, ..live.summary() }),
            Err(broken) => Err(Violation { seed: self.seed, broken, story }),
        }
    }
}

/// How a world went in which every promise held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How often some task went on.
    pub steps: u64,
    /// Things that users did.
    pub acts: u64,
    /// Syncs that were begun.
    pub syncs: u64,
    /// Requests that reached a shared log.
    pub requests: u64,
    /// Batches that were stored.
    pub batches: u64,
    /// How often a promise was looked at: every promise of one database, after a batch.
    pub looks: u64,
    /// Faults that happened.
    pub faults: u64,
    /// Rounds until all was quiet, once faults had stopped.
    pub rounds: u64,
    /// The most objects of a page.
    pub page: usize,
    /// The most steps of a batch.
    pub batch: usize,
    /// Milliseconds that passed in the world.
    pub millis: i64,
    /// The entries that all came to know, in words that tell two endings apart.
    pub ending: String,
    /// The story, if it was to be kept.
    pub story: Vec<String>,
}

/// A world in which a promise was broken: a bug. The same seed shows it again.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// What was broken.
    pub broken: Broken,
    /// The story until then, if it was to be kept.
    pub story: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.story {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {}: {}", self.seed, self.broken)
    }
}

impl std::error::Error for Violation {}
