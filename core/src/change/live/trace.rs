//! What is known of a write without reading anything.

use crate::change::{Change, ChangeKind};
use crate::operation::{Step, StepOutcome};
use crate::query::Filter;
use crate::sorted::SortedSet;
use crate::value::{Key, Object};

/// What one step of a write did, as far as it says so itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trace<'a> {
    /// There is a new object.
    Created(&'a Object),
    /// Fields of some objects were set.
    Updated(Which<'a>, &'a Object),
    /// Some objects are gone.
    Deleted(Which<'a>),
    /// Something happened to these objects.
    Touched(&'a SortedSet<Key>),
    /// Something happened.
    Anything,
}

/// Which objects a step was about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which<'a> {
    /// The one with this key.
    Key(&'a Key),
    /// All that met this before the step.
    Meeting(&'a Filter),
}

impl<'a> Trace<'a> {
    /// What a step did that came to this, if that is known; nothing if it did nothing.
    pub fn of_step(step: &'a Step, outcome: Option<&StepOutcome>) -> Option<Self> {
        if let Some(StepOutcome::Updated(0) | StepOutcome::Deleted(0) | StepOutcome::Held) = outcome
        {
            return None;
        }
        Some(match step {
            // Only the backend knows what it filled in.
            Step::Create(create) if !create.replace.is_empty() => Self::Anything,
            Step::Create(create) => Self::Created(&create.object),
            Step::Update { filter, changes, .. } => Self::Updated(Which::Meeting(filter), changes),
            Step::Delete { filter, .. } => Self::Deleted(Which::Meeting(filter)),
            Step::Guard(_) => return None,
        })
    }

    /// What a change did.
    pub fn of_change(change: &'a Change) -> Self {
        match &change.kind {
            ChangeKind::Created(object) => Self::Created(object),
            ChangeKind::Updated(changes) => Self::Updated(Which::Key(&change.key), changes),
            ChangeKind::Deleted => Self::Deleted(Which::Key(&change.key)),
        }
    }
}
