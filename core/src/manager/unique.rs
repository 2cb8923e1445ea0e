//! Guards that keep the values of unique indexes unique.
//!
//! Storage itself enforces nothing but primary keys, because merging must be able to store what two
//! replicas wrote. So the last station adds a guard for each set of unique values that a batch
//! writes. All of them stand at the end: what counts is what the whole batch leaves behind, and
//! batches stay rows of like steps.

use std::collections::HashSet;

use crate::change::{Overlay, Reader};
use crate::operation::{Batch, Condition, Create, Guard, Step};
use crate::query::Filter;
use crate::schema::{Collection, Index, Schema};
use crate::sorted::SortedSet;
use crate::value::{Key, Name, Object};
use crate::{Error, ErrorKind, Result};

/// The name of the guard that an object still looks as it did when it was read.
pub(super) const STILL_SO: &str = "still as it was read";

/// A batch with guards around it.
pub(super) struct Plan {
    /// The caller's steps, and guards before and after them.
    pub(super) batch: Batch,
    /// How many guards stand before the caller's steps.
    pub(super) before: usize,
    /// How many steps the caller has.
    pub(super) own: usize,
    /// The guards behind the caller's steps.
    pub(super) guards: Vec<UniqueGuard>,
}

/// A guard that at most one object has these values.
pub(super) struct UniqueGuard {
    pub(super) name: String,
    collection: Name,
    fields: Vec<Name>,
    values: Object,
}

/// Whether a batch writes values that have to be unique.
pub(super) fn concerns(batch: &Batch, schema: &Schema) -> bool {
    batch.steps.iter().any(|step| writes_unique(step, schema))
}

/// Whether one of the steps that write unique values is an update.
pub(super) fn updates(batch: &Batch, schema: &Schema) -> bool {
    let update = |step: &&Step| matches!(step, Step::Update { .. });
    batch.steps.iter().filter(update).any(|step| writes_unique(step, schema))
}

/// Whether a step sets a part of some unique values only, so that the rest has to be read.
pub(super) fn must_read(batch: &Batch, schema: &Schema) -> Result<bool> {
    for step in &batch.steps {
        let Step::Update { collection, changes, .. } = step else { continue };
        let collection = schema.collection(collection)?;
        let partly = |index: &Index| {
            let set = index.fields.iter().filter(|field| changes.contains(field)).count();
            let emptied = index.fields.iter().any(|field| is_emptied(changes, field));
            set > 0 && set < index.fields.len() && !emptied
        };
        if unique_indexes(collection).any(partly) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn writes_unique(step: &Step, schema: &Schema) -> bool {
    let (collection, fields) = match step {
        Step::Create(create) => (&create.collection, None),
        Step::Update { collection, changes, .. } => (collection, Some(changes)),
        Step::Delete { .. } | Step::Guard(_) => return false,
    };
    let Some(collection) = schema.get(collection) else { return false };
    unique_indexes(collection).any(|index| {
        fields.is_none_or(|changes| index.fields.iter().any(|field| changes.contains(field)))
    })
}

fn unique_indexes(collection: &Collection) -> impl Iterator<Item = &Index> {
    collection.indexes().iter().filter(|index| index.unique)
}

fn is_emptied(changes: &Object, field: &str) -> bool {
    changes.get(field).is_some_and(crate::Value::is_null)
}

impl Plan {
    /// Guards the values that the steps themselves tell.
    pub(super) fn quick(batch: Batch, schema: &Schema) -> Result<Self> {
        let mut plan = Planner::new(schema);
        for step in &batch.steps {
            match step {
                Step::Create(create) => plan.create(create)?,
                Step::Update { collection, changes, .. } => {
                    let collection = schema.collection(collection)?;
                    for index in unique_indexes(collection) {
                        plan.want(collection, index, changes);
                    }
                }
                Step::Delete { .. } | Step::Guard(_) => {}
            }
        }
        Ok(plan.finish(batch, Vec::new()))
    }

    /// Reads the objects that updates touch, and guards the values that really change.
    ///
    /// The steps are narrowed to the objects that were read, and these are guarded to look the same
    /// still, in all fields that mattered.
    pub(super) async fn reading(
        mut batch: Batch,
        schema: &Schema,
        reader: &dyn Reader,
    ) -> Result<Self> {
        let concerned: SortedSet<Name> = batch
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Update { .. }) && writes_unique(step, schema))
            .map(|step| step.collection().clone())
            .collect();
        let whole = |collection: &str| concerned.contains(collection);
        let mut overlay = Overlay::new(&batch, schema, reader, whole).await?;
        let mut plan = Planner::new(schema);
        let mut before = Vec::new();
        for step in &mut batch.steps {
            let keys = overlay.touched(step).await?;
            match &*step {
                Step::Create(create) => plan.create(create)?,
                Step::Update { collection, changes, .. } if concerned.contains(collection) => {
                    let collection = schema.collection(collection)?;
                    plan.update(collection, changes, &keys, &overlay);
                }
                _ => {}
            }
            if concerned.contains(step.collection()) {
                before.extend(still_so(step, &keys, &overlay, schema)?);
            }
            overlay.apply(step, &keys);
            let concerns = concerned.contains(step.collection());
            if let (true, Step::Update { filter, .. } | Step::Delete { filter, .. }) =
                (concerns, step)
            {
                *filter = Filter::Keys(keys);
            }
        }
        Ok(plan.finish(batch, before))
    }
}

