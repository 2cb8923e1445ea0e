//! What a sync is about to change: told in any case, because a batch may be durable though nobody heard so.

use crate::change::{Change, ChangeFeed, Touched};

/// Changes that may be durable and were not told yet. If the sync ends without telling, because it failed or was
/// dropped, those who listen hear that something happened to these objects.
#[derive(Debug)]
pub(super) struct Untold {
    feed: ChangeFeed,
    touched: Touched,
    /// How many had come to listen when changes were told last: who came since may not have been cared for.
    moment: u64,
}

impl Untold {
    pub fn new(feed: ChangeFeed) -> Self {
        let moment = feed.moment();
        Self { feed, touched: Touched::default(), moment }
    }

    /// These are about to be written.
    pub fn expect(&mut self, changes: &[Change]) {
        self.touched = Touched::of_changes(changes);
    }

    /// These were written.
    pub async fn tell(&mut self, changes: &[Change]) {
        let moment = std::mem::replace(&mut self.moment, self.feed.moment());
        self.touched = Touched::default();
        self.feed.synced(changes, moment).await;
    }
}

impl Drop for Untold {
    fn drop(&mut self) {
        if !self.touched.is_empty() {
            self.feed.wrote(std::mem::take(&mut self.touched));
        }
    }
}
