//! What definitions become, and which are refused.

use serde_json::json;
use syncline_core::schema::{Difference, RelationshipDef, RelationshipKind};
use syncline_core::{Collection, ErrorKind, FieldType, Registry, Schema};

/// The single place that knows how a refused schema looks.
#[track_caller]
fn refused(result: syncline_core::Result<Schema>, fragments: &[&str]) {
    let error = result.expect_err("the schema contradicts itself");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let text = error.to_string();
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is missing in: {text}");
    }
}

fn built(
    definitions: impl IntoIterator<Item = syncline_core::schema::Definition>,
) -> syncline_core::Result<Schema> {
    Registry::new().collections(1, definitions).finish()
}

#[test]
fn relationships_get_names_fields_and_types_by_default() {
    let schema = built([
        Collection::define("user").field("id", FieldType::Int),
        Collection::define("email").child_of("user"),
        Collection::define("profile").single_child_of("user"),
        Collection::define("tag"),
        Collection::define("userTag").connects("user", "tag").key(["user", "tag"]),
    ])
    .unwrap();

    let email = schema.collection("email").unwrap();
    assert_eq!(email.field("user").unwrap().kind, FieldType::Int, "as the user's key");
    assert!(!email.field("user").unwrap().optional);
    assert_eq!(email.key().len(), 1);
    assert_eq!(&*email.key()[0], "id");
    assert_eq!(email.field("id").unwrap().kind, FieldType::String);

    let (profile, relationship) = schema.child("user", "profile").unwrap();
    assert_eq!(&**profile.name(), "profile");
    assert_eq!(relationship.kind, RelationshipKind::SingleChildOf);

    let connection = schema.collection("userTag").unwrap();
    assert_eq!(connection.field("tag").unwrap().kind, FieldType::String);
    assert_eq!(schema.children("user").count(), 3);
    assert!(schema.child("tag", "userTags").is_some());
}

#[test]
fn aliases_can_be_chosen_and_used_in_indexes_and_keys() {
    let schema = built([
        Collection::define("user"),
        Collection::define("message")
            .relationship(
                RelationshipDef::child_of("user")
                    .alias("sender")
                    .reverse_alias("sent")
                    .field("senderId"),
            )
            .relationship(
                RelationshipDef::child_of("user").alias("reader").reverse_alias("got").optional(),
            )
            .index(["sender", "reader"]),
    ])
    .unwrap();
    let message = schema.collection("message").unwrap();
    assert_eq!(message.indexes()[0].fields, ["senderId".into(), "reader".into()]);
    assert!(message.field("reader").unwrap().optional);
    assert_eq!(&*message.resolve("sender").unwrap().name, "senderId");
    assert!(message.field("sender").is_none());
}

