//! The way from a replica to a shared log: slow, lossy, and sometimes cut.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use syncline::log::{Exchange, Exchanged, Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::{Error, ErrorKind, ReplicaId, Result, SharedLog, async_trait};

use crate::dice::Dice;
use crate::tasks::Work;
use crate::time::Time;

/// What goes wrong on the way at present.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    /// Nothing goes through.
    pub(crate) cut: AtomicBool,
    /// How many requests in a hundred are lost on their way.
    pub(crate) loses: AtomicU32,
    /// How many answers in a hundred are lost.
    pub(crate) forgets: AtomicU32,
    /// How many requests in a hundred come again later.
    pub(crate) repeats: AtomicU32,
    /// The most milliseconds that a way takes.
    pub(crate) delay: AtomicU32,
}

impl Weather {
    /// Puts everything right.
    pub(crate) fn clear(&self) {
        self.cut.store(false, Ordering::Relaxed);
        for chance in [&self.loses, &self.forgets, &self.repeats] {
            chance.store(0, Ordering::Relaxed);
        }
    }
}

/// Requests that come again later: the world lets them go their way.
#[derive(Default)]
pub(crate) struct Echoes(Mutex<Vec<Work>>);

impl Echoes {
    pub(crate) fn take(&self) -> Vec<Work> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, work: Work) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(work);
    }
}

/// How many requests went through.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) requests: AtomicU64,
}

/// A shared log as one replica reaches it.
pub(crate) struct Link {
    pub(crate) to: Arc<dyn SharedLog>,
    pub(crate) time: Arc<Time>,
    pub(crate) dice: Dice,
    pub(crate) weather: Arc<Weather>,
    pub(crate) echoes: Arc<Echoes>,
    pub(crate) traffic: Arc<Traffic>,
}

impl Link {
    fn percent(&self, chance: &AtomicU32) -> bool {
        self.dice.percent(chance.load(Ordering::Relaxed))
    }

    async fn travel(&self) {
        let most = self.weather.delay.load(Ordering::Relaxed);
        self.time.sleep(self.dice.below(most as usize + 1) as i64).await;
    }

    fn lost(&self) -> Result<()> {
        if self.weather.cut.load(Ordering::Relaxed) || self.percent(&self.weather.loses) {
            return Err(Error::new(ErrorKind::Unavailable, "the simulated network lost a request"));
        }
        Ok(())
    }

    /// Goes there and back.
    async fn through<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.travel().await;
        self.lost()?;
        let _ = self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        let answer = call.await;
        self.travel().await;
        if self.weather.cut.load(Ordering::Relaxed) || self.percent(&self.weather.forgets) {
            return Err(Error::new(ErrorKind::Unavailable, "the simulated network lost an answer"));
        }
        answer
    }

    /// Lets a request come again later, of which nobody hears the answer.
    fn echo<F: Future<Output = ()> + Send + 'static>(
        &self,
        call: impl FnOnce(Arc<dyn SharedLog>) -> F,
    ) {
        if self.percent(&self.weather.repeats) {
            let (time, delay) = (self.time.clone(), self.dice.between(1, 20_000));
            let call = call(self.to.clone());
            self.echoes.add(Box::pin(async move {
                time.sleep(delay).await;
                call.await;
            }));
        }
    }
}

#[async_trait]
impl SharedLog for Link {
    fn name(&self) -> String {
        self.to.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.echo(|to| async move { drop(to.join(replica).await) });
        self.through(self.to.join(replica)).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let again = segments.to_vec();
        self.echo(|to| async move { drop(to.append(&again).await) });
        self.through(self.to.append(segments)).await
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        self.through(self.to.fetch(request)).await
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let again = known.clone();
        self.echo(|to| async move { drop(to.acknowledge(replica, &again).await) });
        self.through(self.to.acknowledge(replica, known)).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.through(self.to.peers()).await
    }

    fn is_far(&self) -> bool {
        self.to.is_far()
    }

    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        let again = request.clone();
        self.echo(|to| async move { drop(to.exchange(&again).await) });
        self.through(self.to.exchange(request)).await
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("to", &self.to).finish_non_exhaustive()
    }
}
