//! What contradicts the schema is refused with its kind and its place, and changes nothing.

use serde_json::json;
use syncline_core::{Condition, ErrorKind, Filter, Object, Result, StorageManager, Value};

use crate::{city, everything, refused, user, with_storage};

#[test]
fn a_create_that_contradicts_the_schema_stores_nothing() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let good = || city("vila", "Vila", "AD");
        for (bad, word) in [
            (good().with("height", 3), "height"),
            (good().with("name", 3), "name"),
            (good().with("name", Value::Null), "name"),
            (Object::new().with("id", "vila"), "name"),
            (good().with("lat", f64::NAN), "lat"),
            (good().with("lat", "north"), "lat"),
            (good().with("flag", 1), "flag"),
            (good().with("id", 7), "id"),
            (good().with("id", Value::Null), "id"),
            (Object::new().with("name", "Vila"), "CustomPk"),
        ] {
            refused(cities.create(bad).await, ErrorKind::Invalid, &[word, "city"]);
        }
        refused(storage.batch().create("town", good()).run().await, ErrorKind::Invalid, &["town"]);
        let reserved = storage.batch().create("sync_entry", good()).run().await;
        refused(reserved, ErrorKind::Invalid, &["sync_entry"]);
        assert_eq!(everything(&storage).await?, []);
        Ok(())
    });
}

#[test]
fn an_update_that_contradicts_the_schema_changes_nothing() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let vila = cities.create(city("vila", "Vila", "AD")).await?;
        for (changes, word) in [
            (Object::new().with("height", 3), "height"),
            (Object::new().with("lat", "north"), "lat"),
            (Object::new().with("name", Value::Null), "name"),
            (Object::new().with("id", "other"), "id"),
        ] {
            let answer = cities.update(Filter::All, changes.clone()).await;
            refused(answer, ErrorKind::Invalid, &[word, "city"]);
            refused(cities.update_one(Filter::All, changes).await, ErrorKind::Invalid, &[word]);
        }
        let by_a_wrong_filter =
            cities.update(json!({ "lat": { "$gt": true } }), Object::new()).await;
        refused(by_a_wrong_filter, ErrorKind::Invalid, &["lat"]);
        assert_eq!(everything(&storage).await?, [vila]);
        Ok(())
    });
}

#[test]
fn whole_numbers_are_widened_where_the_schema_says_float() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let vila = cities.create(city("vila", "Vila", "AD").with("lat", 42)).await?;
        assert_eq!(vila.value("lat"), &Value::Float(42.0));
        assert_eq!(cities.find_by_key("vila").await?, Some(vila));
        Ok(())
    });
}

#[test]
fn null_is_stored_as_absence() {
    with_storage(async |storage| {
        let cities = storage.collection("city")?;
        let vila = cities.create(city("vila", "Vila", "AD").with("lat", Value::Null)).await?;
        assert!(!vila.contains("lat"), "what was created is shown as a find will show it");
        let _ = cities.update(Filter::All, Object::new().with("country", Value::Null)).await?;
        let found = cities.find_by_key("vila").await?.unwrap();
        assert_eq!(found, Object::new().with("id", "vila").with("name", "Vila"));
        Ok(())
    });
}

#[test]
fn a_delete_broader_than_its_limit_deletes_nothing() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ = users.create_many([user("a", "A"), user("b", "B"), user("c", "C")]).await?;
        let before = everything(&storage).await?;
        let broad = users.delete_limited(json!({ "name": { "$gt": "A" } }), 1).await;
        assert!(broad.is_err());
        let within = storage.batch().delete_limited("user", Filter::All, 2).run().await;
        assert_eq!(within.err().map(|error| error.kind()), broad.err().map(|error| error.kind()));
        assert_eq!(everything(&storage).await?, before);
        assert_eq!(users.delete_limited(json!({ "name": { "$gt": "A" } }), 2).await?, 2);
        assert_eq!(users.delete(Filter::key("zoe")).await?, 0);
        Ok(())
    });
}

/// Three steps that are fine in front of one that is not.
async fn fails_at_last(
    storage: &StorageManager,
    last: impl FnOnce(syncline_core::manager::BatchBuilder) -> syncline_core::manager::BatchBuilder,
    kind: ErrorKind,
    words: &[&str],
) -> Result<()> {
    let before = everything(storage).await?;
    let batch = storage
        .batch()
        .create("user", user("eve", "Eve"))
        .update("user", Filter::key("ann"), Object::new().with("age", 50))
        .delete("user", Filter::key("bob"));
    refused(last(batch).run().await, kind, words);
    assert_eq!(everything(storage).await?, before, "all steps or none");
    Ok(())
}

#[test]
fn a_batch_whose_last_step_fails_changes_nothing() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ =
            users.create_many([user("ann", "Ann"), user("bob", "Bob"), user("joe", "Joe")]).await?;
        let taken = |batch: syncline_core::manager::BatchBuilder| {
            batch.create("user", user("joe", "Other Joe"))
        };
        fails_at_last(&storage, taken, ErrorKind::Conflict, &[]).await?;
        let same_name =
            |batch: syncline_core::manager::BatchBuilder| batch.create("user", user("joe2", "Joe"));
        fails_at_last(&storage, same_name, ErrorKind::Conflict, &["unique user(name)", "Joe"])
            .await?;
        let unknown = |batch: syncline_core::manager::BatchBuilder| {
            batch.update("user", Filter::All, Object::new().with("hat", 1))
        };
        fails_at_last(&storage, unknown, ErrorKind::Invalid, &["hat"]).await?;
        let guard = |batch: syncline_core::manager::BatchBuilder| {
            let looks = Condition::Looks("ann".into(), Object::new().with("age", 49));
            batch.guard("ann is 49", "user", looks)
        };
        fails_at_last(&storage, guard, ErrorKind::Conflict, &["ann is 49"]).await?;
        let gone = |batch: syncline_core::manager::BatchBuilder| {
            batch.guard("bob is there", "user", Condition::Exists("bob".into()))
        };
        fails_at_last(&storage, gone, ErrorKind::Conflict, &["bob is there"]).await
    });
}

#[test]
fn a_guard_that_holds_lets_the_batch_through() {
    with_storage(async |storage| {
        let _ = storage.collection("user")?.create(user("ann", "Ann")).await?;
        let report = storage
            .batch()
            .guard("free", "user", Condition::Absent("bob".into()))
            .create("user", user("bob", "Bob"))
            .guard("there", "user", Condition::Exists("bob".into()))
            .run()
            .await?;
        assert_eq!(report.outcomes().len(), 3);
        assert_eq!(everything(&storage).await?.len(), 2);
        Ok(())
    });
}
