//! The objects of one collection as values of a Rust type.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CollectionHandle, IntoFilter, LiveQuery, Query};
use crate::Result;
use crate::value::{self, Key, Object};

/// The objects of one collection, read into and written from a type by way of serde.
///
/// What the type's fields may be is told at [`value::to_object`] and [`value::from_object`].
///
/// # Example
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_backend_memory::MemoryBackend;
/// # use syncline_core::*;
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// #[derive(Serialize, Deserialize)]
/// struct City {
///     id: String,
///     name: String,
///     country: Option<String>,
/// }
///
/// # pollster::block_on(async {
/// # let city = Collection::define("city")
/// #     .field("name", FieldType::String)
/// #     .optional("country", FieldType::String)
/// #     .optional("lat", FieldType::Float);
/// # let schema = Registry::new().collections(1, [city]).finish()?;
/// # let backend = Arc::new(MemoryBackend::default());
/// # let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// let cities = storage.collection("city")?.typed::<City>();
/// let vila = City { id: "vila".into(), name: "Vila".into(), country: Some("AD".into()) };
/// let _ = cities.create(&vila).await?;
///
/// let found = cities.find(json!({ "country": "AD" })).await?;
/// assert_eq!(found[0].name, "Vila");
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
pub struct TypedCollection<T> {
    handle: CollectionHandle,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> TypedCollection<T> {
    pub(super) fn new(handle: CollectionHandle) -> Self {
        Self { handle, of: PhantomData }
    }

    /// The same collection without the type.
    pub fn untyped(&self) -> &CollectionHandle {
        &self.handle
    }

    /// Stores a new object and answers with it as it was stored, its key included.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::create`], and if the value does not fit the schema.
    pub async fn create(&self, value: &T) -> Result<T> {
        self.read(self.handle.create(self.object(value)?).await?)
    }

    /// Stores several new objects in one batch, and answers with their keys in the same order.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create); nothing is stored then.
    pub async fn create_many<'a>(&self, values: impl IntoIterator<Item = &'a T>) -> Result<Vec<Key>>
    where
        T: 'a,
    {
        let mut batch = self.handle.manager().batch();
        for value in values {
            batch = batch.create(self.handle.name(), self.object(value)?);
        }
        Ok(batch.run().await?.keys().cloned().collect())
    }

    /// All objects that meet the filter, in the order of their keys.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::find`], and if an object does not fit the type.
    pub async fn find(&self, filter: impl IntoFilter) -> Result<Vec<T>> {
        self.query(filter).all().await
    }

    /// Begins a question with more to it than a filter.
    pub fn query(&self, filter: impl IntoFilter) -> Query<T> {
        self.handle.query(filter).decoded(value::from_object)
    }

    /// All objects that meet the filter, at once and again whenever that changed.
    ///
    /// # Errors
    ///
    /// As [`Query::watch`].
    pub fn watch(&self, filter: impl IntoFilter) -> Result<LiveQuery<T>> {
        self.query(filter).watch()
    }

    /// The first object that meets the filter, by key.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_one(&self, filter: impl IntoFilter) -> Result<Option<T>> {
        self.query(filter).first().await
    }

    /// The object with this primary key.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub async fn find_by_key(&self, key: impl Into<Key>) -> Result<Option<T>> {
        self.query(key.into()).first().await
    }

    /// How many objects meet the filter.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::count`].
    pub async fn count(&self, filter: impl IntoFilter) -> Result<u64> {
        self.handle.count(filter).await
    }

    /// Sets the fields of `changes` in every object that meets the filter; `None` empties a field.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::update`], and if the changes do not fit the schema.
    pub async fn update(
        &self,
        filter: impl IntoFilter,
        changes: &(impl Serialize + ?Sized),
    ) -> Result<u64> {
        self.handle.update(filter, self.object(changes)?).await
    }

    /// Sets the fields of `changes` in the first object that meets the filter, by key.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::update_one`], and if the changes do not fit the schema.
    pub async fn update_one(
        &self,
        filter: impl IntoFilter,
        changes: &(impl Serialize + ?Sized),
    ) -> Result<bool> {
        self.handle.update_one(filter, self.object(changes)?).await
    }

    /// Deletes every object that meets the filter, and answers how many those were.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::delete`].
    pub async fn delete(&self, filter: impl IntoFilter) -> Result<u64> {
        self.handle.delete(filter).await
    }

    /// Deletes every object that meets the filter, unless there are more than `limit`.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::delete_limited`].
    pub async fn delete_limited(&self, filter: impl IntoFilter, limit: u64) -> Result<u64> {
        self.handle.delete_limited(filter, limit).await
    }

    /// Deletes the first object that meets the filter, by key; tells whether there was one.
    ///
    /// # Errors
    ///
    /// As [`CollectionHandle::delete_one`].
    pub async fn delete_one(&self, filter: impl IntoFilter) -> Result<bool> {
        self.handle.delete_one(filter).await
    }

    /// A value as an object of this collection, such as a step of a batch wants it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the value does not fit the schema.
    pub fn object(&self, value: &(impl Serialize + ?Sized)) -> Result<Object> {
        value::to_object(value, self.handle.definition())
    }

    fn read(&self, object: Object) -> Result<T> {
        value::from_object(object, self.handle.definition())
    }
}

impl<T> Clone for TypedCollection<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), of: PhantomData }
    }
}

impl<T> fmt::Debug for TypedCollection<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedCollection").field(&self.handle).finish()
    }
}
