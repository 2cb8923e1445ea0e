//! What an application tells a continuous sync.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What an application tells a [`ContinuousSync`](super::ContinuousSync) that runs. Copies are cheap.
#[derive(Clone, Debug, Default)]
pub struct SyncHandle(Arc<Control>);

#[derive(Debug, Default)]
struct Control {
    wishes: Mutex<Wishes>,
    told: Notify,
}

/// What was asked for and not done yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// To end.
    pub stop: bool,
    /// To rest.
    pub pause: bool,
    /// A sync.
    pub now: bool,
    /// A sync, if one failed.
    pub again: bool,
}

impl SyncHandle {
    /// Syncs now, or again when the sync at hand has ended; also while paused or waiting after a failure.
    pub fn sync_now(&self) {
        self.tell(|wishes| wishes.now = true);
    }

    /// What stood in the way may be gone: there are other credentials, or the network is back. Syncs if the last
    /// sync failed, and ends a pause that a denial began. Does nothing otherwise.
    pub fn try_again(&self) {
        self.tell(|wishes| wishes.again = true);
    }

    /// Lets no more sync come by itself; one that runs goes on to its end.
    pub fn pause(&self) {
        self.tell(|wishes| wishes.pause = true);
    }

    /// Ends any pause, and syncs.
    pub fn resume(&self) {
        self.tell(|wishes| {
            wishes.pause = false;
            wishes.again = true;
        });
    }

    /// Ends, after the sync at hand.
    pub fn stop(&self) {
        self.tell(|wishes| wishes.stop = true);
    }

    fn tell(&self, wish: impl FnOnce(&mut Wishes)) {
        wish(&mut self.wishes());
        self.0.told.notify_one();
    }

    /// What is wished for. Syncs that were asked for are asked for once.
    pub(super) fn take(&self) -> Wishes {
        let mut wishes = self.wishes();
        let taken = *wishes;
        (wishes.now, wishes.again) = (false, false);
        taken
    }

    /// Waits until something was told since the last time.
    pub(super) async fn told(&self) {
        self.0.told.notified().await;
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.0.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
