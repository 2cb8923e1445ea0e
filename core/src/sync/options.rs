//! What a caller may tune, and what a sync tells.

use std::fmt::Debug;
use std::sync::Arc;

use crate::client::{Lead, SendHook};
use crate::log::{Codec, Damage, Write};
use crate::merge::Discard;
use crate::{MaybeSend, MaybeSync, ReplicaId};

/// A part of a sync, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Fetches what others wrote.
    Receive,
    /// Sends what this replica wrote.
    Share,
    /// Applies what was received and not applied yet.
    Integrate,
    /// Removes what everybody has.
    CleanUp,
}

/// How a sync works.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// The most entries in one segment.
    pub upload_entries: u64,
    /// The most bytes of entries in one segment; an entry that is larger goes alone.
    pub upload_bytes: usize,
    /// The most entries in one fetch, unless one segment holds more.
    pub download_entries: u64,
    /// About the most bytes in one fetch, unless one segment holds more.
    pub download_bytes: usize,
    /// Own entries that everybody has are cleaned away when at least so many can go: removing each single
    /// one is not worth its transaction.
    pub clean_up_entries: u64,
    /// Fetches one page and sends one segment, then stops and says that it is not finished.
    pub single_batch: bool,
    /// The stages to leave out.
    pub skip: Vec<Stage>,
    /// How segments are encoded.
    pub codec: Codec,
    /// Sees each own entry once, before it is cut.
    pub send_hook: Option<Arc<dyn SendHook>>,
    /// Sees each entry of others before it is applied.
    pub receive_hook: Option<Arc<dyn ReceiveHook>>,
    /// Decides between stages whether to go on.
    pub continue_sync: Option<Arc<dyn ContinueSync>>,
    /// Hears what the sync does.
    pub observer: Option<Arc<dyn SyncObserver>>,
    /// The lead by which it writes: once another one is taken, the sync fails and writes nothing any more.
    pub lead: Option<Lead>,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            upload_entries: 20_000,
            upload_bytes: 1 << 20,
            download_entries: 20_000,
            download_bytes: 4 << 20,
            clean_up_entries: 1_000,
            single_batch: false,
            skip: Vec::new(),
            codec: Codec::default(),
            send_hook: None,
            receive_hook: None,
            continue_sync: None,
            observer: None,
            lead: None,
        }
    }
}

impl SyncOptions {
    pub(crate) fn does(&self, stage: Stage) -> bool {
        !self.skip.contains(&stage)
    }

    pub(crate) fn tell(&self, event: SyncEvent) {
        if let Some(observer) = &self.observer {
            observer.on_event(&event);
        }
    }
}

/// Sees each entry of others before it is applied.
pub trait ReceiveHook: Debug + MaybeSend + MaybeSync {
    /// May change the write; false withholds it from this replica.
    fn receive(&self, from: ReplicaId, write: &mut Write) -> bool;
}

/// Decides between stages whether a sync goes on.
pub trait ContinueSync: Debug + MaybeSend + MaybeSync {
    /// Whether to go on with this stage; false ends the sync unfinished.
    fn goes_on(&self, next: Stage, so_far: &SyncReport) -> bool;
}

/// Hears what a sync does.
pub trait SyncObserver: Debug + MaybeSend + MaybeSync {
    /// Called as things happen; must not block.
    fn on_event(&self, event: &SyncEvent);
}

/// Something that happened during a sync.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SyncEvent {
    /// A stage begins.
    Stage(Stage),
    /// Entries were received and are durable.
    Received {
        /// How many.
        entries: u64,
        /// In how many bytes.
        bytes: u64,
    },
    /// Own entries are durable in the shared log.
    Shared {
        /// How many.
        entries: u64,
        /// In how many bytes.
        bytes: u64,
    },
    /// Entries were applied to the data.
    Integrated {
        /// How many.
        entries: u64,
    },
    /// Values that lost against concurrent writes; they are forgotten once this was told.
    Discarded(Vec<Discard>),
    /// Something in the shared log has not arrived whole; its lane waits.
    Damaged(Damage),
    /// This database was cloned, or restored from a backup; it writes on under a new id.
    NewReplica {
        /// The id until now.
        old: ReplicaId,
        /// The id from now on.
        new: ReplicaId,
    },
    /// Own entries were stamped anew, because the clock was off.
    Restamped {
        /// How many.
        entries: u64,
        /// By how many milliseconds the clock is off.
        offset: i64,
    },
}

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SyncReport {
    /// Entries of others that were received.
    pub received: u64,
    /// Own entries that the shared log holds now.
    pub shared: u64,
    /// Entries of others that were applied.
    pub integrated: u64,
    /// Entries that wait, because this version or this schema cannot apply them yet.
    pub parked: u64,
    /// Entries that the receiving hook withheld.
    pub withheld: u64,
    /// Values that lost against concurrent writes.
    pub discarded: u64,
    /// Bytes of segments received.
    pub bytes_received: u64,
    /// Bytes of segments sent.
    pub bytes_sent: u64,
    /// What is in the shared log and has not arrived whole.
    pub damaged: Vec<Damage>,
    /// Whether there is nothing left to do.
    pub finished: bool,
}
