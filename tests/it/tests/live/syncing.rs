//! What a sync brings is seen like own writes, and read once a batch at most.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use serde_json::json;
use syncline::backend::memory::MemoryBackend;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Filter, Object, SyncOptions, do_sync};
use syncline_it::spy::{Hold, Spy, Viewer};
use syncline_it::{Replica, Store, storage};

use crate::{city, ids, schema};

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

async fn replica(number: u64) -> (Replica, Arc<Spy>) {
    let spy = Spy::on(Arc::new(MemoryBackend::default()));
    let opened = Replica::open(spy.clone(), number, schema(), |config| config).await;
    (opened.expect("it opens"), spy)
}

fn watch(replica: &Replica, filter: serde_json::Value) -> Viewer {
    let cities = replica.manager.collection("city").expect("cities");
    Viewer::of(cities.watch(filter).expect("a live query"))
}

#[track_caller]
fn seen(viewer: &mut Viewer) -> Vec<String> {
    ids(&viewer.look().expect("something new").expect("it can be read"))
}

#[pollster::test]
async fn what_a_sync_brings_is_seen_without_a_change_watch() {
    let ((ann, _), (bob, spy), log) = (replica(1).await, replica(2).await, shared());
    let mut andorra = watch(&bob, json!({ "country": "AD" }));
    assert!(seen(&mut andorra).is_empty());
    let _ = ann.create("city", city("vila", "AD", 42.5)).await;
    let _ = ann.sync(&log).await;
    let _ = bob.sync(&log).await;
    assert_eq!(seen(&mut andorra), ["vila"]);

    let _ = ann.update("city", Filter::key("vila"), Object::new().with("seen", true)).await;
    let _ = ann.create("city", city("foix", "FR", 43.0)).await;
    let _ = ann.sync(&log).await;
    let _ = bob.sync(&log).await;
    assert_eq!(seen(&mut andorra), ["vila"]);

    let _ = ann.update("city", Filter::key("foix"), Object::new().with("seen", true)).await;
    let _ = ann.delete("city", Filter::key("foix")).await;
    let _ = ann.sync(&log).await;
    let _ = bob.sync(&log).await;
    let _ = spy.finds();
    assert!(andorra.look().is_none());
    assert_eq!(spy.finds(), 0, "what happened in France does not matter");

    let _ = ann.delete("city", Filter::key("vila")).await;
    let _ = ann.sync(&log).await;
    let _ = bob.sync(&log).await;
    assert!(seen(&mut andorra).is_empty());
}

#[pollster::test]
async fn own_writes_that_are_recorded_read_nothing_more_for_those_who_watch() {
    let (ann, spy) = replica(1).await;
    let mut france = watch(&ann, json!({ "country": "FR" }));
    let _ = seen(&mut france);
    let _ = ann.create("city", city("vila", "AD", 42.5)).await;
    let _ = (spy.finds(), spy.writes());
    let _ = ann.create("city", city("pas", "AD", 42.6)).await;
    let _ = ann.update("city", Filter::key("pas"), Object::new().with("lat", 1.0)).await;
    let _ = ann.delete("city", Filter::key("pas")).await;
    assert_eq!((spy.finds(), spy.writes()), (0, 3));
    assert!(france.look().is_none());
    assert_eq!(spy.finds(), 0);
}

#[pollster::test]
async fn twenty_thousand_objects_in_one_batch_are_read_once() {
    let ((ann, _), (bob, spy), log) = (replica(1).await, replica(2).await, shared());
    let many = (0..20_000).map(|number| city(&format!("c{number:05}"), "AD", 0.0));
    let cities = ann.manager.collection("city").expect("cities");
    let _ = cities.create_many(many).await.expect("they can be created");
    let _ = ann.sync(&log).await;

    let mut last = bob.manager.collection("city").expect("cities").query(Filter::All).skip(19_999);
    last = last.select(["lat"]);
    let mut last = Viewer::of(last.watch().expect("a live query"));
    assert!(seen(&mut last).is_empty());
    let _ = (spy.finds(), last.calls());
    assert!(last.look().is_none());
    let report = bob.sync(&log).await;
    assert_eq!(report.integrated, 20_000);
    assert_eq!(last.calls(), 1, "it is called once");
    let _ = spy.finds();
    assert_eq!(seen(&mut last), ["c19999"]);
    assert_eq!(spy.finds(), 1);
}

