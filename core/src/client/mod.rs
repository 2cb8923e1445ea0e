//! The client log: what this replica wrote and what it knows of others, next to the data.

mod adopt;
mod collections;
mod freeze;
mod head;
mod lane;
mod lead;
mod merging;
mod objects;
mod record;
mod rekey;
mod stamps;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, MutexGuard, watch};

pub use adopt::Origin;
pub(crate) use collections::*;
pub(crate) use freeze::{Cut, CutLimits, Frozen};
pub(crate) use head::{GUARD, Head};
pub(crate) use lane::{Lane, store_segment};
pub use lead::Lead;
pub(crate) use merging::{Merged, Witnesses};
pub(crate) use objects::{Objects, Rows};
pub(crate) use record::Stamping;

use crate::backend::{self, Backend};
use crate::change::ChangeFeed;
use crate::clock::ALLOWED_DRIFT;
use crate::log::{Entry, Write};
use crate::merge::{FieldLww, Reconciler};
use crate::middleware::Setup;
use crate::query::{Direction, Find, Page};
use crate::schema::{Collection, Schema};
use crate::sorted::SortedMap;
use crate::{
    Batch, BoxFuture, Clock, Error, ErrorKind, Filter, Group, MaybeSend, MaybeSync, Name,
    Operation, Outcome, Random, ReplicaId, Result, Stamp, Step, Value,
};

/// Changes or drops what is logged of an own write; the database keeps what was written.
pub trait LogHook: Debug + MaybeSend + MaybeSync {
    /// May change the write; false leaves it unlogged.
    fn log(&self, write: &mut Write) -> bool;
}

/// Sees each own entry once, before it is cut for sending.
pub trait SendHook: Debug + MaybeSend + MaybeSync {
    /// May change the write; false withholds it, and its place stays empty for ever.
    fn send(&self, write: &mut Write) -> bool;
}

/// How a client log works.
#[derive(Clone, Debug)]
pub struct ClientLogConfig {
    /// Whose data this is.
    pub group: Group,
    /// The collections to log; all of the application's if nothing is said.
    pub collections: Option<Vec<Name>>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes replica ids.
    pub random: Arc<dyn Random>,
    /// How far a received stamp may move the clock ahead.
    pub drift: Duration,
    /// Changes or drops what is logged.
    pub hook: Option<Arc<dyn LogHook>>,
    /// Reconcilers of single collections; the others use [`FieldLww`].
    pub reconcilers: Vec<(Name, Arc<dyn Reconciler>)>,
    /// The most bytes of entries that one batch may write; more is refused.
    pub batch_bytes: usize,
}

impl ClientLogConfig {
    /// Logs all collections of a group's data, with the clock and the randomness that are handed in.
    pub fn new(group: Group, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            group,
            collections: None,
            clock,
            random,
            drift: ALLOWED_DRIFT,
            hook: None,
            reconcilers: Vec::new(),
            batch_bytes: 64 << 20,
        }
    }
}

/// The log of one database: records writes, and is what sync works on.
///
/// Cheap to copy; all copies share one queue of writers, so that writers of one process wait for each
/// other instead of racing. Writers of other processes are kept apart by guards. A sync works on a copy that may
/// have a lead, and then writes by that alone.
#[derive(Clone, Debug)]
pub struct ClientLog(Arc<Shared>, Option<Lead>);

#[derive(Debug)]
struct Shared {
    backend: Arc<dyn Backend>,
    schema: Arc<Schema>,
    feed: ChangeFeed,
    config: ClientLogConfig,
    enabled: AtomicBool,
    /// The head as this process last saw it; nothing if it has to be read.
    head: Mutex<Option<Head>>,
    /// Held by the sync that is under way: one at a time. What time it was at each log when it last answered.
    syncing: Mutex<SortedMap<String, (i64, i64)>>,
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl crate::change::Reader for ClientLog {
    async fn page(&self, find: Find) -> Result<Page> {
        self.find(find).await
    }
}

/// How often a batch is tried again when another process wrote in between.
pub(crate) const TRIES: usize = 100;

impl ClientLog {
    /// The collections that a client log keeps for itself.
    ///
    /// # Errors
    ///
    /// None in practice: the definitions are fixed.
    pub fn collections() -> Result<Vec<Collection>> {
        definitions()
    }

