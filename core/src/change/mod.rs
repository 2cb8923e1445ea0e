//! What writes change, and who is told.

mod overlay;
mod resolve;

pub(crate) use overlay::Overlay;
pub use resolve::{Reader, narrow, resolve};

use std::fmt::Debug;
use std::sync::{Arc, RwLock};

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
}

/// Where changes are told, whoever makes them: the change watch puts its observers in, the sync path
/// tells what it integrated.
#[derive(Clone, Debug, Default)]
pub struct ChangeFeed {
    observers: Arc<RwLock<Vec<Arc<dyn Observer>>>>,
}

impl ChangeFeed {
    /// Adds an observer.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        let mut observers = self.observers.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        observers.push(observer);
    }

    /// Whether anybody cares for changes of this collection.
    pub fn cares(&self, collection: &str) -> bool {
        self.snapshot().iter().any(|observer| cares(observer.as_ref(), collection))
    }

    /// Tells everybody, before local changes are written.
    ///
    /// # Errors
    ///
    /// The first observer's that refuses.
    pub async fn before(&self, changes: &[Change]) -> Result<()> {
        for observer in self.snapshot() {
            let theirs = select(observer.as_ref(), changes);
            if !theirs.is_empty() {
                observer.before(&theirs).await?;
            }
        }
        Ok(())
    }

    /// Tells everybody, after changes were written.
    pub async fn after(&self, changes: &[Change], origin: Origin) {
        for observer in self.snapshot() {
            let theirs = select(observer.as_ref(), changes);
            if !theirs.is_empty() {
                observer.after(&theirs, origin).await;
            }
        }
    }

    fn snapshot(&self) -> Vec<Arc<dyn Observer>> {
        self.observers.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

fn cares(observer: &dyn Observer, collection: &str) -> bool {
    observer.collections().is_none_or(|names| names.iter().any(|name| **name == *collection))
}

fn select(observer: &dyn Observer, changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|change| cares(observer, &change.collection)).cloned().collect()
}
