//! Random batches: resolving tells what writing does, and unique values stay unique whatever comes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use syncline_core::change::{self, ChangeSet};
use syncline_core::query::matches;
use syncline_core::{
    Backend, Batch, Collection, ErrorKind, Filter, Key, Object, Operation, Result, Schema, Step,
    StepOutcome, StorageManager, Value,
};

use crate::{schema, with_storage};

/// Few ids, few names, few countries, so that everything meets everything.
fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "e"]).prop_map(str::to_owned)
}

fn word() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![Value::from("x"), "y".into(), "z".into()])
}

fn country() -> impl Strategy<Value = Value> {
    prop_oneof![word(), word(), Just(Value::Null)]
}

fn lat() -> impl Strategy<Value = Value> {
    (0..3).prop_map(|lat: i32| Value::Float(lat.into()))
}

fn filter() -> impl Strategy<Value = Filter> {
    let simple = prop_oneof![
        id().prop_map(Filter::key),
        id().prop_map(|id| Filter::eq("id", id)),
        prop::collection::vec(id().prop_map(Key::from), 0..4).prop_map(Filter::Keys),
        word().prop_map(|name| Filter::eq("name", name)),
        country().prop_map(|country| Filter::ne("country", country)),
        lat().prop_map(|lat| Filter::gte("lat", lat)),
        Just(Filter::All),
    ];
    prop_oneof![
        simple.clone(),
        (simple.clone(), simple.clone()).prop_map(|(a, b)| a.and(b)),
        (simple.clone(), simple).prop_map(|(a, b)| a.or(b.negated())),
    ]
}

fn changes() -> impl Strategy<Value = Object> {
    let maybe = |value| prop::option::of(value);
    (maybe(word().boxed()), maybe(country().boxed()), maybe(lat().boxed())).prop_map(
        |(name, country, lat)| {
            let fields = [("name", name), ("country", country), ("lat", lat)];
            fields.into_iter().filter_map(|(field, value)| Some((field, value?))).collect()
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let collection = || "city".into();
    let create = (id(), word(), country()).prop_map(|(id, name, country)| {
        let object = Object::new().with("id", id).with("name", name).with("country", country);
        Batch::new().create("city", object).steps.remove(0)
    });
    prop_oneof![
        2 => create,
        3 => (filter(), changes()).prop_map(move |(filter, changes)| Step::Update {
            collection: collection(), filter, changes,
        }),
        1 => filter().prop_map(move |filter| Step::Delete {
            collection: collection(), filter, limit: None,
        }),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let batch = prop::collection::vec(step(), 1..5).prop_map(|steps| Batch { steps });
    prop::collection::vec(batch, 1..8)
}

/// The obvious, slow storage: what is there, and what each step touches.
#[derive(Clone, Default)]
struct Model {
    cities: BTreeMap<Key, Object>,
}

impl Model {
    /// Applies a batch, or says that a key is taken.
    fn apply(&mut self, batch: &Batch, collection: &Collection) -> Option<Vec<Vec<Key>>> {
        batch.steps.iter().map(|step| self.step(step, collection)).collect()
    }

    fn step(&mut self, step: &Step, collection: &Collection) -> Option<Vec<Key>> {
        let meets = |filter: &Filter, cities: &BTreeMap<Key, Object>| -> Vec<Key> {
            let met = cities.iter().filter(|(_, city)| matches(filter, city, collection));
            met.map(|(key, _)| key.clone()).collect()
        };
        Some(match step {
            Step::Create(create) => {
                let key = collection.key_of(&create.object).expect("each create has its key");
                let taken = self.cities.insert(key.clone(), create.object.clone()).is_some();
                if taken {
                    return None;
                }
                vec![key]
            }
            Step::Update { filter, changes, .. } => {
                let keys = meets(filter, &self.cities);
                for key in &keys {
                    if let Some(city) = self.cities.get_mut(key) {
                        city.merge(changes.clone());
                    }
                }
                keys
            }
            Step::Delete { filter, .. } => {
                let keys = meets(filter, &self.cities);
                self.cities.retain(|key, _| !keys.contains(key));
                keys
            }
            Step::Guard(_) => Vec::new(),
        })
    }

    fn is_unique(&self) -> bool {
        let mut seen = BTreeSet::new();
        self.cities.values().all(|city| {
            let values = (city.value("country").clone(), city.value("name").clone());
            values.0.is_null() || seen.insert(values)
        })
    }

    fn stored(&self) -> Vec<Object> {
        let mut cities: Vec<Object> = self.cities.values().cloned().collect();
        cities.iter_mut().for_each(|city| city.retain(|_, value| !value.is_null()));
        cities
    }
}

fn keys(changes: &ChangeSet) -> Vec<Vec<Key>> {
    let keys = |step: &Vec<change::Change>| step.iter().map(|change| change.key.clone()).collect();
    changes.steps.iter().map(keys).collect()
}

fn counts(outcomes: Vec<StepOutcome>) -> Vec<u64> {
    let count = |outcome| match outcome {
        StepOutcome::Created(_) => 1,
        StepOutcome::Updated(count) | StepOutcome::Deleted(count) => count,
        StepOutcome::Held => 0,
    };
    outcomes.into_iter().map(count).collect()
}

async fn follows_the_model(
    storage: &StorageManager,
    schema: &Schema,
    batches: Vec<Batch>,
) -> Result<()> {
    let collection = schema.collection("city")?;
    let mut model = Model::default();
    for batch in batches {
        let mut next = model.clone();
        let touched = next.apply(&batch, collection);
        let backend: &dyn Backend = storage.backend().as_ref();
        let resolved = change::resolve(&batch, storage.schema(), &backend).await?;
        let written = storage.execute(Operation::Write(batch.clone())).await;
        match (touched, next.is_unique(), written) {
            (Some(touched), true, Ok(outcome)) => {
                assert_eq!(keys(&resolved), touched, "{batch:?}");
                let told: Vec<u64> = touched.iter().map(|keys| keys.len() as u64).collect();
                assert_eq!(counts(outcome.written()?), told, "{batch:?}");
                model = next;
            }
            (None, _, Err(error)) | (_, false, Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::Conflict, "{batch:?}");
            }
            (touched, unique, written) => {
                panic!("{batch:?}: {touched:?}, unique: {unique}, but {written:?}");
            }
        }
        assert_eq!(storage.collection("city")?.find(Filter::All).await?, model.stored());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn random_batches_do_what_the_obvious_storage_does(batches in batches()) {
        with_storage(async |storage| follows_the_model(&storage, &schema(), batches).await);
    }
}
