//! What people write in JSON is read by the schema's types, and written back the same.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use syncline_core::query::{Order, Test, matches};
use syncline_core::schema::{Definition, Primitive, RelationshipDef};
use syncline_core::value::json::{
    key_from_json, key_to_json, nested_from_json, object_from_json, object_to_json,
    value_from_json, value_to_json,
};
use syncline_core::{
    Collection, ErrorKind, FieldType, Filter, Key, Object, Operation, Registry, Result, Schema,
    Value,
};

const KINDS: [FieldType; 7] = [
    FieldType::Boolean,
    FieldType::Blob,
    FieldType::Float,
    FieldType::Int,
    FieldType::Json,
    FieldType::Text,
    FieldType::Timestamp,
];

/// A collection with a field of each type, a parent and children.
fn schema() -> Schema {
    let mut thing = Collection::define("thing").child_of("owner").full_text("text");
    for kind in KINDS {
        thing = thing.optional(kind.name(), kind);
    }
    Registry::new()
        .collections(
            1,
            [
                thing.optional("url", Registry::new().field_type("url").expect("is built in")),
                Collection::define("owner").field("name", FieldType::String),
                Collection::define("profile").single_child_of("owner"),
                Collection::define("part")
                    .field("a", FieldType::String)
                    .field("b", FieldType::Timestamp)
                    .key(["b", "a"])
                    .relationship(RelationshipDef::child_of("thing").alias("whole").field("of")),
            ],
        )
        .finish()
        .expect("the schema makes sense")
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, fragments: &[&str]) {
    let error = result.expect_err("this makes no sense");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let text = error.to_string();
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is missing in: {text}");
    }
}

#[test]
fn values_of_another_type_are_refused_with_what_was_wanted() {
    for (json, kind, wanted) in [
        (json!(1), Primitive::Bool, "true or false"),
        (json!("true"), Primitive::Bool, "true or false"),
        (json!("***"), Primitive::Bytes, "base64"),
        (json!([1]), Primitive::Bytes, "got: a list"),
        (json!("1"), Primitive::Float, "a number"),
        (json!(1.5), Primitive::Int, "whole number"),
        (json!(u64::MAX), Primitive::Int, "whole number"),
        (json!(1), Primitive::Text, "text"),
        (json!({}), Primitive::Text, "got: an object"),
        (json!("2026-02-30"), Primitive::Timestamp, "calendar"),
        (json!("x".repeat(99)), Primitive::Timestamp, "date"),
        (json!(1.5), Primitive::Timestamp, "RFC 3339"),
    ] {
        refused(value_from_json(&json, kind), &[wanted]);
    }
    assert_eq!(value_to_json(&Value::Timestamp(i64::MAX)), json!(i64::MAX));
    assert_eq!(value_to_json(&Value::Float(f64::NAN)), Json::Null);
}

#[test]
fn objects_that_do_not_fit_are_refused_with_collection_and_field() {
    let schema = schema();
    let thing = schema.collection("thing").unwrap();
    for (json, fragments) in [
        (json!([]), ["JSON object", "thing"]),
        (json!({"nope": 1}), ["no such field", "nope"]),
        (json!({"int": "1"}), ["field: int", "collection: thing"]),
        (json!({"parts": []}), ["no such field", "parts"]),
    ] {
        refused(object_from_json(&json, thing), &fragments);
    }
    let part = schema.collection("part").unwrap();
    refused(object_from_json(&json!({"whole": "a", "of": "b"}), part), &["twice", "of"]);
    let object = object_from_json(&json!({"whole": "a", "b": null}), part).unwrap();
    assert_eq!(object, Object::new().with("of", "a").with("b", Value::Null));
    let odd = object_from_json(&json!({"url": 5}), thing).unwrap();
    assert_eq!(odd.get("url"), Some(&5.into()), "a custom type judges for itself");
}

