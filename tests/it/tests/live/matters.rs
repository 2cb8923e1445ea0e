//! What can matter to an answer and what can't: the latter reads nothing.

use serde_json::{Value as Json, json};
use syncline::backend::memory::MemoryBackend;
use syncline::manager::{BatchBuilder, CollectionHandle, Query};
use syncline::middleware::ChangeWatch;
use syncline::{Direction, Filter, Object, StorageManager};
use syncline_it::spy::{Spy, Viewer};

use crate::{city, four, open, schema};

/// What a write leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// Nothing is read.
    Nowhere,
    /// The answer is read, and is the same.
    ToTheSame,
    /// The answer is read, and is another one.
    ToNews,
}

use Leads::{Nowhere, ToNews, ToTheSame};

/// Who watches what, of the four cities.
#[derive(Clone, Copy, Debug)]
enum Watched {
    /// All of them, whole.
    All,
    /// Those in Andorra, whole.
    Andorra,
    /// The names of those in Andorra, by latitude.
    AndorraNames,
    /// The two that come first by key: `ax` and `foix`.
    FirstTwo,
    /// The two that lie furthest north, by name only: `foix` and `ax`.
    NorthernNames,
    /// The second and third by key: `foix` and `pas`.
    Middle,
    /// One, by its key.
    Vila,
}

impl Watched {
    fn question(self, cities: &CollectionHandle) -> Query {
        let andorra = || cities.query(json!({ "country": "AD" }));
        match self {
            Self::All => cities.query(Filter::All),
            Self::Andorra => andorra(),
            Self::AndorraNames => andorra().order_by("lat", Direction::Ascending).select(["name"]),
            Self::FirstTwo => cities.query(Filter::All).limit(2),
            Self::NorthernNames => {
                let north = cities.query(Filter::All).order_by("lat", Direction::Descending);
                north.limit(2).select(["name"])
            }
            Self::Middle => cities.query(Filter::All).skip(1).limit(2),
            Self::Vila => cities.query(json!({ "id": "vila" })),
        }
    }
}

/// Whether a batch leads to what it should.
#[track_caller]
fn check(watched: Watched, write: impl Fn(BatchBuilder) -> BatchBuilder, leads: Leads) {
    let place = std::panic::Location::caller();
    pollster::block_on(async {
        let (storage, spy) = open().await;
        four(&storage).await;
        let cities = storage.collection("city").expect("cities");
        let mut viewer = Viewer::of(watched.question(&cities).watch().expect("a live query"));
        let first = viewer.look().expect("an answer at once").expect("it can be read");
        assert_eq!(first, watched.question(&cities).all().await.expect("it can be read"));
        assert!(viewer.look().is_none(), "nothing happened, {place}");

        let _ = (spy.finds(), spy.writes());
        let _ = write(storage.batch()).run().await.expect("it can be written");
        assert_eq!((spy.finds(), spy.writes()), (0, 1), "a write reads nothing, {place}");

        let calls = viewer.calls();
        let looked = viewer.look();
        let came = match (spy.finds(), &looked) {
            (0, None) => Nowhere,
            (1, None) => ToTheSame,
            (1, Some(_)) => ToNews,
            (finds, _) => panic!("{finds} questions, {place}"),
        };
        assert_eq!(came, leads, "{watched:?}, {place}");
        assert_eq!(calls, u64::from(leads != Nowhere), "who waits is called, {place}");
        let fresh = watched.question(&cities).all().await.expect("it can be read");
        let seen = looked.map_or(first, |answer| answer.expect("it can be read"));
        assert_eq!(seen, fresh, "{place}");
    });
}

fn creates(object: Object) -> impl Fn(BatchBuilder) -> BatchBuilder {
    move |batch| batch.create("city", object.clone())
}

fn updates(filter: Json, changes: Object) -> impl Fn(BatchBuilder) -> BatchBuilder {
    move |batch| batch.update("city", &filter, changes.clone())
}

fn deletes(filter: Json) -> impl Fn(BatchBuilder) -> BatchBuilder {
    move |batch| batch.delete("city", &filter)
}

fn set(field: &str, value: impl Into<syncline::Value>) -> Object {
    Object::new().with(field, value)
}

#[test]
fn creates_matter_where_they_are_asked_for() {
    check(Watched::All, creates(city("new", "ES", 41.0)), ToNews);
    check(Watched::Andorra, creates(city("new", "AD", 42.5)), ToNews);
    check(Watched::Andorra, creates(city("new", "ES", 41.0)), Nowhere);
    check(Watched::Vila, creates(city("new", "AD", 42.5)), Nowhere);
}

