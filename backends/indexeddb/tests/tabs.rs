//! Several connections on one database, as several tabs have them, and a browser that fails.

#![cfg(target_family = "wasm")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use js_sys::Function;
use syncline_backend_indexeddb::{IndexedDbBackend, IndexedDbConfig};
use syncline_core::query::Test;
use syncline_core::schema::Definition;
use syncline_core::{
    Batch, Collection, ErrorKind, FieldType, Filter, Find, Object, Operation, Outcome, Registry,
    Result, Schema, run,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A database of this test alone, which waits shortly for others.
fn config() -> IndexedDbConfig {
    IndexedDbConfig { patience: Duration::from_millis(200), ..common::config() }
}

fn note() -> Definition {
    Collection::define("note").optional("title", FieldType::Text).optional("stars", FieldType::Int)
}

fn number() -> Definition {
    Collection::define("number")
        .field("n", FieldType::Int)
        .optional("t", FieldType::Text)
        .key(["n"])
}

fn schema<const N: usize>(definitions: [Definition; N]) -> Arc<Schema> {
    Arc::new(Registry::new().collections(1, definitions).finish().expect("it is sound"))
}

async fn open(config: &IndexedDbConfig, schema: &Arc<Schema>) -> Result<IndexedDbBackend> {
    let backend = IndexedDbBackend::open(config.clone()).await?;
    let _ = run(&backend, Operation::Prepare(schema.clone())).await?;
    Ok(backend)
}

async fn create(backend: &IndexedDbBackend, collection: &str, object: Object) -> Result<()> {
    run(backend, Operation::Write(Batch::new().create(collection, object))).await.map(drop)
}

async fn find(backend: &IndexedDbBackend, find: Find) -> Result<Vec<Object>> {
    Ok(run(backend, Operation::Find(find)).await?.found()?.objects)
}

fn titled(id: &str, title: &str) -> Object {
    Object::new().with("id", id).with("title", title)
}

/// Runs JavaScript, which may wait.
async fn script(body: &str, argument: &str) -> JsValue {
    let body = format!("return (async () => {{ {body} }})()");
    let function = Function::new_with_args("name", &body);
    let promise = function.call1(&JsValue::NULL, &JsValue::from_str(argument));
    let promise = js_sys::Promise::from(promise.expect("it is a promise"));
    JsFuture::from(promise).await.expect("the script runs")
}

#[wasm_bindgen_test]
async fn another_tab_lets_go_for_a_new_schema_and_goes_on() {
    let config = config();
    let old = open(&config, &schema([note()])).await.expect("it opens");
    create(&old, "note", titled("a", "one")).await.expect("it is new");

    let newer = schema([note().index(["title"]).full_text("title"), number()]);
    let new = open(&config, &newer).await.expect("the old one lets go");
    create(&old, "note", titled("b", "two")).await.expect("it opens again");
    create(&new, "note", titled("c", "one more")).await.expect("it is new");

    let by_index = Find::new("note", Filter::eq("title", "two"));
    assert_eq!(find(&new, by_index).await.expect("it reads"), [titled("b", "two")]);
    let words = Filter::Field("title".into(), Test::Words(vec!["one".into()]));
    let expected = [titled("a", "one"), titled("c", "one more")];
    assert_eq!(find(&new, Find::new("note", words)).await.expect("it reads"), expected);
    let all = find(&old, Find::new("note", Filter::All)).await.expect("it reads");
    assert_eq!(all.len(), 3);
}

#[wasm_bindgen_test]
async fn tabs_that_open_a_database_at_once_all_get_it() {
    let config = config();
    let schemas = [schema([note()]), schema([number()]), schema([note().index(["stars"])])];
    let mut opening: Vec<_> =
        schemas.iter().map(|schema| Box::pin(open(&config, schema))).collect();
    let mut opened = Vec::new();
    while !opening.is_empty() {
        std::future::poll_fn(|context| {
            opening.retain_mut(|one| match one.as_mut().poll(context) {
                std::task::Poll::Ready(backend) => {
                    opened.push(backend.expect("it opens"));
                    false
                }
                std::task::Poll::Pending => true,
            });
            if opening.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
    let last = open(&config, &schema([note().index(["stars"]), number()])).await.expect("it opens");
    create(&last, "number", Object::new().with("n", 1)).await.expect("it is new");
    create(&last, "note", titled("a", "A")).await.expect("it is new");
    assert_eq!(opened.len(), 3);
}

#[wasm_bindgen_test]
async fn runs_become_rows_when_an_index_is_added() {
    let config = config();
    let object = |n: i64| Object::new().with("n", n).with("t", format!("t{}", n % 3));
    let old = open(&config, &schema([number()])).await.expect("it opens");
    let batch = (-2_i64..400).fold(Batch::new(), |batch, n| batch.create("number", object(n)));
    let _ = run(&old, Operation::Write(batch)).await.expect("they are new");
    create(&old, "number", object(500)).await.expect("it is new");

    let new = open(&config, &schema([number().index(["t"])])).await.expect("it opens");
    let third = find(&new, Find::new("number", Filter::eq("t", "t1"))).await.expect("it reads");
    let expected: Vec<Object> = (-2_i64..400).filter(|n| n % 3 == 1).map(object).collect();
    assert_eq!(third, expected);
    let all = find(&old, Find::new("number", Filter::All)).await.expect("it reads");
    assert_eq!(all, (-2_i64..400).chain([500]).map(object).collect::<Vec<_>>());
    let gone = Batch::new().delete("number", Filter::gte("n", 1));
    let _ = run(&old, Operation::Write(gone)).await.expect("they are deleted");
    let left = run(&new, Operation::Count("number".into(), Filter::All)).await.expect("it counts");
    assert_eq!(left, Outcome::Counted(3));
}

#[wasm_bindgen_test]
async fn a_tab_that_does_not_let_go_is_told_of_and_later_waited_for_no_more() {
    let config = config();
    let _ = open(&config, &schema([note()])).await.expect("it opens");
    let holding = "globalThis.held = await new Promise((ok) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => ok(request.result);
    });";
    let _ = script(holding, &config.name).await;
    let wider = schema([note(), number()]);
    let error = open(&config, &wider).await.expect_err("somebody holds it");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(&config.name), "{error}");

    let _ = script("globalThis.held.close()", "").await;
    let backend = open(&config, &wider).await.expect("nobody holds it");
    create(&backend, "number", Object::new().with("n", 1)).await.expect("it is new");
}

#[wasm_bindgen_test]
async fn a_deleted_database_is_gone_and_stays_so() {
    let config = config();
    let schema = schema([note()]);
    let backend = open(&config, &schema).await.expect("it opens");
    create(&backend, "note", titled("a", "A")).await.expect("it is new");
    IndexedDbBackend::delete_database(&config).await.expect("everybody lets go");
    for _ in 0..2 {
        let error = create(&backend, "note", titled("b", "B")).await.expect_err("it is gone");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    let anew = open(&config, &schema).await.expect("it opens");
    assert_eq!(find(&anew, Find::new("note", Filter::All)).await.expect("it reads"), []);
}

#[wasm_bindgen_test]
async fn a_database_of_something_else_is_left_alone() {
    let config = config();
    let foreign = "await new Promise((ok) => {
        const request = indexedDB.open(name, 3);
        request.onupgradeneeded = () => request.result.createObjectStore('theirs');
        request.onsuccess = () => (request.result.close(), ok());
    });";
    let _ = script(foreign, &config.name).await;
    let error = open(&config, &schema([note()])).await.expect_err("it is not ours");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[wasm_bindgen_test]
async fn a_key_does_not_change_under_its_objects() {
    let config = config();
    let by = |field: &'static str| {
        let thing = Collection::define("thing").field("a", FieldType::Text);
        schema([thing.field("b", FieldType::Text).key([field])])
    };
    let _ = open(&config, &by("a")).await.expect("it opens");
    let backend = open(&config, &by("b")).await.expect("there is no object yet");
    create(&backend, "thing", Object::new().with("a", "x").with("b", "y"))
        .await
        .expect("it is new");
    let error = open(&config, &by("a")).await.expect_err("there is one");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[wasm_bindgen_test]
async fn a_full_quota_is_told_and_nothing_of_the_batch_is_written() {
    let config = config();
    let backend = open(&config, &schema([note()])).await.expect("it opens");
    create(&backend, "note", titled("a", "A")).await.expect("it is new");
    // The browser finds out when it commits.
    let full = "const store = IDBObjectStore.prototype;
        globalThis.add = store.add;
        let left = 1;
        store.add = function (...row) {
            if (left-- > 0) return globalThis.add.apply(this, row);
            throw new DOMException('there is no room', 'QuotaExceededError');
        };";
    let _ = script(full, "").await;
    let both = Batch::new().create("note", titled("b", "B")).create("note", titled("c", "C"));
    let error = run(&backend, Operation::Write(both)).await.expect_err("there is no room");
    let _ = script("IDBObjectStore.prototype.add = globalThis.add", "").await;
    assert_eq!(error.kind(), ErrorKind::Full);

    create(&backend, "note", titled("d", "D")).await.expect("it stays usable");
    let all = find(&backend, Find::new("note", Filter::All)).await.expect("it reads");
    assert_eq!(all, [titled("a", "A"), titled("d", "D")]);
}

#[wasm_bindgen_test]
async fn where_there_is_no_indexeddb_that_is_said() {
    let hiding = "globalThis.hidden = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB');
        const nothing = { value: undefined, configurable: true };
        Object.defineProperty(globalThis, 'indexedDB', nothing);";
    let _ = script(hiding, "").await;
    let available = IndexedDbBackend::is_available();
    let opened = IndexedDbBackend::open(config()).await;
    let showing = "delete globalThis.indexedDB;
        if (globalThis.hidden) Object.defineProperty(globalThis, 'indexedDB', globalThis.hidden);";
    let _ = script(showing, "").await;
    assert!(!available && IndexedDbBackend::is_available());
    assert_eq!(opened.expect_err("there is none").kind(), ErrorKind::Unsupported);
}

#[wasm_bindgen_test]
async fn a_connection_that_the_browser_closes_is_opened_again() {
    let config = config();
    let backend = open(&config, &schema([note()])).await.expect("it opens");
    // What closes it here is what a browser tells when it does so by itself.
    let closing = "const { transaction } = IDBDatabase.prototype;
        IDBDatabase.prototype.transaction = function (...all) {
            IDBDatabase.prototype.transaction = transaction;
            this.close();
            return transaction.apply(this, all);
        };";
    let _ = script(closing, "").await;
    create(&backend, "note", titled("a", "A")).await.expect("it opens again");
    let all = find(&backend, Find::new("note", Filter::All)).await.expect("it reads");
    assert_eq!(all, [titled("a", "A")]);
}

#[wasm_bindgen_test]
async fn the_browser_says_how_much_room_there_is() {
    let backend = open(&config(), &schema([note()])).await.expect("it opens");
    let report = backend.storage().await.expect("it tells");
    assert!(report.quota > report.usage, "{report:?}");
    let _ = backend.persist().await.expect("it may be asked");
}
