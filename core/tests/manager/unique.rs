//! Unique values: nothing but the manager keeps them, and only where they change.

use serde_json::json;
use syncline_core::{Batch, ErrorKind, Filter, Object, Operation, Result, StorageManager, Value};

use crate::{city, everything, refused, user, with_storage};

const NAME: &[&str] = &["unique user(name)", "collection: user", "fields: name", "values: \"Ann\""];

fn named(name: &str) -> Object {
    Object::new().with("name", name)
}

/// Writes past the manager, as a merge does.
async fn merged(storage: &StorageManager, batch: Batch) -> Result<()> {
    syncline_core::run(storage.backend().as_ref(), Operation::Write(batch)).await.map(drop)
}

#[test]
fn a_unique_value_is_taken_once() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ = users.create_many([user("a", "Ann"), user("b", "Bob")]).await?;
        let before = everything(&storage).await?;

        let error = refused(users.create(user("c", "Ann")).await, ErrorKind::Conflict, NAME);
        assert_eq!(error.guard(), Some("unique user(name)"));
        let ann = || named("Ann");
        refused(users.update(Filter::key("b"), ann()).await, ErrorKind::Conflict, NAME);
        refused(users.update(json!({ "name": "Bob" }), ann()).await, ErrorKind::Conflict, NAME);
        refused(users.update_one(json!({ "name": "Bob" }), ann()).await, ErrorKind::Conflict, NAME);
        refused(users.update(Filter::All, ann()).await, ErrorKind::Conflict, NAME);
        let several =
            storage.batch().create("user", user("c", "Cid")).create("user", user("d", "Ann"));
        refused(several.run().await, ErrorKind::Conflict, NAME);
        assert_eq!(everything(&storage).await?, before);

        assert_eq!(users.update(Filter::key("a"), ann()).await?, 1, "its own name is not taken");
        let _ = users.delete(Filter::key("a")).await?;
        let _ = users.create(user("c", "Ann")).await?;
        Ok(())
    });
}

#[test]
fn a_unique_value_is_taken_once_within_a_batch() {
    with_storage(async |storage| {
        let twins =
            storage.batch().create("user", user("a", "Ann")).create("user", user("b", "Ann"));
        refused(twins.run().await, ErrorKind::Conflict, NAME);
        assert_eq!(everything(&storage).await?, []);

        let handed_on = storage
            .batch()
            .create("user", user("a", "Ann"))
            .update("user", Filter::key("a"), named("Bea"))
            .create("user", user("b", "Ann"));
        let _ = handed_on.run().await?;
        Ok(())
    });
}

#[test]
fn what_counts_is_what_the_whole_batch_leaves_behind() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ = users.create_many([user("a", "Ann"), user("b", "Bob")]).await?;
        let swap = storage.batch().update("user", Filter::key("a"), named("Bob")).update(
            "user",
            Filter::key("b"),
            named("Ann"),
        );
        let _ = swap.run().await?;
        assert_eq!(users.find_by_key("a").await?, Some(user("a", "Bob")));

        let replaced =
            storage.batch().create("user", user("c", "Ann")).delete("user", Filter::key("b"));
        let _ = replaced.run().await?;
        assert_eq!(users.count(Filter::All).await?, 2);
        Ok(())
    });
}

#[test]
fn null_is_never_taken() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let nowhere = |id: &str| Object::new().with("id", id).with("name", "Vila");
        let _ = cities.create_many([nowhere("a"), nowhere("b")]).await?;
        let _ = cities.create_many([city("c", "Vila", "AD"), city("d", "Vila", "FR")]).await?;
        let emptied = Object::new().with("country", Value::Null);
        assert_eq!(cities.update(Filter::key("c"), emptied).await?, 1);
        assert_eq!(cities.count(json!({ "name": "Vila" })).await?, 4);
        Ok(())
    });
}

#[test]
fn a_part_of_unique_values_is_checked_with_the_rest_of_them() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let ad = city("a", "Vila", "AD");
        let _ = cities.create_many([ad, city("b", "Vila", "FR"), city("c", "Pau", "FR")]).await?;
        let before = everything(&storage).await?;
        let says =
            &["unique city(country,name)", "fields: country,name", "values: \"AD\",\"Vila\""];
        let moved = || Object::new().with("country", "AD");

        let by_key = cities.update(Filter::key("b"), moved()).await;
        refused(by_key, ErrorKind::Conflict, says);
        refused(cities.update(json!({ "name": "Vila" }), moved()).await, ErrorKind::Conflict, says);
        refused(cities.update(Filter::All, named("Pau")).await, ErrorKind::Conflict, &["Pau"]);
        let within = storage
            .batch()
            .update("city", Filter::key("c"), Object::new().with("country", "AD"))
            .update("city", json!({ "country": "AD" }), named("Vila"));
        refused(within.run().await, ErrorKind::Conflict, says);
        assert_eq!(everything(&storage).await?, before);

        assert_eq!(cities.update(Filter::key("c"), moved()).await?, 1);
        let freed = storage.batch().delete("city", Filter::key("a")).update(
            "city",
            json!({ "name": "Vila" }),
            moved(),
        );
        assert_eq!(freed.run().await?.outcomes().len(), 2);
        let wanted = [city("b", "Vila", "AD"), city("c", "Pau", "AD")];
        assert_eq!(cities.find(Filter::All).await?, wanted);
        Ok(())
    });
}

