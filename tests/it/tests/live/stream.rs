//! The stream: what comes, when, and what is lost: nothing.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline::{Direction, ErrorKind, Filter, Object, StorageManager};
use syncline_it::spy::{Hold, Spy, Viewer};

use crate::{city, four, ids, open};

fn watch(storage: &StorageManager, filter: serde_json::Value) -> Viewer {
    let cities = storage.collection("city").expect("cities");
    Viewer::of(cities.watch(filter).expect("a live query"))
}

/// What a viewer sees that has something new to see.
#[track_caller]
fn seen(viewer: &mut Viewer) -> Vec<String> {
    ids(&viewer.look().expect("something new").expect("it can be read"))
}

async fn create(storage: &StorageManager, id: &str) {
    let cities = storage.collection("city").expect("cities");
    let _ = cities.create(city(id, "AD", 0.0)).await.expect("it can be created");
}

/// Begins something and goes as far as it can.
fn begin<T>(future: &mut std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[pollster::test]
async fn it_gives_the_answer_at_once_and_again_after_each_change() {
    let (storage, _) = open().await;
    four(&storage).await;
    let cities = storage.collection("city").expect("cities");
    let south = cities.query(Filter::All).order_by("lat", Direction::Ascending).limit(2);
    let mut south = south.watch().expect("a live query");
    assert_eq!(ids(&south.next().await.expect("read")), ["vila", "pas"]);
    let _ = cities.delete(json!({ "id": "vila" })).await.expect("it can be deleted");
    assert_eq!(ids(&south.next().await.expect("read")), ["pas", "ax"]);
    let south_of_all = Object::new().with("lat", 0.0);
    let _ = cities.update_one(json!({ "id": "foix" }), south_of_all).await.expect("updated");
    assert_eq!(ids(&south.next().await.expect("read")), ["foix", "pas"]);
    assert!(cities.delete_one(json!({ "lat": 0 })).await.expect("deleted"));
    assert_eq!(ids(&south.next().await.expect("read")), ["pas", "ax"]);
}

#[pollster::test]
async fn an_empty_answer_is_an_answer() {
    let (storage, _) = open().await;
    let mut all = watch(&storage, json!({}));
    assert!(seen(&mut all).is_empty());
    assert!(all.look().is_none());
}

#[pollster::test]
async fn many_writes_are_one_reading() {
    let (storage, spy) = open().await;
    let mut all = watch(&storage, json!({}));
    let _ = seen(&mut all);
    assert!(all.look().is_none());
    let _ = (spy.finds(), all.calls());
    for number in 0..100 {
        create(&storage, &format!("c{number:02}")).await;
    }
    assert_eq!((spy.finds(), all.calls()), (0, 1), "who waits is called once");
    assert_eq!(seen(&mut all).len(), 100);
    assert_eq!(spy.finds(), 1);
    assert!(all.look().is_none());
}

#[pollster::test]
async fn writes_that_cancel_each_other_out_give_nothing() {
    let (storage, spy) = open().await;
    four(&storage).await;
    let mut all = watch(&storage, json!({}));
    let _ = seen(&mut all);
    let cities = storage.collection("city").expect("cities");
    create(&storage, "new").await;
    let _ = cities.delete(json!({ "id": "new" })).await.expect("it can be deleted");
    let _ = spy.finds();
    assert!(all.look().is_none());
    assert_eq!(spy.finds(), 1);
}

#[pollster::test]
async fn large_answers_are_read_page_by_page_and_whole() {
    let (storage, spy) = open().await;
    let all = (0..10).map(|number| city(&format!("c{number}"), "AD", 0.0));
    let cities = storage.collection("city").expect("cities");
    let _ = cities.create_many(all).await.expect("they can be created");
    let _ = spy.finds();
    let mut viewer = Viewer::of(cities.query(Filter::All).page_size(3).watch().expect("a query"));
    assert_eq!(seen(&mut viewer).len(), 10);
    assert_eq!(spy.finds(), 4);
}

#[pollster::test]
async fn a_write_during_the_first_reading_is_not_lost() {
    let (storage, spy) = open().await;
    let mut all = watch(&storage, json!({}));
    spy.holds(Hold::Find);
    assert!(all.look().is_none(), "the answer is made, and held");
    create(&storage, "new").await;
    spy.holds(None);
    assert!(seen(&mut all).is_empty(), "it was read before");
    assert_eq!(seen(&mut all), ["new"]);
}

#[pollster::test]
async fn a_write_during_a_later_reading_is_not_judged_by_the_answer_before() {
    let (storage, spy) = open().await;
    create(&storage, "old").await;
    let mut all = watch(&storage, json!({}));
    assert_eq!(seen(&mut all), ["old"]);
    create(&storage, "new").await;
    spy.holds(Hold::Find);
    assert!(all.look().is_none(), "the answer is made, and held");
    let cities = storage.collection("city").expect("cities");
    let gone = cities.delete(json!({ "id": "new" }));
    assert_eq!(gone.await.expect("it can be deleted"), 1);
    spy.holds(None);
    assert_eq!(seen(&mut all), ["new", "old"], "it was read before");
    assert_eq!(seen(&mut all), ["old"]);
}

#[pollster::test]
async fn a_write_that_began_before_somebody_watched_is_not_lost() {
    let (storage, spy) = open().await;
    spy.holds(Hold::WriteBefore);
    let mut writing = pin!(create(&storage, "new"));
    assert!(begin(&mut writing).is_pending());
    let mut all = watch(&storage, json!({}));
    assert!(seen(&mut all).is_empty());
    assert!(all.look().is_none());
    spy.holds(None);
    writing.await;
    assert_eq!(seen(&mut all), ["new"]);
}

#[pollster::test]
async fn a_write_that_is_given_up_on_is_told_as_if_it_had_happened() {
    let (storage, spy) = open().await;
    let mut all = watch(&storage, json!({}));
    assert!(seen(&mut all).is_empty());
    spy.holds(Hold::WriteAfter);
    {
        let mut writing = pin!(create(&storage, "new"));
        assert!(begin(&mut writing).is_pending());
        assert!(all.look().is_none(), "nobody said that it is durable");
    }
    assert_eq!(seen(&mut all), ["new"]);
}

#[pollster::test]
async fn a_write_that_fails_reads_nothing() {
    let (storage, spy) = open().await;
    four(&storage).await;
    let mut all = watch(&storage, json!({}));
    let _ = seen(&mut all);
    let _ = spy.finds();
    let cities = storage.collection("city").expect("cities");
    let taken = cities.create(city("vila", "AD", 0.0)).await.expect_err("the key is taken");
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    assert!(all.look().is_none());
    assert_eq!(spy.finds(), 0);
}

#[pollster::test]
async fn an_error_is_given_and_it_goes_on_with_the_next_change() {
    let (storage, spy) = open().await;
    four(&storage).await;
    let mut andorra = watch(&storage, json!({ "country": "AD" }));
    spy.fails(ErrorKind::Unavailable);
    let error = andorra.look().expect("something to see").expect_err("it cannot be read");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(andorra.look().is_none(), "nothing happened");
    spy.fails(None);
    assert!(andorra.look().is_none(), "nobody said that it can be read again");
    // What cannot matter to the answer matters to whoever has none.
    let cities = storage.collection("city").expect("cities");
    let _ = cities.create(city("new", "ES", 0.0)).await.expect("it can be created");
    assert_eq!(seen(&mut andorra), ["pas", "vila"]);

    spy.fails(ErrorKind::Internal);
    create(&storage, "z").await;
    let error = andorra.look().expect("something to see").expect_err("it cannot be read");
    assert_eq!(error.kind(), ErrorKind::Internal);
    spy.fails(None);
    let _ = cities.delete(json!({ "id": "z" })).await.expect("it can be deleted");
    assert_eq!(seen(&mut andorra), ["pas", "vila"], "after an error even the same is news");
}

#[pollster::test]
async fn whoever_is_dropped_is_forgotten() {
    let (storage, _) = open().await;
    assert!(!storage.feed().cares("city"));
    let mut all = watch(&storage, json!({}));
    assert!(storage.feed().cares("city") && !storage.feed().cares("sight"));
    let _ = seen(&mut all);
    drop(all);
    assert!(!storage.feed().cares("city"));
    create(&storage, "new").await;
}

#[pollster::test]
async fn to_drop_what_waits_for_the_next_answer_loses_nothing() {
    let (storage, spy) = open().await;
    let cities = storage.collection("city").expect("cities");
    let mut all = cities.watch(Filter::All).expect("a live query");
    spy.holds(Hold::Find);
    {
        let mut next = pin!(all.next());
        assert!(begin(&mut next).is_pending());
    }
    spy.holds(None);
    assert_eq!(all.next().await.expect("read"), []);
    {
        let mut next = pin!(all.next());
        assert!(begin(&mut next).is_pending());
    }
    create(&storage, "new").await;
    assert_eq!(ids(&all.next().await.expect("read")), ["new"]);
}

#[pollster::test]
async fn several_watch_without_minding_each_other() {
    let (storage, spy) = open().await;
    four(&storage).await;
    let (mut andorra, mut france) =
        (watch(&storage, json!({ "country": "AD" })), watch(&storage, json!({ "country": "FR" })));
    let _ = (seen(&mut andorra), seen(&mut france));
    create(&storage, "new").await;
    let _ = spy.finds();
    assert!(france.look().is_none());
    assert_eq!(spy.finds(), 0);
    assert_eq!(seen(&mut andorra), ["new", "pas", "vila"]);
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct City {
    id: String,
    name: String,
    lat: Option<f64>,
}

#[pollster::test]
async fn typed_collections_are_watched_in_their_type() {
    let (storage, _) = open().await;
    let cities = storage.collection("city").expect("cities").typed::<City>();
    let mut north = cities.watch(json!({ "lat": { "$gt": 40 } })).expect("a live query");
    assert_eq!(north.next().await.expect("read"), []);
    let vila = City { id: "vila".to_owned(), name: "Vila".to_owned(), lat: Some(42.5) };
    let _ = cities.create(&vila).await.expect("it can be created");
    assert_eq!(north.next().await.expect("read"), [vila]);
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Placed {
    id: String,
    lat: f64,
}

#[pollster::test]
async fn what_does_not_fit_the_type_is_an_error_and_it_goes_on() {
    let (storage, _) = open().await;
    let cities = storage.collection("city").expect("cities");
    let mut placed = cities.clone().typed::<Placed>().watch(Filter::All).expect("a live query");
    assert_eq!(placed.next().await.expect("read"), []);
    let nowhere = Object::new().with("id", "x").with("name", "X");
    let _ = cities.create(nowhere).await.expect("it can be created");
    let _ = placed.next().await.expect_err("it has no latitude");
    let _ = cities.update(Filter::All, Object::new().with("lat", 1.0)).await.expect("updated");
    assert_eq!(placed.next().await.expect("read"), [Placed { id: "x".to_owned(), lat: 1.0 }]);
}

#[pollster::test]
async fn what_syncline_keeps_for_itself_is_not_watched() {
    let replica = syncline_it::Replica::new(syncline_it::Store::Memory, 1).await;
    let head = replica.manager.collection("sync_head").expect("it is there to be read");
    let error = head.watch(Filter::All).expect_err("it tells nobody of its changes");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[pollster::test]
async fn a_wrong_question_is_refused_at_once() {
    let (storage, _) = open().await;
    let cities = storage.collection("city").expect("cities");
    let error = cities.watch(json!({ "nmae": 1 })).expect_err("there is no such field");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!storage.feed().cares("city"));
}

#[pollster::test]
async fn it_works_on_sqlite_and_from_other_threads() {
    let storage = crate::manager(syncline_it::storage(syncline_it::Store::Sqlite)).await;
    let cities = storage.collection("city").expect("cities");
    let mut all = cities.watch(Filter::All).expect("a live query");
    assert_eq!(all.next().await.expect("read"), []);
    let writer = std::thread::spawn(move || {
        pollster::block_on(async {
            for number in 0..50 {
                create(&storage, &format!("c{number:02}")).await;
            }
        });
    });
    let mut count = 0;
    while count < 50 {
        let now = all.next().await.expect("read").len();
        assert!(now > count, "each answer differs from the one before");
        count = now;
    }
    writer.join().expect("the writer ends well");
}

#[test]
fn without_a_viewer_nothing_is_asked_and_nothing_kept() {
    pollster::block_on(async {
        let (storage, spy): (StorageManager, Arc<Spy>) = open().await;
        let _ = (spy.finds(), spy.writes());
        four(&storage).await;
        assert_eq!((spy.finds(), spy.writes()), (0, 1));
    });
}
