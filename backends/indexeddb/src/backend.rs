//! The backend: one connection, opened again whenever another tab or the browser made it let go.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::{Backend, Capability, Operation, Outcome, Result, Schema};
use tokio::sync::Mutex;
use wasm_bindgen_futures::JsFuture;

use crate::config::IndexedDbConfig;
use crate::connection::Connection;
use crate::error::{self, IndexedDbError};
use crate::glue;
use crate::prepare::{self, Store};
use crate::read;
use crate::storage::{self, StorageReport};
use crate::write::{Writing, write_at_once};

/// How often an operation is begun anew because the connection was closed under it.
const TRIES: usize = 8;

/// Keeps objects in a database of the browser: each collection is an object store.
///
/// Cheap to copy; copies share the connection. Any number of tabs and workers may have the same database
/// open.
///
/// # Example
///
/// ```no_run
/// # #[cfg(target_family = "wasm")] {
/// # async fn example() -> syncline_core::Result<()> {
/// use syncline_backend_indexeddb::{IndexedDbBackend, IndexedDbConfig};
/// use syncline_core::Backend;
///
/// let backend = IndexedDbBackend::open(IndexedDbConfig::new("notes")).await?;
/// assert!(backend.capability().atomic_batch);
/// # Ok(())
/// # } }
/// ```
#[derive(Clone)]
pub struct IndexedDbBackend {
    shared: Rc<Shared>,
}

struct Shared {
    config: IndexedDbConfig,
    state: Mutex<State>,
}

/// How far the database is.
enum State {
    /// Open, and not prepared for any schema.
    Open(Connection),
    /// Prepared for a schema.
    Ready(Rc<Store>, Arc<Schema>),
    /// Being prepared; whoever did that gave up.
    Closed(Option<Arc<Schema>>),
}

impl IndexedDbBackend {
    /// Opens a database, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// - [`Unsupported`](syncline_core::ErrorKind::Unsupported) if there is no IndexedDB here, or this page
    ///   may not use it, as in some private windows. Data can be kept in memory then.
    /// - [`Unavailable`](syncline_core::ErrorKind::Unavailable) if another tab changes the database and does
    ///   not come to an end, or the browser fails.
    /// - [`Invalid`](syncline_core::ErrorKind::Invalid) if the database belongs to something else.
    pub async fn open(config: IndexedDbConfig) -> Result<Self> {
        let connection = prepare::open(&config).await?;
        let state = Mutex::new(State::Open(connection));
        Ok(Self { shared: Rc::new(Shared { config, state }) })
    }

    /// Whether there is an IndexedDB here. It may still refuse to open a database, as in some private
    /// windows.
    pub fn is_available() -> bool {
        glue::has_indexed_db()
    }

    /// Deletes a database. Whoever has it open lets go of it, and finds it gone.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable) if somebody does not let go.
    pub async fn delete_database(config: &IndexedDbConfig) -> Result<()> {
        if !glue::has_indexed_db() {
            let told = "this environment has no global `indexedDB`".to_owned();
            return Err(IndexedDbError::Missing { told }.into());
        }
        let deleted = glue::delete_database(&config.name, config.patience_millis());
        let deleted = JsFuture::from(deleted).await;
        deleted.map_err(|thrown| IndexedDbError::from_opening(&thrown, &config.name))?;
        Ok(())
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        &self.shared.config.name
    }

    /// What the browser promises for this page's data, and how much of its room is used.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable) if the browser fails.
    pub async fn storage(&self) -> Result<StorageReport> {
        Ok(storage::report().await?)
    }

    /// Asks the browser to keep this page's data until the user deletes it, and says whether it will.
    ///
    /// Some browsers ask the user. Workers may not ask at all.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable) if the browser fails.
    pub async fn persist(&self) -> Result<bool> {
        Ok(storage::persist().await?)
    }

    async fn prepare(&self, schema: Arc<Schema>) -> error::Result<()> {
        let config = &self.shared.config;
        let mut state = self.shared.state.lock().await;
        for _ in 0..TRIES {
            let known = state.schema();
            let connection = match std::mem::replace(&mut *state, State::Closed(known)) {
                State::Open(connection) if !connection.is_gone() => connection,
                // Questions under way keep the old connection until they are answered.
                _ => prepare::open(config).await?,
            };
            match prepare::prepare(connection, &schema, config).await {
                Ok(store) => {
                    *state = State::Ready(Rc::new(store), schema);
                    return Ok(());
                }
                Err(IndexedDbError::Closed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(IndexedDbError::Overtaken)
    }

    /// The open database, opened again if it was closed.
    async fn store(&self) -> error::Result<Rc<Store>> {
        let mut state = self.shared.state.lock().await;
        if let State::Ready(store, _) = &*state
            && !store.connection.is_gone()
        {
            return Ok(store.clone());
        }
        let schema = state.schema().ok_or(IndexedDbError::Unprepared)?;
        let store = Rc::new(prepare::reopen(&self.shared.config, &schema).await?);
        *state = State::Ready(store.clone(), schema);
        Ok(store)
    }

    /// Does something with the open database; anew if its connection was closed before that began.
    async fn with_store<T>(
        &self,
        work: impl AsyncFn(&Store) -> error::Result<T>,
    ) -> error::Result<T> {
        for _ in 0..TRIES {
            let store = self.store().await?;
            match work(&store).await {
                Err(IndexedDbError::Closed { .. }) => store.connection.close(),
                other => return other,
            }
        }
        Err(IndexedDbError::Overtaken)
    }

    async fn carry_out(&self, operation: Operation) -> error::Result<Outcome> {
        match operation {
            Operation::Prepare(schema) => self.prepare(schema).await.map(|()| Outcome::Prepared),
            Operation::Find(find) => self
                .with_store(async |store| read::find(store, &find).await)
                .await
                .map(Outcome::Found),
            Operation::Count(name, filter) => {
                let count = self.with_store(async |store| read::count(store, &name, &filter).await);
                count.await.map(Outcome::Counted)
            }
            // A transaction is over some store.
            Operation::Write(batch) if batch.steps.is_empty() => Ok(Outcome::Written(Vec::new())),
            Operation::Write(batch) => {
                let at_once = async |store: &Store| write_at_once(store, &batch).await;
                if let Some(outcomes) = self.with_store(at_once).await? {
                    return Ok(Outcome::Written(outcomes));
                }
                let begun = self.with_store(async |store| Writing::begin(store, &batch)).await?;
                begun.carry_out(batch).await.map(Outcome::Written)
            }
        }
    }
}

impl State {
    fn schema(&self) -> Option<Arc<Schema>> {
        match self {
            Self::Open(_) => None,
            Self::Ready(_, schema) => Some(schema.clone()),
            Self::Closed(schema) => schema.clone(),
        }
    }
}

#[async_trait(?Send)]
impl Backend for IndexedDbBackend {
    fn name(&self) -> &'static str {
        "indexeddb"
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
        Ok(self.carry_out(operation).await?)
    }
}

impl fmt::Debug for IndexedDbBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexedDbBackend").field("config", &self.shared.config).finish()
    }
}
