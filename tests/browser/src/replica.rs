//! Replicas for tests: a manager, its client log, and a clock and randomness that repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline::clock::StepClock;
use syncline::middleware::SyncLog;
use syncline::{
    Backend, ClientLog, ClientLogConfig, Filter, Object, Random, Result, Schema, SharedLog,
    StorageManager, SyncOptions, SyncReport, do_sync,
};

/// When the clocks start.
pub const START: i64 = 1_800_000_000_000;

/// Randomness that repeats: counts up.
#[derive(Debug)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn bytes(&self) -> [u8; 16] {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst)).to_be_bytes()
    }
}

/// One replica: an application with its own database and clock.
#[derive(Clone, Debug)]
pub struct Replica {
    /// What the application holds.
    pub manager: StorageManager,
    /// Its client log.
    pub log: ClientLog,
    /// Its clock, which stands still until somebody sets it: how often it is read changes nothing.
    pub clock: Arc<StepClock>,
}

impl Replica {
    /// A replica on this storage; `number` makes its id and its clock's start.
    ///
    /// # Errors
    ///
    /// Whatever keeps the manager from being built.
    pub async fn open(backend: Arc<dyn Backend>, number: u32, schema: Schema) -> Result<Self> {
        let clock = Arc::new(StepClock::new(START + i64::from(number), 0));
        let random = Arc::new(Counting((u64::from(number) << 32).into()));
        let config = ClientLogConfig::new("test".parse()?, clock.clone(), random);
        let log = SyncLog::with(config);
        let builder = StorageManager::builder(backend).schema(schema).with(log.clone());
        Ok(Self { manager: builder.build().await?, log: log.client()?.clone(), clock })
    }

    /// All objects of a collection, by key.
    ///
    /// # Errors
    ///
    /// Whatever reading reports.
    pub async fn all(&self, collection: &str) -> Result<Vec<Object>> {
        self.manager.collection(collection)?.find(Filter::All).await
    }

    /// Syncs with the usual options.
    ///
    /// # Errors
    ///
    /// Whatever syncing reports.
    pub async fn sync(&self, shared: &dyn SharedLog) -> Result<SyncReport> {
        do_sync(&self.log, shared, &SyncOptions::default()).await
    }
}