#[test]
fn children_are_nested_under_their_reverse_alias() {
    let schema = schema();
    let owner = schema.collection("owner").unwrap();
    let json = json!({
        "name": "Ann",
        "profile": {"id": "p"},
        "things": [{"int": 1, "parts": [{"a": "x", "b": 5}, {"a": "y", "b": 6}]}, {}]
    });
    let ann = nested_from_json(&json, owner, &schema).unwrap();
    assert_eq!(ann.object, Object::new().with("name", "Ann"));
    let names: Vec<&str> = ann.children.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["profile", "things"]);
    let things = &ann.children[1].1;
    assert_eq!(things.len(), 2);
    assert_eq!(things[0].children[0].1[1].object.get("b"), Some(&Value::Timestamp(6)));

    let whole = json!({"name": "Ann", "profile": null});
    assert!(nested_from_json(&whole, owner, &schema).unwrap().children.is_empty());
    for (json, fragments) in [
        (json!({"profile": []}), ["wanted: an object", "profile"]),
        (json!({"things": {}}), ["a list of objects", "things"]),
        (json!({"things": [1]}), ["JSON object", "thing"]),
        (json!({"things": [{"owner": "x"}]}), ["does not name its parent", "owner"]),
        (json!({"nope": []}), ["no such field", "nope"]),
    ] {
        refused(nested_from_json(&json, owner, &schema), &fragments);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let folder = Collection::define("folder")
        .relationship(RelationshipDef::child_of("folder").alias("parent").optional());
    let schema = Registry::new().collections(1, [folder]).finish().unwrap();
    let folder = schema.collection("folder").unwrap();
    let nest = |levels| (0..levels).fold(json!({}), |inner, _| json!({"folders": [inner]}));
    nested_from_json(&nest(64), folder, &schema).unwrap();
    refused(nested_from_json(&nest(65), folder, &schema), &["too deep"]);
}

#[test]
fn keys_are_values_or_lists_or_objects() {
    let schema = schema();
    let part = schema.collection("part").unwrap();
    let key = Key::compound([Value::Timestamp(0), "x".into()]);
    for json in [json!([0, "x"]), json!({"a": "x", "b": "1970-01-01"})] {
        assert_eq!(key_from_json(&json, part).unwrap(), key);
    }
    assert_eq!(key_to_json(&key), json!(["1970-01-01T00:00:00.000Z", "x"]));
    let owner = schema.collection("owner").unwrap();
    assert_eq!(key_from_json(&json!("ann"), owner).unwrap(), "ann".into());
    assert_eq!(key_from_json(&json!({"id": "ann"}), owner).unwrap(), "ann".into());
    for json in
        [json!("x"), json!([0]), json!([0, null]), json!({"a": "x"}), json!({"a": 1, "c": 2})]
    {
        refused(key_from_json(&json, part), &["not a whole primary key", "b, a", "part"]);
    }
    for json in [json!(null), json!(["ann"])] {
        refused(key_from_json(&json, owner), &["not a whole primary key", "owner"]);
    }
    refused(key_from_json(&json!(1), owner), &["another type", "owner"]);
}

