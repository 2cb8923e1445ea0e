//! The objects of one collection, as an application reads and writes them.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{IntoFilter, LiveQuery, Query, StorageManager, TypedCollection};
use crate::operation::{Batch, Condition, Guard, Nested, Operation, Step, StepOutcome};
use crate::query::{Filter, Find};
use crate::schema::Collection;
use crate::value::{Key, Name, Object};
use crate::{Error, ErrorKind, Result};

/// The name of the guard that keeps `update_one` and `delete_one` to what they found.
const STILL_FIRST: &str = "still meets the filter";

/// How often a write that found its object changed looks again.
const ATTEMPTS: usize = 8;

/// The objects of one collection; cheap to clone.
///
/// # Example
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_backend_memory::MemoryBackend;
/// # use syncline_core::*;
/// use serde_json::json;
///
/// # pollster::block_on(async {
/// # let city = Collection::define("city")
/// #     .field("name", FieldType::String)
/// #     .optional("country", FieldType::String)
/// #     .optional("lat", FieldType::Float);
/// # let schema = Registry::new().collections(1, [city]).finish()?;
/// # let backend = Arc::new(MemoryBackend::default());
/// # let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// let cities = storage.collection("city")?;
/// let vila = cities.create(Object::new().with("id", "vila").with("name", "Vila")).await?;
///
/// let changed = cities.update(json!({ "name": "Vila" }), Object::new().with("lat", 42.5)).await?;
/// assert_eq!(changed, 1);
///
/// let north = cities.query(json!({ "lat": { "$gt": 40 } }));
/// let north = north.order_by("lat", Direction::Descending).limit(10).all().await?;
/// assert_eq!(north[0].value("id"), vila.value("id"));
///
/// cities.delete_limited(json!({ "name": "Vila" }), 1).await?;
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct CollectionHandle {
    manager: StorageManager,
    definition: Arc<Collection>,
}

impl CollectionHandle {
    pub(super) fn new(manager: StorageManager, definition: Arc<Collection>) -> Self {
        Self { manager, definition }
    }

    /// What the objects of this collection look like.
    pub fn definition(&self) -> &Arc<Collection> {
        &self.definition
    }

    /// The manager this handle belongs to.
    pub fn manager(&self) -> &StorageManager {
        &self.manager
    }

    /// The same collection, whose objects are read into and written from a Rust type.
    pub fn typed<T: Serialize + DeserializeOwned>(self) -> TypedCollection<T> {
        TypedCollection::new(self)
    }

    /// Stores a new object and answers with it as it was stored, its key included.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if its key or a unique value is taken, [`ErrorKind::Invalid`] if it
    /// contradicts the schema, or whatever the middlewares and the backend report.
    pub async fn create(&self, object: Object) -> Result<Object> {
        let batch = Batch::new().create(self.name(), object);
        let created = self.manager.write(batch, |_| true).await?.created.pop();
        created.map(|(_, object)| object).ok_or_else(|| Error::internal("a create created nothing"))
    }

    /// Stores several new objects in one batch, and answers with them in the same order.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); nothing is stored then.
    pub async fn create_many(
        &self,
        objects: impl IntoIterator<Item = Object>,
    ) -> Result<Vec<Object>> {
        let name = self.name();
        let batch = objects
            .into_iter()
            .fold(Batch::new(), |batch, object| batch.create(name.clone(), object));
        let receipt = self.manager.write(batch, |_| true).await?;
        Ok(receipt.created.into_iter().map(|(_, object)| object).collect())
    }

    /// Stores a new object together with its children, and answers with all of them.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create), and if the children do not fit the schema's relationships;
    /// nothing is stored then.
    pub async fn create_nested(&self, nested: Nested) -> Result<Nested> {
        let (batch, shape) = nested.flatten(&self.name(), self.manager.schema(), "new")?;
        let receipt = self.manager.write(batch, |_| true).await?;
        shape.nest(&mut receipt.created.into_iter().map(|(_, object)| object))
    }

    /// All objects that meet the filter, in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the filter contradicts the schema, [`ErrorKind::Unsupported`] if
    /// the backend cannot answer it, or whatever else it reports.
    pub async fn find(&self, filter: impl IntoFilter) -> Result<Vec<Object>> {
        self.query(filter).all().await
    }

    /// Begins a question with more to it than a filter.
    pub fn query(&self, filter: impl IntoFilter) -> Query {
        let find = filter.into_filter(&self.definition);
        let find = find.map(|filter| Find::new(self.name(), filter));
        Query::new(self.clone(), find, |object, _| Ok(object))
    }

    /// All objects that meet the filter, at once and again whenever that changed.
    ///
    /// # Errors
    ///
    /// As [`Query::watch`].
    pub fn watch(&self, filter: impl IntoFilter) -> Result<LiveQuery> {
        self.query(filter).watch()
    }

