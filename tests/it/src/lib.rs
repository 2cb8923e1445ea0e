//! Replicas for tests: an application's manager, its client log, and a clock of its own.

pub mod crash;
pub mod far;
pub mod faults;
pub mod law;
pub mod slow;
pub mod spy;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline::backend::memory::MemoryBackend;
use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline::clock::StepClock;
use syncline::middleware::{CustomPk, SyncLog};
use syncline::{
    Backend, ClientLog, ClientLogConfig, Collection, FieldType, Filter, Object, Random, Registry,
    Result, Schema, SharedLog, StorageManager, SyncOptions, SyncReport, do_sync,
};

/// Where a test keeps its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory.
    Memory,
    /// In an SQLite database in memory.
    Sqlite,
}

/// Both, for tests that must hold on both.
pub const STORES: [Store; 2] = [Store::Memory, Store::Sqlite];

/// Randomness that repeats: counts up.
#[derive(Debug)]
pub struct Counting(AtomicU64);

impl Random for Counting {
    fn bytes(&self) -> [u8; 16] {
        let next = self.0.fetch_add(1, Ordering::SeqCst);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&next.to_be_bytes());
        bytes
    }
}

/// One replica: an application with its own database and clock.
#[derive(Clone, Debug)]
pub struct Replica {
    /// What the application holds.
    pub manager: StorageManager,
    /// Its client log.
    pub log: ClientLog,
    /// Its clock.
    pub clock: Arc<StepClock>,
    /// Its storage.
    pub backend: Arc<dyn Backend>,
}

/// Users and notes: the schema of most tests.
pub fn schema() -> Schema {
    let user = Collection::define("user")
        .field("name", FieldType::String)
        .optional("nick", FieldType::String)
        .optional("age", FieldType::Int)
        .optional("joined", FieldType::Datetime);
    let note = Collection::define("note").optional("text", FieldType::Text);
    Registry::new().collections(1, [user, note]).finish().expect("the schema is sound")
}

/// A new, empty storage.
pub fn storage(store: Store) -> Arc<dyn Backend> {
    match store {
        Store::Memory => Arc::new(MemoryBackend::default()),
        Store::Sqlite => Arc::new(
            SqliteBackend::open_in_memory(SqliteConfig::default()).expect("SQLite opens in memory"),
        ),
    }
}

impl Replica {
    /// A replica with the usual schema; `number` makes its id and its clock's start.
    pub async fn new(store: Store, number: u64) -> Self {
        Self::open(storage(store), number, schema(), |config| config).await.expect("it opens")
    }

    /// A replica on this storage, configured further.
    ///
    /// # Errors
    ///
    /// Whatever keeps the manager from being built.
    pub async fn open(
        backend: Arc<dyn Backend>,
        number: u64,
        schema: Schema,
        configure: impl FnOnce(ClientLogConfig) -> ClientLogConfig,
    ) -> Result<Self> {
        let start = 1_800_000_000_000 + i64::try_from(number).unwrap_or(0);
        let clock = Arc::new(StepClock::new(start, 1_000));
        let random = Arc::new(Counting((number << 32).into()));
        let group = "test".parse()?;
        let log = SyncLog::with(configure(ClientLogConfig::new(group, clock.clone(), random)));
        let manager = StorageManager::builder(backend.clone())
            .schema(schema)
            .with(CustomPk::default())
            .with(log.clone())
            .build()
            .await?;
        Ok(Self { manager, log: log.client()?.clone(), clock, backend })
    }

    /// Creates an object.
    pub async fn create(&self, collection: &str, object: Object) -> Object {
        let handle = self.manager.collection(collection).expect("the collection exists");
        handle.create(object).await.expect("it can be created")
    }

    /// Updates objects and says how many.
    pub async fn update(&self, collection: &str, filter: Filter, changes: Object) -> u64 {
        let handle = self.manager.collection(collection).expect("the collection exists");
        handle.update(filter, changes).await.expect("they can be updated")
    }

    /// Deletes objects and says how many.
    pub async fn delete(&self, collection: &str, filter: Filter) -> u64 {
        let handle = self.manager.collection(collection).expect("the collection exists");
        handle.delete(filter).await.expect("they can be deleted")
    }

    /// All objects of a collection, by key.
    pub async fn all(&self, collection: &str) -> Vec<Object> {
        let handle = self.manager.collection(collection).expect("the collection exists");
        handle.find(Filter::All).await.expect("they can be found")
    }

    /// Syncs with the usual options.
    pub async fn sync(&self, shared: &dyn SharedLog) -> SyncReport {
        self.sync_with(shared, &SyncOptions::default()).await
    }

    /// Syncs.
    pub async fn sync_with(&self, shared: &dyn SharedLog, options: &SyncOptions) -> SyncReport {
        do_sync(&self.log, shared, options).await.expect("it syncs")
    }
}
