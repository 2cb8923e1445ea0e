//! The real hub: its router over a store in memory, reached in process by the real client.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use syncline::server::auth::Open;
use syncline::server::sqlite::SqliteStore;
use syncline::server::{Hub, HubConfig};
use syncline::shared_log::http::{
    Chunks, Fault, FaultKind, HttpLog, HttpLogConfig, Retry, Transport, Whole,
};
use syncline::{Group, Random, Result, Timer, async_trait};
use tower::ServiceExt;

use crate::time::{Time, WallClock};

/// A hub in process.
pub(crate) struct Router {
    store: SqliteStore,
    backup: Mutex<Option<SqliteStore>>,
    log: HttpLog,
}

impl Router {
    pub(crate) fn new(number: usize, group: &Group, time: &Arc<Time>) -> Result<Self> {
        let store = SqliteStore::open_in_memory()?;
        let clock = Arc::new(WallClock::new(time.clone(), 0, 0));
        // Rates are measured in the machine's time.
        let config = HubConfig { rate: 0, ..HubConfig::default() };
        let hub = Hub::new(config, Arc::new(store.clone()), Arc::new(Open), clock);
        let url = format!("http://hub-{number}.localhost");
        let mut config = HttpLogConfig::new(url, group.clone());
        // What goes wrong is told at once; the link between makes things go wrong.
        (config.retry, config.timer, config.random) =
            (Retry::never(), Arc::new(Patience), Arc::new(NoChance));
        let log = HttpLog::over(Arc::new(InProcess(hub.router())), config)?;
        Ok(Self { store, backup: Mutex::default(), log })
    }

    pub(crate) fn log(&self) -> HttpLog {
        self.log.clone()
    }

    /// Backs the store up, or puts the backup in its place.
    pub(crate) fn restore(&self) -> Result<Option<String>> {
        let mut backup = self.backup.lock().unwrap_or_else(PoisonError::into_inner);
        match backup.take() {
            None => {
                *backup = Some(self.store.copied()?);
                Ok(None)
            }
            Some(earlier) => {
                self.store.restore(&earlier)?;
                Ok(Some("what it was when it was backed up".to_owned()))
            }
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router").finish_non_exhaustive()
    }
}

/// Calls the router.
#[derive(Debug)]
struct InProcess(axum::Router);

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Box<dyn Chunks>>, Fault> {
        let broken = |error: axum::Error| Fault::new(FaultKind::Broken).caused_by(error);
        let answer = match self.0.clone().oneshot(request.map(Body::from)).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (head, body) = answer.into_parts();
        let whole = body.collect().await.map_err(broken)?.to_bytes();
        let chunks: Box<dyn Chunks> = Box::new(Whole::new(whole));
        Ok(Response::from_parts(head, chunks))
    }
}

/// Nothing takes time in process, so nothing is ever too late.
#[derive(Debug)]
struct Patience;

#[async_trait]
impl Timer for Patience {
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

/// What is never tried again needs no chance.
#[derive(Debug)]
struct NoChance;

impl Random for NoChance {
    fn bytes(&self) -> [u8; 16] {
        [0; 16]
    }
}
