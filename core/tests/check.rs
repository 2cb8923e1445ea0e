//! Which operations make sense under a schema, and what is put right in them.

use serde_json::json;
use syncline_core::operation::{Create, Replace, check};
use syncline_core::query::{Continuation, Test};
use syncline_core::schema::RelationshipDef;
use syncline_core::{
    Batch, Collection, Condition, Direction, ErrorKind, FieldType, Filter, Find, Key, Object,
    Operation, Registry, Schema, Step, Value,
};

fn schema() -> Schema {
    let owner = RelationshipDef::child_of("user").alias("owner").field("ownerId").optional();
    let note = Collection::define("note")
        .field("title", FieldType::String)
        .optional("body", FieldType::Text)
        .optional("size", FieldType::Float)
        .optional("count", FieldType::Int)
        .optional("done", FieldType::Boolean)
        .optional("extra", FieldType::Json)
        .optional("at", FieldType::Timestamp)
        .optional("blob", FieldType::Blob)
        .full_text("body")
        .relationship(owner);
    let pair = Collection::define("pair")
        .field("a", FieldType::String)
        .field("b", FieldType::Int)
        .key(["a", "b"]);
    let counted = Collection::define("counted").field("id", FieldType::AutoPk);
    Registry::new()
        .collections(1, [Collection::define("user"), note, pair, counted])
        .finish()
        .expect("the schema makes sense")
}

/// The single place that knows how an operation is checked.
fn checked(mut operation: Operation) -> syncline_core::Result<Operation> {
    check::operation(&mut operation, &schema()).map(|()| operation)
}

#[track_caller]
fn refused(operation: Operation, fragments: &[&str]) {
    let shown = format!("{operation:?}");
    let shown = &shown[..shown.len().min(300)];
    let Err(error) = checked(operation) else { panic!("this was let through: {shown}") };
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let text = error.to_string();
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is missing in: {text}");
    }
}

fn find(filter: Filter) -> Operation {
    Operation::Find(Find::new("note", filter))
}

fn create(object: Object) -> Operation {
    Operation::Write(Batch::new().create("note", object))
}

fn update(changes: Object) -> Operation {
    Operation::Write(Batch::new().update("note", Filter::All, changes))
}

fn guard(collection: &str, condition: Condition) -> Operation {
    Operation::Write(Batch::new().guard("mine", collection, condition))
}

fn titled() -> Object {
    Object::new().with("title", "x")
}

#[test]
fn what_is_harmless_is_put_right() {
    let object = titled().with("size", 3).with("owner", "ann").with("extra", json!({"a": [1]}));
    let Operation::Write(batch) = checked(create(object)).unwrap() else { unreachable!() };
    let Step::Create(create) = &batch.steps[0] else { unreachable!() };
    assert!(matches!(create.object.get("size"), Some(Value::Float(3.0))));
    assert_eq!(create.object.get("ownerId"), Some(&"ann".into()));
    assert!(!create.object.contains("owner"));

    let zero = Filter::Field("size".into(), Test::In(vec![(-0.0).into(), Value::Null, 1.into()]));
    let filter = zero.or(Filter::eq("owner", "ann").negated());
    let find = Find::new("note", filter).order_by("owner", Direction::Descending).select(["owner"]);
    let Operation::Find(find) = checked(Operation::Find(find)).unwrap() else { unreachable!() };
    let Filter::Or(either) = &find.filter else { unreachable!() };
    let Filter::Field(_, Test::In(values)) = &either[0] else { unreachable!() };
    assert_eq!(*values, [0.0.into(), Value::Null, 1.0.into()]);
    assert_eq!(either[1], Filter::eq("ownerId", "ann").negated());
    assert_eq!(&*find.order[0].field, "ownerId");
    assert_eq!(find.fields.unwrap(), ["ownerId".into()]);

    let Operation::Write(batch) = checked(update(Object::new().with("size", -0.0))).unwrap() else {
        unreachable!()
    };
    let Step::Update { changes, .. } = &batch.steps[0] else { unreachable!() };
    let Some(Value::Float(float)) = changes.get("size") else { unreachable!() };
    assert!(float.is_sign_positive());
}

