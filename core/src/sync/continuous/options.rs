//! How continuous sync works, and what it tells.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::sync::{SyncOptions, SyncReport};
use crate::timer::Backoff;
use crate::{ErrorKind, MaybeSend, MaybeSync};

/// How a [`ContinuousSync`](super::ContinuousSync) works.
#[derive(Clone, Debug)]
pub struct ContinuousOptions {
    /// How each single sync works.
    pub sync: SyncOptions,
    /// How long after a sync the next one comes in any case: a minute. With nothing, only what happens makes one.
    pub interval: Option<Duration>,
    /// How long no local write may come before what was written is sent: 200 milliseconds. So many small writes
    /// make one sync.
    pub quiet: Duration,
    /// How long after a local write it is sent, even if more and more come: 2 seconds.
    pub longest_quiet: Duration,
    /// How long to wait after a sync that failed: from 1 second to 5 minutes. A log may ask for more.
    pub backoff: Backoff,
    /// Hears what is done.
    pub observer: Option<Arc<dyn ContinuousObserver>>,
}

impl Default for ContinuousOptions {
    fn default() -> Self {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(5 * 60));
        Self {
            sync: SyncOptions::default(),
            interval: Some(Duration::from_secs(60)),
            quiet: Duration::from_millis(200),
            longest_quiet: Duration::from_secs(2),
            backoff: Backoff { first, longest },
            observer: None,
        }
    }
}

/// Hears what a continuous sync does.
pub trait ContinuousObserver: Debug + MaybeSend + MaybeSync {
    /// Called as things happen; must not block.
    fn on_event(&self, event: &ContinuousEvent);
}

/// Something that happened while syncing continuously.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ContinuousEvent {
    /// A sync begins.
    Started(Cause),
    /// It ended well.
    Finished(SyncReport),
    /// It failed. Nothing is lost; what comes next is told as well.
    Failed {
        /// How.
        kind: ErrorKind,
        /// In words.
        message: String,
    },
    /// The log is out of reach.
    Offline,
    /// The log is in reach again.
    Online,
    /// After a failure, the next sync comes at this time at the latest, in milliseconds since 1970.
    Waiting {
        /// When.
        until: i64,
    },
    /// No sync comes by itself until this ends.
    Paused(Pause),
    /// Syncs come by themselves again.
    Resumed,
    /// It was stopped; nothing comes any more.
    Stopped,
    /// It had a [lead](crate::client::Lead) and lost it: another tab or process syncs now, and nothing comes any
    /// more.
    LeadLost,
}

/// Why no sync comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The application asked for it.
    Asked,
    /// The log denied it: other credentials are needed, then
    /// [`try_again`](super::SyncHandle::try_again).
    Denied,
}

/// Why a sync begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It is the first one.
    Start,
    /// The application asked for it.
    Asked,
    /// The last one is long enough ago, or has left something to do.
    Due,
    /// The application wrote something.
    Written,
    /// The log has news.
    Notice,
    /// The last one failed, and enough time has passed or the obstacle may be gone.
    Again,
    /// A pause has ended.
    Resumed,
}
