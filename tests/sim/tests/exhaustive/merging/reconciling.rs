//! The reconciler at work on one world, each of its answers compared with the law.

use std::sync::{Arc, LazyLock};

use syncline::log::Op;
use syncline::merge::{
    Author, FieldLww, History, Incoming, ObjectState, Reconciled, Reconciler, Witness,
};
use syncline::{Collection, FieldType, Filter, Key, Name, Object, Registry, Step, Value};

use super::worlds::{Knowing, World};
use crate::law::{self, Deed, FIELDS, Set};
use crate::lost::{Change, Story};

static COLLECTION: LazyLock<Arc<Collection>> = LazyLock::new(|| {
    let [a, b] = FIELDS;
    let item = Collection::define("item").optional(a, FieldType::Int).optional(b, FieldType::Int);
    let schema = Registry::new().collections(1, [item]).finish().expect("the schema is sound");
    schema.collection("item").expect("it was defined").clone()
});

static KEY: LazyLock<Key> = LazyLock::new(|| Key::from("it"));

/// What a replica holds of the object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    pub history: History,
    pub row: Option<Object>,
}

/// A world as the reconciler sees it.
#[derive(Debug)]
pub struct Reconciling<'a> {
    world: &'a World,
    incoming: Vec<Incoming>,
    /// What the law says of each set of events.
    objects: Vec<Option<law::Held>>,
}

impl Witness for World {
    fn knew(&self, writer: &Author, other: &Author) -> bool {
        let place = |author: &Author| self.events.iter().position(|event| event.author == *author);
        let (Some(writer), Some(other)) = (place(writer), place(other)) else {
            panic!("only events of this world are asked for")
        };
        self.knew(writer, other)
    }
}

impl World {
    /// Whether the writer of one event knew of another.
    pub fn knew(&self, writer: usize, other: usize) -> bool {
        let Knowing(knowing) = self.knowing;
        let (by, of) = (self.events[writer].author, self.events[other].author);
        (by.replica == of.replica && of.seq <= by.seq) || knowing[writer] & 1 << other != 0
    }

    fn are_apart(&self, one: usize, other: usize) -> bool {
        self.events[one].author.replica != self.events[other].author.replica
    }
}

impl<'a> Reconciling<'a> {
    /// Gets a world ready.
    pub fn new(world: &'a World) -> Self {
        let incoming = world.events.iter().map(|event| Incoming {
            author: event.author,
            op: match event.deed {
                Deed::Create(sets) => Op::Create(fields(sets)),
                Deed::Update(sets) => Op::Update(fields(sets)),
                Deed::Delete => Op::Delete,
            },
        });
        let sets: Set = 1 << world.events.len();
        let objects = (0..sets).map(|set| law::object(&world.events, set)).collect();
        Self { incoming: incoming.collect(), objects, world }
    }

    /// What is held of a set equals the law, and survives being stored.
    pub fn check_at_rest(&self, set: Set, held: &Held) {
        let Held { history, row } = held;
        let wanted = self.objects[usize::from(set)].map(object);
        assert_eq!(history.object(), wanted, "{set:b} of {:#?}", self.world);
        assert_eq!(history.exists(), wanted.is_some());
        let known = law::among(&self.world.events, set).map(|(_, event)| event.author);
        let greatest = known.max_by(law::order);
        assert_eq!(history.greatest(), greatest, "{set:b} of {:#?}", self.world);
        assert_eq!(history.was_deleted(), law::dead(&self.world.events, set).is_some());
        let stored = history.to_bytes(row.as_ref());
        assert_eq!(History::greatest_in(&stored).expect("it was just written"), greatest);
        let again = History::from_bytes(&stored, row.as_ref()).expect("it was just written");
        assert_eq!(again.as_ref(), Some(history), "{set:b} of {:#?}", self.world);
    }

    /// Hands events to the reconciler, and says what is held then.
    pub fn call(&mut self, set: Set, held: &Held, call: &[usize]) -> Held {
        let incoming: Vec<Incoming> = call.iter().map(|at| self.incoming[*at].clone()).collect();
        let state = ObjectState {
            collection: &COLLECTION,
            key: &KEY,
            history: held.history.clone(),
            row: held.row.as_ref(),
            incoming: &incoming,
            witness: self.world,
        };
        let answer = FieldLww.reconcile(state).expect("merging never fails");
        let Reconciled { steps, history, discards } = answer;
        let reached = call.iter().fold(set, |set, at| set | 1 << at);
        let objects = (self.objects[usize::from(set)], self.objects[usize::from(reached)]);
        let wanted = smallest(objects.0, objects.1);
        assert_eq!(steps, wanted, "{call:?} behind {set:b} of {:#?}", self.world);
        // What comes again, and was told before, may be told again.
        if (reached ^ set).count_ones() as usize == call.len() {
            let knew = |writer: usize, other: usize| self.world.knew(writer, other);
            let tells = |one: usize, other: usize| self.world.are_apart(one, other);
            let story = Story { events: &self.world.events, knew: &knew, tells: &tells };
            let discards: Vec<_> = discards.iter().collect();
            story.check(Change { before: set, after: reached }, &discards);
        }
        Held { history, row: objects.1.map(object) }
    }
}

/// The fields of a write.
fn fields(sets: law::Sets) -> Object {
    let set = FIELDS.into_iter().zip(sets).filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| (Name::from(name), Value::from(value))).collect()
}

/// A row without its key.
fn object(held: law::Held) -> Object {
    let set = FIELDS.into_iter().zip(held).filter_map(|(name, value)| Some((name, value?)));
    set.map(|(name, value)| (Name::from(name), Value::from(value))).collect()
}

/// The smallest batch that leads from one row to another.
fn smallest(before: Option<law::Held>, after: Option<law::Held>) -> Vec<Step> {
    let (collection, filter) = (COLLECTION.name().clone(), Filter::Keys(vec![KEY.clone()]));
    let step = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(after)) => {
            let object = object(after).with("id", "it");
            Step::Create(syncline::operation::Create { collection, object, ..Default::default() })
        }
        (Some(_), None) => Step::Delete { collection, filter, limit: None },
        (Some(before), Some(after)) => {
            let changed = |field: usize| (before[field] != after[field]).then_some(after[field]);
            let sets = [changed(0), changed(1)];
            if sets == [None; 2] {
                return Vec::new();
            }
            Step::Update { collection, filter, changes: fields(sets) }
        }
    };
    vec![step]
}
