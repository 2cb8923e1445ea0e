//! A place in memory where replicas meet: for tests, and the reference for every other shared log.
//!
//! Segments are numbered in the order they come. A cursor is a number and the hash of everything up to
//! it, so a log that was restored from a backup never takes a cursor for one of its own that it is not.

mod error;
mod held;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use syncline_core::log::{Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline_core::{Clock, Group, ReplicaId, Result, SharedLog};

use crate::error::MemoryError;
use crate::held::Held;

/// A shared log in memory; clones share it, [copies](Self::copied) do not.
///
/// # Example
///
/// ```
/// use syncline_core::log::{After, Fetch, VersionVector};
/// use syncline_core::{ReplicaId, SharedLog};
/// use syncline_shared_log_memory::MemoryLog;
///
/// # pollster::block_on(async {
/// let log = MemoryLog::new("family".parse()?);
/// let phone = ReplicaId([1; 16]);
/// log.join(phone).await?;
///
/// let everything = Fetch {
///     replica: phone,
///     after: After::Known(VersionVector::default()),
///     limit_bytes: 1 << 20,
///     limit_entries: 1_000,
/// };
/// let fetched = log.clone().fetch(&everything).await?;
/// assert!(fetched.segments.is_empty() && !fetched.more);
/// # Ok::<(), syncline_core::Error>(())
/// # }).expect("memory is always ready");
/// ```
#[derive(Clone)]
pub struct MemoryLog {
    group: Group,
    name: Arc<str>,
    clock: Option<Arc<dyn Clock>>,
    state: Arc<Mutex<State>>,
}

/// How often a log was asked for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Calls of [`SharedLog::join`].
    pub join: u64,
    /// Calls of [`SharedLog::append`].
    pub append: u64,
    /// Calls of [`SharedLog::fetch`].
    pub fetch: u64,
    /// Calls of [`SharedLog::acknowledge`].
    pub acknowledge: u64,
    /// Calls of [`SharedLog::peers`].
    pub peers: u64,
}

impl Requests {
    /// All calls together.
    pub fn total(&self) -> u64 {
        self.join + self.append + self.fetch + self.acknowledge + self.peers
    }
}

#[derive(Clone, Debug, Default)]
struct State {
    held: Held,
    requests: Requests,
}

impl MemoryLog {
    /// An empty log of this group.
    pub fn new(group: Group) -> Self {
        let name = format!("memory:{group}").into();
        Self { group, name, clock: None, state: Arc::default() }
    }

    /// Gives the log another name: a database that syncs with several tells them apart by it.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Lets the log know the time, as a hub does.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Another log of the same name that holds the same now, and goes its own way from here: a backup to
    /// restore, or the start of several tests.
    ///
    /// # Example
    ///
    /// ```
    /// # use syncline_core::{ReplicaId, SharedLog};
    /// # use syncline_shared_log_memory::MemoryLog;
    /// # pollster::block_on(async {
    /// let log = MemoryLog::new("family".parse()?);
    /// let before = log.copied();
    /// log.join(ReplicaId([1; 16])).await?;
    /// assert_eq!((log.peers().await?.len(), before.peers().await?.len()), (1, 0));
    /// # Ok::<(), syncline_core::Error>(())
    /// # }).expect("memory is always ready");
    /// ```
    #[must_use]
    pub fn copied(&self) -> Self {
        let state = Arc::new(Mutex::new(self.state().clone()));
        Self { state, ..self.clone() }
    }

    /// How often the log was asked for what, by all clones together.
    pub fn requests(&self) -> Requests {
        self.state().requests
    }

    /// How many segments the log holds.
    pub fn segments(&self) -> usize {
        self.state().held.len()
    }

    /// Forgets every segment behind the first `segments`, as if the log was restored from a backup.
    pub fn truncate_to(&self, segments: usize) {
        self.state().held.truncate(segments);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn check_group(&self, segments: &[Segment]) -> Result<(), MemoryError> {
        let other = segments.iter().find(|segment| segment.header().group != self.group);
        other.map_or(Ok(()), |segment| {
            let segment = segment.header().group.clone();
            Err(MemoryError::OtherGroup { here: self.group.clone(), segment })
        })
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl SharedLog for MemoryLog {
    fn name(&self) -> String {
        self.name.to_string()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        let mut state = self.state();
        state.requests.join += 1;
        state.held.join(replica);
        Ok(())
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let mut state = self.state();
        state.requests.append += 1;
        self.check_group(segments)?;
        Ok(state.held.append(segments)?)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let mut state = self.state();
        state.requests.fetch += 1;
        let cut = state.held.cut(request)?;
        Ok(Fetched {
            segments: cut.segments,
            cursor: cut.cursor,
            more: cut.more,
            own: state.held.chains().heads(request.replica),
            time: self.clock.as_ref().map(|clock| clock.now_millis()),
            damaged: Vec::new(),
        })
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let mut state = self.state();
        state.requests.acknowledge += 1;
        state.held.acknowledge(replica, known.clone());
        Ok(())
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        let mut state = self.state();
        state.requests.peers += 1;
        Ok(state.held.peers())
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog")
            .field("group", &self.group)
            .field("segments", &self.segments())
            .finish_non_exhaustive()
    }
}
