//! Keeps objects in memory: for tests, and the reference that every other backend is measured against.
//!
//! Nothing outlives the last handle. Everything a backend can declare is declared; what other
//! storage answers with an index is answered here by the primary key or by looking at every object.

mod access;
mod error;
mod table;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use syncline_core::sorted::SortedMap;
use syncline_core::value::Name;
use syncline_core::{
    Backend, Batch, Capability, Filter, Find, Operation, Outcome, Page, Result, Schema,
};

use crate::error::MemoryError;
use crate::table::Table;

/// A place in memory to keep objects; clones share it, [copies](Self::copied) do not.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
///
/// use syncline_backend_memory::MemoryBackend;
/// use syncline_core::{Batch, Collection, Find, Filter, Object, Operation, Registry, run};
///
/// # pollster::block_on(async {
/// let backend = MemoryBackend::default();
/// let schema = Registry::new().collections(1, [Collection::define("city")]).finish()?;
/// run(&backend, Operation::Prepare(Arc::new(schema))).await?;
///
/// let vila = Object::new().with("id", "vila");
/// run(&backend, Operation::Write(Batch::new().create("city", vila.clone()))).await?;
///
/// let all = Operation::Find(Find::new("city", Filter::All));
/// assert_eq!(run(&backend.clone(), all).await?.found()?.objects, [vila]);
/// # Ok::<(), syncline_core::Error>(())
/// # }).expect("memory is always ready");
/// ```
#[derive(Clone, Default)]
pub struct MemoryBackend {
    tables: Arc<Mutex<Tables>>,
}

/// Every collection's objects, by the collection's name.
type Tables = SortedMap<Name, Table>;

impl MemoryBackend {
    /// Another place that holds the same now, and goes its own way from here: a backup to restore, or the
    /// start of several tests.
    ///
    /// # Example
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use syncline_backend_memory::MemoryBackend;
    /// # use syncline_core::{Batch, Collection, Filter, Object, Operation, Registry, run};
    /// # pollster::block_on(async {
    /// # let backend = MemoryBackend::default();
    /// # let schema = Registry::new().collections(1, [Collection::define("city")]).finish()?;
    /// # run(&backend, Operation::Prepare(Arc::new(schema))).await?;
    /// let before = backend.copied();
    /// run(&backend, Operation::Write(Batch::new().create("city", Object::new().with("id", "vila")))).await?;
    ///
    /// let count = Operation::Count("city".into(), Filter::All);
    /// assert_eq!(run(&backend, count.clone()).await?.counted()?, 1);
    /// assert_eq!(run(&before, count).await?.counted()?, 0);
    /// # Ok::<(), syncline_core::Error>(())
    /// # }).expect("memory is always ready");
    /// ```
    #[must_use]
    pub fn copied(&self) -> Self {
        Self { tables: Arc::new(Mutex::new(self.tables().clone())) }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn prepare(&self, schema: &Schema) -> Result<(), MemoryError> {
        let mut tables = self.tables();
        for collection in schema.collections() {
            if let Some(table) = tables.get(collection.name()) {
                table.check_key(collection)?;
            }
        }
        for collection in schema.collections() {
            match tables.get_mut(collection.name()) {
                Some(table) => table.collection = collection.clone(),
                None => {
                    let table = Table::new(collection.clone());
                    let _ = tables.insert(collection.name().clone(), table);
                }
            }
        }
        Ok(())
    }

    fn find(&self, find: &Find) -> Result<Page, MemoryError> {
        Ok(table(&self.tables(), &find.collection)?.find(find))
    }

    fn count(&self, collection: &Name, filter: &Filter) -> Result<u64, MemoryError> {
        Ok(table(&self.tables(), collection)?.count(filter))
    }

    fn write(&self, batch: Batch) -> Result<Outcome, MemoryError> {
        write::apply(&mut self.tables(), batch).map(Outcome::Written)
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for MemoryBackend {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capability(&self) -> Capability {
        let mut capability = Capability::default();
        capability.atomic_batch = true;
        capability.compare = true;
        capability.count = true;
        capability.full_text = true;
        capability.order_by_one = true;
        capability.order_by_many = true;
        capability.skip = true;
        capability
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        let outcome = match operation {
            Operation::Prepare(schema) => self.prepare(&schema).map(|()| Outcome::Prepared),
            Operation::Find(find) => self.find(&find).map(Outcome::Found),
            Operation::Count(name, filter) => self.count(&name, &filter).map(Outcome::Counted),
            Operation::Write(batch) => self.write(batch),
        };
        outcome.map_err(Into::into)
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.tables();
        f.write_str("MemoryBackend")?;
        tables.iter().try_for_each(|(name, table)| write!(f, " {name}: {}", table.rows.len()))
    }
}

fn table<'a>(tables: &'a Tables, name: &Name) -> Result<&'a Table, MemoryError> {
    tables.get(name).ok_or_else(|| MemoryError::NotPrepared { collection: name.clone() })
}
