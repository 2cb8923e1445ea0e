//! The store: which thread does what.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use syncline_core::log::{Exchange, Peer};
use syncline_core::{ErrorKind, Group, Result};
use syncline_server::{
    Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms,
};
use syncline_shared_log_wire::lease::Lease;

use crate::config::{Mode, SqliteStoreConfig};
use crate::connection::{self, Role};
use crate::counters::{Counters, Tally};
use crate::error::StoreError;
use crate::group::{self, GroupRow};
use crate::inline::Inline;
use crate::job::Weigh;
use crate::log::{self, Question};
use crate::threads::Threads;
use crate::{items, lease};

/// Keeps what a hub holds in one SQLite file.
///
/// Cheap to copy; copies share the store. Several may be open on one file, in one process or in several.
///
/// # Example
///
/// ```
/// use syncline_core::log::Exchange;
/// use syncline_core::{Group, ReplicaId};
/// use syncline_server::{HubStore, Terms};
/// use syncline_server_sqlite::SqliteStore;
///
/// # pollster::block_on(async {
/// let store = SqliteStore::open_in_memory()?;
/// let group: Group = "family".parse()?;
/// let (quota, answer_bytes, groups, replicas) = (1 << 30, 1 << 20, 10, 10);
/// let terms = Terms { now: 0, quota, latest: 0, keep_epochs: 0, answer_bytes, groups, replicas };
///
/// let joins = Exchange { join: true, ..Exchange::of(ReplicaId([1; 16])) };
/// let _ = store.exchange(&group, joins, &terms).await?;
/// assert_eq!(store.peers(&group).await?.len(), 1);
/// # Ok::<(), syncline_core::Error>(())
/// # }).expect("memory has room");
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    place: Arc<Place>,
    path: Option<PathBuf>,
    config: SqliteStoreConfig,
    tally: Arc<Tally>,
}

#[derive(Debug)]
enum Place {
    Threads(Threads),
    Inline(Inline),
}

impl SqliteStore {
    /// Opens the store in this file, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](syncline_core::ErrorKind::NotFound) if the folder is not there.
    /// - [`Denied`](syncline_core::ErrorKind::Denied) if the file may not be opened.
    /// - [`Corrupt`](syncline_core::ErrorKind::Corrupt) if it is not a SQLite database, and
    ///   [`Invalid`](syncline_core::ErrorKind::Invalid) if it is one of another program.
    /// - [`Unsupported`](syncline_core::ErrorKind::Unsupported) if a newer version made it, or its file system
    ///   cannot share memory between processes, as network drives can't.
    /// - [`Unavailable`](syncline_core::ErrorKind::Unavailable) if another process holds it.
    pub fn open(path: impl AsRef<Path>, config: SqliteStoreConfig) -> Result<Self> {
        let (path, tally) = (path.as_ref(), Arc::new(Tally::default()));
        let place = match config.mode {
            Mode::Threads => Place::Threads(Threads::start(path, &config, tally.clone())?),
            Mode::Inline => {
                let connection = connection::open(Some(path), &config, Role::Writer)?;
                Place::Inline(Inline::new(connection, tally.clone()))
            }
        };
        Ok(Self { place: Arc::new(place), path: Some(path.to_owned()), config, tally })
    }

    /// Opens a new store in memory, which ends with its last copy. It works [inline](Mode::Inline).
    ///
    /// # Errors
    ///
    /// Hardly any: only if SQLite cannot start.
    pub fn open_in_memory() -> Result<Self> {
        let config = SqliteStoreConfig { mode: Mode::Inline, ..SqliteStoreConfig::default() };
        let connection = connection::open(None, &config, Role::Writer)?;
        Ok(Self::in_memory(connection, config))
    }

    /// How much was done so far, by all copies of this store.
    pub fn counters(&self) -> Counters {
        self.tally.counters()
    }

    /// Another store, in memory, that holds the same now and goes its own way from here.
    ///
    /// For simulations and tests: a backup to [restore](Self::restore), or the start of several runs.
    ///
    /// # Errors
    ///
    /// If the store is closed or cannot be read.
    pub fn copied(&self) -> Result<Self> {
        let config = SqliteStoreConfig { mode: Mode::Inline, ..self.config.clone() };
        let mut copy = connection::open(None, &config, Role::Writer)?;
        match (&*self.place, &self.path) {
            (Place::Inline(inline), _) => inline.with(|from| back_up(from, &mut copy))?,
            (Place::Threads(_), path) => {
                let from = connection::open(path.as_deref(), &self.config, Role::Reader)?;
                back_up(&from, &mut copy)?;
            }
        }
        Ok(Self::in_memory(copy, config))
    }

    /// Makes this store hold what another one holds, and nothing else: as an operator does who puts an old backup
    /// in its place.
    ///
    /// For simulations and tests, of an [inline](Mode::Inline) store only.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](syncline_core::ErrorKind::Unsupported) if it works on threads of its own; what SQLite
    /// says if it cannot be done.
    pub fn restore(&self, earlier: &Self) -> Result<()> {
        let Place::Inline(inline) = &*self.place else { return Err(StoreError::NotInline.into()) };
        let copy = earlier.copied()?;
        let Place::Inline(copy) = &*copy.place else { return Err(StoreError::NotInline.into()) };
        copy.with(|from| Ok(inline.with(|to| back_up(from, to))?))
    }

