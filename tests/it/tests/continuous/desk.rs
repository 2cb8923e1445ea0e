//! A log that tells its news, fails when it is told to, and lets a test look at each sync.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline::log::{Fetch, Fetched, Notices, Peer, Receipt, Segment, VersionVector};
use syncline::shared_log::memory::MemoryLog;
use syncline::{Error, ErrorKind, ReplicaId, Result, SharedLog, async_trait};
use tokio::sync::watch;

/// What several desks share.
#[derive(Clone, Debug)]
pub struct Hub {
    log: MemoryLog,
    newest: watch::Sender<usize>,
}

impl Hub {
    pub fn new() -> Self {
        let log = MemoryLog::new("test".parse().expect("a valid name"));
        Self { log, newest: watch::Sender::new(0) }
    }

    /// A way to the hub of its own.
    pub fn desk(&self) -> Arc<Desk> {
        Arc::new(Desk {
            hub: self.clone(),
            seen: Mutex::default(),
            fault: Mutex::default(),
            deaf: Mutex::default(),
            open: watch::Sender::new(true),
            inside: AtomicBool::default(),
            fetches: AtomicU64::default(),
        })
    }
}

/// One client's way to the hub.
#[derive(Debug)]
pub struct Desk {
    hub: Hub,
    seen: Mutex<usize>,
    fault: Mutex<Option<(ErrorKind, u64)>>,
    deaf: Mutex<Option<ErrorKind>>,
    open: watch::Sender<bool>,
    inside: AtomicBool,
    fetches: AtomicU64,
}

impl Desk {
    /// Everything fails in this way from now on, or goes well again.
    pub fn fails(&self, kind: impl Into<Option<ErrorKind>>) {
        self.fails_for(kind, 0);
    }

    /// The same, and asks to be left alone for so many seconds.
    pub fn fails_for(&self, kind: impl Into<Option<ErrorKind>>, seconds: u64) {
        *locked(&self.fault) = kind.into().map(|kind| (kind, seconds));
    }

    /// It tells no news from now on, but fails in this way.
    pub fn is_deaf(&self, kind: impl Into<Option<ErrorKind>>) {
        *locked(&self.deaf) = kind.into();
    }

    /// Keeps whoever fetches waiting, or lets them through.
    pub fn opens(&self, open: bool) {
        let _ = self.open.send_replace(open);
    }

    /// Tells news where there are none.
    pub fn cries_wolf(&self) {
        *locked(&self.seen) = usize::MAX;
        self.hub.newest.send_modify(|_| ());
    }

    /// How often it was fetched.
    pub fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<()> {
        match *locked(&self.fault) {
            Some((kind, 0)) => Err(Error::new(kind, "told to fail")),
            Some((kind, seconds)) => Err(Error::new(kind, "told to fail").with("seconds", seconds)),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl SharedLog for Desk {
    fn name(&self) -> String {
        self.hub.log.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.check()?;
        self.hub.log.join(replica).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.check()?;
        let receipts = self.hub.log.append(segments).await?;
        *locked(&self.seen) = self.hub.log.segments();
        let _ = self.hub.newest.send_replace(self.hub.log.segments());
        Ok(receipts)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let _ = self.fetches.fetch_add(1, Ordering::SeqCst);
        assert!(!self.inside.swap(true, Ordering::SeqCst), "two syncs run at once");
        let mut open = self.open.subscribe();
        let _ = open.wait_for(|open| *open).await.expect("the desk is there");
        self.inside.store(false, Ordering::SeqCst);
        self.check()?;
        let fetched = self.hub.log.fetch(request).await?;
        *locked(&self.seen) = self.hub.log.segments();
        Ok(fetched)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.check()?;
        self.hub.log.acknowledge(replica, known).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.check()?;
        self.hub.log.peers().await
    }
}

#[async_trait]
impl Notices for Desk {
    async fn changed(&self) -> Result<()> {
        if let Some(kind) = *locked(&self.deaf) {
            return Err(Error::new(kind, "told to be deaf"));
        }
        let mut newest = self.hub.newest.subscribe();
        let is_news = |newest: &usize| *newest != *locked(&self.seen);
        let newest = *newest.wait_for(is_news).await.expect("the hub is there");
        *locked(&self.seen) = newest;
        Ok(())
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