#[pollster::test]
async fn each_page_of_a_long_sync_is_read_once_at_most() {
    let ((ann, _), (bob, spy), log) = (replica(1).await, replica(2).await, shared());
    for number in 0..10 {
        let _ = ann.create("city", city(&format!("c{number}"), "AD", 0.0)).await;
    }
    let small = SyncOptions { upload_entries: 2, ..SyncOptions::default() };
    let _ = ann.sync_with(&log, &small).await;

    let mut all = watch(&bob, json!({}));
    let _ = seen(&mut all);
    let (mut answers, mut page) = (0, None);
    while page != Some(10) {
        let options =
            SyncOptions { download_entries: 2, single_batch: true, ..SyncOptions::default() };
        let _ = bob.sync_with(&log, &options).await;
        let _ = spy.finds();
        page = Some(seen(&mut all).len());
        assert_eq!(spy.finds(), 1);
        answers += 1;
    }
    assert_eq!(answers, 5);
}

#[pollster::test]
async fn who_begins_to_watch_while_a_sync_writes_misses_nothing() {
    let ((ann, _), (bob, spy), log) = (replica(1).await, replica(2).await, shared());
    let _ = bob.sync(&log).await;
    let _ = ann.create("city", city("vila", "AD", 42.5)).await;
    let _ = ann.sync(&log).await;

    spy.holds(Hold::WriteBefore);
    let options = SyncOptions::default();
    let mut syncing = pin!(do_sync(&bob.log, &log, &options));
    assert!(syncing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut all = watch(&bob, json!({}));
    assert!(seen(&mut all).is_empty(), "it is about to be written, and is not");
    spy.holds(None);
    assert_eq!(syncing.await.expect("it syncs").integrated, 1);
    assert_eq!(seen(&mut all), ["vila"]);
}

#[pollster::test]
async fn a_sync_that_is_given_up_on_is_told_as_if_it_had_written() {
    let ((ann, _), (bob, spy), log) = (replica(1).await, replica(2).await, shared());
    let _ = bob.sync(&log).await;
    let _ = ann.create("city", city("vila", "AD", 42.5)).await;
    let _ = ann.sync(&log).await;

    let mut all = watch(&bob, json!({}));
    assert!(seen(&mut all).is_empty());
    spy.holds(Hold::WriteAfter);
    {
        let options = SyncOptions::default();
        let mut syncing = pin!(do_sync(&bob.log, &log, &options));
        assert!(syncing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(all.look().is_none());
    }
    spy.holds(None);
    assert_eq!(seen(&mut all), ["vila"]);
}

#[pollster::test]
async fn rows_that_get_new_keys_when_they_are_adopted_are_seen() {
    let backend = storage(Store::Memory);
    let before = crate::manager(backend.clone()).await;
    let sight = Object::new().with("name", "Tower").with("city", "vila");
    let _ = before.collection("sight").expect("sights").create(sight).await.expect("created");
    let ann = Replica::open(backend, 1, schema(), |config| config).await.expect("it opens");
    let sights = ann.manager.collection("sight").expect("sights");
    let mut all = Viewer::of(sights.watch(Filter::All).expect("a live query"));
    let first = all.look().expect("an answer").expect("read");
    assert_eq!(first[0].value("number"), &1.into());
    let adopted = ann.log.adopt_with_new_keys("sight", || 7_000_000_i64.into()).await;
    assert_eq!(adopted.expect("it can be adopted"), 1);
    let now = all.look().expect("something new").expect("read");
    assert_eq!(now[0].value("number"), &7_000_000.into());
}
