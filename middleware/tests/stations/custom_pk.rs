//! Keys for new objects.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use syncline_core::operation::{Create, Step};
use syncline_core::{
    Batch, Collection, ErrorKind, Filter, Key, Nested, Object, Registry, Result, StorageManager,
    Value,
};
use syncline_middleware::{CustomPk, KeySource, UuidV7};

use crate::{Recorder, name, run, schema, seat, storage, user};

/// Keys `k1`, `k2` and so on.
fn counted() -> impl KeySource {
    let next = AtomicI64::new(1);
    move || Value::from(format!("k{}", next.fetch_add(1, Ordering::Relaxed)))
}

async fn recorded() -> Result<(StorageManager, Recorder)> {
    let recorder = Recorder::default();
    let stations = recorder.clone();
    let storage = storage(|builder| builder.with(CustomPk::new(counted())).with(stations)).await?;
    Ok((storage, recorder))
}

fn email(address: &str) -> Object {
    Object::new().with("address", address)
}

#[test]
fn an_object_without_a_key_is_given_one() {
    run(async || {
        let (storage, recorder) = recorded().await?;
        let users = storage.collection("user")?;
        assert_eq!(users.create(name("Ann")).await?, user("k1", "Ann"));
        assert_eq!(recorder.created(), [user("k1", "Ann")], "stations behind see the key");
        assert_eq!(users.find_by_key("k1").await?, Some(user("k1", "Ann")));
        Ok(())
    });
}

#[test]
fn a_key_that_is_given_is_kept() {
    run(async || {
        let (storage, _) = recorded().await?;
        let users = storage.collection("user")?;
        assert_eq!(users.create(user("mine", "Ann")).await?, user("mine", "Ann"));
        assert_eq!(users.create(name("Bob")).await?, user("k1", "Bob"), "and no key was used up");
        Ok(())
    });
}

#[test]
fn nested_children_get_keys_and_the_keys_of_their_parents() {
    run(async || {
        let (storage, recorder) = recorded().await?;
        let proof = Object::new().with("code", "1");
        let mail =
            Nested { object: email("a@x"), children: vec![("proof".into(), vec![proof.into()])] };
        let ann = Nested { object: name("Ann"), children: vec![("emails".into(), vec![mail])] };
        let stored = storage.collection("user")?.create_nested(ann).await?;

        let mail = &stored.children[0].1[0];
        let proof = &mail.children[0].1[0];
        assert_eq!(stored.object, user("k1", "Ann"));
        assert_eq!(mail.object, email("a@x").with("id", "k2").with("user", "k1"));
        let wanted = Object::new().with("id", "k3").with("code", "1").with("email", "k2");
        assert_eq!(proof.object, wanted);
        let stored = [stored.object.clone(), mail.object.clone(), proof.object.clone()];
        assert_eq!(recorder.created(), stored, "stations behind see what is stored");
        Ok(())
    });
}

#[test]
fn placeholders_in_a_batch_become_keys() {
    run(async || {
        let (storage, recorder) = recorded().await?;
        let report = storage
            .batch()
            .create_as("ann", "user", name("Ann"))
            .create("user", user("bob", "Bob"))
            .create_as("mail", "email", email("a@x"))
            .replace("user", "ann")
            .update("user", Key::from("bob"), Object::new().with("age", 3))
            .run()
            .await?;
        assert_eq!(report.object("ann")?, &user("k1", "Ann"));
        let mail = email("a@x").with("id", "k2").with("user", "k1");
        assert_eq!(report.object("mail")?, &mail);
        let passed = recorder.seen().batches.last().cloned().unwrap_or_default();
        let open = |step: &&Step| matches!(step, Step::Create(Create { replace, .. }) if !replace.is_empty());
        assert_eq!(passed.steps.iter().find(open), None, "stations behind need no placeholders");
        assert_eq!(storage.collection("email")?.find(Filter::All).await?, [mail]);
        Ok(())
    });
}

#[test]
fn a_key_of_several_fields_is_for_the_application_to_give() {
    run(async || {
        let (storage, _) = recorded().await?;
        let seats = storage.collection("seat")?;
        assert_eq!(seats.create(seat("a", 1)).await?, seat("a", 1));
        let error = seats.create(Object::new().with("row", "a")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        Ok(())
    });
}

#[test]
fn text_for_a_key_of_numbers_is_refused_with_the_way_out() {
    run(async || {
        let (storage, _) = recorded().await?;
        let lists = storage.collection("list")?;
        let error = lists.create(Object::new().with("title", "x")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        for word in ["declare the key as text", "collection: list", "field: id"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(lists.find(Filter::All).await?, []);
        let given = lists.create(Object::new().with("title", "x").with("id", 7)).await?;
        assert_eq!(given.value("id"), &Value::Int(7));
        Ok(())
    });
}

#[test]
fn a_generator_of_numbers_takes_the_place_of_counting() {
    run(async || {
        let next = AtomicI64::new(1_000);
        let numbers = move || Value::from(next.fetch_add(1_000, Ordering::Relaxed));
        let storage = storage(|builder| builder.with(CustomPk::new(numbers))).await?;
        let report = storage
            .batch()
            .create_as("parent", "list", Object::new().with("title", "all"))
            .create_as("child", "list", Object::new().with("title", "some"))
            .replace("parent", "parent")
            .run()
            .await?;
        let child = report.object("child")?;
        assert_eq!((child.value("id"), child.value("parent")), (&2_000.into(), &1_000.into()));
        Ok(())
    });
}

#[test]
fn keys_rise_as_time_goes_by() {
    let schema = schema();
    let users = schema.collection("user").expect("there are users");
    let keys: Vec<Value> = (0..20_000).map(|_| UuidV7.fresh(users)).collect();
    assert!(keys.is_sorted_by(|a, b| a < b));
}

#[test]
fn objects_that_were_counted_live_on_beside_objects_with_custom_keys() {
    run(async || {
        let backend = Arc::new(syncline_backend_memory::MemoryBackend::default());
        let counted = StorageManager::builder(backend.clone()).schema(schema()).build().await?;
        let title = |title: &str| Object::new().with("title", title);
        let old = counted.collection("list")?.create(title("old")).await?;

        let far = || Value::from(1_i64 << 40);
        let custom = StorageManager::builder(backend).schema(schema()).with(CustomPk::new(far));
        let custom = custom.build().await?;
        let new = custom.collection("list")?.create(title("new")).await?;
        assert_eq!(custom.collection("list")?.find(Filter::All).await?, [old, new]);
        Ok(())
    });
}

#[test]
fn one_custom_pk_belongs_to_one_manager() {
    run(async || {
        let shared = CustomPk::default();
        let _ = storage(|builder| builder.with(shared.clone())).await?;
        let error = storage(|builder| builder.with(shared)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        Ok(())
    });
}

#[test]
fn an_object_with_a_taken_key_is_a_conflict_all_the_same() {
    run(async || {
        let (storage, _) = recorded().await?;
        let users = storage.collection("user")?;
        let _ = users.create(user("k1", "Ann")).await?;
        let error = users.create(name("Bob")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let schema = Registry::new().collections(1, [Collection::define("x")]).finish()?;
        assert!(Batch::new().create("x", Object::new()).resolve_placeholders(&schema).is_ok());
        Ok(())
    });
}