    /// The first object that meets the filter, by key.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_one(&self, filter: impl IntoFilter) -> Result<Option<Object>> {
        self.query(filter).first().await
    }

    /// The object with this primary key.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_by_key(&self, key: impl Into<Key>) -> Result<Option<Object>> {
        self.query(Filter::key(key)).first().await
    }

    /// How many objects meet the filter.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find); [`ErrorKind::Unsupported`] also if the backend does not count.
    pub async fn count(&self, filter: impl IntoFilter) -> Result<u64> {
        let filter = filter.into_filter(&self.definition)?;
        self.manager.execute(Operation::Count(self.name(), filter)).await?.counted()
    }

    /// Sets fields of every object that meets the filter, and answers how many those were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if a unique value is taken, [`ErrorKind::Invalid`] if filter or changes
    /// contradict the schema, or whatever the middlewares and the backend report.
    pub async fn update(&self, filter: impl IntoFilter, changes: Object) -> Result<u64> {
        let filter = filter.into_filter(&self.definition)?;
        let batch = Batch::new().update(self.name(), filter, changes);
        Ok(self.manager.write(batch, |_| false).await?.count())
    }

    /// Sets fields of the first object that meets the filter, by key; tells whether there was one.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update); [`ErrorKind::Conflict`] also if the object was changed by others
    /// again and again.
    pub async fn update_one(&self, filter: impl IntoFilter, changes: Object) -> Result<bool> {
        let filter = filter.into_filter(&self.definition)?;
        self.write_one(Step::Update { collection: self.name(), filter, changes }).await
    }

    /// Deletes every object that meets the filter, and answers how many those were.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the filter contradicts the schema, or whatever the middlewares and
    /// the backend report.
    pub async fn delete(&self, filter: impl IntoFilter) -> Result<u64> {
        self.any_delete(filter, None).await
    }

    /// Deletes every object that meets the filter, unless there are more than `limit`.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete), and if the deletion is too broad; nothing is deleted then.
    pub async fn delete_limited(&self, filter: impl IntoFilter, limit: u64) -> Result<u64> {
        self.any_delete(filter, Some(limit)).await
    }

    /// Deletes the first object that meets the filter, by key; tells whether there was one.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete); [`ErrorKind::Conflict`] also if the object was changed by others
    /// again and again.
    pub async fn delete_one(&self, filter: impl IntoFilter) -> Result<bool> {
        let filter = filter.into_filter(&self.definition)?;
        self.write_one(Step::Delete { collection: self.name(), filter, limit: None }).await
    }

    pub(super) fn name(&self) -> Name {
        self.definition.name().clone()
    }

    async fn any_delete(&self, filter: impl IntoFilter, limit: Option<u64>) -> Result<u64> {
        let filter = filter.into_filter(&self.definition)?;
        let batch = Batch::new().step(Step::Delete { collection: self.name(), filter, limit });
        Ok(self.manager.write(batch, |_| false).await?.count())
    }

    /// Carries out a step on the first object that meets its filter.
    async fn write_one(&self, step: Step) -> Result<bool> {
        let mut operation = Operation::Write(Batch::new().step(step));
        self.manager.admit(&mut operation)?;
        let Operation::Write(batch) = operation else {
            return Err(Error::internal("checking a write made it something else"));
        };
        let mut attempt = 1;
        loop {
            let Some(batch) = self.on_first(batch.clone()).await? else { return Ok(false) };
            match self.manager.pass(Operation::Write(batch)).await {
                Err(error) if error.guard() == Some(STILL_FIRST) && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
                Ok(outcome) => {
                    let did = outcome.written()?.pop();
                    let one = [StepOutcome::Updated(1), StepOutcome::Deleted(1)];
                    return Ok(did.is_some_and(|did| one.contains(&did)));
                }
            }
        }
    }

    /// Narrows a batch of one step to the first object that it is about, and guards that it still is.
    async fn on_first(&self, mut batch: Batch) -> Result<Option<Batch>> {
        let Some(Step::Update { filter, .. } | Step::Delete { filter, .. }) =
            batch.steps.last_mut()
        else {
            return Ok(None);
        };
        if matches!(self.definition.keys_in(filter), Some(keys) if keys.len() <= 1) {
            return Ok(Some(batch));
        }
        let mut fields = Vec::new();
        filter.each_field(&mut |name| fields.push(name.clone()));
        let find = Find::new(self.name(), filter.clone()).limit(1).select(fields.iter().cloned());
        let page = self.manager.pass(Operation::Find(find)).await?.found()?;
        let Some(object) = page.objects.into_iter().next() else { return Ok(None) };
        let key = self.definition.key_of(&object).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, "a stored object lacks a part of its primary key")
                .with("collection", self.definition.name())
        })?;

        *filter = Filter::key(key.clone());
        let looks = fields.into_iter().map(|name| {
            let value = object.value(&name).clone();
            (name, value)
        });
        let condition = Condition::Looks(key, looks.collect());
        let guard = Guard { name: STILL_FIRST.into(), collection: self.name(), condition };
        batch.steps.insert(0, Step::Guard(guard));
        Ok(Some(batch))
    }
}
