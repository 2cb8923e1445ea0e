//! The write path as an application sees it, over the memory backend.

mod batches;
mod building;
mod nested;
mod one;
mod random;
mod reading;
mod resolve;
mod typed;
mod unique;
mod validation;

use std::future::Future;
use std::sync::Arc;

use syncline_backend_memory::MemoryBackend;
use syncline_core::{
    Collection, Error, ErrorKind, FieldType, Filter, Object, Registry, Result, Schema,
    StorageManager,
};

/// Users whose keys the application gives, their emails, whose keys the backend counts, and cities
/// with everything that can be checked.
fn schema() -> Schema {
    let user = Collection::define("user")
        .field("name", FieldType::String)
        .optional("age", FieldType::Int)
        .unique(["name"]);
    let email = Collection::define("email")
        .key(["number"])
        .field("number", FieldType::AutoPk)
        .field("address", FieldType::String)
        .child_of("user");
    let city = Collection::define("city")
        .field("name", FieldType::String)
        .optional("country", FieldType::String)
        .optional("lat", FieldType::Float)
        .optional("seen", FieldType::Timestamp)
        .optional("flag", FieldType::Boolean)
        .optional("extra", FieldType::Json)
        .optional("picture", FieldType::Blob)
        .unique(["country", "name"]);
    let seat = Collection::define("seat")
        .key(["row", "number"])
        .field("row", FieldType::String)
        .field("number", FieldType::Int)
        .optional("taken", FieldType::Boolean);
    let collections = [user, email, city, seat];
    Registry::new().collections(1, collections).finish().expect("the schema is sound")
}

/// Runs a test with an empty storage.
fn with_storage<F: Future<Output = Result<()>>>(test: impl FnOnce(StorageManager) -> F) {
    pollster::block_on(async {
        let backend = Arc::new(MemoryBackend::default());
        let storage = StorageManager::builder(backend).schema(schema()).build().await?;
        test(storage).await
    })
    .expect("nothing goes wrong that the test does not expect");
}

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn city(id: &str, name: &str, country: &str) -> Object {
    Object::new().with("id", id).with("name", name).with("country", country)
}

/// Everything that is stored, for tests that claim that nothing changed.
async fn everything(storage: &StorageManager) -> Result<Vec<Object>> {
    let mut all = Vec::new();
    for name in ["user", "email", "city", "seat"] {
        all.extend(storage.collection(name)?.find(Filter::All).await?);
    }
    Ok(all)
}

/// Holds the error to a kind and to words that its message must have.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T>, kind: ErrorKind, words: &[&str]) -> Error {
    let error = answer.expect_err("this must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "`{error}` says nothing of `{word}`");
    }
    error
}
