//! What writes change, and who is told.

mod draft;
mod feed;
mod herald;
mod live;
mod overlay;
mod resolve;
mod touched;

pub use feed::ChangeFeed;
pub use herald::TouchedStream;
pub(crate) use live::{Interest, Listening, Shown};
pub(crate) use overlay::Overlay;
pub use resolve::{Reader, narrow, resolve};
pub use touched::Touched;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::value::{Key, Name, Object};
use crate::{MaybeSend, MaybeSync, Result};

/// What happened, or is about to happen, to one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The collection.
    pub collection: Name,
    /// The object; empty before a write whose key the backend will count.
    pub key: Key,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// It was created with these fields, the key's among them.
    Created(Object),
    /// These fields were set; null means emptied.
    Updated(Object),
    /// It was deleted.
    Deleted,
}

/// All objects a batch touches: for each step of the batch, in order, what it changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChangeSet {
    /// One list for each step; guards have an empty one.
    pub steps: Vec<Vec<Change>>,
}

impl ChangeSet {
    /// All changes, in the order of the steps.
    pub fn iter(&self) -> impl Iterator<Item = &Change> {
        self.steps.iter().flatten()
    }
}

/// Where a change comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written by this application.
    Local,
    /// Brought by a sync.
    Sync,
}

/// Hears of changes.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Observer: Debug + MaybeSend + MaybeSync {
    /// The collections this observer cares for; nothing means all.
    fn collections(&self) -> Option<Vec<Name>> {
        None
    }

    /// Called before local changes are written.
    ///
    /// # Errors
    ///
    /// An error stops the write: nothing is written, and the caller gets this error.
    async fn before(&self, changes: &[Change]) -> Result<()> {
        let _ = changes;
        Ok(())
    }

    /// Called after changes were written and are durable.
    async fn after(&self, changes: &[Change], origin: Origin);

    /// Called when another tab or process changed objects in this database. What became of them is for the
    /// observer to read; their own [`after`](Self::after) was called where they were changed.
    async fn elsewhere(&self, touched: &Touched) {
        let _ = touched;
    }
}
