//! Batches as an application writes them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{IntoFilter, StorageManager};
use crate::operation::{Batch, Condition, Create, Nested, Replace, Step, StepOutcome};
use crate::value::{Key, Name, Object};
use crate::{Error, Result};

/// Collects writes that happen together or not at all.
///
/// Mistakes are reported by [`run`](Self::run), not while the batch is put together.
///
/// # Example
///
/// An object and one that refers to it, before either has a key:
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_backend_memory::MemoryBackend;
/// # use syncline_core::*;
/// # pollster::block_on(async {
/// # let key = FieldType::AutoPk;
/// # let user = Collection::define("user").field("id", key.clone()).field("name", FieldType::String);
/// # let email = Collection::define("email").field("id", key).child_of("user");
/// # let email = email.field("address", FieldType::String);
/// # let schema = Registry::new().collections(1, [user, email]).finish()?;
/// # let backend = Arc::new(MemoryBackend::default());
/// # let storage = StorageManager::builder(backend).schema(schema).build().await?;
/// let report = storage
///     .batch()
///     .create_as("jane", "user", Object::new().with("name", "Jane"))
///     .create_as("mail", "email", Object::new().with("address", "jane@example.com"))
///     .replace("user", "jane")
///     .run()
///     .await?;
///
/// let (jane, mail) = (report.object("jane")?, report.object("mail")?);
/// assert_eq!(mail.value("user"), jane.value("id"));
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a batch does nothing until it is run"]
pub struct BatchBuilder {
    manager: StorageManager,
    batch: Batch,
    mistake: Option<Error>,
}

/// What a batch did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchReport {
    outcomes: Vec<StepOutcome>,
    objects: BTreeMap<String, Object>,
}

impl BatchBuilder {
    pub(super) fn new(manager: StorageManager) -> Self {
        Self { manager, batch: Batch::new(), mistake: None }
    }

    /// Creates an object.
    pub fn create(self, collection: impl Into<Name>, object: Object) -> Self {
        let collection = collection.into();
        self.step(Step::Create(Create { collection, object, ..Create::default() }))
    }

    /// Creates an object under a placeholder, by which [`replace`](Self::replace) and the report
    /// find it.
    pub fn create_as(
        self,
        placeholder: impl Into<String>,
        collection: impl Into<Name>,
        object: Object,
    ) -> Self {
        let (collection, placeholder) = (collection.into(), Some(placeholder.into()));
        self.step(Step::Create(Create { collection, object, placeholder, replace: Vec::new() }))
    }

    /// Lets a field of the last created object take the key of the object under a placeholder.
    pub fn replace(mut self, field: impl Into<Name>, placeholder: impl Into<String>) -> Self {
        let replace = Replace { field: field.into(), placeholder: placeholder.into() };
        match self.batch.steps.last_mut() {
            Some(Step::Create(create)) => create.replace.push(replace),
            _ => self.complain(Error::invalid("`replace` goes right behind the create it is for")),
        }
        self
    }

    /// Creates an object and its children under placeholders: the object's own, and for each child
    /// its parent's, the name of the children and the position, such as `jane.emails.0`.
    pub fn create_nested_as(
        mut self,
        placeholder: impl AsRef<str>,
        collection: impl AsRef<str>,
        nested: Nested,
    ) -> Self {
        let schema = self.manager.schema().clone();
        match nested.flatten(collection.as_ref(), &schema, placeholder.as_ref()) {
            Ok((batch, _)) => self.batch.steps.extend(batch.steps),
            Err(error) => self.complain(error),
        }
        self
    }

    /// Sets fields of every object that meets the filter.
    pub fn update(
        mut self,
        collection: impl Into<Name>,
        filter: impl IntoFilter,
        changes: Object,
    ) -> Self {
        let collection = collection.into();
        match self.filter(&collection, filter) {
            Some(filter) => self.step(Step::Update { collection, filter, changes }),
            None => self,
        }
    }

    /// Deletes every object that meets the filter.
    pub fn delete(self, collection: impl Into<Name>, filter: impl IntoFilter) -> Self {
        self.any_delete(collection.into(), filter, None)
    }

    /// Deletes every object that meets the filter; fails the batch if there are more than `limit`.
    pub fn delete_limited(
        self,
        collection: impl Into<Name>,
        filter: impl IntoFilter,
        limit: u64,
    ) -> Self {
        self.any_delete(collection.into(), filter, Some(limit))
    }

    /// Fails the batch, with a [`Conflict`](crate::ErrorKind::Conflict) of this name, unless the
    /// condition holds at this place.
    pub fn guard(
        mut self,
        name: impl Into<Cow<'static, str>>,
        collection: impl Into<Name>,
        condition: Condition,
    ) -> Self {
        self.batch = self.batch.guard(name, collection, condition);
        self
    }

    /// Adds any step.
    pub fn step(mut self, step: Step) -> Self {
        self.batch.steps.push(step);
        self
    }

    /// Writes the batch. An empty one is fine, and does nothing.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a step contradicts the schema.
    /// - [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if a key or unique value is taken, or a
    ///   guard does not hold.
    /// - Whatever the middlewares and the backend report. Nothing was written then.
    pub async fn run(self) -> Result<BatchReport> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let mut names: Vec<(usize, String)> = Vec::new();
        for (position, step) in self.batch.steps.iter().enumerate() {
            if let Step::Create(Create { placeholder: Some(placeholder), .. }) = step {
                names.push((position, placeholder.clone()));
            }
        }
        let receipt = self.manager.write(self.batch, |create| create.placeholder.is_some()).await?;
        let objects = receipt.created.into_iter().zip(names);
        let objects = objects.map(|((_, object), (_, name))| (name, object)).collect();
        Ok(BatchReport { outcomes: receipt.outcomes, objects })
    }

    fn any_delete(mut self, collection: Name, filter: impl IntoFilter, limit: Option<u64>) -> Self {
        match self.filter(&collection, filter) {
            Some(filter) => self.step(Step::Delete { collection, filter, limit }),
            None => self,
        }
    }

    fn filter(
        &mut self,
        collection: &str,
        filter: impl IntoFilter,
    ) -> Option<crate::query::Filter> {
        let definition = self.manager.schema().collection(collection).cloned();
        match definition.and_then(|definition| filter.into_filter(&definition)) {
            Ok(filter) => Some(filter),
            Err(error) => {
                self.complain(error);
                None
            }
        }
    }

    /// Remembers the first mistake, with its place.
    fn complain(&mut self, error: Error) {
        let step = self.batch.steps.len();
        let _ = self.mistake.get_or_insert_with(|| error.with("step", step));
    }
}

impl BatchReport {
    /// The object that was created under a placeholder, as it was stored, its key included.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if no step had this placeholder.
    pub fn object(&self, placeholder: &str) -> Result<&Object> {
        self.objects.get(placeholder).ok_or_else(|| {
            Error::new(crate::ErrorKind::NotFound, "no step of the batch had this placeholder")
                .with("placeholder", placeholder)
        })
    }

    /// All objects that were created under placeholders, by placeholder.
    pub fn objects(&self) -> &BTreeMap<String, Object> {
        &self.objects
    }

    /// What each step did, in the order of the steps.
    pub fn outcomes(&self) -> &[StepOutcome] {
        &self.outcomes
    }

    /// The keys of all created objects, in the order of the steps.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            StepOutcome::Created(key) => Some(key),
            _ => None,
        })
    }
}
