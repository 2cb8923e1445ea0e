//! What other programs write into our tables.

use serde_json::json;
use syncline_core::{Collection, ErrorKind, FieldType, Filter, Find, Object, Value};

use super::support::*;

fn things() -> std::sync::Arc<syncline_core::Schema> {
    let thing = Collection::define("thing")
        .optional("flag", FieldType::Boolean)
        .optional("raw", FieldType::Blob)
        .optional("at", FieldType::Timestamp)
        .optional("ratio", FieldType::Float)
        .optional("n", FieldType::Int)
        .optional("data", FieldType::Json)
        .optional("name", FieldType::String);
    schema(1, [thing])
}

#[test]
fn what_can_only_mean_one_thing_is_read() {
    let place = Place::new();
    let backend = place.prepared(&things());
    for (column, literal, expected) in [
        ("ratio", "3", Value::from(3.0)),
        ("flag", "TRUE", true.into()),
        ("n", "'12'", 12.into()),
        ("n", "12.0", 12.into()),
        ("name", "12", "12".into()),
        ("name", "''", "".into()),
        ("name", "CAST(x'610062' AS TEXT)", "a\0b".into()),
        ("data", "' { \"a\" : 1 } '", json!({"a": 1}).into()),
        ("raw", "x''", Vec::<u8>::new().into()),
        ("data", "NULL", Value::Null),
    ] {
        place.sql(&format!(
            "DELETE FROM thing; INSERT INTO thing (id, {column}) VALUES ('a', {literal})"
        ));
        let expected = Object::new().with("id", "a").with(column, expected);
        let expected: Object = expected.into_iter().filter(|(_, value)| !value.is_null()).collect();
        assert_eq!(all(&backend, "thing"), [expected], "{column} {literal}");
    }
}

#[test]
fn anything_else_is_corrupt_and_says_where() {
    let place = Place::new();
    let backend = place.prepared(&things());
    for (column, literal, found) in [
        ("flag", "2", "a whole number"),
        ("flag", "'yes'", "text"),
        ("at", "'2026-11-20'", "text"),
        ("at", "1.5", "a number"),
        ("n", "'twelve'", "text"),
        ("n", "x'0c'", "bytes"),
        ("ratio", "'much'", "text"),
        ("ratio", "9e999", "a number"),
        ("name", "x'61'", "bytes"),
        ("name", "CAST(x'ff' AS TEXT)", "not UTF-8"),
        ("raw", "'text'", "text"),
        ("data", "'{'", "not JSON"),
    ] {
        place.sql(&format!(
            "DELETE FROM thing; INSERT INTO thing (id, {column}) VALUES ('a', {literal})"
        ));
        let says = ["table: thing", &format!("column: {column}"), found];
        refused(find(&backend, "thing", Filter::All), ErrorKind::Corrupt, &says);
        refused(find(&backend, "thing", Filter::key("a")), ErrorKind::Corrupt, &says);
        let other = Find::new("thing", Filter::All).select(["id"]);
        assert_eq!(page(&backend, other).expect("the others can be read").objects.len(), 1);
    }
}

#[test]
fn a_row_without_a_key_is_corrupt() {
    let place = Place::foreign("CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT)");
    let backend = place.prepared(&things());
    place.sql("INSERT INTO thing (name) VALUES ('nobody')");
    refused(find(&backend, "thing", Filter::All), ErrorKind::Corrupt, &["column: id", "null"]);
}

#[test]
fn a_column_that_is_gone_is_an_error_and_not_its_name() {
    let place = Place::new();
    let backend = place.prepared(&things());
    place.sql("INSERT INTO thing (id) VALUES ('a'); ALTER TABLE thing DROP COLUMN name");
    refused(find(&backend, "thing", Filter::All), ErrorKind::Internal, &["no such column"]);

    prepare(&backend, &things()).expect("makes it again");
    assert_eq!(all(&backend, "thing"), [Object::new().with("id", "a")]);
}
