//! Tells observers which objects are about to change, and which have changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use syncline_core::change::{self, Change, ChangeFeed, ChangeSet, Observer, Origin};
use syncline_core::middleware::{Place, Setup};
use syncline_core::{Batch, Context, Error, Middleware, Next, Operation, Outcome, Result, Schema};

/// Finds out which objects a write touches, and tells those who care before and after.
///
/// An observer that refuses beforehand stops the write. Where nobody cares for any collection of a
/// batch, nothing is read and nothing told. What was found is left in
/// [`Context::changes`] for the stations behind.
///
/// Changes that a sync brings are told through the same [feed](ChangeFeed), by the sync.
///
/// # Example
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use syncline_backend_memory::MemoryBackend;
/// use syncline_core::change::{Change, Observer, Origin};
/// use syncline_core::{Collection, FieldType, Object, Registry, StorageManager, async_trait};
/// use syncline_middleware::{ChangeWatch, CustomPk};
///
/// #[derive(Debug, Default)]
/// struct Heard(Mutex<Vec<Change>>);
///
/// #[async_trait]
/// impl Observer for Heard {
///     async fn after(&self, changes: &[Change], _: Origin) {
///         self.0.lock().unwrap().extend_from_slice(changes);
///     }
/// }
///
/// # pollster::block_on(async {
/// # let city = Collection::define("city").field("name", FieldType::String);
/// # let schema = Registry::new().collections(1, [city]).finish()?;
/// let heard = Arc::new(Heard::default());
/// let storage = StorageManager::builder(Arc::new(MemoryBackend::default()))
///     .schema(schema)
///     .with(CustomPk::default())
///     .with(ChangeWatch::new().observe(heard.clone()))
///     .build()
///     .await?;
///
/// storage.collection("city")?.create(Object::new().with("name", "Vila")).await?;
/// assert_eq!(heard.0.lock().unwrap().len(), 1);
/// # Ok::<(), syncline_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChangeWatch {
    observers: Vec<Arc<dyn Observer>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    silent: AtomicBool,
    setup: OnceLock<(Arc<Schema>, ChangeFeed)>,
}

impl ChangeWatch {
    /// A watch that nobody observes yet; the manager's feed takes observers later, too.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an observer.
    #[must_use]
    pub fn observe(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Switches the watch, and all its clones, off or on again; off, it lets everything through.
    pub fn set_enabled(&self, enabled: bool) {
        self.shared.silent.store(!enabled, Ordering::Relaxed);
    }

    fn cares(&self, batch: &Batch, feed: &ChangeFeed) -> bool {
        if self.shared.silent.load(Ordering::Relaxed) {
            return false;
        }
        // Most steps of a batch are about one collection, which need not be asked about again.
        let mut last: Option<&str> = None;
        batch.steps.iter().any(|step| {
            let collection: &str = step.collection();
            last.replace(collection) != Some(collection) && feed.is_observed(collection)
        })
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Middleware for ChangeWatch {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        let (schema, feed) = self
            .shared
            .setup
            .get()
            .ok_or_else(|| Error::internal("ChangeWatch was asked before it was started"))?;
        let batch = match operation {
            Operation::Write(batch) if self.cares(&batch, feed) => batch,
            other => return next.run(other, context).await,
        };
        let changes = change::resolve(&batch, schema, &next).await?;
        feed.before(&flat(&changes)).await?;

        // Only the backend can tell keys that it counts; then the batch is needed once more.
        let unnamed = changes.lacks_keys().then(|| batch.clone());
        context.changes = Some(changes);
        let outcome = next.run(Operation::Write(batch), context).await?;

        let mut changes = context.changes.take().unwrap_or_default();
        if let (Some(batch), Outcome::Written(steps)) = (unnamed, &outcome) {
            changes.learn_keys(&batch, steps, schema);
        }
        feed.after(&flat(&changes), Origin::Local).await;
        context.changes = Some(changes);
        Ok(outcome)
    }

    fn place(&self) -> Place {
        Place::Watches
    }

    async fn start(&self, setup: &Setup) -> Result<()> {
        let known = (setup.schema.clone(), setup.feed.clone());
        self.shared.setup.set(known).map_err(|_| {
            Error::invalid("a ChangeWatch belongs to one manager; make another for another manager")
        })?;
        self.observers.iter().for_each(|observer| setup.feed.observe(observer.clone()));
        Ok(())
    }
}

fn flat(changes: &ChangeSet) -> Vec<Change> {
    changes.iter().cloned().collect()
}
