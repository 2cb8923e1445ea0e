//! What other tabs and processes touched in the same database.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use serde_json::json;
use syncline::change::{Change, Observer, Origin, Touched, TouchedStream};
use syncline::shared_log::memory::MemoryLog;
use syncline::{Backend, ErrorKind, Filter, Key, Name, Object, async_trait};
use syncline_it::spy::{Spy, Viewer};
use syncline_it::{Replica, Store, storage};

use crate::{city, ids, manager, schema};

/// Two tabs with one database.
async fn tabs() -> ((Replica, Replica), Arc<Spy>) {
    let spy = Spy::on(storage(Store::Memory));
    ((tab(spy.clone(), 1).await, tab(spy.clone(), 2).await), spy)
}

async fn tab(backend: Arc<dyn Backend>, number: u64) -> Replica {
    Replica::open(backend, number, schema(), |config| config).await.expect("it opens")
}

fn watch(replica: &Replica, filter: serde_json::Value) -> Viewer {
    let cities = replica.manager.collection("city").expect("cities");
    Viewer::of(cities.watch(filter).expect("a live query"))
}

fn told(stream: &mut TouchedStream) -> Option<Touched> {
    let mut next = std::pin::pin!(stream.next());
    match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(touched) => Some(touched),
        Poll::Pending => None,
    }
}

fn keys(touched: &Touched, collection: &str) -> Option<Vec<Key>> {
    touched.keys(collection).map(|keys| keys.cloned().collect())
}

#[pollster::test]
async fn what_another_tab_writes_is_seen_once_it_is_told() {
    let ((here, there), spy) = tabs().await;
    let mut told_here = here.manager.touched();
    let mut all = watch(&there, json!({ "country": "AD" }));
    assert_eq!(all.look().expect("an answer").expect("read"), []);
    let vila = here.create("city", city("vila", "AD", 42.5)).await;
    assert!(all.look().is_none(), "nobody told");

    let touched = told(&mut told_here).expect("something was touched");
    assert!(touched.is_written());
    assert_eq!(keys(&touched, "city"), Some(vec!["vila".into()]));
    there.manager.touched_elsewhere(&touched).await;
    assert_eq!(all.look().expect("something new").expect("read"), [vila]);
    assert!(told(&mut told_here).is_none(), "it is told once");

    let mut vila = watch(&there, json!({ "id": "vila" }));
    let sights = there.manager.collection("sight").expect("sights");
    let mut sights = Viewer::of(sights.watch(Filter::All).expect("a live query"));
    let _ = (vila.look(), sights.look(), all.look(), spy.finds());
    let _ = here.create("city", city("pas", "AD", 42.6)).await;
    there.manager.touched_elsewhere(&told(&mut told_here).expect("touched")).await;
    assert!(vila.look().is_none() && sights.look().is_none());
    assert_eq!(spy.finds(), 0, "another object and another collection were touched");
    assert_eq!(ids(&all.look().expect("something new").expect("read")), ["pas", "vila"]);
}

#[pollster::test]
async fn what_one_hears_from_others_is_not_told_on() {
    let ((here, _), _) = tabs().await;
    let mut told_here = here.manager.touched();
    here.manager.touched_elsewhere(&Touched::everything()).await;
    assert!(told(&mut told_here).is_none());
}

#[pollster::test]
async fn what_a_sync_brings_is_told_and_is_no_writing() {
    let ((here, there), _) = tabs().await;
    let log = MemoryLog::new("test".parse().expect("a group"));
    let ann = tab(storage(Store::Memory), 3).await;
    let _ = ann.create("city", city("vila", "AD", 42.5)).await;
    let _ = ann.sync(&log).await;

    let mut told_here = here.manager.touched();
    let mut all = watch(&there, json!({}));
    assert_eq!(all.look().expect("an answer").expect("read"), []);
    let _ = here.sync(&log).await;
    let touched = told(&mut told_here).expect("something was touched");
    assert!(!touched.is_written());
    assert_eq!(keys(&touched, "city"), Some(vec!["vila".into()]));
    there.manager.touched_elsewhere(&touched).await;
    assert_eq!(ids(&all.look().expect("something new").expect("read")), ["vila"]);
}

#[pollster::test]
async fn many_touched_objects_become_any_object() {
    let ((here, there), _) = tabs().await;
    let mut told_here = here.manager.touched();
    for number in 0..2_000 {
        let _ = here.create("city", city(&format!("c{number}"), "AD", 0.0)).await;
    }
    let touched = told(&mut told_here).expect("something was touched");
    assert!(touched.touches("city") && !touched.touches("sight"));
    assert_eq!(keys(&touched, "city"), None);
    assert_eq!(keys(&touched, "sight"), Some(Vec::new()));
    assert!(touched.to_bytes().len() < 32, "however much happened");
    let mut all = watch(&there, json!({}));
    assert!(all.look().is_some() && all.look().is_none());
    there.manager.touched_elsewhere(&touched).await;
    assert_eq!(all.calls(), 1);
    assert!(all.look().is_none(), "it has seen all of them");
}