#[test]
fn creates_behind_a_full_answer_do_not_matter() {
    check(Watched::FirstTwo, creates(city("z", "AD", 0.0)), Nowhere);
    check(Watched::FirstTwo, creates(city("b", "AD", 0.0)), ToNews);
    check(Watched::Middle, creates(city("z", "AD", 0.0)), Nowhere);
    check(Watched::Middle, creates(city("a", "AD", 0.0)), ToNews);
    // How far north the last one lies is not in the answer.
    check(Watched::NorthernNames, creates(city("z", "AD", 0.0)), ToTheSame);
    check(Watched::NorthernNames, creates(city("z", "AD", 60.0)), ToNews);
}

#[test]
fn updates_of_what_is_shown_matter() {
    check(Watched::All, updates(json!({ "id": "vila" }), set("seen", true)), ToNews);
    check(Watched::Andorra, updates(json!({ "id": "vila" }), set("seen", true)), ToNews);
    check(Watched::Andorra, updates(json!({ "lat": 42.5 }), set("seen", true)), ToNews);
    check(Watched::Vila, updates(json!({}), set("seen", true)), ToNews);
    check(Watched::AndorraNames, updates(json!({ "id": "vila" }), set("name", "V")), ToNews);
    check(Watched::Middle, updates(json!({ "id": "pas" }), set("name", "P")), ToNews);
}

#[test]
fn updates_of_what_is_not_shown_do_not_matter() {
    check(Watched::Andorra, updates(json!({ "id": "foix" }), set("seen", true)), Nowhere);
    check(Watched::Andorra, updates(json!({ "country": "FR" }), set("seen", true)), Nowhere);
    check(Watched::Vila, updates(json!({ "id": "foix" }), set("country", "AD")), Nowhere);
    check(Watched::AndorraNames, updates(json!({ "id": "vila" }), set("seen", true)), Nowhere);
    check(Watched::AndorraNames, updates(json!({}), set("seen", true)), Nowhere);
    check(Watched::FirstTwo, updates(json!({ "id": "vila" }), set("seen", true)), Nowhere);
    check(Watched::Middle, updates(json!({ "id": "ax" }), set("seen", true)), Nowhere);
    check(Watched::All, updates(json!({ "id": "nobody" }), set("seen", true)), Nowhere);
    check(Watched::All, updates(json!({ "name": "nobody" }), set("seen", true)), Nowhere);
}

#[test]
fn updates_that_set_what_is_there_do_not_matter() {
    check(Watched::Andorra, updates(json!({ "id": "vila" }), set("lat", 42.5)), Nowhere);
    check(Watched::Andorra, updates(json!({ "lat": 42.5 }), set("name", "VILA")), Nowhere);
    check(
        Watched::Vila,
        updates(json!({ "id": "vila" }), set("seen", syncline::Value::Null)),
        Nowhere,
    );
}

#[test]
fn updates_that_let_objects_in_or_out_matter() {
    check(Watched::Andorra, updates(json!({ "id": "foix" }), set("country", "AD")), ToNews);
    check(Watched::Andorra, updates(json!({ "id": "vila" }), set("country", "FR")), ToNews);
    check(
        Watched::Andorra,
        updates(json!({ "name": "VILA" }), set("country", syncline::Value::Null)),
        ToNews,
    );
    check(Watched::Andorra, updates(json!({ "id": "foix" }), set("country", "ES")), Nowhere);
    check(Watched::Andorra, updates(json!({ "name": "FOIX" }), set("country", "ES")), Nowhere);
}

#[test]
fn updates_that_move_objects_matter() {
    check(Watched::AndorraNames, updates(json!({ "id": "vila" }), set("lat", 50.0)), ToNews);
    // It may be in Andorra, as far as the update says.
    check(Watched::AndorraNames, updates(json!({ "id": "ax" }), set("lat", 50.0)), ToTheSame);
    check(Watched::NorthernNames, updates(json!({ "id": "vila" }), set("lat", 50.0)), ToNews);
    check(Watched::NorthernNames, updates(json!({ "id": "foix" }), set("lat", 0.0)), ToNews);
}

#[test]
fn deletes_matter_where_they_are_shown() {
    check(Watched::Andorra, deletes(json!({ "id": "vila" })), ToNews);
    check(Watched::Andorra, deletes(json!({ "id": "foix" })), Nowhere);
    check(Watched::Andorra, deletes(json!({ "country": "FR" })), Nowhere);
    check(Watched::Andorra, deletes(json!({ "lat": { "$lt": 42.55 } })), ToNews);
    check(Watched::AndorraNames, deletes(json!({ "id": "foix" })), Nowhere);
    check(Watched::AndorraNames, deletes(json!({ "name": "FOIX" })), Nowhere);
    // Whether these are among the names is not known from the names.
    check(Watched::AndorraNames, deletes(json!({ "lat": 43 })), ToTheSame);
    check(Watched::Vila, deletes(json!({ "id": "foix" })), Nowhere);
    check(Watched::Andorra, deletes(json!({ "id": "nobody" })), Nowhere);
}