#[test]
fn filters_speak_the_words_of_mongodb() {
    let schema = schema();
    let thing = schema.collection("thing").unwrap();
    let words = |all: &[&str]| Test::Words(all.iter().map(|word| (*word).to_owned()).collect());
    for (json, filter) in [
        (json!({}), Filter::All),
        (json!({"int": 1}), Filter::eq("int", 1)),
        (json!({"int": null}), Filter::eq("int", Value::Null)),
        (json!({"float": {"$gte": 1}}), Filter::gte("float", 1.0)),
        (json!({"owner": {"$ne": "a"}}), Filter::ne("owner", "a")),
        (
            json!({"timestamp": {"$lt": "1970-01-02"}}),
            Filter::lt("timestamp", Value::Timestamp(86_400_000)),
        ),
        (json!({"blob": "AA=="}), Filter::eq("blob", vec![0])),
        (json!({"json": {"a": 1}}), Filter::eq("json", json!({"a": 1}))),
        (json!({"json": {"$eq": {"$a": 1}}}), Filter::eq("json", json!({"$a": 1}))),
        (json!({"int": {"$in": [1, null]}}), Filter::is_in("int", [Some(1), None])),
        (json!({"int": {"$gt": 1, "$lte": 5}}), Filter::gt("int", 1).and(Filter::lte("int", 5))),
        (json!({"boolean": true, "int": 1}), Filter::eq("boolean", true).and(Filter::eq("int", 1))),
        (json!({"int": {"$not": {"$gt": 1}}}), Filter::gt("int", 1).negated()),
        (json!({"$not": {"int": 1}}), Filter::eq("int", 1).negated()),
        (json!({"$or": [{"int": 1}, {}]}), Filter::eq("int", 1).or(Filter::All)),
        (json!({"$and": [{"int": 1}]}), Filter::And(vec![Filter::eq("int", 1)])),
        (json!({"$keys": ["a"]}), Filter::key("a")),
        (json!({"text": {"$prefix": "a"}}), Filter::prefix("text", "a")),
        (json!({"text": {"$exists": false}}), Filter::Field("text".into(), Test::Exists(false))),
        (
            json!({"text": {"$text": "It's ON"}}),
            Filter::Field("text".into(), words(&["it", "s", "on"])),
        ),
        (json!({"text": {"$text": ["on"]}}), Filter::Field("text".into(), words(&["on"]))),
    ] {
        assert_eq!(Filter::from_json(&json, thing).unwrap(), filter, "{json}");
    }
    let part = schema.collection("part").unwrap();
    assert_eq!(Filter::from_json(&json!({"whole": "x"}), part).unwrap(), Filter::eq("of", "x"));
}

#[test]
fn filters_that_make_no_sense_are_refused_with_what_is_known() {
    let schema = schema();
    let thing = schema.collection("thing").unwrap();
    let cases: Vec<(Json, &[&str])> = vec![
        (json!([]), &["written as an object", "thing"]),
        (json!({"nope": 1}), &["no such field", "nope"]),
        (json!({"int": "1"}), &["another type", "int"]),
        (json!({"int": {"$gt": "1"}}), &["another type"]),
        (json!({"int": {"$gt": null}}), &["$exists"]),
        (json!({"int": {"$qt": 1}}), &["no such test", "$qt", "$gte", "$nin"]),
        (json!({"int": {"$gt": 1, "x": 1}}), &["no such test", "\"x\""]),
        (json!({"int": {"x": 1}}), &["a value or with tests", "$prefix"]),
        (json!({"int": {}}), &["a value or with tests"]),
        (json!({"int": {"$not": 1}}), &["object of tests"]),
        (json!({"int": {"$not": {}}}), &["object of tests"]),
        (json!({"int": {"$in": 1}}), &["takes something else", "a list"]),
        (json!({"int": {"$exists": 1}}), &["true or false"]),
        (json!({"int": {"$prefix": "1"}}), &["only text"]),
        (json!({"text": {"$prefix": 1}}), &["wanted: text"]),
        (json!({"text": {"$text": 1}}), &["list of words"]),
        (json!({"owner": {"$text": "a"}}), &["full text index"]),
        (json!({"boolean": {"$lt": true}}), &["less or greater"]),
        (json!({"$nor": []}), &["no such operator", "$nor", "$and, $or, $not"]),
        (json!({"$gt": 1}), &["belongs to a field"]),
        (json!({"$and": {}}), &["a list"]),
        (json!({"$or": []}), &["at least one"]),
        (json!({"$not": []}), &["written as an object"]),
        (json!({"$keys": [1]}), &["another type"]),
    ];
    for (json, fragments) in cases {
        refused(Filter::from_json(&json, thing), fragments);
    }
    let nest = |levels| (0..levels).fold(json!({}), |inner, _| json!({"$not": inner}));
    Filter::from_json(&nest(63), thing).unwrap();
    refused(Filter::from_json(&nest(64), thing), &["too deep"]);
    let tests = (0..200).fold(json!({"$gt": 1}), |inner, _| json!({"$not": inner}));
    refused(Filter::from_json(&json!({"int": tests}), thing), &["too deep"]);
}