#[pollster::test]
async fn writes_that_touch_nothing_tell_nothing() {
    let ((here, _), _) = tabs().await;
    let mut told_here = here.manager.touched();
    let _ = here.update("city", Filter::key("nobody"), Object::new().with("lat", 1.0)).await;
    let _ = here.delete("city", Filter::eq("country", "AD")).await;
    assert!(told(&mut told_here).is_none());
}

#[pollster::test]
async fn what_a_filter_touches_is_told_by_keys_where_it_is_recorded() {
    let ((here, _), _) = tabs().await;
    let _ = here.create("city", city("vila", "AD", 42.5)).await;
    let mut told_here = here.manager.touched();
    let _ = here.update("city", Filter::All, Object::new().with("lat", 1.0)).await;
    let touched = told(&mut told_here).expect("something was touched");
    assert_eq!(keys(&touched, "city"), Some(vec!["vila".into()]));

    let plain = manager(storage(Store::Memory)).await;
    let cities = plain.collection("city").expect("cities");
    let _ = cities.create(city("vila", "AD", 42.5)).await.expect("created");
    let mut told_here = plain.touched();
    let _ = cities.update(Filter::All, Object::new().with("lat", 1.0)).await.expect("updated");
    let touched = told(&mut told_here).expect("something was touched");
    assert_eq!(keys(&touched, "city"), None, "without a log, only the backend knows");
}

#[pollster::test]
async fn tabs_see_what_others_wrote_into_the_log() {
    let ((here, there), _) = tabs().await;
    let log = MemoryLog::new("test".parse().expect("a group"));
    for round in 1..4_u64 {
        let _ = here.create("city", city(&format!("a{round}"), "AD", 0.0)).await;
        let _ = there.create("city", city(&format!("b{round}"), "AD", 0.0)).await;
        let leader = if round % 2 == 0 { &here } else { &there };
        assert_eq!(leader.sync(&log).await.shared, 2);
    }
    assert_eq!(here.log.replica().await.expect("id"), there.log.replica().await.expect("id"));
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Touched>>);

#[async_trait]
impl Observer for Heard {
    fn collections(&self) -> Option<Vec<Name>> {
        Some(vec!["city".into()])
    }

    async fn after(&self, _: &[Change], _: Origin) {}

    async fn elsewhere(&self, touched: &Touched) {
        self.0.lock().expect("nobody panicked").push(touched.clone());
    }
}

#[pollster::test]
async fn observers_hear_of_what_they_care_for() {
    let ((here, _), _) = tabs().await;
    let heard = Arc::new(Heard::default());
    here.manager.feed().observe(heard.clone());
    let mut touched = Touched::default();
    touched.add("sight", 1.into());
    here.manager.touched_elsewhere(&touched).await;
    assert!(heard.0.lock().expect("nobody panicked").is_empty());
    touched.add("city", "vila".into());
    here.manager.touched_elsewhere(&touched).await;
    assert_eq!(*heard.0.lock().expect("nobody panicked"), [touched]);
}

#[test]
fn touched_survives_the_way() {
    let mut touched = Touched::default();
    assert!(touched.is_empty());
    assert_eq!(Touched::from_bytes(&touched.to_bytes()).expect("read"), touched);
    touched.add("city", "vila".into());
    touched.add("seat", Key::compound(["A".into(), 7.into()]));
    touched.add_all("sight");
    assert_eq!(Touched::from_bytes(&touched.to_bytes()).expect("read"), touched);
    let everything = Touched::everything();
    assert_eq!(Touched::from_bytes(&everything.to_bytes()).expect("read"), everything);
    assert!(everything.touches("anything") && everything.collections().is_none());
    touched.merge(everything.clone());
    assert_eq!(touched, everything);
}

#[test]
fn bytes_that_are_none_are_refused() {
    let mut touched = Touched::default();
    touched.add("city", "vila".into());
    let bytes = touched.to_bytes();
    for end in 0..bytes.len() {
        let error = Touched::from_bytes(&bytes[..end]).expect_err("a part is missing");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    let newer = [&[2_u8], &bytes[1..]].concat();
    let error = Touched::from_bytes(&newer).expect_err("nobody knows this form");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Touched::from_bytes(&longer).expect_err("too long").kind(), ErrorKind::Corrupt);
}
