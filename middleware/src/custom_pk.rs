//! Gives new objects a primary key that no other device can pick.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use syncline_core::middleware::{Place, Setup};
use syncline_core::operation::Create;
use syncline_core::{
    Collection, Context, Error, MaybeSend, MaybeSync, Middleware, Next, Operation, Outcome, Result,
    Schema, Step, Value,
};
use uuid::Uuid;

/// Makes primary keys. Two calls, on this device or any other, never give the same key.
///
/// Every function from nothing to a [`Value`] is one.
pub trait KeySource: MaybeSend + MaybeSync {
    /// A key no object of the collection has yet.
    fn fresh(&self, collection: &Collection) -> Value;
}

impl<F: Fn() -> Value + MaybeSend + MaybeSync> KeySource for F {
    fn fresh(&self, _: &Collection) -> Value {
        self()
    }
}

/// UUIDs of version 7 as text. They begin with the time, and within one process each is greater than
/// the one before, so objects sort by when they were created and storage fills from one end.
///
/// # Example
///
/// ```
/// use syncline_core::{Collection, Registry};
/// use syncline_middleware::{KeySource, UuidV7};
///
/// let schema = Registry::new().collections(1, [Collection::define("city")]).finish()?;
/// let city = schema.collection("city")?;
/// assert!(UuidV7.fresh(city) < UuidV7.fresh(city));
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidV7;

impl KeySource for UuidV7 {
    fn fresh(&self, _: &Collection) -> Value {
        Value::Text(Uuid::now_v7().to_string())
    }
}

/// Fills in the primary key of created objects that come without one.
///
/// Devices that write while apart must not pick the same key, which is what a database that counts
/// upwards would have them do. Keys that are given are kept, and so are keys of several fields, which
/// only the application can fill.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use syncline_backend_memory::MemoryBackend;
/// use syncline_core::{Collection, FieldType, Object, Registry, StorageManager};
/// use syncline_middleware::CustomPk;
///
/// # pollster::block_on(async {
/// let city = Collection::define("city").field("name", FieldType::String);
/// let schema = Registry::new().collections(1, [city]).finish()?;
/// let storage = StorageManager::builder(Arc::new(MemoryBackend::default()))
///     .schema(schema)
///     .with(CustomPk::default())
///     .build()
///     .await?;
///
/// let vila = storage.collection("city")?.create(Object::new().with("name", "Vila")).await?;
/// assert_eq!(vila.value("id").as_text().map(str::len), Some(36));
/// # Ok::<(), syncline_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct CustomPk {
    keys: Arc<dyn KeySource>,
    schema: Arc<OnceLock<Arc<Schema>>>,
}

impl CustomPk {
    /// Fills in keys from `keys`.
    pub fn new(keys: impl KeySource + 'static) -> Self {
        Self { keys: Arc::new(keys), schema: Arc::default() }
    }

    fn schema(&self) -> Result<&Arc<Schema>> {
        self.schema.get().ok_or_else(|| Error::internal("CustomPk was asked before it was started"))
    }

    fn name(&self, create: &mut Create, schema: &Schema) -> Result<()> {
        let collection = schema.collection(&create.collection)?;
        let [field] = collection.key() else { return Ok(()) };
        let given = !create.object.value(field).is_null()
            || create.replace.iter().any(|replace| replace.field == *field);
        if given || collection.is_reserved() {
            return Ok(());
        }
        let key = self.keys.fresh(collection);
        if !collection.key_primitives().all(|primitive| primitive.holds(&key)) {
            return Err(Error::invalid(
                "the key generator makes keys of another type than the collection has; declare the \
                 key as text, give CustomPk a generator for this type, or give the object its key",
            )
            .with("collection", collection.name())
            .with("field", field)
            .with("generated", key.type_name()));
        }
        let _ = create.object.set(field.clone(), key);
        Ok(())
    }
}

impl Default for CustomPk {
    /// Fills in [UUIDs of version 7](UuidV7).
    fn default() -> Self {
        Self::new(UuidV7)
    }
}

impl fmt::Debug for CustomPk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomPk").finish_non_exhaustive()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Middleware for CustomPk {
    async fn process(
        &self,
        mut operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        if let Operation::Write(batch) = &mut operation {
            let schema = self.schema()?;
            for step in &mut batch.steps {
                if let Step::Create(create) = step {
                    self.name(create, schema)?;
                }
            }
            // Now that keys are known, the stations behind this one need no placeholders.
            batch.resolve_placeholders(schema)?;
        }
        next.run(operation, context).await
    }

    fn place(&self) -> Place {
        Place::Names
    }

    async fn start(&self, setup: &Setup) -> Result<()> {
        self.schema.set(setup.schema.clone()).map_err(|_| {
            Error::invalid("a CustomPk belongs to one manager; make another for another manager")
        })
    }
}