#[test]
fn a_filter_that_parses_prints_what_parses_however_deep_it_is() {
    let schema = schema();
    let thing = schema.collection("thing").unwrap();
    // Two members make three filters, of which two are nested.
    let nest = |levels| {
        (0..levels).fold(json!({}), |inner, _| json!({"int": {"$gt": 1, "$lt": 3}, "$not": inner}))
    };
    let mut deepest = 0;
    for levels in 1..70 {
        let Ok(filter) = Filter::from_json(&nest(levels), thing) else { continue };
        deepest = levels;
        assert_eq!(Filter::from_json(&filter.to_json(), thing).unwrap(), filter, "{levels} levels");
        let mut count = Operation::Count("thing".into(), filter);
        syncline_core::operation::check::operation(&mut count, &schema).unwrap();
    }
    assert_eq!(deepest, 31, "64 filters, of which each level takes two");
}

#[test]
fn orders_are_lists_or_text() {
    let schema = schema();
    let part = schema.collection("part").unwrap();
    let order = Order::parse("-whole, a", part).unwrap();
    assert_eq!(order, Order::from_json(&json!(["-whole", "a"]), part).unwrap());
    assert_eq!(order, Order::from_json(&json!("-of,a"), part).unwrap());
    assert!(Order::parse("", part).unwrap().is_empty());
    refused(Order::parse("nope", part), &["no such field", "nope"]);
    refused(Order::parse("a,-a", part), &["twice"]);
    refused(Order::parse("json", schema.collection("thing").unwrap()), &["no order"]);
    refused(Order::from_json(&json!({"a": 1}), part), &["list of such texts"]);
    refused(Order::from_json(&json!([1]), part), &["list of such texts"]);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[$a-c]{0,3}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            vec(("[$a-c]{0,2}", inner), 0..3).prop_map(|of| Json::Object(of.into_iter().collect())),
        ]
    })
}

/// A value that may be stored in a field of this type, other than null.
fn any_value(kind: &FieldType) -> BoxedStrategy<Value> {
    match kind.primitive() {
        Primitive::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Primitive::Bytes => vec(any::<u8>(), 0..8).prop_map(Value::from).boxed(),
        Primitive::Float => (-1e300..1e300_f64).prop_map(Value::from).boxed(),
        Primitive::Int => any::<i64>().prop_map(Value::from).boxed(),
        Primitive::Json => any_json()
            .prop_filter("null is null", |json| !json.is_null())
            .prop_map(Value::from)
            .boxed(),
        Primitive::Text => ".{0,8}".prop_map(Value::from).boxed(),
        Primitive::Timestamp => any::<i64>().prop_map(Value::Timestamp).boxed(),
    }
}

fn any_field() -> impl Strategy<Value = (FieldType, Value)> {
    proptest::sample::select(&KINDS[..]).prop_flat_map(|kind| {
        (Just(kind.clone()), prop_oneof![4 => any_value(&kind), 1 => Just(Value::Null)])
    })
}

