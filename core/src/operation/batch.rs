//! Batches: steps that happen together or not at all.

use std::borrow::Cow;

use crate::query::Filter;
use crate::value::{Key, Name, Object};

/// Steps that are applied in order, wholly or not at all, and are durable when the answer is there.
///
/// # Example
///
/// ```
/// use syncline_core::{Batch, Filter, Object};
///
/// let batch = Batch::new()
///     .create("user", Object::new().with("id", "ann"))
///     .update("user", Filter::key("bob"), Object::new().with("name", "Bob"))
///     .delete("user", Filter::eq("name", "Eve"));
/// assert_eq!(batch.steps.len(), 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Stores a new object; a taken key fails the batch.
    Create(Create),
    /// Changes every object that meets the filter; changing none is fine.
    Update {
        /// The collection.
        collection: Name,
        /// Which objects.
        filter: Filter,
        /// The fields to set; a field set to null is emptied. Key fields are refused.
        changes: Object,
    },
    /// Removes every object that meets the filter; removing none is fine.
    Delete {
        /// The collection.
        collection: Name,
        /// Which objects.
        filter: Filter,
        /// Fails the batch if more objects than this meet the filter.
        limit: Option<u64>,
    },
    /// Fails the batch unless something holds at this point of it.
    Guard(Guard),
}

/// A new object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Create {
    /// The collection.
    pub collection: Name,
    /// The fields, the key's among them unless the backend counts keys or a placeholder fills them.
    pub object: Object,
    /// A name by which later steps of the batch can use this object's key.
    pub placeholder: Option<String>,
    /// Fields that take the keys of earlier creates.
    pub replace: Vec<Replace>,
}

/// A field that takes the key of an earlier create of the same batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replace {
    /// The field to fill.
    pub field: Name,
    /// The placeholder of the earlier create, whose key must have one field.
    pub placeholder: String,
}

/// What must hold at its place in a batch, seeing what the steps before it did.
///
/// If it does not hold, nothing is written and the batch fails with a
/// [`Conflict`](crate::ErrorKind::Conflict) that names the guard.
#[derive(Clone, Debug, PartialEq)]
pub struct Guard {
    /// What the error calls this guard.
    pub name: Cow<'static, str>,
    /// The collection it speaks of.
    pub collection: Name,
    /// What must hold.
    pub condition: Condition,
}

/// What a guard demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The object is there and its fields look so; null means null or absent.
    Looks(Key, Object),
    /// The object is there.
    Exists(Key),
    /// No object has this key.
    Absent(Key),
    /// At most one object has these values; if one of them is null, this holds.
    Unique(Object),
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// Stored an object with this key.
    Created(Key),
    /// Changed this many objects.
    Updated(u64),
    /// Removed this many objects.
    Deleted(u64),
    /// The guard held.
    Held,
}

impl Batch {
    /// A batch without steps.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a create.
    #[must_use]
    pub fn create(self, collection: impl Into<Name>, object: Object) -> Self {
        let collection = collection.into();
        self.step(Step::Create(Create { collection, object, ..Create::default() }))
    }

    /// Adds an update.
    #[must_use]
    pub fn update(self, collection: impl Into<Name>, filter: Filter, changes: Object) -> Self {
        self.step(Step::Update { collection: collection.into(), filter, changes })
    }

    /// Adds a delete without a limit.
    #[must_use]
    pub fn delete(self, collection: impl Into<Name>, filter: Filter) -> Self {
        self.step(Step::Delete { collection: collection.into(), filter, limit: None })
    }

    /// Adds a guard.
    #[must_use]
    pub fn guard(
        self,
        name: impl Into<Cow<'static, str>>,
        collection: impl Into<Name>,
        condition: Condition,
    ) -> Self {
        let (name, collection) = (name.into(), collection.into());
        self.step(Step::Guard(Guard { name, collection, condition }))
    }

    /// Adds any step.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl Step {
    /// The collection the step is about.
    pub fn collection(&self) -> &Name {
        match self {
            Self::Create(create) => &create.collection,
            Self::Update { collection, .. } | Self::Delete { collection, .. } => collection,
            Self::Guard(guard) => &guard.collection,
        }
    }
}
