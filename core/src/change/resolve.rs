//! Finds out which objects a batch touches, before it is written.

use async_trait::async_trait;

use super::overlay::Overlay;
use super::{Change, ChangeKind, ChangeSet};
use crate::backend::{self, Backend};
use crate::middleware::{Context, Next};
use crate::operation::{Batch, Create, Operation, Step, StepOutcome};
use crate::query::{Filter, Find, Page};
use crate::schema::Schema;
use crate::value::{Key, Name};
use crate::{MaybeSend, MaybeSync, Result};

/// Reads pages of objects for those who find out what a batch touches.
///
/// [`Next`] is one, so a station reads through the stations behind it; so is every backend.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Reader: MaybeSend + MaybeSync {
    /// Answers a question with one page.
    ///
    /// # Errors
    ///
    /// Whatever storage reports.
    async fn page(&self, find: Find) -> Result<Page>;
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Reader for Next<'_> {
    async fn page(&self, find: Find) -> Result<Page> {
        self.run(Operation::Find(find), &mut Context::default()).await?.found()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Reader for &dyn Backend {
    async fn page(&self, find: Find) -> Result<Page> {
        backend::run(*self, Operation::Find(find)).await?.found()
    }
}

/// Finds out which objects each step of a batch touches, in the order of their keys.
///
/// A step sees what the steps before it did, although nothing is written yet: a create followed by an
/// update whose filter meets the new object touches that object. Objects that are named by their
/// keys are only looked for; all of them are read together, in pages.
///
/// The key of a created object that the backend will count is empty at first; see
/// [`ChangeSet::learn_keys`].
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for an unknown collection, or whatever reading
/// reports.
pub async fn resolve(batch: &Batch, schema: &Schema, reader: &dyn Reader) -> Result<ChangeSet> {
    let mut overlay = Overlay::new(batch, schema, reader, |_| false).await?;
    let mut steps = Vec::with_capacity(batch.steps.len());
    for step in &batch.steps {
        let keys = overlay.touched(step).await?;
        overlay.apply(step, &keys);
        steps.push(changes_of(step, keys, schema)?);
    }
    Ok(ChangeSet { steps })
}

fn changes_of(step: &Step, keys: Vec<Key>, schema: &Schema) -> Result<Vec<Change>> {
    let change =
        |collection: &Name, key, kind| Change { collection: collection.clone(), key, kind };
    Ok(match step {
        Step::Create(Create { collection, object, .. }) => {
            let key = schema.collection(collection)?.key_of(object);
            let key = key.unwrap_or_else(|| Key::compound([]));
            vec![change(collection, key, ChangeKind::Created(object.clone()))]
        }
        Step::Update { collection, changes, .. } => keys
            .into_iter()
            .map(|key| change(collection, key, ChangeKind::Updated(changes.clone())))
            .collect(),
        Step::Delete { collection, .. } => {
            keys.into_iter().map(|key| change(collection, key, ChangeKind::Deleted)).collect()
        }
        Step::Guard(_) => Vec::new(),
    })
}

/// The same batch, with each general filter replaced by the keys of what it was found to touch.
///
/// Writing it touches what `changes` tells, whoever wrote in between. Whether the objects still look
/// as they did is for the caller to guard.
#[must_use]
pub fn narrow(mut batch: Batch, changes: &ChangeSet, schema: &Schema) -> Batch {
    for (step, changes) in batch.steps.iter_mut().zip(&changes.steps) {
        let (Step::Update { collection, filter, .. } | Step::Delete { collection, filter, .. }) =
            step
        else {
            continue;
        };
        let named = match (&*filter, schema.get(collection)) {
            (Filter::Keys(keys), _) => Some(keys.len()),
            (filter, Some(collection)) => collection.keys_in(filter).map(|keys| keys.len()),
            (_, None) => None,
        };
        if named != Some(changes.len()) {
            *filter = Filter::Keys(changes.iter().map(|change| change.key.clone()).collect());
        }
    }
    batch
}

impl ChangeSet {
    /// Whether a created object's key will only be known once the backend has counted it.
    pub fn lacks_keys(&self) -> bool {
        self.iter().any(|change| change.key.values().is_empty())
    }

    /// Fills in the keys that the backend counted, and the fields that took them.
    ///
    /// `batch` is the batch these changes were resolved from, `outcomes` what its steps did.
    pub fn learn_keys(&mut self, batch: &Batch, outcomes: &[StepOutcome], schema: &Schema) {
        let mut placeholders: Vec<(&str, &Key)> = Vec::new();
        for ((step, outcome), changes) in batch.steps.iter().zip(outcomes).zip(&mut self.steps) {
            let (Step::Create(create), StepOutcome::Created(key)) = (step, outcome) else {
                continue;
            };
            if let Some(placeholder) = &create.placeholder {
                placeholders.push((placeholder, key));
            }
            let Some(change) = changes.first_mut() else { continue };
            let ChangeKind::Created(object) = &mut change.kind else { continue };
            for replace in &create.replace {
                let known = placeholders.iter().find(|(name, _)| *name == replace.placeholder);
                if let Some(value) = known.and_then(|(_, key)| key.single()) {
                    let _ = object.set(replace.field.clone(), value.clone());
                }
            }
            if change.key.values().is_empty() {
                change.key = key.clone();
                if let Some(collection) = schema.get(&create.collection) {
                    // The backend made this key for this collection: it has as many fields.
                    let _ = collection.set_key(object, key.clone());
                }
            }
        }
    }
}