    fn in_memory(connection: Connection, config: SqliteStoreConfig) -> Self {
        let tally = Arc::new(Tally::default());
        let place = Arc::new(Place::Inline(Inline::new(connection, tally.clone())));
        Self { place, path: None, config, tally }
    }

    async fn write<T: Send + Weigh + 'static>(
        &self,
        bytes: usize,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        match &*self.place {
            Place::Threads(threads) => threads.write(bytes, Box::new(work)).await,
            Place::Inline(inline) => inline.write(work),
        }
    }

    /// Where a group is full, makes room by what was kept for a while only, as long as that helps.
    async fn write_where_room_is_made<T: Send + Weigh + 'static>(
        &self,
        group: &Group,
        now: i64,
        bytes: usize,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T> {
        const CLEARED: i64 = 10_000;
        loop {
            let error = match self.write(bytes, work.clone()).await {
                Err(error) if error.kind() == ErrorKind::Full => error,
                answer => return answer,
            };
            let group = group.clone();
            let cleared = self.write(0, move |connection| {
                let Some(mut row) = GroupRow::find(connection, &group)? else { return Ok(0) };
                let cleared = items::expire(connection, &mut row, now, CLEARED)?;
                row.save(connection)?;
                Ok(cleared)
            });
            if cleared.await.unwrap_or(0) == 0 {
                return Err(error);
            }
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        match &*self.place {
            Place::Threads(threads) => threads.read(work).await,
            Place::Inline(inline) => inline.read(work),
        }
    }
}

#[async_trait]
impl HubStore for SqliteStore {
    async fn exchange(&self, group: &Group, request: Exchange, terms: &Terms) -> Result<Answer> {
        let question = Arc::new(Question { group: group.clone(), request, terms: *terms });
        if !question.appends() {
            let asked = question.clone();
            if let Some(answer) = self.read(move |connection| log::look(connection, &asked)).await?
            {
                return Ok(answer);
            }
        }
        let (bytes, now) = (question.bytes(), terms.now);
        let work = move |connection: &Connection| log::change(connection, &question);
        self.write_where_room_is_made(group, now, bytes, work).await
    }

    async fn peers(&self, group: &Group) -> Result<Vec<Peer>> {
        let group = group.clone();
        self.read(move |connection| log::peers(connection, &group)).await
    }

    async fn newest(&self, groups: &[Group]) -> Result<Vec<u64>> {
        let groups = groups.to_vec();
        self.read(move |connection| group::newest(connection, &groups)).await
    }

    async fn groups(&self) -> Result<Vec<GroupSummary>> {
        self.read(group::summaries).await
    }

    async fn lease(&self, group: &Group, change: LeaseChange, terms: &Terms) -> Result<Lease> {
        let (group, terms) = (group.clone(), *terms);
        self.write(0, move |connection| lease::change(connection, &group, &change, &terms)).await
    }

    async fn leases(&self, group: &Group, now: i64) -> Result<Vec<Lease>> {
        let group = group.clone();
        self.read(move |connection| lease::list(connection, &group, now)).await
    }

    async fn items(&self, group: &Group, ask: ItemRequest, terms: &Terms) -> Result<ItemAnswer> {
        let (of, terms) = (group.clone(), *terms);
        if !items::changes(&ask) {
            return self.read(move |connection| items::answer(connection, &of, &ask, &terms)).await;
        }
        let (bytes, ask) = (items::bytes(&ask), Arc::new(ask));
        let work = move |connection: &Connection| items::answer(connection, &of, &ask, &terms);
        self.write_where_room_is_made(group, terms.now, bytes, work).await
    }

    async fn check(&self) -> Result<()> {
        self.read(|connection| {
            Ok(connection.query_row("SELECT checks FROM hub_state", [], |_| Ok(()))?)
        })
        .await?;
        self.write(0, |connection| {
            let mut statement =
                connection.prepare_cached("UPDATE hub_state SET checks = checks + 1")?;
            let _ = statement.execute([])?;
            Ok(())
        })
        .await
    }

    fn commits(&self) -> Option<u64> {
        Some(self.counters().commits)
    }

    async fn close(&self) -> Result<()> {
        match &*self.place {
            Place::Threads(threads) => threads.close().await,
            Place::Inline(inline) => inline.close(),
        }
    }
}

fn back_up(from: &Connection, to: &mut Connection) -> Result<(), StoreError> {
    const ALL: i32 = -1;
    match Backup::new(from, to)?.step(ALL)? {
        StepResult::Done => Ok(()),
        // Somebody writes to either of them. Trying again at once would keep the processor busy for as long.
        _ => {
            let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            Err(rusqlite::Error::SqliteFailure(busy, None).into())
        }
    }
}
