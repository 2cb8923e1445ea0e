//! Records every write in the client log, in the same batch as the write itself.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use syncline_core::client::LogHook;
use syncline_core::merge::Reconciler;
use syncline_core::middleware::{Context, Middleware, Next, Place, Setup};
use syncline_core::{
    ClientLog, ClientLogConfig, Clock, Collection, Error, Group, Name, Operation, Outcome, Random,
    Result,
};

use crate::{SystemClock, SystemRandom};

/// Records every write in the client log, in the same batch as the write itself: both are stored or neither.
///
/// The last of the stations: keys must have been given, and changes been watched, before it. Copies are
/// cheap and share one log; keep one to sync with.
///
/// # Example
///
/// ```
/// # pollster::block_on(async {
/// use std::sync::Arc;
/// use syncline_backend_memory::MemoryBackend;
/// use syncline_core::{Collection, FieldType, Object, Registry, StorageManager, sync};
/// use syncline_middleware::{CustomPk, SyncLog};
///
/// let note = Collection::define("note").field("title", FieldType::String);
/// let log = SyncLog::new("family".parse()?);
/// let manager = StorageManager::builder(Arc::new(MemoryBackend::default()))
///     .schema(Registry::new().collections(1, [note]).finish()?)
///     .with(CustomPk::default())
///     .with(log.clone())
///     .build()
///     .await?;
///
/// manager.collection("note")?.create(Object::new().with("title", "Buy milk")).await?;
/// assert_eq!(sync::status(log.client()?).await?.pending, 1);
/// # Ok::<(), syncline_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct SyncLog {
    config: ClientLogConfig,
    client: Arc<OnceLock<ClientLog>>,
}

impl SyncLog {
    /// Records all collections of the application, for this group, with the machine's clock.
    pub fn new(group: Group) -> Self {
        Self::with(ClientLogConfig::new(group, Arc::new(SystemClock), Arc::new(SystemRandom)))
    }

    /// Records as the configuration says.
    pub fn with(config: ClientLogConfig) -> Self {
        Self { config, client: Arc::default() }
    }

    /// Records only these collections.
    #[must_use]
    pub fn only<N: Into<Name>>(mut self, collections: impl IntoIterator<Item = N>) -> Self {
        self.config.collections = Some(collections.into_iter().map(Into::into).collect());
        self
    }

    /// Tells the time by another clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = clock;
        self
    }

    /// Makes replica ids from other randomness.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.config.random = random;
        self
    }

    /// Lets a hook change or drop what is logged; the database keeps what was written.
    #[must_use]
    pub fn hook(mut self, hook: Arc<dyn LogHook>) -> Self {
        self.config.hook = Some(hook);
        self
    }

    /// Merges one collection with another reconciler.
    #[must_use]
    pub fn reconciler(mut self, collection: impl Into<Name>, with: Arc<dyn Reconciler>) -> Self {
        self.config.reconcilers.push((collection.into(), with));
        self
    }

    /// The log of the database behind the manager.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](syncline_core::ErrorKind::Invalid) while no manager was built with this.
    pub fn client(&self) -> Result<&ClientLog> {
        self.client.get().ok_or_else(|| {
            Error::invalid("the sync log has no database yet: build a manager with it first")
        })
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Middleware for SyncLog {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        match operation {
            Operation::Write(batch) => self.client()?.record(batch, context, next).await,
            other => next.run(other, context).await,
        }
    }

    fn place(&self) -> Place {
        Place::Records
    }

    fn collections(&self) -> Result<Vec<Collection>> {
        ClientLog::collections()
    }

    async fn start(&self, setup: &Setup) -> Result<()> {
        let client = ClientLog::open(setup, self.config.clone()).await?;
        self.client
            .set(client)
            .map_err(|_| Error::invalid("a sync log serves one manager; make another one"))
    }
}