#[test]
fn what_makes_sense_is_let_through() {
    for operation in [
        create(titled()),
        create(titled().with("id", "a").with("body", Value::Null).with("title", "nul\0")),
        update(Object::new()),
        update(Object::new().with("body", Value::Null)),
        find(Filter::prefix("title", "")),
        find(Filter::Field("body".into(), Test::Words(vec!["x".into()]))),
        find(Filter::Field("extra".into(), Test::Exists(true))),
        find(Filter::eq("extra", json!([1]))),
        find(Filter::Or(Vec::new())),
        guard("note", Condition::Looks("a".into(), Object::new().with("size", Value::Null))),
        guard("pair", Condition::Exists(Key::compound(["a".into(), 1.into()]))),
        guard("note", Condition::Unique(titled())),
        Operation::Count("user".into(), Filter::key("ann")),
    ] {
        checked(operation).unwrap();
    }
}

#[test]
fn objects_that_contradict_the_schema_are_refused() {
    let cases: Vec<(Operation, &[&str])> = vec![
        (Operation::Write(Batch::new().create("nope", titled())), &["no such collection", "nope"]),
        (create(titled().with("nope", 1)), &["no such field", "nope", "note", "step: 0"]),
        (create(titled().with("count", "1")), &["another type", "wanted: int", "got: text"]),
        (create(titled().with("count", 1.0)), &["another type", "got: float"]),
        (create(titled().with("at", 1)), &["another type", "wanted: timestamp"]),
        (create(titled().with("blob", "text")), &["wanted: blob"]),
        (create(titled().with("size", f64::NAN)), &["finite", "size"]),
        (create(titled().with("size", f64::INFINITY)), &["finite"]),
        (create(titled().with("size", i64::MAX)), &["no float", "size"]),
        (create(titled().with("owner", "a").with("ownerId", "b")), &["twice", "ownerId"]),
        (create(Object::new()), &["lacks a field", "title"]),
        (create(Object::new().with("title", Value::Null)), &["lacks a field", "title"]),
        (create(titled().with("id", Value::Null)), &["primary key cannot be null", "id"]),
        (update(Object::new().with("id", "b")), &["does not change", "id"]),
        (update(Object::new().with("title", Value::Null)), &["cannot be emptied", "title"]),
        (update(Object::new().with("nope", 1)), &["no such field"]),
    ];
    for (operation, fragments) in cases {
        refused(operation, fragments);
    }
}

#[test]
fn questions_that_contradict_the_schema_are_refused() {
    let ask = |change: fn(Find) -> Find| Operation::Find(change(Find::new("note", Filter::All)));
    let cases: Vec<(Operation, &[&str])> = vec![
        (Operation::Count("nope".into(), Filter::All), &["no such collection"]),
        (find(Filter::eq("nope", 1)), &["no such field", "nope"]),
        (find(Filter::eq("count", "1")), &["another type"]),
        (find(Filter::eq("size", f64::NAN)), &["finite"]),
        (find(Filter::is_in("count", ["1"])), &["another type"]),
        (find(Filter::lt("count", Value::Null)), &["$exists", "$lt"]),
        (find(Filter::gte("done", true)), &["less or greater", "boolean"]),
        (find(Filter::gt("extra", json!(1))), &["less or greater", "json"]),
        (find(Filter::prefix("count", "1")), &["only text", "$prefix"]),
        (
            find(Filter::Field("title".into(), Test::Words(vec!["x".into()]))),
            &["full text index", "$text"],
        ),
        (find(Filter::key(1)), &["another type", "wanted: string"]),
        (find(Filter::key(Value::Null)), &["cannot be null"]),
        (find(Filter::Keys(vec![Key::compound([])])), &["another number"]),
        (ask(|find| find.order_by("nope", Direction::Ascending)), &["no such field"]),
        (ask(|find| find.order_by("extra", Direction::Ascending)), &["no order"]),
        (
            ask(|find| {
                find.order_by("owner", Direction::Ascending)
                    .order_by("ownerId", Direction::Ascending)
            }),
            &["twice"],
        ),
        (ask(|find| find.select(["nope"])), &["no such field"]),
        (ask(|find| Find { page_objects: 0, ..find }), &["at least one object"]),
        (
            ask(|find| {
                let after = Continuation { order: vec![1.into()], key: vec!["a".into()] };
                Find { after: Some(after), ..find }
            }),
            &["another question"],
        ),
        (
            ask(|find| {
                let after = Continuation { order: Vec::new(), key: vec![1.into()] };
                Find { after: Some(after), ..find }
            }),
            &["another type"],
        ),
    ];
    for (operation, fragments) in cases {
        refused(operation, fragments);
    }
}

