//! From no database to one, and from one schema to the next.

use syncline_backend_sqlite::SqliteBackend;
use syncline_core::{Batch, Collection, ErrorKind, FieldType, Filter, Object};

use super::support::*;

fn tables(place: &Place) -> Vec<String> {
    place.ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
}

fn indexes(place: &Place) -> Vec<String> {
    place.ask("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1")
}

#[test]
fn a_collection_is_a_table_that_a_person_can_read() {
    let place = Place::new();
    let every_type = Collection::define("thing")
        .optional("flag", FieldType::Boolean)
        .optional("raw", FieldType::Blob)
        .optional("at", FieldType::Timestamp)
        .optional("ratio", FieldType::Float)
        .optional("n", FieldType::Int)
        .optional("data", FieldType::Json)
        .field("name", FieldType::String)
        .unique(["name", "n"]);
    let ticket = Collection::define("ticket").field("id", FieldType::AutoPk);
    let visit = Collection::define("visit")
        .field("url", FieldType::String)
        .field("time", FieldType::Int)
        .key(["url", "time"]);
    let _ = place.prepared(&schema(1, [every_type, ticket, visit]));

    let sql = place.ask::<String>(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> 'sync_schema'
         AND name <> 'sqlite_sequence' ORDER BY name",
    );
    assert_eq!(
        sql,
        [
            r#"CREATE INDEX "idx_thing(name,n)" ON "thing" ("name", "n")"#,
            r#"CREATE TABLE "thing" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "at" INTEGER,
  "flag" BOOLEAN,
  "n" INTEGER,
  "ratio" REAL,
  "name" TEXT,
  "data" TEXT,
  "raw" BLOB
)"#,
            r#"CREATE TABLE "ticket" (
  "id" INTEGER PRIMARY KEY AUTOINCREMENT
)"#,
            r#"CREATE TABLE "visit" (
  "url" TEXT NOT NULL,
  "time" INTEGER NOT NULL,
  PRIMARY KEY ("url", "time")
)"#,
        ]
    );
}

