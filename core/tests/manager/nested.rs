//! Objects that are created with their children: into steps, and back.

use std::sync::Arc;

use syncline_backend_memory::MemoryBackend;
use syncline_core::operation::{Create, Replace, Step};
use syncline_core::schema::RelationshipDef;
use syncline_core::{
    Batch, Collection, ErrorKind, FieldType, Filter, Nested, Object, Registry, Result, Schema,
    StorageManager, Value,
};

use crate::refused;

/// Users with emails, each with one proof; users subscribe to letters.
fn schema() -> Schema {
    let user =
        Collection::define("user").field("id", FieldType::AutoPk).field("name", FieldType::String);
    let email = Collection::define("email")
        .field("id", FieldType::AutoPk)
        .field("address", FieldType::String)
        .child_of("user");
    let proof = Collection::define("proof")
        .field("id", FieldType::AutoPk)
        .field("code", FieldType::String)
        .relationship(RelationshipDef::single_child_of("email").alias("mail").field("mailId"));
    let letter = Collection::define("letter").field("title", FieldType::String);
    let subscription = Collection::define("subscription")
        .field("id", FieldType::AutoPk)
        .connects("user", "letter");
    let seat = Collection::define("seat")
        .key(["a", "b"])
        .field("a", FieldType::Int)
        .field("b", FieldType::Int);
    Registry::new()
        .collections(1, [user, email, proof, letter, subscription, seat])
        .finish()
        .expect("the schema is sound")
}

fn name(name: &str) -> Object {
    Object::new().with("name", name)
}

fn nested(object: Object, child: &str, children: Vec<Nested>) -> Nested {
    Nested { object, children: vec![(child.into(), children)] }
}

fn email(address: &str) -> Object {
    Object::new().with("address", address)
}

fn create(collection: &str, object: Object, name: &str, parent: Option<(&str, &str)>) -> Step {
    Step::Create(Create {
        collection: collection.into(),
        object,
        placeholder: Some(name.into()),
        replace: parent
            .map(|(field, name)| Replace { field: field.into(), placeholder: name.into() })
            .into_iter()
            .collect(),
    })
}

fn steps(nested: Nested, placeholder: &str) -> Result<Batch> {
    nested.flatten("user", &schema(), placeholder).map(|(batch, _)| batch)
}

#[test]
fn an_object_without_children_is_one_step() -> Result<()> {
    let batch = steps(name("Ann").into(), "new")?;
    assert_eq!(batch.steps, [create("user", name("Ann"), "new", None)]);
    Ok(())
}

#[test]
fn each_child_refers_to_its_parent_by_placeholder() -> Result<()> {
    let code = |code: &str| Object::new().with("code", code);
    let ann = nested(
        name("Ann"),
        "emails",
        vec![email("a@x").into(), nested(email("b@x"), "proof", vec![code("1").into()])],
    );
    let batch = steps(ann, "ann")?;
    let wanted = [
        create("user", name("Ann"), "ann", None),
        create("email", email("a@x"), "ann.emails.0", Some(("user", "ann"))),
        create("email", email("b@x"), "ann.emails.1", Some(("user", "ann"))),
        create("proof", code("1"), "ann.emails.1.proof.0", Some(("mailId", "ann.emails.1"))),
    ];
    assert_eq!(batch.steps, wanted);
    Ok(())
}

#[test]
fn a_key_that_is_known_is_filled_in_at_once() -> Result<()> {
    let ann = nested(name("Ann").with("id", 7), "emails", vec![email("a@x").into()]);
    let batch = steps(ann, "new")?;
    assert_eq!(batch.steps[1], create("email", email("a@x").with("user", 7), "new.emails.0", None));
    Ok(())
}

#[test]
fn nested_creates_that_do_not_fit_are_refused() {
    let two = vec![Object::new().with("code", "1").into(), Object::new().with("code", "2").into()];
    let proofs = nested(name("Ann"), "emails", vec![nested(email("a@x"), "proof", two)]);
    refused(steps(proofs, "new"), ErrorKind::Invalid, &["proof", "email"]);
    let stranger = nested(name("Ann"), "cats", vec![name("Tom").into()]);
    refused(steps(stranger, "new"), ErrorKind::Invalid, &["cats", "user"]);
    let others = nested(name("Ann"), "emails", vec![email("a@x").with("user", 3).into()]);
    refused(steps(others, "new"), ErrorKind::Invalid, &["user", "email"]);
    let town = Nested::from(name("Ann")).flatten("town", &schema(), "new");
    refused(town, ErrorKind::Invalid, &["town"]);
}

