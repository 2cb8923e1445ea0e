//! Two replicas in IndexedDB that meet at a log.

use syncline::client::Origin;
use syncline::{Filter, Object, Operation, Value};
use syncline_browser::{Replica, START, page};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{change, create, log, replica, schema, user, users};

#[wasm_bindgen_test]
async fn what_one_writes_the_other_reads() {
    let (one, two, log) = (replica(1).await, replica(2).await, log());
    create(&one, users(0..3)).await;
    change(&one, "00001", Object::new().with("age", 7)).await;
    let handle = one.manager.collection("user").expect("there are users");
    assert_eq!(handle.delete(Filter::eq("name", "User 2")).await.expect("it is written"), 1);

    let report = one.sync(&log).await.expect("it syncs");
    assert_eq!((report.shared, report.finished), (5, true));
    let report = two.sync(&log).await.expect("it syncs");
    assert_eq!((report.received, report.integrated), (5, 5));
    let expected = [user("00000", "User 0"), user("00001", "User 1").with("age", 7)];
    assert_eq!(two.all("user").await.expect("it reads"), expected);
}

#[wasm_bindgen_test]
async fn edits_of_different_fields_both_stay_and_of_one_field_the_later_wins() {
    let (one, two, log) = (replica(1).await, replica(2).await, log());
    create(&one, vec![user("joe", "Joe")]).await;
    let _ = one.sync(&log).await.expect("it syncs");
    let _ = two.sync(&log).await.expect("it syncs");
    two.clock.set(START + 60_000);
    change(&one, "joe", Object::new().with("name", "One").with("age", 1)).await;
    change(&two, "joe", Object::new().with("name", "Two").with("joined", Value::Timestamp(5)))
        .await;

    let _ = one.sync(&log).await.expect("it syncs");
    assert_eq!(two.sync(&log).await.expect("it syncs").discarded, 1, "one name lost");
    let _ = one.sync(&log).await.expect("it syncs");
    let [joe] = &one.all("user").await.expect("it reads")[..] else { panic!("one user") };
    assert_eq!((joe.value("name"), joe.value("age")), (&"Two".into(), &1.into()));
    assert_eq!(two.all("user").await.expect("it reads"), std::slice::from_ref(joe));
}

#[wasm_bindgen_test]
async fn rows_that_were_there_before_are_adopted() {
    let config = page::config();
    let backend = page::open(&config).await;
    let plain = syncline::StorageManager::builder(backend).schema(schema());
    let plain = plain.build().await.expect("it opens");
    let handle = plain.collection("user").expect("there are users");
    let _ = handle.create_many(users(0..1_500)).await.expect("they are new");

    let one = Replica::open(page::open(&config).await, 1, schema()).await.expect("it opens");
    let (two, log) = (replica(2).await, log());
    assert_eq!(one.log.adopt("user", Origin::Unknown).await.expect("they are adopted"), 1_500);
    let _ = one.sync(&log).await.expect("it syncs");
    assert_eq!(two.sync(&log).await.expect("it syncs").integrated, 1_500);
    assert_eq!(two.all("user").await.expect("it reads"), users(0..1_500));
}

#[wasm_bindgen_test]
async fn thousands_of_entries_arrive() {
    let (one, two, log) = (replica(1).await, replica(2).await, log());
    create(&one, users(0..3_000)).await;
    for number in 0..30 {
        change(&one, &format!("{number:05}"), Object::new().with("age", 9)).await;
    }
    let _ = one.sync(&log).await.expect("it syncs");
    let _ = two.sync(&log).await.expect("it syncs");
    let (ours, theirs) = (one.all("user").await, two.all("user").await);
    let theirs = theirs.expect("it reads");
    assert_eq!(ours.expect("it reads"), theirs);
    assert_eq!((theirs.len(), theirs[29].value("age")), (3_000, &9.into()));
    let named = Operation::Count("user".into(), Filter::prefix("name", "User 29"));
    let count = two.manager.execute(named).await.expect("it reads");
    assert_eq!(count, syncline::Outcome::Counted(111), "29, 290 to 299 and 2900 to 2999");
}

#[wasm_bindgen_test]
async fn two_tabs_write_one_log_without_a_gap() {
    let config = page::config();
    let one = Replica::open(page::open(&config).await, 1, schema()).await.expect("it opens");
    let two = Replica::open(page::open(&config).await, 2, schema()).await.expect("it opens");
    for round in 0..10 {
        create(&one, users(round * 10..round * 10 + 3)).await;
        create(&two, users(round * 10 + 5..round * 10 + 8)).await;
        change(&two, &format!("{:05}", round * 10), Object::new().with("age", 1)).await;
    }
    let (other, log) = (replica(3).await, log());
    assert_eq!(one.sync(&log).await.expect("it syncs").shared, 70);
    let _ = other.sync(&log).await.expect("it syncs");
    assert_eq!(other.all("user").await.expect("reads"), two.all("user").await.expect("reads"));
}