fn any_test() -> impl Strategy<Value = Filter> {
    (any_field(), any_field(), 0..9_u8, any::<bool>()).prop_map(
        |((kind, value), other, pick, yes)| {
            let ordered =
                !value.is_null() && !matches!(kind.primitive(), Primitive::Bool | Primitive::Json);
            let mut values = vec![value.clone()];
            values.extend((other.0 == kind).then_some(other.1));
            let test = match (pick, &value) {
                (0, _) => Test::Ne(value),
                (1, _) if ordered => Test::Lt(value),
                (2, _) if ordered => Test::Lte(value),
                (3, _) if ordered => Test::Gt(value),
                (4, _) if ordered => Test::Gte(value),
                (5, _) => Test::In(values),
                (6, _) => Test::NotIn(values),
                (7, Value::Text(text)) => Test::Prefix(text.clone()),
                (7, _) => Test::Exists(yes),
                _ => Test::Eq(value),
            };
            Filter::Field(kind.name().into(), test)
        },
    )
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        6 => any_test(),
        1 => Just(Filter::All),
        1 => vec("[a-c]{1,2}", 0..3).prop_map(|keys| Filter::Keys(keys.into_iter().map(Key::from).collect())),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(Filter::And),
            vec(inner.clone(), 1..3).prop_map(Filter::Or),
            inner.prop_map(Filter::negated),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Object> {
    vec(any_field(), 0..8).prop_map(|fields| {
        fields
            .into_iter()
            .map(|(kind, value)| (kind.name(), value))
            .collect::<Object>()
            .with("id", "a")
    })
}

/// Definitions of up to three collections, each of which may relate to the ones before it.
fn any_definitions() -> impl Strategy<Value = Vec<Definition>> {
    let collection = (vec((0..KINDS.len(), any::<bool>()), 1..5), 0..4_u8, 0..5_u8, any::<bool>());
    vec(collection, 1..4).prop_map(|all| {
        let names = ["ant", "bee", "cow"];
        let mut definitions = Vec::new();
        for (at, (fields, relation, index, named)) in all.into_iter().enumerate() {
            let mut definition = Collection::define(names[at]);
            for (count, (kind, optional)) in fields.into_iter().enumerate() {
                let name = format!("f{count}");
                let kind = KINDS[kind].clone();
                definition = match optional && count > 0 {
                    true => definition.optional(name, kind),
                    false => definition.field(name, kind),
                };
            }
            let of = |def: RelationshipDef| match named {
                true => def.alias("up").reverse_alias(format!("down{at}")).field("upId").optional(),
                false => def,
            };
            definition = match (at, relation) {
                (0, _) | (_, 0) => definition,
                (_, 1) => definition.relationship(of(RelationshipDef::child_of(names[at - 1]))),
                (_, 2) => definition.relationship(of(RelationshipDef::single_child_of(names[0]))),
                (1, _) => definition.child_of(names[0]),
                _ => definition.connects(names[0], names[1]),
            };
            definitions.push(match index {
                0 => definition.index(["f0"]),
                1 => definition.unique(["id", "f0"]),
                2 => definition.full_text("f0"),
                _ => definition,
            });
        }
        definitions
    })
}

proptest! {
    #[test]
    fn an_object_survives_json(object in any_object()) {
        let schema = schema();
        let thing = schema.collection("thing").unwrap();
        let text = object_to_json(&object).to_string();
        let json: Json = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(object_from_json(&json, thing).unwrap(), object);
    }

    #[test]
    fn a_filter_survives_json_and_is_let_through(filter in any_filter(), object in any_object()) {
        let schema = schema();
        let thing = schema.collection("thing").unwrap();
        let json: Json = serde_json::from_str(&filter.to_json().to_string()).unwrap();
        let read = Filter::from_json(&json, thing).unwrap();
        prop_assert_eq!(&read, &filter);
        prop_assert_eq!(matches(&read, &object, thing), matches(&filter, &object, thing));
        let mut count = Operation::Count("thing".into(), read);
        syncline_core::operation::check::operation(&mut count, &schema).unwrap();
    }

    #[test]
    fn a_schema_survives_json(before in any_definitions(), after in any_definitions()) {
        let gone: Vec<Definition> = before.iter().skip(after.len()).cloned().collect();
        let names = ["ant", "bee", "cow"];
        let mut registry = Registry::new().collections(1, before.clone()).collections(2, after.clone());
        for at in 0..gone.len() {
            registry = registry.remove(2, names[after.len() + at]);
        }
        // What contradicts itself is another test's matter.
        if let Ok(schema) = registry.finish() {
            let json: Json = serde_json::from_str(&schema.to_json().to_string()).unwrap();
            prop_assert_eq!(Schema::from_json(&json).unwrap(), schema);
        }
    }

    #[test]
    fn no_json_makes_it_panic(json in any_json()) {
        let schema = schema();
        let thing = schema.collection("thing").unwrap();
        let _ = Schema::from_json(&json);
        let _ = Schema::from_json(&json!({"version": 1, "collections": {"a": json}}));
        let _ = Filter::from_json(&json, thing);
        let _ = nested_from_json(&json, thing, &schema);
        let _ = key_from_json(&json, thing);
        let _ = Order::from_json(&json, thing);
    }
}