#[test]
fn values_are_stored_as_a_person_expects() {
    let place = Place::new();
    let thing = Collection::define("thing")
        .optional("flag", FieldType::Boolean)
        .optional("at", FieldType::Timestamp)
        .optional("data", FieldType::Json);
    let backend = place.prepared(&schema(1, [thing]));
    let object = Object::new()
        .with("id", "a")
        .with("flag", true)
        .with("at", syncline_core::Value::Timestamp(1_700_000_000_000))
        .with("data", serde_json::json!({"b": 1, "a": [true]}));
    let _ = write(&backend, Batch::new().create("thing", object)).expect("stores");

    let sql = "SELECT id || ' ' || flag || ' ' || at || ' ' || data FROM thing";
    assert_eq!(place.ask::<String>(sql), [r#"a 1 1700000000000 {"a":[true],"b":1}"#]);
}

#[test]
fn fields_collections_and_indexes_are_added_in_place() {
    let place = Place::new();
    let backend = place.prepared(&notes());
    let _ = write(&backend, many_notes(3)).expect("stores");
    drop(backend);

    let more = note().optional("text", FieldType::Text).index(["done", "title"]).index(["text"]);
    let later = schema(2, [more, Collection::define("label").field("name", FieldType::String)]);
    let backend = place.prepared(&later);

    assert_eq!(all(&backend, "note").len(), 3, "what is stored stays");
    let changes = Object::new().with("text", "new");
    let _ =
        write(&backend, Batch::new().update("note", Filter::key("n001"), changes)).expect("writes");
    assert_eq!(find(&backend, "note", Filter::eq("text", "new")).expect("finds").len(), 1);
    assert_eq!(tables(&place), ["label", "note", "sync_schema"]);
    assert_eq!(indexes(&place), ["idx_note(done,title)", "idx_note(priority)", "idx_note(text)"]);
}

#[test]
fn only_indexes_made_here_are_dropped_and_no_data_ever() {
    let place = Place::new();
    let label = Collection::define("label").field("name", FieldType::String).index(["name"]);
    let backend = place.prepared(&schema(1, [note().index(["title"]), label]));
    let label = Object::new().with("id", "l").with("name", "red");
    let _ = write(&backend, many_notes(2).create("label", label)).expect("stores");
    place.sql("CREATE INDEX theirs ON note (title, done)");

    let less = Collection::define("note").field("title", FieldType::String);
    let backend = place.prepared(&schema(2, [less]));

    assert_eq!(indexes(&place), ["theirs"]);
    assert_eq!(all(&backend, "note")[0], Object::new().with("id", "n000").with("title", "x"));
    assert_eq!(place.ask::<i64>("SELECT priority FROM note ORDER BY id"), [2, 1]);
    assert_eq!(place.ask::<String>("SELECT name FROM label"), ["red"]);
}

#[test]
fn indexes_of_our_own_collections_wait_for_a_station_that_is_away() {
    let place = Place::new();
    let with_log = {
        let entry = Collection::define("sync_entry").field("at", FieldType::Int).index(["at"]);
        let entry = entry.finish_reserved().expect("reserved");
        let schema = schema(1, [note()]);
        std::sync::Arc::new(schema.with_collections([entry]).expect("a schema"))
    };
    drop(place.prepared(&with_log));
    drop(place.prepared(&notes()));
    assert_eq!(indexes(&place), ["idx_note(priority)", "idx_sync_entry(at)"]);

    drop(place.prepared(&with_log));
    let options = "SELECT sql LIKE '%WITHOUT ROWID' FROM sqlite_schema WHERE name = 'sync_entry'";
    assert_eq!(place.ask::<bool>(options), [true]);
}

#[test]
fn preparing_again_for_the_same_schema_writes_nothing() {
    let place = Place::new();
    drop(place.prepared(&notes()));
    let version = place.ask::<i64>("PRAGMA schema_version");

    let backend = place.prepared(&notes());

    assert_eq!(backend.counters().transactions, 0);
    assert_eq!(place.ask::<i64>("PRAGMA schema_version"), version);
}

#[test]
fn the_stored_schema_tells_who_does_not_know_it() {
    let place = Place::new();
    let backend = place.open();
    assert!(backend.stored_schema().expect("reads").is_none(), "never prepared");
    drop(backend);
    let schema = schema(3, [note().child_of("label"), Collection::define("label")]);
    drop(place.prepared(&schema));

    let backend = place.open();
    let stored = backend.stored_schema().expect("reads").expect("was prepared");

    assert_eq!(stored, *schema);
    assert_eq!(backend.stored_definition().expect("reads"), Some(schema.to_json()));
}

#[test]
fn a_database_of_a_newer_schema_is_refused_untouched() {
    let place = Place::new();
    drop(place.prepared(&schema(2, [note()])));
    let before = place.ask::<String>("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL");

    let older = schema(1, [note(), Collection::define("label")]);
    refused(
        prepare(&place.open(), &older),
        ErrorKind::Unsupported,
        &["found: 2", "known: 1", "update"],
    );

    assert_eq!(place.ask::<String>("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"), before);
}

#[test]
fn a_database_of_a_newer_format_is_refused_untouched() {
    let place = Place::new();
    drop(place.prepared(&notes()));
    place.sql("ALTER TABLE sync_schema DROP COLUMN indexes; UPDATE sync_schema SET format = 2");

    let backend = place.open();
    let more = schema(9, [note(), Collection::define("label")]);
    refused(prepare(&backend, &more), ErrorKind::Unsupported, &["format", "found: 2"]);
    refused(backend.stored_schema(), ErrorKind::Unsupported, &["found: 2"]);

    assert_eq!(tables(&place), ["note", "sync_schema"]);
}

#[test]
fn a_lost_index_is_made_again() {
    let place = Place::new();
    drop(place.prepared(&notes()));
    place.sql(r#"DROP INDEX "idx_note(priority)""#);

    drop(place.prepared(&notes()));

    assert_eq!(indexes(&place), ["idx_note(priority)"]);
}

#[test]
fn a_schema_that_does_not_fit_changes_nothing() {
    let place = Place::foreign("CREATE TABLE zebra (id TEXT PRIMARY KEY, stripes TEXT)");
    let zebra = Collection::define("zebra").field("stripes", FieldType::Int);
    let backend: SqliteBackend = place.open();

    refused(prepare(&backend, &schema(1, [note(), zebra])), ErrorKind::Invalid, &["stripes"]);

    assert_eq!(tables(&place), ["zebra"]);
    refused(find(&backend, "note", Filter::All), ErrorKind::Invalid, &["prepare"]);
}
