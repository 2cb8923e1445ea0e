//! Names that mean something to databases.

use serde_json::json;
use syncline_core::{
    Batch, Collection, Condition, Direction, FieldType, Filter, Find, Object, Registry, Result,
};

use super::support::*;
use crate::Fixture;

/// A collection named `order` with fields named `key`, `select`, `group` and the like.
pub async fn names_may_be_words_of_a_language(fixture: &Fixture) -> Result<()> {
    let object = |key: &str, n: i64| {
        Object::new()
            .with("key", key)
            .with("select", "from")
            .with("group", n)
            .with("with-dash", -n)
            .with("_", n * 2)
            .with("rowid", format!("row {n}"))
            .with("value", json!({"key": key}))
    };
    fixture.fill("order", [object("c", 3), object("a", 1), object("b", 2)]).await?;
    assert_eq!(all(fixture, "order").await?, [object("a", 1), object("b", 2), object("c", 3)]);
    for filter in [
        Filter::key("b"),
        Filter::eq("key", "b"),
        Filter::eq("group", 2),
        Filter::eq("with-dash", -2).and(Filter::eq("select", "from")),
        Filter::eq("rowid", "row 2"),
        Filter::eq("_", 4),
        Filter::eq("value", json!({"key": "b"})),
    ] {
        let find = Find::new("order", filter.clone());
        assert_eq!(fixture.find(find).await?, [object("b", 2)], "{filter:?}");
    }
    let find = Find::new("order", Filter::All).order_by("with-dash", Direction::Ascending);
    let mut find = find.select(["group", "rowid"]);
    find.page_objects = 1;
    if let Some(found) = fixture.try_find(order_by_one, find).await? {
        let short = |key: &str, n: i64| {
            Object::new().with("key", key).with("group", n).with("rowid", format!("row {n}"))
        };
        assert_eq!(found, [short("c", 3), short("b", 2), short("a", 1)]);
    }
    let changes = Object::new().with("select", "x").with("with-dash", 5);
    let _ = fixture
        .write(Batch::new().update("order", Filter::eq("group", 1), changes.clone()))
        .await?;
    let guard = Batch::new().guard("g", "order", Condition::Looks("a".into(), changes));
    if let Some(answer) = fixture.try_write(atomic_batch, guard).await? {
        let _ = answer?;
    }
    let _ = fixture.write(Batch::new().delete("order", Filter::eq("select", "from"))).await?;
    let rest = object("a", 1).with("select", "x").with("with-dash", 5);
    assert_eq!(all(fixture, "order").await?, [rest]);
    Ok(())
}

/// Whatever a schema allows as a name works as a name of a collection, a field and a key.
pub async fn every_allowed_name_works(fixture: &Fixture) -> Result<()> {
    let longest = "x".repeat(63);
    let names = [
        "select",
        "table",
        "where",
        "index",
        "group",
        "values",
        "null",
        "true",
        "default",
        "primary",
        "user_",
        "_id",
        "__v",
        "_rowid_",
        "oid",
        "sqlite_master",
        "sqlite_sequence",
        "pg_class",
        "information_schema",
        "constructor",
        "__proto__",
        "toString",
        "length",
        "a-b",
        "a--b",
        "A1",
        "_",
        "__",
        "_-",
        "collection",
        "document",
        "object",
        "text",
        "integer",
        "rank",
        &longest,
    ];
    let define = |name: &&str| {
        Collection::define(*name)
            .field(*name, FieldType::String)
            .optional(format!("{}2", &name[..name.len().min(62)]), FieldType::Int)
            .index([format!("{}2", &name[..name.len().min(62)])])
            .key([*name])
    };
    let schema = crate::schema::finish(Registry::new().collections(1, names.iter().map(define)));
    fixture.prepare(&schema).await?;
    for name in names {
        let second = format!("{}2", &name[..name.len().min(62)]);
        let object = |key: &str, n: i64| Object::new().with(name, key).with(second.as_str(), n);
        fixture.fill(name, [object("b", 2), object("a", 1)]).await?;
        let changes = Object::new().with(second.as_str(), 3);
        let _ = fixture.write(Batch::new().update(name, Filter::eq(name, "a"), changes)).await?;
        assert_eq!(all(fixture, name).await?, [object("a", 3), object("b", 2)], "{name}");
        let found = fixture.find(Find::new(name, Filter::eq(second.as_str(), 3))).await?;
        assert_eq!(found, [object("a", 3)], "{name}");
        let _ = fixture.write(Batch::new().delete(name, Filter::key("a"))).await?;
        assert_eq!(all(fixture, name).await?, [object("b", 2)], "{name}");
    }
    Ok(())
}
