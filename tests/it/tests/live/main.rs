//! Live queries: an answer, and again whenever it changed, by whomever.

mod elsewhere;
mod matters;
mod random;
mod stream;
mod syncing;

use std::sync::Arc;

use syncline::backend::memory::MemoryBackend;
use syncline::schema::Definition;
use syncline::{Backend, Collection, FieldType, Object, Registry, Schema, StorageManager};
use syncline_it::spy::Spy;

/// Cities, whose keys the application gives, and sights in them, whose keys the backend counts.
fn schema() -> Schema {
    let city: Definition = Collection::define("city")
        .field("name", FieldType::String)
        .optional("country", FieldType::String)
        .optional("lat", FieldType::Float)
        .optional("seen", FieldType::Boolean);
    let sight = Collection::define("sight")
        .key(["number"])
        .field("number", FieldType::AutoPk)
        .optional("name", FieldType::String)
        .child_of("city");
    Registry::new().collections(1, [city, sight]).finish().expect("the schema is sound")
}

/// A manager without any middleware, on storage that counts.
async fn open() -> (StorageManager, Arc<Spy>) {
    let spy = Spy::on(Arc::new(MemoryBackend::default()));
    (manager(spy.clone()).await, spy)
}

async fn manager(backend: Arc<dyn Backend>) -> StorageManager {
    let building = StorageManager::builder(backend).schema(schema()).build();
    building.await.expect("it opens")
}

fn city(id: &str, country: &str, lat: f64) -> Object {
    let named = Object::new().with("id", id).with("name", id.to_uppercase());
    named.with("country", country).with("lat", lat)
}

/// Two cities in Andorra and two in France.
async fn four(storage: &StorageManager) {
    let cities = [
        city("ax", "FR", 42.7),
        city("foix", "FR", 43.0),
        city("pas", "AD", 42.6),
        city("vila", "AD", 42.5),
    ];
    let _ = storage.collection("city").expect("cities").create_many(cities).await.expect("four");
}

fn ids(objects: &[Object]) -> Vec<String> {
    objects.iter().map(|object| object.value("id").to_string()).collect()
}