#[test]
fn contradictions_are_refused_with_the_way_out() {
    let text = FieldType::String;
    let user = || Collection::define("user");
    let cases: Vec<(Vec<syncline_core::schema::Definition>, &[&str])> = vec![
        (vec![Collection::define("")], &["begins with a letter"]),
        (vec![Collection::define("1a")], &["begins with a letter", "1a"]),
        (vec![Collection::define("sync_x")], &["reserved"]),
        (vec![Collection::define("SYNC_x")], &["reserved"]),
        (vec![user(), user()], &["defined twice"]),
        (vec![user(), Collection::define("User")], &["nothing but case"]),
        (vec![user().field("a b", text.clone())], &["letters", "a b"]),
        (vec![user().field("a", text.clone()).field("A", FieldType::Int)], &["case", "user"]),
        (vec![user().index(["nope"])], &["no such field", "nope"]),
        (vec![user().index(Vec::<&str>::new())], &["at least one field"]),
        (vec![user().index(["id"])], &["indexed already"]),
        (vec![user().field("a", text.clone()).index(["a", "a"])], &["named twice"]),
        (vec![user().field("a", text.clone()).index(["a"]).unique(["a"])], &["declared twice"]),
        (vec![user().field("a", FieldType::Json).index(["a"])], &["json field cannot be indexed"]),
        (vec![user().field("a", FieldType::Int).full_text("a")], &["one text field"]),
        (vec![user().key(Vec::<&str>::new())], &["at least one field"]),
        (vec![user().key(["nope"])], &["no such field", "nope"]),
        (vec![user().optional("a", text.clone()).key(["a"])], &["cannot be optional"]),
        (vec![user().field("a", FieldType::Json).key(["a"])], &["json or float"]),
        (vec![user().field("a", FieldType::Float).key(["a"])], &["json or float"]),
        (
            vec![user().field("a", FieldType::AutoPk).field("b", text.clone()).key(["a", "b"])],
            &["auto-pk", "whole primary key"],
        ),
        (vec![user().field("a", FieldType::AutoPk)], &["must be the primary key"]),
        (vec![user().version(0)], &["count from 1"]),
        (vec![user().version(2)], &["cannot have changed"]),
        (vec![user().child_of("nope")], &["not there", "nope", "user"]),
        (
            vec![
                user().field("a", text.clone()).field("b", text.clone()).key(["a", "b"]),
                Collection::define("email").child_of("user"),
            ],
            &["key of several fields"],
        ),
        (
            vec![user(), Collection::define("email").field("user", text.clone()).child_of("user")],
            &["makes its own field"],
        ),
        (
            vec![
                user(),
                Collection::define("email")
                    .field("to", text.clone())
                    .relationship(RelationshipDef::child_of("user").alias("to").field("x")),
            ],
            &["alias", "taken"],
        ),
        (
            vec![
                user(),
                Collection::define("email")
                    .child_of("user")
                    .relationship(RelationshipDef::child_of("user").alias("to")),
            ],
            &["reverse alias is taken", "emails"],
        ),
        (
            vec![
                user().field("emails", FieldType::Json),
                Collection::define("email").child_of("user"),
            ],
            &["reverse alias is taken", "a field of `user`"],
        ),
        (vec![user(), Collection::define("x").connects("user", "user")], &["two fields", "user"]),
        (
            vec![user(), Collection::define("x").relationship(RelationshipDef::end("user"))],
            &["two ends"],
        ),
        (
            vec![
                Collection::define("a").single_child_of("b").key(["b"]),
                Collection::define("b").single_child_of("a").key(["a"]),
            ],
            &["each other's key"],
        ),
    ];
    for (definitions, fragments) in cases {
        refused(built(definitions), fragments);
    }
    refused(Registry::new().finish(), &["at least one version"]);
    refused(Registry::new().collections(0, [user()]).finish(), &["count from 1"]);
    refused(Registry::new().remove(1, "user").finish(), &["no such collection to remove"]);
}

