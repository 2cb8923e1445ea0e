//! The backend: which connection does what.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use syncline_core::{Backend, Capability, Error, Filter, Find, Operation, Outcome, Result, Schema};

use crate::config::SqliteConfig;
use crate::connection::{Db, Role};
use crate::counters::{Counters, Tally};
use crate::error::SqliteError;
use crate::table::Tables;
use crate::{migrate, read, write};

/// Keeps objects in a SQLite database: each collection is a table, each field a column.
///
/// Cheap to copy; copies share the database. Several may be open on one file, in one process or in
/// several.
///
/// # Example
///
/// ```
/// use syncline_backend_sqlite::{SqliteBackend, SqliteConfig};
/// use syncline_core::Backend;
///
/// let backend = SqliteBackend::open_in_memory(SqliteConfig::default())?;
/// assert!(backend.capability().atomic_batch);
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteBackend {
    store: Arc<Store>,
}

struct Store {
    path: Option<PathBuf>,
    config: SqliteConfig,
    tally: Arc<Tally>,
    writer: Mutex<Db>,
    readers: Mutex<Readers>,
    returned: Condvar,
    tables: RwLock<Option<Arc<Tables>>>,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Db>,
    open: usize,
}

impl SqliteBackend {
    /// Opens the database in this file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](syncline_core::ErrorKind::NotFound) if the folder is not there.
    /// - [`Denied`](syncline_core::ErrorKind::Denied) if the file may not be opened.
    /// - [`Corrupt`](syncline_core::ErrorKind::Corrupt) if it is not a SQLite database.
    /// - [`Unsupported`](syncline_core::ErrorKind::Unsupported) if its file system cannot share memory
    ///   between processes, as network drives can't.
    /// - [`Unavailable`](syncline_core::ErrorKind::Unavailable) if another process holds it.
    pub fn open(path: impl AsRef<Path>, config: SqliteConfig) -> Result<Self> {
        Self::start(Some(path.as_ref().to_owned()), config)
    }

    /// Opens a new database in memory, which ends with the last copy of this backend.
    ///
    /// # Errors
    ///
    /// Hardly any: only if SQLite cannot start.
    pub fn open_in_memory(config: SqliteConfig) -> Result<Self> {
        Self::start(None, config)
    }

    fn start(path: Option<PathBuf>, config: SqliteConfig) -> Result<Self> {
        let tally = Arc::new(Tally::default());
        let writer = Db::open(path.as_deref(), &config, Role::Writer, tally.clone())?;
        let store = Store {
            path,
            config,
            tally,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            returned: Condvar::new(),
            tables: RwLock::default(),
        };
        Ok(Self { store: Arc::new(store) })
    }

    /// How much was asked of SQLite so far, over all copies of this backend.
    pub fn counters(&self) -> Counters {
        self.store.tally.read()
    }

    /// The schema that the database was last prepared for, or nothing if it never was.
    ///
    /// So a database can be opened by who does not know its schema.
    ///
    /// # Errors
    ///
    /// - [`Unsupported`](syncline_core::ErrorKind::Unsupported) if a newer version of this library
    ///   wrote it.
    /// - [`Corrupt`](syncline_core::ErrorKind::Corrupt) if what is stored is no schema.
    pub fn stored_schema(&self) -> Result<Option<Schema>> {
        Ok(self.store.read(migrate::stored_schema)?)
    }

    /// The schema that the database was last prepared for, as JSON.
    ///
    /// For schemas with custom field types: a [`Registry`](syncline_core::Registry) that knows them
    /// reads this.
    ///
    /// # Errors
    ///
    /// As those of [`stored_schema`](Self::stored_schema).
    pub fn stored_definition(&self) -> Result<Option<serde_json::Value>> {
        Ok(self.store.read(migrate::stored_definition)?)
    }

    /// Moves everything from the write-ahead log into the database file and empties the log.
    ///
    /// SQLite does so by itself from time to time; this is for before the file is copied or measured.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable) if another connection reads or writes.
    pub fn checkpoint(&self) -> Result<()> {
        Ok(self.store.writer().checkpoint()?)
    }

