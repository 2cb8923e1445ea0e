//! Batches: applied step by step, with a log by which all of it can be taken back.

use std::collections::HashMap;
use std::collections::btree_map::Entry;

use syncline_core::operation::Create;
use syncline_core::query::{Test, same};
use syncline_core::value::{Key, Name};
use syncline_core::{Batch, Condition, Filter, Guard, Object, Step, StepOutcome, Value};

use crate::Tables;
use crate::error::MemoryError;
use crate::table::Table;

/// Applies a batch wholly or not at all.
pub(crate) fn apply(tables: &mut Tables, batch: Batch) -> Result<Vec<StepOutcome>, MemoryError> {
    let mut write = Write { tables, undo: Vec::new(), made: HashMap::new() };
    let outcomes: Result<_, _> = batch.steps.into_iter().map(|step| write.step(step)).collect();
    if outcomes.is_err() {
        write.take_back();
    }
    outcomes
}

/// A batch in progress: what it takes to go back costs as much as what was written, not more.
struct Write<'a> {
    tables: &'a mut Tables,
    undo: Vec<Undo>,
    made: HashMap<String, Key>,
}

/// How one change is taken back.
enum Undo {
    /// An object was not there before.
    Created(Name, Key),
    /// These fields held this before.
    Changed(Name, Key, Object),
    /// The object looked so before.
    Deleted(Name, Key, Object),
    /// This was the highest key.
    Counted(Name, i64),
}

impl Write<'_> {
    fn step(&mut self, step: Step) -> Result<StepOutcome, MemoryError> {
        match step {
            Step::Create(create) => self.create(create).map(StepOutcome::Created),
            Step::Update { collection, filter, changes } => {
                self.update(&collection, &filter, &changes).map(StepOutcome::Updated)
            }
            Step::Delete { collection, filter, limit } => {
                self.delete(&collection, &filter, limit).map(StepOutcome::Deleted)
            }
            Step::Guard(guard) => self.guard(guard).map(|()| StepOutcome::Held),
        }
    }

    fn create(&mut self, create: Create) -> Result<Key, MemoryError> {
        let Create { collection: name, mut object, placeholder, replace } = create;
        for replace in replace {
            let made = self.made.get(&replace.placeholder).and_then(Key::single);
            let Some(value) = made.cloned() else {
                let placeholder = replace.placeholder;
                return Err(MemoryError::NoPlaceholder { collection: name, placeholder });
            };
            let _ = object.set(replace.field, value);
        }
        object.retain(|_, value| !value.is_null());

        let table = table(self.tables, &name)?;
        let before = table.highest;
        let key = table.claim_key(&mut object)?;
        match table.rows.entry(key.clone()) {
            Entry::Occupied(_) => return Err(MemoryError::Taken { collection: name, key }),
            Entry::Vacant(vacant) => drop(vacant.insert(object)),
        }
        if table.highest != before {
            self.undo.push(Undo::Counted(name.clone(), before));
        }
        self.undo.push(Undo::Created(name, key.clone()));
        let _ = placeholder.and_then(|placeholder| self.made.insert(placeholder, key.clone()));
        Ok(key)
    }

    fn update(
        &mut self,
        name: &Name,
        filter: &Filter,
        changes: &Object,
    ) -> Result<u64, MemoryError> {
        let table = table(self.tables, name)?;
        let keys = table.keys(filter);
        let count = keys.len() as u64;
        for key in keys {
            let Some(object) = table.rows.get_mut(&key) else { continue };
            let held = put(object, changes.clone());
            self.undo.push(Undo::Changed(name.clone(), key, held));
        }
        Ok(count)
    }

    fn delete(
        &mut self,
        name: &Name,
        filter: &Filter,
        limit: Option<u64>,
    ) -> Result<u64, MemoryError> {
        let table = table(self.tables, name)?;
        let keys = table.keys(filter);
        let count = keys.len() as u64;
        if let Some(limit) = limit.filter(|limit| count > *limit) {
            return Err(MemoryError::TooBroad { collection: name.clone(), count, limit });
        }
        for key in keys {
            if let Some(object) = table.rows.remove(&key) {
                self.undo.push(Undo::Deleted(name.clone(), key, object));
            }
        }
        Ok(count)
    }

    fn guard(&mut self, guard: Guard) -> Result<(), MemoryError> {
        let Guard { name, collection, condition } = guard;
        if table(self.tables, &collection)?.satisfies(&condition) {
            return Ok(());
        }
        Err(MemoryError::Guard { guard: name, collection })
    }

    fn take_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            let (Undo::Created(name, _)
            | Undo::Changed(name, _, _)
            | Undo::Deleted(name, _, _)
            | Undo::Counted(name, _)) = &undo;
            let Some(table) = self.tables.get_mut(name) else { continue };
            match undo {
                Undo::Created(_, key) => drop(table.rows.remove(&key)),
                Undo::Changed(_, key, held) => {
                    let _ = table.rows.get_mut(&key).map(|object| put(object, held));
                }
                Undo::Deleted(_, key, object) => drop(table.rows.insert(key, object)),
                Undo::Counted(_, highest) => table.highest = highest,
            }
        }
    }
}

impl Table {
    /// The key of a new object: its own, or the next that is counted.
    fn claim_key(&mut self, object: &mut Object) -> Result<Key, MemoryError> {
        let name = || self.collection.name().clone();
        if !self.collection.counts_keys() {
            let key = self.collection.key_of(object);
            return key.ok_or_else(|| MemoryError::NoKey { collection: name() });
        }
        let Some(field) = self.collection.key().first() else {
            return Err(MemoryError::NoKey { collection: name() });
        };
        let key = match object.value(field) {
            Value::Int(given) => *given,
            _ => self
                .highest
                .checked_add(1)
                .ok_or_else(|| MemoryError::NoKeyLeft { collection: name() })?,
        };
        let _ = object.set(field.clone(), key);
        self.highest = self.highest.max(key);
        Ok(Key::from(key))
    }

    fn satisfies(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Exists(key) => self.rows.contains_key(key),
            Condition::Absent(key) => !self.rows.contains_key(key),
            Condition::Looks(key, look) => self.rows.get(key).is_some_and(|object| {
                look.iter().all(|(field, value)| same(object.value(field), value))
            }),
            Condition::Unique(values) if values.iter().any(|(_, value)| value.is_null()) => true,
            Condition::Unique(values) => {
                let equal = |(field, value): (&Name, &Value)| {
                    Filter::Field(field.clone(), Test::Eq(value.clone()))
                };
                !self.has_two(&Filter::And(values.iter().map(equal).collect()))
            }
        }
    }
}

/// Sets fields, empties those set to null, and says what they held before.
fn put(object: &mut Object, changes: Object) -> Object {
    let mut before = Object::with_capacity(changes.len());
    for (field, value) in changes {
        let held = match value {
            Value::Null => object.remove(&field),
            value => object.set(field.clone(), value),
        };
        let _ = before.set(field, held.unwrap_or_default());
    }
    before
}

fn table<'a>(tables: &'a mut Tables, name: &Name) -> Result<&'a mut Table, MemoryError> {
    tables.get_mut(name).ok_or_else(|| MemoryError::NotPrepared { collection: name.clone() })
}
