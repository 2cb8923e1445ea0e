//! A store whose calls are counted.

use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::log::{Exchange, Peer, Receipt};
use syncline_core::{Clock, Error, Group, Result};
use syncline_shared_log_wire::kind_name;
use syncline_shared_log_wire::lease::Lease;

use super::metrics::Metrics;
use super::recent::Recent;
use crate::store::{Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms};

/// Passes everything on, counts what changed, and notes what went wrong.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) store: Arc<dyn HubStore>,
    pub(crate) metrics: Metrics,
    pub(crate) recent: Arc<Recent>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Counted {
    fn seen<T>(&self, group: Option<&Group>, answer: Result<T>) -> Result<T> {
        answer.inspect_err(|error: &Error| {
            self.metrics.store_failed(kind_name(error.kind()));
            self.recent.store(error, group, self.clock.now_millis());
        })
    }

    fn changed<T>(&self, group: &Group, answer: Result<T>) -> Result<T> {
        self.seen(Some(group), answer).inspect(|_| {
            self.metrics.changes.inc();
        })
    }

    /// Counts what was appended: how many entries each new segment has is not known any more afterwards.
    fn count(&self, entries: &[u64], answer: &Answer) {
        for (entries, receipt) in entries.iter().zip(answer.exchanged.receipts.iter().flatten()) {
            match receipt {
                Receipt::Stored => {
                    self.metrics.segments.inc();
                    self.metrics.entries.inc_by(*entries);
                }
                Receipt::Known => {
                    self.metrics.known.inc();
                }
            }
        }
    }
}

#[async_trait]
impl HubStore for Counted {
    async fn exchange(&self, group: &Group, request: Exchange, terms: &Terms) -> Result<Answer> {
        let appended = request.append.iter().flat_map(|append| &append.segments);
        let entries: Vec<u64> = appended.map(|segment| segment.header().entries).collect();
        let changes = request.join || request.acknowledge.is_some();
        let answer = self.seen(Some(group), self.store.exchange(group, request, terms).await)?;
        self.count(&entries, &answer);
        if changes || answer.is_news {
            self.metrics.changes.inc();
        }
        Ok(answer)
    }

    async fn peers(&self, group: &Group) -> Result<Vec<Peer>> {
        self.seen(Some(group), self.store.peers(group).await)
    }

    async fn newest(&self, groups: &[Group]) -> Result<Vec<u64>> {
        self.seen(None, self.store.newest(groups).await)
    }

    async fn groups(&self) -> Result<Vec<GroupSummary>> {
        self.seen(None, self.store.groups().await)
    }

    async fn lease(&self, group: &Group, change: LeaseChange, terms: &Terms) -> Result<Lease> {
        self.changed(group, self.store.lease(group, change, terms).await)
    }

    async fn leases(&self, group: &Group, now: i64) -> Result<Vec<Lease>> {
        self.seen(Some(group), self.store.leases(group, now).await)
    }

    async fn items(
        &self,
        group: &Group,
        request: ItemRequest,
        terms: &Terms,
    ) -> Result<ItemAnswer> {
        let changes = matches!(
            request,
            ItemRequest::Upload(_) | ItemRequest::Flush(_) | ItemRequest::Restore(..)
        );
        let answer = self.store.items(group, request, terms).await;
        if changes { self.changed(group, answer) } else { self.seen(Some(group), answer) }
    }

    async fn check(&self) -> Result<()> {
        self.seen(None, self.store.check().await)
    }

    fn commits(&self) -> Option<u64> {
        self.store.commits()
    }

    async fn close(&self) -> Result<()> {
        self.seen(None, self.store.close().await)
    }
}
