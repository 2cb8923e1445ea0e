//! What a hub knows of itself: what it counted, what went wrong lately, and what all groups have.

mod counted;
mod metrics;
mod overview;
mod recent;

use std::sync::Arc;

use syncline_core::{Clock, Result};
use syncline_shared_log_wire::admin::{RecentError, Totals};

pub(crate) use counted::Counted;
use metrics::{Levels, Metrics};
use overview::Overview;
use recent::Recent;

use crate::Hub;
use crate::record::Record;
use crate::store::{GroupSummary, HubStore};
use prometheus_client::metrics::gauge::Gauge;

/// What a hub knows of itself.
#[derive(Debug)]
pub(crate) struct Insight {
    metrics: Metrics,
    recent: Arc<Recent>,
    overview: Overview,
    started: i64,
}

impl Insight {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self {
            metrics: Metrics::default(),
            recent: Arc::default(),
            overview: Overview::default(),
            started: clock.now_millis(),
        }
    }

    /// The store, with its calls counted.
    pub(crate) fn watch(&self, store: Arc<dyn HubStore>, clock: Arc<dyn Clock>) -> Counted {
        Counted { store, metrics: self.metrics.clone(), recent: self.recent.clone(), clock }
    }

    /// Notes a request that was answered.
    pub(crate) fn request(&self, record: &Record<'_>, now: i64) {
        self.metrics.count(record);
        self.recent.request(record, now);
    }

    /// What went wrong lately, newest first; only in one group if one is named.
    pub(crate) fn errors(&self, group: Option<&str>) -> Vec<RecentError> {
        self.recent.all(group)
    }

    /// Counts the connections that are open.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.metrics.connections
    }

    /// When the hub started, in milliseconds since 1970.
    pub(crate) fn started(&self) -> i64 {
        self.started
    }
}

impl Hub {
    /// All groups, by name, as they were at most a second ago.
    pub(crate) async fn groups(&self) -> Result<Arc<Vec<GroupSummary>>> {
        self.insight().overview.groups(self.store().as_ref(), self.now()).await
    }

    /// Whether it takes requests now.
    pub(crate) async fn is_ready(&self) -> bool {
        let overview = &self.insight().overview;
        !self.is_stopping() && overview.is_ready(self.store().as_ref(), self.now()).await
    }

    /// What it counted, and what all groups have together.
    pub(crate) async fn totals(&self) -> Result<Totals> {
        let mut totals = overview::totals(&self.groups().await?);
        self.insight().metrics.fill(&mut totals);
        totals.subscribers = self.subscribers() as u64;
        Ok(totals)
    }

    /// Everything that is counted, as OpenMetrics text.
    pub(crate) async fn metrics(&self) -> Result<String> {
        let levels = Levels {
            // A store that is out of order is seen by `ready`, and by the metrics of the rest.
            totals: self.totals().await.unwrap_or_default(),
            is_ready: self.is_ready().await,
            memory: self.budget().taken() as u64,
            commits: self.store().commits(),
            started: self.insight().started,
        };
        self.insight().metrics.text(&levels)
    }
}