#[test]
fn values_that_merging_doubled_can_still_be_edited_around() {
    with_storage(async |storage| {
        let doubled = Batch::new()
            .create("user", user("a", "Ann"))
            .create("user", user("b", "Ann"))
            .create("city", city("v", "Vila", "AD"))
            .create("city", city("w", "Vila", "AD"));
        merged(&storage, doubled).await?;
        let (users, cities) = (storage.collection("user")?, storage.collection("city")?);

        assert_eq!(users.update(Filter::key("a"), Object::new().with("age", 7)).await?, 1);
        let whole = Object::new().with("age", 8).with("name", "Ann");
        assert_eq!(users.update(Filter::key("a"), whole).await?, 1, "the name does not change");
        let same = Object::new().with("country", "AD").with("lat", 1.0);
        assert_eq!(cities.update(Filter::All, same).await?, 2);
        refused(users.create(user("c", "Ann")).await, ErrorKind::Conflict, NAME);
        assert_eq!(users.update(Filter::key("b"), named("Bea")).await?, 1, "this is the repair");
        refused(users.update(Filter::key("b"), named("Ann")).await, ErrorKind::Conflict, NAME);
        Ok(())
    });
}

#[test]
fn an_update_of_nothing_takes_nothing() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let doubled =
            Batch::new().create("user", user("a", "Ann")).create("user", user("b", "Ann"));
        merged(&storage, doubled).await?;
        assert_eq!(users.update(Filter::key("z"), named("Ann")).await?, 0);
        assert_eq!(users.update(json!({ "name": "Zoe" }), named("Ann")).await?, 0);
        Ok(())
    });
}

/// Moves a city between the read and the write of an update, as another task might.
#[derive(Debug)]
struct Meddler {
    /// What it sets in whom, each time a guarded write comes by, until nothing is left.
    moves: std::sync::Mutex<Vec<(&'static str, Object)>>,
    memory: syncline_backend_memory::MemoryBackend,
}

#[syncline_core::async_trait]
impl syncline_core::Backend for Meddler {
    fn name(&self) -> &'static str {
        "meddled"
    }

    fn capability(&self) -> syncline_core::Capability {
        self.memory.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<syncline_core::Outcome> {
        if matches!(&operation, Operation::Write(batch) if batch.steps.len() > 1) {
            let next = self.moves.lock().expect("nobody panics").pop();
            if let Some((id, changes)) = next {
                let update = Batch::new().update("city", Filter::key(id), changes);
                let _ = self.memory.execute(Operation::Write(update)).await?;
            }
        }
        self.memory.execute(operation).await
    }
}

async fn meddled(moves: Vec<(&'static str, Object)>) -> Result<StorageManager> {
    let moves = moves.into();
    let backend = Meddler { moves, memory: syncline_backend_memory::MemoryBackend::default() };
    let backend = std::sync::Arc::new(backend);
    let storage = StorageManager::builder(backend).schema(crate::schema()).build().await?;
    let fill = [city("a", "Vila", "AD"), city("b", "Pau", "FR")];
    for city in fill {
        merged(&storage, Batch::new().create("city", city)).await?;
    }
    Ok(storage)
}

#[test]
fn an_update_that_read_too_early_reads_again() -> Result<()> {
    pollster::block_on(async {
        // Read, b is Pau in France, which may move to Andorra; written, it is called Vila.
        let storage = meddled(vec![("b", named("Vila"))]).await?;
        let cities = storage.collection("city")?;
        let moved = cities.update(Filter::key("b"), Object::new().with("country", "AD")).await;
        refused(moved, ErrorKind::Conflict, &["unique city(country,name)", "\"AD\",\"Vila\""]);

        let storage =
            meddled(["Pas", "Foix", "Dax"].map(|name| ("b", named(name))).to_vec()).await?;
        let cities = storage.collection("city")?;
        assert_eq!(cities.update(Filter::key("b"), Object::new().with("country", "AD")).await?, 1);
        assert_eq!(cities.find_by_key("b").await?, Some(city("b", "Pas", "AD")));
        Ok(())
    })
}

#[test]
fn an_object_that_no_longer_meets_the_filter_is_not_updated() -> Result<()> {
    pollster::block_on(async {
        let storage = meddled(vec![("b", Object::new().with("country", "ES"))]).await?;
        let cities = storage.collection("city")?;
        assert_eq!(cities.update(json!({ "country": "FR" }), named("Vila")).await?, 0);
        assert_eq!(cities.find_by_key("b").await?, Some(city("b", "Pau", "ES")));
        Ok(())
    })
}

#[test]
fn an_object_that_meets_the_filter_too_late_is_not_updated() -> Result<()> {
    pollster::block_on(async {
        let storage = meddled(vec![("a", Object::new().with("country", "FR"))]).await?;
        let cities = storage.collection("city")?;
        assert_eq!(cities.update(json!({ "country": "FR" }), named("Dax")).await?, 1);
        assert_eq!(cities.find_by_key("a").await?, Some(city("a", "Vila", "FR")));
        Ok(())
    })
}

#[test]
fn reading_again_has_an_end() -> Result<()> {
    pollster::block_on(async {
        let moves = (0..100).map(|number| ("b", named(&format!("n{number}")))).collect();
        let storage = meddled(moves).await?;
        let cities = storage.collection("city")?;
        let moved = cities.update(Filter::key("b"), Object::new().with("country", "AD")).await;
        refused(moved, ErrorKind::Conflict, &["try again"]);
        assert_eq!(
            cities.find_by_key("b").await?.map(|city| city.value("country").clone()),
            Some("FR".into())
        );
        Ok(())
    })
}
