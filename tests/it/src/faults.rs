//! Storage and shared logs that fail when they are told to, and copies of databases.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline::log::{Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::{
    Backend, Batch, Capability, Error, ErrorKind, Filter, Find, Operation, Outcome, ReplicaId,
    Result, SharedLog, async_trait, run,
};

use crate::{Replica, Store, storage};

/// What becomes of the call that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does nothing.
    None,
    /// It does a part, where a part is possible: an append of several segments stores the first half.
    Half,
    /// It does everything, and then fails.
    All,
}

/// When to fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// How many calls go well before one fails.
    pub at: u64,
    /// What becomes of that call.
    pub effect: Effect,
    /// Whether everything fails from then on, as in a process that has died.
    pub dies: bool,
}

/// When to fail.
#[derive(Debug, Default)]
pub struct Fuse {
    /// Whether only calls count that change something.
    durable_only: bool,
    state: Mutex<FuseState>,
}

#[derive(Debug, Default)]
struct FuseState {
    fault: Option<Fault>,
    seen: u64,
    /// The calls that have a middle.
    divisible: Vec<u64>,
    blew: bool,
    dead: bool,
}

/// What a call has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Goes,
    Fails(Effect),
}

impl Fuse {
    /// Never fails.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Never fails, and counts only what changes something: writes, and whatever a shared log is asked.
    pub fn of_durable_steps() -> Arc<Self> {
        Arc::new(Self { durable_only: true, ..Self::default() })
    }

    /// Fails at a call, counted from 0; before or after its effect; once, or from then on.
    pub fn light(&self, at: i64, after: bool, stays_dead: bool) {
        let effect = if after { Effect::All } else { Effect::None };
        let at = u64::try_from(at).expect("calls are counted from 0");
        self.set(Some(Fault { at, effect, dies: stays_dead }));
    }

    /// Fails as planned, or never; what was counted is forgotten.
    pub fn set(&self, fault: Option<Fault>) {
        *self.state() = FuseState { fault, ..FuseState::default() };
    }

    /// Fails no more; says whether it did.
    pub fn put_out(&self) -> bool {
        let mut state = self.state();
        (state.fault, state.dead) = (None, false);
        state.blew
    }

    /// How many calls there were since it was set.
    pub fn seen(&self) -> u64 {
        self.state().seen
    }

    /// Which of these calls can be carried out in part, counted from 0.
    pub fn divisible(&self) -> Vec<u64> {
        self.state().divisible.clone()
    }

    fn state(&self) -> MutexGuard<'_, FuseState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self) -> Fate {
        let mut state = self.state();
        if state.dead {
            return Fate::Fails(Effect::None);
        }
        let now = state.seen;
        state.seen += 1;
        match state.fault {
            Some(fault) if fault.at == now => {
                (state.blew, state.dead) = (true, fault.dies);
                Fate::Fails(fault.effect)
            }
            _ => Fate::Goes,
        }
    }

    async fn through<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fate() {
            Fate::Goes => call.await,
            Fate::Fails(Effect::All) => call.await.and_then(|_| Err(failed())),
            Fate::Fails(_) => Err(failed()),
        }
    }
}

fn failed() -> Error {
    Error::new(ErrorKind::Unavailable, "told to fail")
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
        let changes = matches!(operation, Operation::Write(_) | Operation::Prepare(_));
        if self.fuse.durable_only && !changes && !self.fuse.state().dead {
            return self.inner.execute(operation).await;
        }
        self.fuse.through(self.inner.execute(operation)).await
    }
}

/// A shared log behind a fuse.
#[derive(Debug)]
pub struct FragileLog {
    /// What does the work.
    pub inner: Arc<dyn SharedLog>,
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
        if segments.len() > 1 {
            let mut state = self.fuse.state();
            let now = state.seen;
            state.divisible.push(now);
        }
        match self.fuse.fate() {
            Fate::Goes => self.inner.append(segments).await,
            Fate::Fails(effect) => {
                let stored = match effect {
                    Effect::None => 0,
                    Effect::Half => segments.len() / 2,
                    Effect::All => segments.len(),
                };
                let _ = self.inner.append(&segments[..stored]).await?;
                Err(failed())
            }
        }
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
