//! Storage and shared logs that fail when they are told to, and copies of databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use syncline::log::{Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::shared_log::memory::MemoryLog;
use syncline::{
    Backend, Batch, Capability, Error, ErrorKind, Filter, Find, Operation, Outcome, ReplicaId,
    Result, SharedLog, async_trait, run,
};

use crate::{Replica, Store, storage};

/// When to fail.
#[derive(Debug, Default)]
pub struct Fuse {
    /// How many calls go well before one fails; negative when nothing is to fail.
    left: AtomicI64,
    /// Whether the call that fails has its effect all the same.
    after: AtomicBool,
    /// Whether everything fails from then on, as in a process that has died.
    dead: AtomicBool,
    stays_dead: AtomicBool,
}

/// What a call has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Goes,
    FailsBefore,
    FailsAfter,
}

impl Fuse {
    /// Never fails.
    pub fn new() -> Arc<Self> {
        let fuse = Self::default();
        fuse.left.store(-1, Ordering::SeqCst);
        Arc::new(fuse)
    }

    /// Fails at a call, counted from 0; before or after its effect; once, or from then on.
    pub fn light(&self, at: i64, after: bool, stays_dead: bool) {
        self.left.store(at, Ordering::SeqCst);
        self.after.store(after, Ordering::SeqCst);
        self.stays_dead.store(stays_dead, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
    }

    /// Fails no more; says whether it did.
    pub fn put_out(&self) -> bool {
        self.dead.store(false, Ordering::SeqCst);
        self.left.swap(-1, Ordering::SeqCst) < 0
    }

    fn fate(&self) -> Fate {
        if self.dead.load(Ordering::SeqCst) {
            return Fate::FailsBefore;
        }
        let left = self.left.load(Ordering::SeqCst);
        if left < 0 {
            return Fate::Goes;
        }
        self.left.store(left - 1, Ordering::SeqCst);
        if left > 0 {
            return Fate::Goes;
        }
        self.dead.store(self.stays_dead.load(Ordering::SeqCst), Ordering::SeqCst);
        if self.after.load(Ordering::SeqCst) { Fate::FailsAfter } else { Fate::FailsBefore }
    }

    async fn through<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let failed = || Error::new(ErrorKind::Unavailable, "told to fail");
        match self.fate() {
            Fate::Goes => call.await,
            Fate::FailsBefore => Err(failed()),
            Fate::FailsAfter => call.await.and_then(|_| Err(failed())),
        }
    }
}

/// Storage behind a fuse.
#[derive(Debug)]
pub struct Fragile {
    /// What does the work.
    pub inner: Arc<dyn Backend>,
    /// When to fail.
    pub fuse: Arc<Fuse>,
}

#[async_trait]
impl Backend for Fragile {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        self.fuse.through(self.inner.execute(operation)).await
    }
}

/// A shared log behind a fuse.
#[derive(Debug)]
pub struct FragileLog {
    /// What does the work.
    pub inner: MemoryLog,
    /// When to fail.
    pub fuse: Arc<Fuse>,
}

#[async_trait]
impl SharedLog for FragileLog {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.fuse.through(self.inner.join(replica)).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.fuse.through(self.inner.append(segments)).await
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        self.fuse.through(self.inner.fetch(request)).await
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.fuse.through(self.inner.acknowledge(replica, known)).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.fuse.through(self.inner.peers()).await
    }
}

/// A copy of a replica's whole database, as a backup tool would make it.
pub async fn copy(replica: &Replica, store: Store) -> Arc<dyn Backend> {
    let copy = storage(store);
    let schema = replica.log.schema();
    let _ = run(copy.as_ref(), Operation::Prepare(schema.clone())).await.expect("it prepares");
    for collection in schema.collections() {
        let mut question = Find::new(collection.name().clone(), Filter::All);
        question.page_objects = usize::MAX;
        question.page_bytes = usize::MAX;
        let found = run(replica.backend.as_ref(), Operation::Find(question)).await;
        let objects = found.and_then(Outcome::found).expect("it reads").objects;
        let fill = |batch: Batch, object| batch.create(collection.name().clone(), object);
        let batch = objects.into_iter().fold(Batch::new(), fill);
        let _ = run(copy.as_ref(), Operation::Write(batch)).await.expect("it writes");
    }
    copy
}
