//! Batches: placeholders, what they report, and mistakes in them.

use serde_json::json;
use syncline_core::operation::StepOutcome;
use syncline_core::{ErrorKind, Filter, Key, Nested, Object, Value};

use crate::{everything, refused, user, with_storage};

#[test]
fn a_batch_without_steps_does_nothing() {
    with_storage(async |storage| {
        let report = storage.batch().run().await?;
        assert_eq!(report.outcomes(), []);
        assert!(storage.collection("user")?.create_many([]).await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_placeholder_stands_for_a_key_that_is_given() {
    with_storage(async |storage| {
        let mail = Object::new().with("address", "jane@example.com");
        let report = storage
            .batch()
            .create_as("jane", "user", user("u1", "Jane"))
            .create_as("mail", "email", mail.clone())
            .replace("user", "jane")
            .create("user", user("u2", "Joe"))
            .run()
            .await?;
        assert_eq!(report.object("jane")?, &user("u1", "Jane"));
        assert_eq!(report.object("mail")?, &mail.with("number", 1).with("user", "u1"));
        assert_eq!(report.objects().len(), 2);
        assert_eq!(
            report.keys().cloned().collect::<Vec<Key>>(),
            ["u1".into(), 1.into(), "u2".into()]
        );
        assert_eq!(everything(&storage).await?.len(), 3);
        refused(report.object("joe"), ErrorKind::NotFound, &["joe"]);
        Ok(())
    });
}

#[test]
fn a_placeholder_stands_for_a_key_that_the_backend_counts() {
    pollster::block_on(async {
        use std::sync::Arc;
        use syncline_core::{Collection, FieldType, Registry, StorageManager};

        let parent = Collection::define("list").field("id", FieldType::AutoPk);
        let child = Collection::define("entry").field("id", FieldType::AutoPk).child_of("list");
        let schema = Registry::new().collections(1, [parent, child]).finish()?;
        let backend = Arc::new(syncline_backend_memory::MemoryBackend::default());
        let storage = StorageManager::builder(backend).schema(schema).build().await?;

        let _ = storage.collection("list")?.create(Object::new()).await?;
        let report = storage
            .batch()
            .create_as("list", "list", Object::new())
            .create_as("entry", "entry", Object::new())
            .replace("list", "list")
            .run()
            .await?;
        assert_eq!(report.object("entry")?.value("list"), &Value::Int(2));
        let stored = storage.collection("entry")?.find(Filter::All).await?;
        assert_eq!(stored, [report.object("entry")?.clone()]);
        Ok::<(), syncline_core::Error>(())
    })
    .unwrap();
}

#[test]
fn mistakes_in_a_batch_are_told_with_their_place_and_nothing_is_written() {
    with_storage(async |storage| {
        let good = || storage.batch().create("user", user("u1", "Jane"));
        let mail = || Object::new().with("address", "a@b");
        let wrong = good().create("email", mail()).replace("user", "nobody").run().await;
        refused(wrong, ErrorKind::Invalid, &["nobody", "step: 1"]);
        refused(
            good().delete("user", Filter::All).replace("user", "x").run().await,
            ErrorKind::Invalid,
            &["replace"],
        );
        refused(
            good().update("user", json!({"hat": 1}), Object::new()).run().await,
            ErrorKind::Invalid,
            &["hat"],
        );
        refused(good().delete("town", Filter::All).run().await, ErrorKind::Invalid, &["town"]);
        let nested = Nested { object: user("u2", "Joe"), children: vec![("cats".into(), vec![])] };
        refused(
            good().create_nested_as("joe", "user", nested).run().await,
            ErrorKind::Invalid,
            &["cats"],
        );
        let twice = storage.batch().create_as("x", "user", user("u1", "Jane")).create_as(
            "x",
            "user",
            user("u2", "Joe"),
        );
        refused(twice.run().await, ErrorKind::Invalid, &["placeholder"]);
        assert_eq!(everything(&storage).await?, []);
        Ok(())
    });
}

#[test]
fn updates_and_deletes_report_how_many_objects_they_touched() {
    with_storage(async |storage| {
        let users = storage.collection("user")?;
        let _ = users.create_many([user("a", "A"), user("b", "B"), user("c", "C")]).await?;
        let report = storage
            .batch()
            .update("user", Filter::All, Object::new().with("age", 1))
            .update("user", Key::from("z"), Object::new().with("age", 2))
            .delete("user", json!({ "name": "B" }))
            .run()
            .await?;
        let wanted = [StepOutcome::Updated(3), StepOutcome::Updated(0), StepOutcome::Deleted(1)];
        assert_eq!(report.outcomes(), wanted);
        assert_eq!(users.update(Filter::All, Object::new().with("age", 3)).await?, 2);
        assert_eq!(users.delete(Filter::All).await?, 2);
        Ok(())
    });
}