    /// Opens the log of a database whose storage is prepared; a new one gets a new replica id.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unsupported`] if the backend has no atomic batches, or a newer version wrote the log.
    /// - [`ErrorKind::Denied`] if the database belongs to another group.
    /// - [`ErrorKind::Invalid`] if a collection that is to be logged does not exist.
    pub async fn open(setup: &Setup, config: ClientLogConfig) -> Result<Self> {
        if !setup.backend.capability().atomic_batch {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "sync needs a backend with atomic batches; choose another backend",
            )
            .with("backend", setup.backend.name()));
        }
        for name in config.collections.iter().flatten() {
            let _ = setup.schema.collection(name)?;
        }
        let shared = Shared {
            backend: setup.backend.clone(),
            schema: setup.schema.clone(),
            feed: setup.feed.clone(),
            config,
            enabled: AtomicBool::new(true),
            head: Mutex::new(None),
            syncing: Mutex::default(),
        };
        let log = Self(Arc::new(shared), None);
        let _ = log.head().await?;
        Ok(log)
    }

    /// Which replica this database is; it changes when a fork or a restored backup is found.
    ///
    /// # Errors
    ///
    /// Whatever reading reports.
    pub async fn replica(&self) -> Result<ReplicaId> {
        Ok(self.fresh_head().await?.replica)
    }

    /// Whose data this is.
    pub fn group(&self) -> &Group {
        &self.0.config.group
    }

    /// Switches recording off or on; what is written meanwhile is unlogged.
    pub fn set_enabled(&self, enabled: bool) {
        self.0.enabled.store(enabled, Ordering::SeqCst);
    }

    /// Whether writes are recorded.
    pub fn is_enabled(&self) -> bool {
        self.0.enabled.load(Ordering::SeqCst)
    }

    /// Whether writes to this collection are recorded.
    pub fn logs(&self, collection: &str) -> bool {
        let Some(definition) = self.0.schema.get(collection) else { return false };
        let chosen = self.0.config.collections.as_ref();
        !definition.is_reserved()
            && chosen.is_none_or(|names| names.iter().any(|name| **name == *collection))
    }

    /// The definitions of all collections that are recorded, sorted by name.
    pub fn logged(&self) -> Vec<Arc<Collection>> {
        let all = self.0.schema.own_collections();
        all.filter(|collection| self.logs(collection.name())).cloned().collect()
    }

    /// The schema that writes are recorded under.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.0.schema
    }

    /// The storage.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.backend
    }

    /// Where integrated changes are told.
    pub fn feed(&self) -> &ChangeFeed {
        &self.0.feed
    }

    pub(crate) fn config(&self) -> &ClientLogConfig {
        &self.0.config
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.config.clock.now_millis()
    }

    /// Whether another reconciler than the usual one is chosen for a collection.
    pub(crate) fn has_reconciler(&self, collection: &str) -> bool {
        self.0.config.reconcilers.iter().any(|(name, _)| **name == *collection)
    }

    pub(crate) fn reconciler(&self, collection: &str) -> Arc<dyn Reconciler> {
        let chosen = self.0.config.reconcilers.iter().find(|(name, _)| **name == *collection);
        chosen.map_or_else(|| Arc::new(FieldLww) as _, |(_, reconciler)| reconciler.clone())
    }

    /// The head, for reading; waits for writers of this process.
    pub(crate) async fn head(&self) -> Result<Head> {
        let mut cached = self.lock().await;
        self.loaded(&mut cached).await.cloned()
    }

    /// The head as storage has it now: another process may have written since it was last seen here.
    pub(crate) async fn fresh_head(&self) -> Result<Head> {
        let mut cached = self.lock().await;
        *cached = None;
        self.loaded(&mut cached).await.cloned()
    }

    /// Waits for the writers of this process and keeps them out until the guard is dropped.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, Option<Head>> {
        self.0.head.lock().await
    }

    /// Hears of every batch of own entries that this process writes or is told of, and how many there were.
    pub(crate) fn written(&self) -> watch::Receiver<u64> {
        self.0.feed.written()
    }

    fn tell_written(&self) {
        self.0.feed.tell_written();
    }

    /// Waits for the sync of this process that is under way. Behind the lock is what time it was at each log
    /// when it last answered, and what this clock showed then, in milliseconds: syncs that have nothing to
    /// store leave it nowhere else.
    pub(crate) async fn lock_sync(&self) -> MutexGuard<'_, SortedMap<String, (i64, i64)>> {
        self.0.syncing.lock().await
    }

    /// The head behind the lock, read if it has to be.
    pub(crate) async fn loaded<'a>(&self, cached: &'a mut Option<Head>) -> Result<&'a mut Head> {
        if cached.is_none() {
            *cached = Some(self.load().await?);
        }
        cached.as_mut().ok_or_else(|| Error::internal("the head was read and is not there"))
    }

    async fn load(&self) -> Result<Head> {
        for _ in 0..TRIES {
            let rows = self.find(find(&HEAD, Filter::key(HEAD_ID))).await?.objects;
            let Some(row) = rows.first() else {
                self.create_head().await?;
                continue;
            };
            let mut head = Head::from_row(row)?;
            if head.group != self.0.config.group {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "the database belongs to another group; name that group, or use another database",
                )
                .with("group", &head.group)
                .with("wanted", &self.0.config.group));
            }
            self.load_end(&mut head).await?;
            return Ok(head);
        }
        Err(Error::internal("the head row vanishes again and again"))
    }

    async fn create_head(&self) -> Result<()> {
        let replica = ReplicaId(self.0.config.random.bytes());
        let head = Head::new(self.0.config.group.clone(), replica);
        match self.write(vec![head.create()]).await {
            // Another process was faster; its head counts.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            other => other.map(drop),
        }
    }

    /// Reads what the lane's last entry says: its end, and the clock.
    async fn load_end(&self, head: &mut Head) -> Result<()> {
        let last = find(&ENTRY, Filter::All).order_by("seq", Direction::Descending).limit(1);
        for row in self.find(last).await?.objects {
            head.seq = head.seq.max(number(&row, "seq")?);
            let clock = match row.value("clock") {
                Value::Null => Entry::from_bytes(head.seq, bytes(&row, "entry")?)?.stamp,
                _ => Stamp::from_bits(number(&row, "clock")?)?,
            };
            head.clock = crate::clock::Hlc::at(head.clock.last().max(clock));
        }
        self.load_ahead(head).await
    }

    /// Asks for one page, past the middlewares.
    pub(crate) fn find(&self, question: Find) -> BoxFuture<'_, Result<Page>> {
        let found = backend::run(self.0.backend.as_ref(), Operation::Find(question));
        Box::pin(async { found.await?.found() })
    }

    /// Asks for all pages.
    pub(crate) async fn find_all(&self, question: Find) -> Result<Vec<crate::Object>> {
        let mut objects = Vec::new();
        let mut next = Some(question);
        while let Some(question) = next {
            let page = self.find(question.clone()).await?;
            next = question.following(&page);
            objects.extend(page.objects);
        }
        Ok(objects)
    }

    /// Writes a batch, past the middlewares; if this log is led, only while the lead holds.
    pub(crate) fn write(&self, mut steps: Vec<Step>) -> BoxFuture<'_, Result<Outcome>> {
        // First, so that of several guards that fail this is the one that is named.
        if let Some(guard) = self.lead_guard() {
            steps.insert(0, guard);
        }
        backend::run(self.0.backend.as_ref(), Operation::Write(Batch { steps }))
    }
}

/// Whether a batch failed because another process moved the head: read it again and retry.
pub(crate) fn is_overtaken(error: &Error) -> bool {
    let taken =
        || error.context().any(|(key, value)| key == "collection" && *value == *ENTRY.as_ref());
    error.kind() == ErrorKind::Conflict && (error.guard() == Some(GUARD) || taken())
}
