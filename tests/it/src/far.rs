//! A shared log that is far away, as a hub is: one round trip answers several questions.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use syncline::log::{
    After, Exchange, Exchanged, Fetch, Fetched, Peer, Receipt, Segment, VersionVector,
};
use syncline::shared_log::memory::MemoryLog;
use syncline::{Error, ErrorKind, ReplicaId, Result, SharedLog, async_trait};

/// A log that is far away.
#[derive(Debug)]
pub struct Far {
    /// What holds everything.
    pub inner: MemoryLog,
    /// Refuses segments with stamps behind this time, in milliseconds, unless they are frozen.
    pub latest: AtomicU64,
    /// Loses its next answer.
    pub loses: AtomicBool,
    requests: AtomicU64,
}

impl Far {
    /// Puts a log far away.
    pub fn new(inner: MemoryLog) -> Self {
        let latest = AtomicU64::new(u64::MAX);
        Self { inner, latest, loses: AtomicBool::new(false), requests: AtomicU64::new(0) }
    }

    /// How many round trips there were since this was last asked.
    pub fn requests(&self) -> u64 {
        self.requests.swap(0, Ordering::SeqCst)
    }

    fn check(&self, segments: &[Segment]) -> Result<()> {
        let latest = self.latest.load(Ordering::SeqCst);
        let ahead =
            |segment: &&Segment| segment.header().greatest.millis().cast_unsigned() > latest;
        match segments.iter().find(ahead) {
            Some(_) => Err(Error::new(ErrorKind::ClockSkew, "this comes from the future")),
            None => Ok(()),
        }
    }

    fn answer<T>(&self, answer: T) -> Result<T> {
        let _ = self.requests.fetch_add(1, Ordering::SeqCst);
        if self.loses.swap(false, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the answer was lost"));
        }
        Ok(answer)
    }
}

#[async_trait]
impl SharedLog for Far {
    fn name(&self) -> String {
        format!("far {}", self.inner.name())
    }

    fn is_far(&self) -> bool {
        true
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.answer(self.inner.join(replica).await?)
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        self.check(segments)?;
        self.answer(self.inner.append(segments).await?)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        self.answer(self.inner.fetch(request).await?)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.answer(self.inner.acknowledge(replica, known).await?)
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.answer(self.inner.peers().await?)
    }

    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        if let Some(append) = request.append.as_ref().filter(|append| !append.frozen) {
            self.check(&append.segments)?;
        }
        let mut exchanged = self.inner.exchange(request).await?;
        if let (Some(fetch), Some(fetched), Some(_)) =
            (&request.fetch, &mut exchanged.fetched, &exchanged.receipts)
            && !fetched.more
        {
            // Who appended need not fetch it again.
            let after = After::Cursor(fetched.cursor.clone());
            let rest =
                Fetch { after, limit_bytes: usize::MAX, limit_entries: u64::MAX, ..fetch.clone() };
            fetched.cursor = self.inner.fetch(&rest).await?.cursor;
        }
        self.answer(exchanged)
    }
}