/// Guards that the objects a step touches still look as they did, in the fields that made the step
/// touch them and in those that have to be unique.
fn still_so(
    step: &Step,
    keys: &[Key],
    overlay: &Overlay<'_>,
    schema: &Schema,
) -> Result<Vec<Step>> {
    let mut fields = HashSet::new();
    match step {
        Step::Update { filter, .. } | Step::Delete { filter, .. } => {
            filter.each_field(&mut |field| {
                let _ = fields.insert(field.clone());
            });
        }
        Step::Create(_) | Step::Guard(_) => return Ok(Vec::new()),
    }
    let collection = schema.collection(step.collection())?;
    if let Step::Update { changes, .. } = step {
        for index in unique_indexes(collection) {
            if index.fields.iter().any(|field| changes.contains(field)) {
                fields.extend(index.fields.iter().cloned());
            }
        }
    }
    let stored = keys.iter().filter_map(|key| Some((key, overlay.stored(collection.name(), key)?)));
    let guards = stored.map(|(key, object)| {
        let looks = fields.iter().map(|field| (field.clone(), object.value(field).clone()));
        Step::Guard(Guard {
            name: STILL_SO.into(),
            collection: collection.name().clone(),
            condition: Condition::Looks(key.clone(), looks.collect()),
        })
    });
    Ok(guards.collect())
}

/// Gathers guards.
struct Planner<'a> {
    schema: &'a Schema,
    guards: Vec<UniqueGuard>,
    /// Unique values in which the key of an object of this batch stands, which is not known yet.
    unnamed: HashSet<(Name, Vec<Name>, Object)>,
}

impl<'a> Planner<'a> {
    fn new(schema: &'a Schema) -> Self {
        Self { schema, guards: Vec::new(), unnamed: HashSet::new() }
    }

    fn create(&mut self, create: &Create) -> Result<()> {
        let collection = self.schema.collection(&create.collection)?;
        for index in unique_indexes(collection) {
            if create.replace.iter().any(|replace| index.fields.contains(&replace.field)) {
                self.want_unnamed(collection, index, create)?;
            } else {
                self.want(collection, index, &create.object);
            }
        }
        Ok(())
    }

    fn update(
        &mut self,
        collection: &Collection,
        changes: &Object,
        keys: &[Key],
        overlay: &Overlay<'_>,
    ) {
        for key in keys {
            let Some(before) = overlay.object(collection.name(), key) else { continue };
            for index in unique_indexes(collection) {
                let changed = |field: &Name| {
                    changes.get(field).is_some_and(|value| value != before.value(field))
                };
                if index.fields.iter().any(changed) {
                    let value = |field: &Name| changes.get(field).unwrap_or(before.value(field));
                    let after =
                        index.fields.iter().map(|field| (field.clone(), value(field).clone()));
                    self.want(collection, index, &after.collect());
                }
            }
        }
    }

    /// Guards the index's values in `object`, unless one is null.
    fn want(&mut self, collection: &Collection, index: &Index, object: &Object) {
        let value = |field: &Name| object.get(field).filter(|value| !value.is_null());
        let values: Option<Object> =
            index.fields.iter().map(|field| Some((field.clone(), value(field)?.clone()))).collect();
        if let Some(values) = values {
            let name = match self.guards.len() {
                0 => title(collection.name(), &index.fields),
                // The error tells the name only, and must lead to these very values.
                position => format!("{} #{position}", title(collection.name(), &index.fields)),
            };
            let (collection, fields) = (collection.name().clone(), index.fields.clone());
            self.guards.push(UniqueGuard { name, collection, fields, values });
        }
    }

    /// A key that the backend is about to count is nobody's value yet, except within this batch.
    fn want_unnamed(
        &mut self,
        collection: &Collection,
        index: &Index,
        create: &Create,
    ) -> Result<()> {
        let value = |field: &Name| {
            let replace = create.replace.iter().find(|replace| replace.field == *field);
            match replace {
                Some(replace) => crate::Value::from(replace.placeholder.as_str()),
                None => create.object.value(field).clone(),
            }
        };
        let values: Object =
            index.fields.iter().map(|field| (field.clone(), value(field))).collect();
        if values.iter().any(|(_, value)| value.is_null()) {
            return Ok(());
        }
        let (name, fields) = (collection.name().clone(), index.fields.clone());
        if !self.unnamed.insert((name.clone(), fields.clone(), values.clone())) {
            let guard = UniqueGuard { name: String::new(), collection: name, fields, values };
            return Err(guard.conflict());
        }
        Ok(())
    }

    fn finish(self, batch: Batch, before: Vec<Step>) -> Plan {
        let (first, own) = (before.len(), batch.steps.len());
        let mut steps = before;
        steps.extend(batch.steps);
        steps.extend(self.guards.iter().map(|guard| {
            Step::Guard(Guard {
                name: guard.name.clone().into(),
                collection: guard.collection.clone(),
                condition: Condition::Unique(guard.values.clone()),
            })
        }));
        Plan { batch: Batch { steps }, before: first, own, guards: self.guards }
    }
}

impl UniqueGuard {
    /// The conflict that says which values are taken.
    pub(super) fn taken(&self, error: Error) -> Error {
        self.conflict().caused_by(error)
    }

    fn conflict(&self) -> Error {
        let values: Vec<String> =
            self.fields.iter().map(|field| format!("{:?}", self.values.value(field))).collect();
        Error::new(
            ErrorKind::Conflict,
            "another object has these unique values; choose others, or change that object",
        )
        .at_guard(title(&self.collection, &self.fields))
        .with("collection", &self.collection)
        .with("fields", self.fields.join(","))
        .with("values", values.join(","))
    }
}

fn title(collection: &str, fields: &[Name]) -> String {
    format!("unique {collection}({})", fields.join(","))
}