#[test]
fn a_definition_that_says_the_same_keeps_its_version() {
    let city = Collection::define("city").field("name", FieldType::String);
    let schema = Registry::new()
        .collections(1, [city.clone(), Collection::define("old")])
        .collections(3, [city.clone(), Collection::define("new").child_of("city")])
        .remove(3, "old")
        .collections(4, [city.optional("lat", FieldType::Float).index(["lat"])])
        .finish()
        .unwrap();

    assert_eq!(schema.version(), 4);
    assert_eq!(schema.versions().collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(schema.at(3).unwrap()["city"].version(), 1);
    assert_eq!(schema.collection("city").unwrap().version(), 4);
    assert_eq!(schema.collection("new").unwrap().version(), 3);
    assert!(schema.at(2).is_none());

    let difference = schema.difference(1, 4).unwrap();
    assert_eq!(difference.added.len(), 1);
    assert_eq!(difference.removed.len(), 1);
    let [city] = difference.changed.as_slice() else { panic!("{difference:?}") };
    assert_eq!(&*city.fields_added[0].name, "lat");
    assert_eq!(city.indexes_added.len(), 1);
    assert!(schema.difference(1, 2).is_err());
    assert!(schema.difference(4, 4).unwrap().is_empty());
    assert_eq!(schema.difference(4, 1).unwrap().removed.len(), 1);
    let _ = Difference::default();
}

#[test]
fn middlewares_add_collections_of_their_own() {
    let schema = built([Collection::define("user")]).unwrap();
    let head = || Collection::define("sync_head").field("last", FieldType::Int);
    let with = schema.with_collections([head().finish_reserved().unwrap()]).unwrap();
    assert_eq!(with.collections().count(), 2);
    assert_eq!(with.own_collections().count(), 1);
    assert_eq!(with.with_collections([head().finish_reserved().unwrap()]).unwrap(), with);
    assert_eq!(Schema::from_json(&with.to_json()).unwrap(), schema, "JSON leaves them out");

    let other = head().field("more", FieldType::Int).finish_reserved().unwrap();
    refused(with.with_collections([other]), &["two middlewares"]);
    let user = schema.collection("user").unwrap().as_ref().clone();
    refused(with.with_collections([user]), &["sync_"]);
    assert!(Collection::define("head").finish_reserved().is_err());
    assert!(Collection::define("sync_x").child_of("user").finish_reserved().is_err());
}

#[test]
fn json_speaks_the_words_of_storex() {
    let json = json!({
        "version": 2,
        "history": [{"version": 1, "collections": {"region": {}, "gone": {}}}],
        "collections": {
            "region": {"fields": {"code": {"type": "string"}}, "indices": [{"field": "code", "pk": true}]},
            "city": {
                "fields": {
                    "name": {"type": "string"},
                    "lat": {"type": "float"},
                    "about": {"type": "text", "optional": true},
                    "home": {"type": "url", "optional": true}
                },
                "indices": [
                    {"field": "name"},
                    {"field": [{"relationship": "region"}, "name"], "unique": true},
                    {"field": "about", "fullText": true}
                ],
                "relationships": [{"childOf": "region", "fieldName": "regionCode"}]
            },
            "twin": {
                "relationships": [{
                    "connects": ["city", "city"],
                    "aliases": ["one", "other"],
                    "reverseAliases": ["ones", "others"],
                    "optional": true
                }]
            }
        }
    });
    let schema = Schema::from_json(&json).unwrap();
    let city = schema.collection("city").unwrap();
    assert_eq!(city.indexes().len(), 3);
    assert!(city.has_full_text());
    assert_eq!(city.field("regionCode").unwrap().kind, FieldType::String);
    assert_eq!(schema.collection("region").unwrap().version(), 2, "its key changed");
    assert_eq!(&*schema.collection("region").unwrap().key()[0], "code");
    assert!(schema.get("gone").is_none());
    assert!(schema.child("city", "others").is_some());
    assert_eq!(Schema::from_json(&schema.to_json()).unwrap(), schema);
}

#[test]
fn json_that_is_wrong_is_refused_with_its_path() {
    let with = |city: serde_json::Value| json!({"version": 1, "collections": {"city": city}});
    let cases: Vec<(serde_json::Value, &[&str])> = vec![
        (json!([]), &["must be an object", "the top"]),
        (json!({"collections": {}}), &["missing", "version"]),
        (json!({"version": 1}), &["missing", "collections"]),
        (json!({"version": 0, "collections": {}}), &["from 1", "at: version"]),
        (json!({"version": 1.5, "collections": {}}), &["whole number"]),
        (json!({"version": 1, "collections": {}, "x": 1}), &["no such member", "at: x"]),
        (json!({"version": 1, "collections": []}), &["object", "at: collections"]),
        (
            json!({"version": 1, "collections": {}, "history": [{"version": 1, "collections": {}}]}),
            &["versions must rise"],
        ),
        (
            json!({"version": 2, "collections": {}, "history": [{"version": 1, "collections": {}, "history": []}]}),
            &["no such member", "history[0].history"],
        ),
        (
            with(json!({"fields": {"name": {"tpye": "string"}}})),
            &["collections.city.fields.name.tpye", "known: type, optional"],
        ),
        (with(json!({"fields": {"name": {}}})), &["missing", "at: collections.city.fields.name"]),
        (
            with(json!({"fields": {"name": {"type": "strnig"}}})),
            &["no such field type", "strnig", "random-key", "fields.name.type"],
        ),
        (
            with(json!({"fields": {"name": {"type": "text", "optional": 1}}})),
            &["true or false", "name.optional"],
        ),
        (with(json!({"indices": {}})), &["list", "collections.city.indices"]),
        (with(json!({"indices": [{"field": 1}]})), &["text", "indices[0].field"]),
        (with(json!({"indices": [{"field": "x"}]})), &["no such field", "city"]),
        (
            with(json!({"indices": [{"field": "id", "pk": true}, {"field": "id", "pk": true}]})),
            &["one primary key", "indices[1]"],
        ),
        (
            with(json!({"indices": [{"field": ["a", "b"], "fullText": true}]})),
            &["full text", "indices[0]"],
        ),
        (with(json!({"relationships": [{}]})), &["childOf", "relationships[0]"]),
        (
            with(json!({"relationships": [{"childOf": "city", "aliases": ["a"]}]})),
            &["no such member", "relationships[0].aliases"],
        ),
        (with(json!({"relationships": [{"connects": ["city"]}]})), &["two ends", "connects"]),
        (with(json!({"version": 2})), &["cannot have changed"]),
    ];
    for (json, fragments) in cases {
        refused(Schema::from_json(&json), fragments);
    }
}
