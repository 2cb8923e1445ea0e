//! What an operator sees of all groups, looked up at most once a second, however many look.

use std::sync::Arc;

use syncline_core::Result;
use syncline_shared_log_wire::admin::Totals;
use tokio::sync::Mutex;

use crate::store::{GroupSummary, HubStore};

/// So long, in milliseconds, what was looked up counts.
const FRESH: i64 = 1_000;

/// What was looked up last.
#[derive(Debug, Default)]
pub(crate) struct Overview {
    groups: Mutex<Option<(i64, Arc<Vec<GroupSummary>>)>>,
    ready: Mutex<Option<(i64, bool)>>,
}

impl Overview {
    /// All groups, by name.
    pub(crate) async fn groups(
        &self,
        store: &dyn HubStore,
        now: i64,
    ) -> Result<Arc<Vec<GroupSummary>>> {
        let mut last = self.groups.lock().await;
        if let Some((_, groups)) = last.as_ref().filter(|(at, _)| is_fresh(*at, now)) {
            return Ok(groups.clone());
        }
        let mut groups = store.groups().await?;
        groups.sort_unstable_by(|one, other| one.group.cmp(&other.group));
        let groups = Arc::new(groups);
        *last = Some((now, groups.clone()));
        Ok(groups)
    }

    /// Whether the store can read and write. Everyone may ask, so it is not tried each time.
    pub(crate) async fn is_ready(&self, store: &dyn HubStore, now: i64) -> bool {
        let mut last = self.ready.lock().await;
        if let Some((_, ready)) = last.filter(|(at, _)| is_fresh(*at, now)) {
            return ready;
        }
        let ready = store.check().await.is_ok();
        *last = Some((now, ready));
        ready
    }
}

/// A clock that stepped back makes nothing fresh for ever.
fn is_fresh(at: i64, now: i64) -> bool {
    (0..FRESH).contains(&now.saturating_sub(at))
}

/// What all groups have together.
pub(crate) fn totals(groups: &[GroupSummary]) -> Totals {
    let sum = |part: fn(&GroupSummary) -> u64| groups.iter().map(part).fold(0, u64::saturating_add);
    Totals {
        groups: groups.len() as u64,
        segments: sum(|group| group.segments),
        entries: sum(|group| group.entries),
        items: sum(|group| group.items),
        bytes: sum(|group| group.bytes),
        ..Totals::default()
    }
}
