//! The obvious, slow answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use syncline_core::operation::Create;
use syncline_core::query::{compare, matches, same};
use syncline_core::value::{Key, Name};
use syncline_core::{
    Batch, Collection, Condition, ErrorKind, Filter, Find, Object, Operation, Outcome, Schema,
    Step, StepOutcome,
};

/// What is answered: page after page of a find in one piece, or the failure's kind and guard.
pub(crate) type Answer = Result<Found, (ErrorKind, Option<String>)>;

/// A good answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Objects(Vec<Object>),
    Outcome(Outcome),
}

/// Objects in lists, in the order in which they were created.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    lists: BTreeMap<Name, (Arc<Collection>, Vec<Object>)>,
}

type Failure = (ErrorKind, Option<String>);

impl Model {
    pub(crate) fn new(schema: &Schema) -> Self {
        let lists = schema
            .collections()
            .map(|collection| (collection.name().clone(), (collection.clone(), Vec::new())));
        Self { lists: lists.collect() }
    }

    pub(crate) fn answer(&mut self, operation: &Operation) -> Answer {
        Ok(match operation {
            Operation::Prepare(_) => Found::Outcome(Outcome::Prepared),
            Operation::Find(find) => Found::Objects(self.find(find)),
            Operation::Count(name, filter) => {
                let count = self.meeting(name, filter).len() as u64;
                Found::Outcome(Outcome::Counted(count))
            }
            Operation::Write(batch) => {
                let before = self.clone();
                let written = self.write(batch);
                if written.is_err() {
                    *self = before;
                }
                Found::Outcome(Outcome::Written(written?))
            }
        })
    }

    fn list(&mut self, name: &Name) -> &mut (Arc<Collection>, Vec<Object>) {
        self.lists.get_mut(name).expect("histories keep to their schema")
    }

    fn meeting(&self, name: &Name, filter: &Filter) -> Vec<&Object> {
        let (collection, objects) = &self.lists[name];
        objects.iter().filter(|object| matches(filter, object, collection)).collect()
    }

    fn find(&self, find: &Find) -> Vec<Object> {
        let (collection, _) = &self.lists[&find.collection];
        let mut found = self.meeting(&find.collection, &find.filter);
        if let Some(after) = &find.after {
            found.retain(|object| after.is_before(object, &find.order, collection));
        }
        found.sort_by(|a, b| compare(&find.order, a, b, collection));
        let limit = find.limit.map_or(usize::MAX, |limit| limit as usize);
        let chosen = found.into_iter().skip(find.skip as usize).take(limit).cloned();
        let Some(fields) = &find.fields else { return chosen.collect() };
        let shown =
            |name: &str| collection.is_key(name) || fields.iter().any(|field| **field == *name);
        chosen
            .map(|mut object| {
                object.retain(|name, _| shown(name));
                object
            })
            .collect()
    }

    fn write(&mut self, batch: &Batch) -> Result<Vec<StepOutcome>, Failure> {
        batch.steps.iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &Step) -> Result<StepOutcome, Failure> {
        match step {
            Step::Create(create) => self.create(create),
            Step::Update { collection, filter, changes } => {
                let (collection, objects) = self.list(collection);
                let mut count = 0;
                for object in objects.iter_mut() {
                    if matches(filter, object, collection) {
                        object.merge(changes.clone());
                        object.retain(|_, value| !value.is_null());
                        count += 1;
                    }
                }
                Ok(StepOutcome::Updated(count))
            }
            Step::Delete { collection, filter, limit } => {
                let count = self.meeting(collection, filter).len() as u64;
                if limit.is_some_and(|limit| count > limit) {
                    return Err((ErrorKind::Invalid, None));
                }
                let (collection, objects) = self.list(collection);
                objects.retain(|object| !matches(filter, object, collection));
                Ok(StepOutcome::Deleted(count))
            }
            Step::Guard(guard) if self.holds(&guard.collection, &guard.condition) => {
                Ok(StepOutcome::Held)
            }
            Step::Guard(guard) => Err((ErrorKind::Conflict, Some(guard.name.to_string()))),
        }
    }

    fn create(&mut self, create: &Create) -> Result<StepOutcome, Failure> {
        let (collection, objects) = self.list(&create.collection);
        let mut object = create.object.clone();
        object.retain(|_, value| !value.is_null());
        let key = collection.key_of(&object).expect("histories give every key");
        if objects.iter().any(|other| collection.key_of(other).as_ref() == Some(&key)) {
            return Err((ErrorKind::Conflict, None));
        }
        objects.push(object);
        Ok(StepOutcome::Created(key))
    }

    fn holds(&self, name: &Name, condition: &Condition) -> bool {
        let by_key = |key: &Key| self.meeting(name, &Filter::Keys(vec![key.clone()]));
        let look_so = |look: &Object, object: &Object| {
            look.iter().all(|(field, value)| same(object.value(field), value))
        };
        match condition {
            Condition::Exists(key) => !by_key(key).is_empty(),
            Condition::Absent(key) => by_key(key).is_empty(),
            Condition::Looks(key, look) => by_key(key).iter().any(|object| look_so(look, object)),
            Condition::Unique(values) => {
                let (_, objects) = &self.lists[name];
                values.iter().any(|(_, value)| value.is_null())
                    || objects.iter().filter(|object| look_so(values, object)).count() < 2
            }
        }
    }
}