#[test]
fn children_that_never_end_are_refused() {
    let tree = Collection::define("node").relationship(
        RelationshipDef::child_of("node").alias("parent").reverse_alias("kids").optional(),
    );
    let schema = Registry::new().collections(1, [tree]).finish().unwrap();
    let deep = |depth| {
        (0..depth).fold(Nested::default(), |child, _| nested(Object::new(), "kids", vec![child]))
    };
    assert!(deep(60).flatten("node", &schema, "new").is_ok());
    refused(deep(70).flatten("node", &schema, "new"), ErrorKind::Invalid, &["deep"]);
}

fn with_storage<F: Future<Output = Result<()>>>(test: impl FnOnce(StorageManager) -> F) {
    pollster::block_on(async {
        let backend = Arc::new(MemoryBackend::default());
        test(StorageManager::builder(backend).schema(schema()).build().await?).await
    })
    .expect("nothing goes wrong that the test does not expect");
}

#[test]
fn what_was_created_comes_back_in_nested_form() {
    with_storage(async |storage| {
        let _ = storage.collection("user")?.create(name("Bob")).await?;
        let proof = Object::new().with("code", "1");
        let ann = nested(
            name("Ann"),
            "emails",
            vec![email("a@x").into(), nested(email("b@x"), "proof", vec![proof.clone().into()])],
        );
        let stored = storage.collection("user")?.create_nested(ann).await?;
        let wanted = nested(
            name("Ann").with("id", 2),
            "emails",
            vec![
                email("a@x").with("id", 1).with("user", 2).into(),
                nested(
                    email("b@x").with("id", 2).with("user", 2),
                    "proof",
                    // Seen by its alias, although the field has another name.
                    vec![proof.with("id", 1).with("mail", 2).into()],
                ),
            ],
        );
        assert_eq!(stored, wanted);
        let proofs = storage.collection("proof")?;
        assert_eq!(
            proofs.find(Filter::eq("mail", 2)).await?,
            [stored.children[0].1[1].children[0].1[0].object.clone()]
        );
        assert_eq!(proofs.find(Filter::eq("mailId", 2)).await?.len(), 1);
        Ok(())
    });
}

#[test]
fn a_connection_is_created_with_one_of_its_ends() {
    with_storage(async |storage| {
        let letter = storage.collection("letter")?;
        let _ = letter.create(Object::new().with("id", "news").with("title", "News")).await?;
        let subscription = Object::new().with("letter", "news");
        let ann = nested(name("Ann"), "subscriptions", vec![subscription.into()]);
        let stored = storage.collection("user")?.create_nested(ann).await?;
        let connection = &stored.children[0].1[0].object;
        assert_eq!(
            (connection.value("user"), connection.value("letter")),
            (&Value::Int(1), &"news".into())
        );
        Ok(())
    });
}

#[test]
fn a_nested_create_in_a_batch_is_found_by_placeholder() {
    with_storage(async |storage| {
        let ann = nested(name("Ann"), "emails", vec![email("a@x").into()]);
        let report = storage
            .batch()
            .create_nested_as("ann", "user", ann)
            .create_as("more", "email", email("b@x"))
            .replace("user", "ann")
            .run()
            .await?;
        assert_eq!(report.object("ann.emails.0")?.value("user"), &Value::Int(1));
        assert_eq!(report.object("more")?.value("user"), &Value::Int(1));
        Ok(())
    });
}

#[test]
fn an_object_with_a_key_of_several_fields_has_no_nested_children_and_is_created_all_the_same() {
    with_storage(async |storage| {
        let seat = Object::new().with("a", 1).with("b", 2);
        let stored = storage.collection("seat")?.create_nested(seat.clone().into()).await?;
        assert_eq!(stored, seat.into());
        Ok(())
    });
}
