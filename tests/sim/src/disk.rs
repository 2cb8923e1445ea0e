//! A replica's database, and what can go wrong with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use syncline::backend::memory::MemoryBackend;
#[cfg(feature = "sqlite")]
use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline::{
    Backend, Batch, Capability, Error, ErrorKind, Filter, Find, Name, Object, Operation, Outcome,
    Result, Schema, async_trait, run,
};

use crate::dice::Dice;
use crate::tasks::at_once;
use crate::time::pause;

/// Where a replica keeps its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory.
    Memory,
    /// In an SQLite database in memory.
    #[cfg(feature = "sqlite")]
    Sqlite,
}

impl Store {
    /// All that this build knows.
    #[cfg(feature = "sqlite")]
    pub const ALL: &[Self] = &[Self::Memory, Self::Sqlite];
    /// All that this build knows.
    #[cfg(not(feature = "sqlite"))]
    pub const ALL: &[Self] = &[Self::Memory];

    /// A new, empty database.
    pub(crate) fn empty(self) -> Result<Arc<dyn Backend>> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryBackend::default()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Arc::new(SqliteBackend::open_in_memory(SqliteConfig::default())?),
        })
    }
}

/// What goes wrong with a disk at present, and what was asked of it.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// No batch has room.
    pub(crate) full: AtomicBool,
    /// How many calls in a hundred fail before they have an effect.
    pub(crate) fails: AtomicU32,
    /// How many batches in a hundred are stored although an error is answered.
    pub(crate) forgets: AtomicU32,
    /// Batches that were stored.
    pub(crate) stored: AtomicU64,
    /// The most steps of a batch.
    pub(crate) steps: AtomicUsize,
    /// The most objects of a page.
    pub(crate) page: AtomicUsize,
}

impl Trouble {
    /// Puts everything right.
    pub(crate) fn end(&self) {
        self.full.store(false, Ordering::Relaxed);
        self.fails.store(0, Ordering::Relaxed);
        self.forgets.store(0, Ordering::Relaxed);
    }
}

/// A database as a replica's process sees it: each call takes a while, and may fail.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) raw: Arc<dyn Backend>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) dice: Dice,
}

impl Disk {
    fn refusal(&self, operation: &Operation) -> Option<Error> {
        if self.dice.percent(self.trouble.fails.load(Ordering::Relaxed)) {
            return Some(Error::new(ErrorKind::Unavailable, "the simulated disk is busy"));
        }
        let is_write = matches!(operation, Operation::Write(_) | Operation::Prepare(_));
        (is_write && self.trouble.full.load(Ordering::Relaxed))
            .then(|| Error::new(ErrorKind::Full, "the simulated disk is full"))
    }

    fn measure(&self, outcome: &Outcome) {
        if let Outcome::Found(page) = outcome {
            let _ = self.trouble.page.fetch_max(page.objects.len(), Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl Backend for Disk {
    fn name(&self) -> &'static str {
        self.raw.name()
    }

    fn capability(&self) -> Capability {
        self.raw.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        let is_write = match &operation {
            Operation::Write(batch) => {
                let _ = self.trouble.steps.fetch_max(batch.steps.len(), Ordering::Relaxed);
                true
            }
            other => matches!(other, Operation::Prepare(_)),
        };
        // Others go on between any two batches, and between some reads.
        if is_write || self.dice.percent(20) {
            pause().await;
        }
        if let Some(error) = self.refusal(&operation) {
            return Err(error);
        }
        let outcome = self.raw.execute(operation).await?;
        self.measure(&outcome);
        if is_write {
            let _ = self.trouble.stored.fetch_add(1, Ordering::Relaxed);
            if self.dice.percent(self.trouble.forgets.load(Ordering::Relaxed)) {
                return Err(Error::new(ErrorKind::Unavailable, "the simulated answer was lost"));
            }
            pause().await;
        }
        Ok(outcome)
    }
}

/// All objects of a collection, past everything; none while the database is not prepared.
pub(crate) fn all(raw: &dyn Backend, collection: &str) -> Vec<Object> {
    let mut question = Find::new(Name::from(collection), Filter::All);
    question.page_objects = usize::MAX;
    question.page_bytes = usize::MAX;
    let found = at_once(run(raw, Operation::Find(question)));
    let page = found.and_then(|found| found.and_then(Outcome::found).ok());
    page.map(|page| page.objects).unwrap_or_default()
}

/// A copy of a whole database, as a backup tool makes it.
pub(crate) fn copy(raw: &dyn Backend, schema: &Schema, store: Store) -> Result<Arc<dyn Backend>> {
    let waits = || Error::internal("a simulated database waits for something");
    let copy = store.empty()?;
    let prepare = run(copy.as_ref(), Operation::Prepare(Arc::new(schema.clone())));
    let _ = at_once(prepare).ok_or_else(waits)??;
    for collection in schema.collections() {
        let add = |batch: Batch, object| batch.create(collection.name().clone(), object);
        let batch = all(raw, collection.name()).into_iter().fold(Batch::new(), add);
        let _ = at_once(run(copy.as_ref(), Operation::Write(batch))).ok_or_else(waits)??;
    }
    Ok(copy)
}
