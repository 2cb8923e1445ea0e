//! What an application holds: a [`StorageManager`] and its [collections](CollectionHandle).

mod batch;
mod builder;
mod collection;
mod edge;
mod filter;
mod live;
mod query;
mod station;
mod typed;
mod unique;
mod write;

use std::sync::Arc;

pub use batch::{BatchBuilder, BatchReport};
pub use builder::ManagerBuilder;
pub use collection::CollectionHandle;
pub use filter::IntoFilter;
pub use live::LiveQuery;
pub use query::{ObjectStream, Query};
pub use typed::TypedCollection;

use crate::backend::Backend;
use crate::change::{ChangeFeed, Touched, TouchedStream};
use crate::middleware::{Context, Middleware, Next};
use crate::operation::{Operation, Outcome, check};
use crate::schema::Schema;
use crate::{Error, Result};

/// What an application talks to: storage behind a schema and a row of middlewares.
///
/// A manager is cheap to clone; all clones are the same manager.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use serde_json::json;
/// use syncline_backend_memory::MemoryBackend;
/// use syncline_core::{Collection, FieldType, Object, Registry, StorageManager};
///
/// # pollster::block_on(async {
/// let city = Collection::define("city")
///     .field("name", FieldType::String)
///     .optional("country", FieldType::String);
/// let schema = Registry::new().collections(1, [city]).finish()?;
///
/// let backend = Arc::new(MemoryBackend::default());
/// let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// let cities = storage.collection("city")?;
///
/// cities.create(Object::new().with("id", "vila").with("name", "Vila")).await?;
/// let found = cities.find(json!({ "name": { "$prefix": "V" } })).await?;
/// assert_eq!(found.len(), 1);
/// # Ok::<(), syncline_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct StorageManager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    backend: Arc<dyn Backend>,
    schema: Arc<Schema>,
    stations: Vec<Arc<dyn Middleware>>,
    feed: ChangeFeed,
}

impl StorageManager {
    /// Begins a manager over a backend.
    pub fn builder(backend: Arc<dyn Backend>) -> ManagerBuilder {
        ManagerBuilder::new(backend)
    }

    /// The objects of one collection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the schema has no such collection.
    pub fn collection(&self, name: &str) -> Result<CollectionHandle> {
        let definition = self.schema().collection(name)?.clone();
        Ok(CollectionHandle::new(self.clone(), definition))
    }

    /// Begins a batch: several writes that happen together or not at all.
    pub fn batch(&self) -> BatchBuilder {
        BatchBuilder::new(self.clone())
    }

    /// The storage, past all middlewares; this is what a sync works on.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.inner.backend
    }

    /// The schema, the middlewares' own collections included.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.inner.schema
    }

    /// Where changes are told, whoever makes them.
    pub fn feed(&self) -> &ChangeFeed {
        &self.inner.feed
    }

    /// What this manager and its syncs touch in the database from now on: for other tabs or processes that use
    /// the same database, to be given to their [`touched_elsewhere`](Self::touched_elsewhere).
    ///
    /// # Example
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use syncline_backend_memory::MemoryBackend;
    /// # use syncline_core::*;
    /// use syncline_core::change::Touched;
    ///
    /// # pollster::block_on(async {
    /// # let city = Collection::define("city").field("name", FieldType::String);
    /// # let schema = Arc::new(Registry::new().collections(1, [city]).finish()?);
    /// # let backend = Arc::new(MemoryBackend::default());
    /// # let builder = StorageManager::builder(backend.clone()).schema(schema.clone());
    /// # let (here, there) = (builder.build().await?, StorageManager::builder(backend).schema(schema).build().await?);
    /// let mut touched = here.touched();
    /// let mut seen = there.collection("city")?.watch(Filter::All)?;
    /// assert_eq!(seen.next().await?.len(), 0);
    ///
    /// here.collection("city")?.create(Object::new().with("id", "vila").with("name", "Vila")).await?;
    /// let message = touched.next().await.to_bytes();
    ///
    /// there.touched_elsewhere(&Touched::from_bytes(&message)?).await;
    /// assert_eq!(seen.next().await?.len(), 1);
    /// # Ok::<(), Error>(())
    /// # }).unwrap();
    /// ```
    pub fn touched(&self) -> TouchedStream {
        self.feed().touched()
    }

    /// Takes note of what another tab or process touched in this database: live queries read again what it can
    /// matter to, observers are told, and a continuous sync sends what is to be sent. Whoever was not
    /// listening for a while says [`Touched::everything`].
    pub async fn touched_elsewhere(&self, touched: &Touched) {
        self.feed().elsewhere(touched).await;
    }

    /// Carries out any operation, as an application sees it: checked, and with custom fields and
    /// aliases as the schema has them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the operation contradicts the schema or
    /// writes into a collection that Syncline keeps for itself, or whatever the middlewares and the
    /// backend report.
    pub async fn execute(&self, mut operation: Operation) -> Result<Outcome> {
        self.admit(&mut operation)?;
        let asked = match &operation {
            Operation::Find(find) => Some(find.collection.clone()),
            _ => None,
        };
        match (self.pass(operation).await?, asked) {
            (Outcome::Found(mut page), Some(collection)) => {
                let collection = self.schema().collection(&collection)?;
                edge::restore_all(&mut page.objects, collection)?;
                Ok(Outcome::Found(page))
            }
            (outcome, _) => Ok(outcome),
        }
    }

    /// Brings an operation from the application's form into that of storage, or says what is wrong.
    fn admit(&self, operation: &mut Operation) -> Result<()> {
        let schema = self.schema();
        match operation {
            Operation::Prepare(_) => {
                return Err(Error::invalid("storage is prepared when a manager is built"));
            }
            Operation::Find(find) => edge::prepare_find(find, schema)?,
            Operation::Count(collection, filter) => {
                edge::prepare_filter(filter, schema.collection(collection)?)?;
            }
            Operation::Write(batch) => edge::prepare_batch(batch, schema)?,
        }
        check::operation(operation, schema)?;
        match operation {
            Operation::Write(batch) => batch.resolve_placeholders(schema),
            _ => Ok(()),
        }
    }

    /// Sends an operation that was admitted through the stations.
    async fn pass(&self, operation: Operation) -> Result<Outcome> {
        let next = Next::new(&self.inner.stations, self.inner.backend.as_ref());
        next.run(operation, &mut Context::default()).await
    }
}