    /// How SQLite would find the objects, in its own words, for diagnostics.
    ///
    /// # Errors
    ///
    /// Those of the question itself.
    pub fn explain(&self, find: &Find) -> Result<Vec<String>> {
        let tables = self.store.tables()?;
        let table = tables.get(&find.collection)?;
        Ok(self.store.read(|db| read::explain(db, table, find))?)
    }

    /// Runs work where the application wants it.
    async fn at_work(&self, operation: Operation) -> Result<Outcome> {
        let Some(blocking) = self.store.config.blocking.clone() else {
            return Ok(self.store.execute(operation)?);
        };
        let answer = Arc::new(Mutex::new(None));
        let (store, slot) = (self.store.clone(), answer.clone());
        let work = move || {
            // Mapped here, because the thread that failed knows why its disk did not work.
            let outcome = store.execute(operation).map_err(Error::from);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        };
        blocking.run(Box::new(work)).await;
        let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| Err(SqliteError::Stopped.into()))
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for SqliteBackend {
    fn name(&self) -> &'static str {
        "sqlite"
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
        self.at_work(operation).await
    }
}

impl Store {
    fn execute(&self, operation: Operation) -> Result<Outcome, SqliteError> {
        match operation {
            Operation::Prepare(schema) => {
                let tables = migrate::prepare(&self.writer(), &schema)?;
                *self.tables.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::new(tables));
                Ok(Outcome::Prepared)
            }
            Operation::Find(find) => {
                let tables = self.tables()?;
                let table = tables.get(&find.collection)?;
                let page = match is_bounded(&find) {
                    true => self.read_soon(|db| read::find(db, table, &find)),
                    false => self.read(|db| read::find(db, table, &find)),
                };
                page.map(Outcome::Found)
            }
            Operation::Count(collection, filter) => {
                let tables = self.tables()?;
                let table = tables.get(&collection)?;
                self.read(|db| read::count(db, table, &filter)).map(Outcome::Counted)
            }
            Operation::Write(batch) => {
                let tables = self.tables()?;
                write::write(&self.writer(), &tables, batch).map(Outcome::Written)
            }
        }
    }

    fn tables(&self) -> Result<Arc<Tables>, SqliteError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.clone().ok_or(SqliteError::NotPrepared)
    }

    /// The one connection that writes.
    fn writer(&self) -> MutexGuard<'_, Db> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.roll_back();
        writer
    }

    /// Reads little: with the writing connection if it is idle, because what it just wrote is still in
    /// its memory, and other connections forget theirs with every write.
    fn read_soon<T>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        match self.writer.try_lock() {
            Ok(writer) => work(&writer),
            Err(_) => self.read(work),
        }
    }

    /// Reads beside whoever writes.
    fn read<T>(&self, work: impl FnOnce(&Db) -> Result<T, SqliteError>) -> Result<T, SqliteError> {
        let Some(path) = &self.path else { return work(&self.writer()) };
        let reader = Lent { store: self, reader: Some(self.reader(path)?) };
        match &reader.reader {
            Some(reader) => work(reader),
            None => Err(SqliteError::Stopped),
        }
    }

    fn reader(&self, path: &Path) -> Result<Db, SqliteError> {
        let most = self.config.readers.max(1);
        let readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut readers = self
            .returned
            .wait_while(readers, |readers| readers.idle.is_empty() && readers.open >= most)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = readers.idle.pop() {
            return Ok(reader);
        }
        let reader = Db::open(Some(path), &self.config, Role::Reader, self.tally.clone())?;
        readers.open += 1;
        Ok(reader)
    }
}

/// A reading connection on loan; it goes back when this ends, whatever happens.
struct Lent<'a> {
    store: &'a Store,
    reader: Option<Db>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut readers = self.store.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.idle.extend(self.reader.take());
        drop(readers);
        self.store.returned.notify_one();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path).field("config", &self.config).finish()
    }
}

/// Whether the answer takes little time, however many objects there are.
fn is_bounded(find: &Find) -> bool {
    find.order.is_empty() && find.skip == 0 && matches!(find.filter, Filter::Keys(_) | Filter::All)
}
