//! A reconciler that is driven by hand.

use std::sync::Arc;

use syncline_core::merge::{
    Author, FieldLww, History, Incoming, ObjectState, Reconciled, Reconciler, Witness,
};
use syncline_core::{Collection, FieldType, Key, Object, Registry, Step};

/// Nobody knew of anything.
#[derive(Debug)]
pub struct Strangers;

impl Witness for Strangers {
    fn knew(&self, _: &Author, _: &Author) -> bool {
        false
    }
}

/// The definition that all tests use: three fields, of which histories may know more.
pub fn collection() -> Arc<Collection> {
    let item = Collection::define("item")
        .optional("a", FieldType::Int)
        .optional("b", FieldType::Int)
        .optional("title", FieldType::String);
    let schema = Registry::new().collections(1, [item]).finish().expect("the schema is sound");
    schema.collection("item").expect("it was defined").clone()
}

/// The part of an object that a row of the collection can hold.
pub fn row_of(collection: &Collection, object: Object) -> Object {
    let fits = |(name, value): &(syncline_core::Name, syncline_core::Value)| {
        collection.field(name).is_some_and(|field| field.kind.primitive().holds(value))
    };
    object.into_iter().filter(fits).collect()
}

/// One object as a replica has it.
#[derive(Debug, Default)]
pub struct Held {
    pub history: History,
    pub row: Option<Object>,
}

impl Held {
    /// Reconciles entries, and carries out what is answered.
    pub fn take(&mut self, collection: &Collection, incoming: &[Incoming]) -> Reconciled {
        let key = Key::from("list-one");
        let state = ObjectState {
            collection,
            key: &key,
            history: std::mem::take(&mut self.history),
            row: self.row.as_ref(),
            incoming,
            witness: &Strangers,
        };
        let answer = FieldLww.reconcile(state).expect("it never fails");
        for step in &answer.steps {
            match step {
                Step::Create(create) => {
                    assert_eq!(self.row, None, "a row is created where none is");
                    self.row = Some(collection.without_key(create.object.clone()));
                }
                Step::Update { changes, .. } => {
                    let row = self.row.as_mut().expect("a row is updated where one is");
                    for (name, value) in changes.iter() {
                        assert_ne!(row.value(name), value, "{name} does not change");
                    }
                    row.merge(changes.clone());
                    row.retain(|_, value| !value.is_null());
                }
                Step::Delete { .. } => assert!(self.row.take().is_some(), "there is a row"),
                Step::Guard(_) => panic!("no guards are asked for"),
            }
        }
        self.history = answer.history.clone();
        answer
    }

    /// Stores the history beside the row and reads it again.
    pub fn store(&mut self) {
        let bytes = self.history.to_bytes(self.row.as_ref());
        let again = History::from_bytes(&bytes, self.row.as_ref()).expect("it was just written");
        assert_eq!(again.as_ref(), Some(&self.history));
        assert_eq!(History::greatest_in(&bytes).expect("it reads"), self.history.greatest());
        self.history = again.expect("the row is as it was");
    }
}
