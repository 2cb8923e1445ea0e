//! How handles write: a batch goes in, what was created comes back as the application sees it.

use std::collections::HashMap;

use super::{StorageManager, edge};
use crate::operation::{Batch, Create, Operation, Replace, Step, StepOutcome};
use crate::value::{Key, Name, Object};
use crate::{Error, Result};

/// What a batch did.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    /// What each step did.
    pub(super) outcomes: Vec<StepOutcome>,
    /// The created objects that were asked for, by the place of their step.
    pub(super) created: Vec<(usize, Object)>,
}

/// A created object that the caller wants back.
struct Kept {
    step: usize,
    collection: Name,
    object: Object,
    /// The fields whose values are only known afterwards.
    replace: Vec<Replace>,
}

impl StorageManager {
    /// Writes a batch and keeps the created objects that pass `keep`.
    pub(super) async fn write(
        &self,
        batch: Batch,
        keep: impl Fn(&Create) -> bool,
    ) -> Result<Receipt> {
        if batch.steps.is_empty() {
            return Ok(Receipt::default());
        }
        let mut operation = Operation::Write(batch);
        self.admit(&mut operation)?;
        let Operation::Write(batch) = &operation else {
            return Err(Error::internal("checking a write made it something else"));
        };
        let kept = kept(batch, keep);
        let placeholders = match kept.iter().any(|kept| !kept.replace.is_empty()) {
            true => placeholders(batch),
            false => HashMap::new(),
        };
        let steps = batch.steps.len();
        let outcomes = self.pass(operation).await?.written()?;
        if outcomes.len() != steps {
            return Err(Error::internal("a write was answered for another number of steps")
                .with("steps", steps)
                .with("answers", outcomes.len()));
        }
        let created = kept
            .into_iter()
            .map(|kept| Ok((kept.step, self.complete(kept, &placeholders, &outcomes)?)))
            .collect::<Result<_>>()?;
        Ok(Receipt { outcomes, created })
    }

    /// Fills in what only the write could tell, and brings the object into the application's form.
    fn complete(
        &self,
        kept: Kept,
        placeholders: &HashMap<String, usize>,
        outcomes: &[StepOutcome],
    ) -> Result<Object> {
        let Kept { step, collection, mut object, replace } = kept;
        let collection = self.schema().collection(&collection)?;
        for replace in replace {
            let earlier = placeholders.get(&replace.placeholder).copied().unwrap_or(step);
            if let Some(value) = created_key(outcomes, earlier)?.single() {
                let _ = object.set(replace.field, value.clone());
            }
        }
        collection.set_key(&mut object, created_key(outcomes, step)?.clone())?;
        object.retain(|_, value| !value.is_null());
        edge::restore(&mut object, collection)?;
        Ok(object)
    }
}

impl Receipt {
    /// How many objects the only step changed or deleted.
    pub(super) fn count(&self) -> u64 {
        match self.outcomes.last() {
            Some(StepOutcome::Updated(count) | StepOutcome::Deleted(count)) => *count,
            _ => 0,
        }
    }
}

fn kept(batch: &Batch, keep: impl Fn(&Create) -> bool) -> Vec<Kept> {
    let creates = batch.steps.iter().enumerate().filter_map(|(step, of)| match of {
        Step::Create(create) if keep(create) => Some((step, create)),
        _ => None,
    });
    creates
        .map(|(step, create)| Kept {
            step,
            collection: create.collection.clone(),
            object: create.object.clone(),
            replace: create.replace.clone(),
        })
        .collect()
}

fn placeholders(batch: &Batch) -> HashMap<String, usize> {
    let named = batch.steps.iter().enumerate().filter_map(|(step, of)| match of {
        Step::Create(create) => Some((create.placeholder.clone()?, step)),
        _ => None,
    });
    named.collect()
}

fn created_key(outcomes: &[StepOutcome], step: usize) -> Result<&Key> {
    match outcomes.get(step) {
        Some(StepOutcome::Created(key)) => Ok(key),
        other => Err(Error::internal("a create was answered with something else")
            .with("got", format_args!("{other:?}"))),
    }
}
