//! A shared log so slow that others do something while it is asked.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use syncline::log::{Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::{ReplicaId, Result, SharedLog, async_trait};

/// A moment in a call to a shared log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An append has taken effect, and has not answered yet.
    Appended,
    /// A fetch was asked for, and has not begun yet.
    Fetching,
    /// The members were asked for, and have not been looked up yet.
    Peers,
}

/// What others do, once.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A shared log in which others do something while the first call of a kind is under way.
pub struct Slow {
    /// What does the work.
    pub inner: Arc<dyn SharedLog>,
    moment: Moment,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl Slow {
    /// Lets something happen at a moment, the first time that it comes.
    pub fn new(
        inner: Arc<dyn SharedLog>,
        moment: Moment,
        meanwhile: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self { inner, moment, meanwhile: Mutex::new(Some(Box::pin(meanwhile))) }
    }

    async fn at(&self, moment: Moment) {
        let happens = {
            let mut meanwhile = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
            meanwhile.take_if(|_| self.moment == moment)
        };
        if let Some(happens) = happens {
            happens.await;
        }
    }
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slow").field("moment", &self.moment).finish_non_exhaustive()
    }
}

#[async_trait]
impl SharedLog for Slow {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.inner.join(replica).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let receipts = self.inner.append(segments).await;
        self.at(Moment::Appended).await;
        receipts
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        self.at(Moment::Fetching).await;
        self.inner.fetch(request).await
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.inner.acknowledge(replica, known).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.at(Moment::Peers).await;
        self.inner.peers().await
    }
}