#[test]
fn guards_are_checked_too() {
    let cases: Vec<(Operation, &[&str])> = vec![
        (guard("nope", Condition::Exists("a".into())), &["no such collection"]),
        (guard("pair", Condition::Absent("a".into())), &["another number", "mine"]),
        (guard("note", Condition::Exists(1.into())), &["another type"]),
        (
            guard("note", Condition::Looks("a".into(), Object::new().with("nope", 1))),
            &["no such field", "guard: mine"],
        ),
        (guard("note", Condition::Unique(Object::new())), &["at least one field"]),
        (guard("note", Condition::Unique(Object::new().with("count", "1"))), &["another type"]),
    ];
    for (operation, fragments) in cases {
        refused(operation, fragments);
    }
}

#[test]
fn placeholders_must_be_made_before_they_are_used() {
    let user = |placeholder: &str| {
        let placeholder = Some(placeholder.to_owned());
        Step::Create(Create { collection: "user".into(), placeholder, ..Create::default() })
    };
    let note = |field: &str, placeholder: &str| {
        Step::Create(Create {
            collection: "note".into(),
            object: titled(),
            replace: vec![Replace { field: field.into(), placeholder: placeholder.into() }],
            ..Create::default()
        })
    };
    let write = |steps: Vec<Step>| Operation::Write(Batch { steps });

    let Operation::Write(batch) = checked(write(vec![user("u"), note("owner", "u")])).unwrap()
    else {
        unreachable!()
    };
    let Step::Create(create) = &batch.steps[1] else { unreachable!() };
    assert_eq!(&*create.replace[0].field, "ownerId");
    checked(write(vec![user("u"), note("title", "u")])).unwrap_err();

    refused(write(vec![note("owner", "u"), user("u")]), &["no earlier step", "placeholder: u"]);
    refused(write(vec![user("u"), note("nope", "u")]), &["no such field"]);
    refused(write(vec![user("u"), note("count", "u")]), &["another type"]);
    refused(write(vec![user("u"), note("title", "u")]), &["filled twice"]);
    refused(write(vec![user("u"), user("u")]), &["one placeholder"]);
    let pair = Step::Create(Create {
        collection: "pair".into(),
        object: Object::new().with("a", "x").with("b", 1),
        placeholder: Some("p".into()),
        ..Create::default()
    });
    refused(write(vec![pair]), &["key of one field"]);
}

#[test]
fn keys_are_asked_for_last() {
    let schema = schema();
    let missing = Batch::new().create("note", titled());
    let error = check::keys_present(&missing, &schema).unwrap_err().to_string();
    assert!(error.contains("CustomPk") && error.contains("note"), "{error}");
    let half = Batch::new().create("pair", Object::new().with("a", "x"));
    assert!(check::keys_present(&half, &schema).is_err());
    let whole = Batch::new()
        .create("note", titled().with("id", "a"))
        .create("pair", Object::new().with("a", "x").with("b", 1))
        .create("counted", Object::new())
        .delete("note", Filter::All);
    check::keys_present(&whole, &schema).unwrap();
}

#[test]
fn reserved_collections_are_for_nobody_else() {
    for operation in [
        Operation::Find(Find::new("sync_head", Filter::All)),
        Operation::Count("sync_head".into(), Filter::All),
        Operation::Write(Batch::new().create("note", titled()).delete("sync_head", Filter::All)),
    ] {
        let error = check::not_reserved(&operation).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("sync_head"));
    }
    check::not_reserved(&create(titled())).unwrap();
}

#[test]
fn what_is_too_deep_or_too_long_is_refused_without_a_panic() {
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let whole = Value::from(deep(check::DEEPEST_JSON));
    checked(create(titled().with("extra", whole.clone()))).unwrap();
    refused(create(titled().with("extra", deep(check::DEEPEST_JSON + 1))), &["too deep", "extra"]);
    let mut bytes = Vec::new();
    syncline_core::value::canonical::put_value(&mut bytes, &whole);
    let read = syncline_core::value::canonical::Reader::new(&bytes).value().unwrap();
    assert_eq!(read, whole, "what may be written can be read");

    let nest = |levels| (0..levels).fold(Filter::All, |inner, _| inner.negated());
    checked(find(nest(63))).unwrap();
    refused(find(nest(64)), &["too deep"]);

    let step = Step::Delete { collection: "note".into(), filter: Filter::All, limit: None };
    let many = Batch { steps: vec![step; check::MOST_STEPS + 1] };
    refused(Operation::Write(many), &["too many steps"]);
}
