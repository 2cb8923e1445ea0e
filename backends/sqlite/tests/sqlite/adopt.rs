//! Databases that another program made.

use syncline_core::{Batch, Collection, Direction, ErrorKind, FieldType, Filter, Find, Object};

use super::support::*;

#[test]
fn tables_that_match_are_used_as_they_are() {
    let place = Place::foreign(
        "CREATE TABLE Note (ID VARCHAR(36) NOT NULL PRIMARY KEY, Title NVARCHAR, priority BIGINT,
           done BOOL DEFAULT 0, colour TEXT NOT NULL DEFAULT 'red', extra BLOB);
         INSERT INTO Note (ID, Title, priority) VALUES ('a', 'first', 1), ('b', 'second', 2);
         PRAGMA user_version = 7; PRAGMA application_id = 9;",
    );
    let before = place.ask::<String>("SELECT sql FROM sqlite_schema WHERE name = 'Note'");

    let backend = place.prepared(&notes());
    let _ = write(
        &backend,
        Batch::new().create("note", a_note("c", "third", 3)).update(
            "note",
            Filter::key("a"),
            Object::new().with("title", "changed"),
        ),
    )
    .expect("writes");

    let found = find(&backend, "note", Filter::gte("priority", 1)).expect("finds");
    assert_eq!(found[0], a_note("a", "changed", 1).with("done", false));
    assert_eq!(found[2], a_note("c", "third", 3));
    assert_eq!(place.ask::<String>("SELECT colour FROM note"), ["red", "red", "red"]);
    assert_eq!(place.ask::<String>("SELECT sql FROM sqlite_schema WHERE name = 'Note'"), before);
    assert_eq!(place.ask::<i64>("PRAGMA user_version"), [7]);
    assert_eq!(place.ask::<i64>("PRAGMA application_id"), [9]);
    assert_eq!(place.ask::<String>("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn an_index_that_is_there_is_not_made_twice() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT, priority INTEGER, done INTEGER);
         CREATE INDEX by_priority ON note (priority, title);
         CREATE INDEX some ON note (title) WHERE done;",
    );
    drop(place.prepared(&schema(1, [note().index(["title"])])));
    let indexes =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    assert_eq!(place.ask::<String>(indexes), ["by_priority", "idx_note(title)", "some"]);
}

#[test]
fn a_missing_column_is_added() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT); INSERT INTO note VALUES ('a', 'x');",
    );
    let backend = place.prepared(&notes());
    assert_eq!(all(&backend, "note"), [Object::new().with("id", "a").with("title", "x")]);
    let changes = Object::new().with("priority", 4);
    let _ = write(&backend, Batch::new().update("note", Filter::All, changes)).expect("writes");
    assert_eq!(place.ask::<i64>("SELECT priority FROM note"), [4]);
}

#[test]
fn what_cannot_be_used_is_refused_by_name_and_left_alone() {
    for (table, says) in [
        ("id TEXT, title TEXT", vec!["note", "primary key is nothing", "(id)"]),
        ("id INTEGER PRIMARY KEY, title TEXT", vec!["column: id", "INTEGER", "text"]),
        ("title TEXT PRIMARY KEY, id TEXT", vec!["primary key is (title)"]),
        ("id TEXT, title TEXT, PRIMARY KEY (id, title)", vec!["(id, title)"]),
        ("id TEXT PRIMARY KEY COLLATE NOCASE, title TEXT", vec!["column: id", "letters"]),
        ("id TEXT PRIMARY KEY, title TEXT, priority REAL", vec!["column: priority", "REAL", "int"]),
        ("id TEXT PRIMARY KEY, title DATE", vec!["column: title", "DATE"]),
        ("id TEXT PRIMARY KEY, title TEXT, owner TEXT NOT NULL", vec!["column: owner", "default"]),
        ("id TEXT PRIMARY KEY, title TEXT AS (lower(id))", vec!["column: title", "computes"]),
    ] {
        let place = Place::foreign(&format!("CREATE TABLE note ({table})"));
        let backend = place.open();
        refused(prepare(&backend, &notes()), ErrorKind::Invalid, &says);
        assert_eq!(
            place.ask::<String>("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'"),
            ["note"]
        );
    }
}

#[test]
fn a_view_is_not_taken_for_a_table() {
    let place = Place::foreign("CREATE VIEW note AS SELECT 1 AS id");
    refused(prepare(&place.open(), &notes()), ErrorKind::Invalid, &["plain table", "note"]);
}

