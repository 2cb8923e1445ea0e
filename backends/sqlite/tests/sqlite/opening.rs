//! Opening: what is refused, and what is promised.

use std::fs;
use std::time::Duration;

use syncline_backend_sqlite::{Durability, SqliteBackend, SqliteConfig};
use syncline_core::{Batch, ErrorKind, Filter, Object};

use super::support::*;

#[test]
fn a_folder_that_is_not_there_is_not_found() {
    let answer = SqliteBackend::open("/no/such/folder/data.db", SqliteConfig::default());
    refused(answer, ErrorKind::NotFound, &["/no/such/folder/data.db", "create"]);
}

#[test]
fn what_is_no_file_is_denied() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = SqliteBackend::open(folder.path(), SqliteConfig::default());
    refused(answer, ErrorKind::Denied, &["path"]);
}

#[test]
fn a_file_that_is_no_database_is_corrupt_and_left_alone() {
    let place = Place::new();
    let text = "Dear diary, ".repeat(1_000);
    fs::write(place.path(), &text).expect("writes");
    let answer = SqliteBackend::open(place.path(), SqliteConfig::default());
    refused(answer, ErrorKind::Corrupt, &["not a SQLite database", "data.db"]);
    assert_eq!(fs::read_to_string(place.path()).expect("reads"), text);
}

#[test]
fn a_damaged_database_is_corrupt() {
    let place = Place::new();
    let backend = place.prepared(&notes());
    let _ = write(&backend, many_notes(500)).expect("writes");
    backend.checkpoint().expect("moves");
    drop(backend);
    let mut bytes = fs::read(place.path()).expect("reads");
    let end = bytes.len();
    bytes[4096 * 4..end].fill(0xee);
    fs::write(place.path(), bytes).expect("writes");

    let backend = place.open();
    let answer = prepare(&backend, &notes()).and_then(|()| find(&backend, "note", Filter::All));
    refused(answer, ErrorKind::Corrupt, &["backup"]);
}

#[test]
fn nothing_is_asked_before_the_schema_is_known() {
    let place = Place::new();
    drop(place.prepared(&notes()));
    refused(find(&place.open(), "note", Filter::All), ErrorKind::Invalid, &["prepare"]);
}

#[test]
fn a_question_for_what_is_not_in_the_schema_is_invalid() {
    let backend = memory(&notes());
    refused(find(&backend, "nothing", Filter::All), ErrorKind::Invalid, &["nothing"]);
    refused(find(&backend, "note", Filter::eq("x", 1)), ErrorKind::Invalid, &["field: x"]);
    let batch = Batch::new().create("note", a_note("a", "x", 1).with("x", 1));
    refused(write(&backend, batch), ErrorKind::Invalid, &["field: x"]);
    let batch = Batch::new().create("note", Object::new().with("title", "x"));
    refused(write(&backend, batch), ErrorKind::Invalid, &["primary key"]);
}

#[test]
fn copies_share_the_database_and_separate_memories_do_not() {
    let backend = memory(&notes());
    let copy = backend.clone();
    let _ = write(&backend, many_notes(1)).expect("writes");
    assert_eq!(all(&copy, "note").len(), 1);
    assert!(all(&memory(&notes()), "note").is_empty());
}

#[test]
fn what_was_written_survives_the_process() {
    for durability in [Durability::Full, Durability::Normal] {
        let place = Place::new();
        let config = SqliteConfig { durability, ..SqliteConfig::default() };
        let backend = SqliteBackend::open(place.path(), config).expect("opens");
        prepare(&backend, &notes()).expect("prepares");
        let _ = write(&backend, many_notes(10)).expect("writes");
        // A copy taken while the database is open is what a process that ends here leaves behind.
        let copy = Place::new();
        for end in ["", "-wal"] {
            let name = |place: &Place| format!("{}{end}", place.path().display());
            let _ = fs::copy(name(&place), name(&copy)).expect("copies");
        }
        assert_eq!(all(&copy.prepared(&notes()), "note").len(), 10);
    }
}

#[test]
fn a_checkpoint_empties_the_log() {
    let place = Place::new();
    let backend = place.prepared(&notes());
    let _ = write(&backend, many_notes(100)).expect("writes");
    let log = format!("{}-wal", place.path().display());
    assert!(fs::metadata(&log).expect("there").len() > 0);

    backend.checkpoint().expect("moves");

    assert_eq!(fs::metadata(&log).expect("there").len(), 0);
    let copy = Place::new();
    let _ = fs::copy(place.path(), copy.path()).expect("copies");
    assert_eq!(all(&copy.prepared(&notes()), "note").len(), 100);
}

#[test]
fn a_checkpoint_beside_a_reader_is_unavailable_and_loses_nothing() {
    let place = Place::new();
    let config = SqliteConfig { busy_timeout: Duration::ZERO, ..SqliteConfig::default() };
    let backend = SqliteBackend::open(place.path(), config).expect("opens");
    prepare(&backend, &notes()).expect("prepares");
    let other = place.connect();
    other.execute_batch("BEGIN; SELECT count(*) FROM note").expect("reads");
    let _ = write(&backend, many_notes(10)).expect("writes");

    refused(backend.checkpoint(), ErrorKind::Unavailable, &["repeat"]);

    other.execute_batch("COMMIT").expect("ends");
    backend.checkpoint().expect("nobody reads");
    assert_eq!(all(&backend, "note").len(), 10);
}
