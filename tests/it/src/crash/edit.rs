//! Writes as data, and the entries that they must come to.

use std::collections::BTreeMap;

use syncline::log::Op;
use syncline::manager::BatchBuilder;
use syncline::{Filter, Key, Name, Object};

use crate::law::Entries;

/// A part of a batch, with the keys of the objects that it is to touch.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Creates an object.
    Create(&'static str, Object),
    /// Updates the objects that a filter finds.
    Update(&'static str, Filter, Vec<String>, Object),
    /// Deletes the objects that a filter finds.
    Delete(&'static str, Filter, Vec<String>),
}

impl Edit {
    /// Updates one object.
    pub fn update(collection: &'static str, id: &str, changes: Object) -> Self {
        Self::Update(collection, Filter::key(id), vec![id.to_owned()], changes)
    }

    /// Deletes one object.
    pub fn delete(collection: &'static str, id: &str) -> Self {
        Self::Delete(collection, Filter::key(id), vec![id.to_owned()])
    }

    /// Adds the step to a batch.
    pub fn add_to(&self, batch: BatchBuilder) -> BatchBuilder {
        match self.clone() {
            Self::Create(collection, object) => batch.create(collection, object),
            Self::Update(collection, filter, _, changes) => {
                batch.update(collection, filter, changes)
            }
            Self::Delete(collection, filter, _) => batch.delete(collection, filter),
        }
    }

    /// How many entries it comes to.
    pub fn entries(&self) -> u64 {
        match self {
            Self::Create(..) => 1,
            Self::Update(_, _, keys, _) | Self::Delete(_, _, keys) => keys.len() as u64,
        }
    }
}

/// What was written: each entry that must be in the log, and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger(BTreeMap<String, u64>);

impl Ledger {
    /// Notes what an edit must come to.
    pub fn note(&mut self, edit: &Edit) {
        match edit {
            Edit::Create(collection, object) => {
                let mut fields = object.clone();
                let key = Key::from(fields.remove("id").expect("a new object has an id"));
                self.add(&Name::from(*collection), &key, &Op::Create(fields));
            }
            Edit::Update(collection, _, keys, changes) => {
                for key in keys {
                    let key = Key::from(key.as_str());
                    self.add(&Name::from(*collection), &key, &Op::Update(changes.clone()));
                }
            }
            Edit::Delete(collection, _, keys) => {
                for key in keys {
                    self.add(&Name::from(*collection), &Key::from(key.as_str()), &Op::Delete);
                }
            }
        }
    }

    /// What a log holds.
    pub fn of(entries: &Entries) -> Self {
        let mut ledger = Self::default();
        for ((collection, key), of_object) in entries {
            of_object.values().for_each(|op| ledger.add(collection, key, op));
        }
        ledger
    }

    /// Each entry, and how often.
    pub fn lines(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(line, count)| (line.as_str(), *count))
    }

    /// What is in one and not in the other, or not as often.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let all = self.0.keys().chain(other.0.keys().filter(|line| !self.0.contains_key(*line)));
        all.map(|line| (line, self.0.get(line).unwrap_or(&0), other.0.get(line).unwrap_or(&0)))
            .filter(|(_, own, others)| own != others)
            .map(|(line, own, others)| format!("{line}: {own} times, and {others} times"))
            .collect()
    }

    fn add(&mut self, collection: &Name, key: &Key, op: &Op) {
        *self.0.entry(format!("{collection} {key} {op:?}")).or_default() += 1;
    }
}