#[test]
fn names_kept_for_syncline_are_refused_in_a_foreign_database() {
    for table in ["sync_queue", "SYNC_Log", "sync_schema"] {
        let place = Place::foreign(&format!("CREATE TABLE {table} (a)"));
        refused(prepare(&place.open(), &notes()), ErrorKind::Invalid, &[table, "rename"]);
    }
}

#[test]
fn keys_are_counted_where_sqlite_can_count() {
    let ticket = || {
        let ticket = Collection::define("ticket").field("id", FieldType::AutoPk);
        schema(1, [ticket.optional("name", FieldType::String)])
    };
    let place = Place::foreign(
        "CREATE TABLE ticket (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO ticket VALUES (41, 'a')",
    );
    let backend = place.prepared(&ticket());
    let created = write(&backend, Batch::new().create("ticket", Object::new())).expect("counts");
    assert_eq!(created, [syncline_core::StepOutcome::Created(42.into())]);

    let place = Place::foreign("CREATE TABLE ticket (id INT PRIMARY KEY, name TEXT)");
    refused(prepare(&place.open(), &ticket()), ErrorKind::Invalid, &["INTEGER PRIMARY KEY"]);
}

#[test]
fn a_column_that_ignores_case_is_compared_letter_by_letter() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT COLLATE NOCASE, priority INT, done INT)",
    );
    let backend = place.prepared(&schema(1, [note().index(["title"])]));
    let batch = ["b", "A", "a", "B"].iter().fold(Batch::new(), |batch, title| {
        batch.create("note", a_note(&format!("id {title}"), title, 1))
    });
    let _ = write(&backend, batch).expect("stores");

    let titles = |find: Find| -> Vec<String> {
        let objects = page(&backend, find).expect("finds").objects;
        objects.iter().map(|object| object.value("title").to_string()).collect()
    };
    let question = |filter| Find::new("note", filter);
    assert_eq!(titles(question(Filter::eq("title", "a"))), ["a"]);
    assert_eq!(titles(question(Filter::is_in("title", ["A", "b"]))), ["A", "b"]);
    assert_eq!(titles(question(Filter::prefix("title", "B"))), ["B"]);
    let sorted = question(Filter::All).order_by("title", Direction::Ascending);
    assert_eq!(titles(sorted), ["A", "B", "a", "b"]);
    let by_title = backend.explain(&question(Filter::eq("title", "a"))).expect("explains");
    assert!(by_title[0].contains("USING INDEX idx_note(title)"), "{by_title:?}");
}

#[test]
fn rules_of_an_adopted_table_refuse_what_breaks_them() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE,
           priority INT CHECK (priority < 10), done INT);",
    );
    let backend = place.prepared(&notes());
    let create = |id: &str, title: &str, priority: i64| {
        write(&backend, Batch::new().create("note", a_note(id, title, priority)))
    };
    let _ = create("a", "x", 1).expect("keeps the rules");
    refused(create("b", "x", 1), ErrorKind::Conflict, &["UNIQUE constraint failed: note.title"]);
    refused(create("b", "y", 10), ErrorKind::Invalid, &["CHECK constraint failed"]);
    let nameless = Batch::new().create("note", Object::new().with("id", "b"));
    refused(write(&backend, nameless), ErrorKind::Invalid, &["NOT NULL constraint failed"]);
    refused(create("a", "z", 1), ErrorKind::Conflict, &["key: a", "collection: note"]);
}

#[test]
fn references_of_an_adopted_table_are_not_enforced() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT REFERENCES label ON DELETE CASCADE,
           priority INT, done INT);
         CREATE TABLE label (id TEXT PRIMARY KEY);
         INSERT INTO label VALUES ('l'); INSERT INTO note (id, title) VALUES ('a', 'l');",
    );
    let backend = place.prepared(&schema(1, [note(), Collection::define("label")]));
    let batch =
        Batch::new().create("note", a_note("b", "no such label", 1)).delete("label", Filter::All);
    let _ = write(&backend, batch).expect("merging may store it");
    assert_eq!(all(&backend, "note").len(), 2, "nothing was deleted behind the log's back");
}

#[test]
fn a_trigger_that_refuses_is_told_in_its_own_words() {
    let place = Place::foreign(
        "CREATE TABLE note (id TEXT PRIMARY KEY, title TEXT, priority INT, done INT);
         CREATE TRIGGER guard BEFORE INSERT ON note WHEN new.title = 'bad'
         BEGIN SELECT RAISE(ABORT, 'we do not say that'); END;",
    );
    let backend = place.prepared(&notes());
    let batch = many_notes(1).create("note", a_note("b", "bad", 1));
    refused(write(&backend, batch), ErrorKind::Invalid, &["we do not say that"]);
    assert!(all(&backend, "note").is_empty());
}