#[test]
fn deletes_before_and_behind_a_limited_answer_are_told_apart() {
    check(Watched::FirstTwo, deletes(json!({ "id": "vila" })), Nowhere);
    check(Watched::FirstTwo, deletes(json!({ "id": "ax" })), ToNews);
    check(Watched::Middle, deletes(json!({ "id": "ax" })), ToNews);
    // What is skipped is not known.
    check(Watched::Middle, deletes(json!({ "id": "vila" })), ToTheSame);
}

#[test]
fn each_step_of_a_batch_counts() {
    let there_and_back = |batch: BatchBuilder| {
        batch.create("city", city("new", "ES", 0.0)).update(
            "city",
            json!({ "id": "new" }),
            set("country", "AD"),
        )
    };
    check(Watched::Andorra, there_and_back, ToNews);
    let came_and_went = |batch: BatchBuilder| {
        batch.create("city", city("new", "AD", 0.0)).delete("city", json!({ "id": "new" }))
    };
    check(Watched::Andorra, came_and_went, ToTheSame);
    let nothing_of_it = |batch: BatchBuilder| {
        let batch = batch.create("city", city("new", "ES", 0.0));
        batch.delete("city", json!({ "country": "FR" })).guard(
            "there",
            "city",
            syncline::Condition::Exists("vila".into()),
        )
    };
    check(Watched::Andorra, nothing_of_it, Nowhere);
}

#[test]
fn other_collections_do_not_matter() {
    let sight = Object::new().with("name", "Tower").with("city", "vila");
    check(Watched::All, move |batch| batch.create("sight", sight.clone()), Nowhere);
}

#[test]
fn objects_whose_keys_are_counted_are_judged_by_their_keys() {
    pollster::block_on(async {
        let (storage, spy) = open().await;
        let sights = storage.collection("sight").expect("sights");
        let mut second = Viewer::of(sights.watch(json!({ "number": 2 })).expect("a live query"));
        let mut towers = Viewer::of(sights.watch(json!({ "name": "T" })).expect("a live query"));
        assert_eq!(second.look().expect("an answer").expect("read"), []);
        assert_eq!(towers.look().expect("an answer").expect("read"), []);
        let _ = spy.finds();

        let _ = sights
            .create(set("name", "Gate").with("city", "vila"))
            .await
            .expect("it can be created");
        assert!(second.look().is_none() && towers.look().is_none());
        assert_eq!(spy.finds(), 0);
        let tower =
            sights.create(set("name", "T").with("city", "vila")).await.expect("it can be created");
        assert_eq!(second.look().expect("news").expect("read"), std::slice::from_ref(&tower));
        assert_eq!(towers.look().expect("news").expect("read"), [tower]);
    });
}

/// Sights refer to a city whose key only the backend could fill in.
#[test]
fn what_only_the_backend_fills_in_matters() {
    pollster::block_on(async {
        let part = syncline::Collection::define("part");
        let part =
            part.key(["number"]).field("number", syncline::FieldType::AutoPk).child_of("whole");
        let whole = syncline::Collection::define("whole");
        let whole = whole.key(["number"]).field("number", syncline::FieldType::AutoPk);
        let schema = syncline::Registry::new().collections(1, [part, whole]).finish();
        let backend = std::sync::Arc::new(MemoryBackend::default());
        let storage = StorageManager::builder(backend).schema(schema.expect("a sound schema"));
        let storage = storage.build().await.expect("it opens");
        let parts = storage.collection("part").expect("parts");
        let mut of_first = Viewer::of(parts.watch(json!({ "whole": 1 })).expect("a live query"));
        assert_eq!(of_first.look().expect("an answer").expect("read"), []);

        let batch = storage.batch().create_as("w", "whole", Object::new());
        let batch = batch.create("part", Object::new()).replace("whole", "w");
        let _ = batch.run().await.expect("it can be written");
        assert_eq!(of_first.look().expect("news").expect("read").len(), 1);
    });
}

#[pollster::test]
async fn a_change_watch_reads_nothing_for_live_queries() {
    let spy = Spy::on(std::sync::Arc::new(MemoryBackend::default()));
    let storage = StorageManager::builder(spy.clone()).schema(schema()).with(ChangeWatch::new());
    let storage = storage.build().await.expect("it opens");
    four(&storage).await;
    let cities = storage.collection("city").expect("cities");
    let mut andorra = Viewer::of(cities.watch(json!({ "country": "AD" })).expect("a live query"));
    let _ = (andorra.look(), spy.finds());
    let north = json!({ "lat": { "$gt": 42.55 } });
    let _ = cities.update(&north, set("seen", true)).await.expect("they can be updated");
    assert_eq!(spy.finds(), 0);
    assert!(andorra.look().is_some());
}
