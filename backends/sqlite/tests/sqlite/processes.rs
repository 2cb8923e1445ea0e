//! Several connections, threads and processes on one file.

use std::process::Command;
use std::thread;
use std::time::Duration;

use syncline_backend_sqlite::{SqliteBackend, SqliteConfig};
use syncline_core::{Batch, Condition, ErrorKind, FieldType, Filter, Object};

use super::support::*;

const PLACE: &str = "SYNCLINE_TEST_PLACE";
const WRITES: i64 = 100;

fn impatient(place: &Place) -> SqliteBackend {
    let config = SqliteConfig { busy_timeout: Duration::ZERO, ..SqliteConfig::default() };
    SqliteBackend::open(place.path(), config).expect("opens")
}

/// Counts `n0` up, each time from what is there.
fn count_up(backend: &SqliteBackend) {
    for _ in 0..WRITES {
        loop {
            let found = find(backend, "note", Filter::key("n000")).expect("finds");
            let count = found[0].value("priority").as_int().expect("a number");
            let looks = Object::new().with("priority", count);
            let batch = Batch::new()
                .guard("count", "note", Condition::Looks("n000".into(), looks))
                .update("note", Filter::key("n000"), Object::new().with("priority", count + 1))
                .create("note", a_note(&format!("{count:05}"), "x", count));
            match write(backend, batch) {
                Ok(_) => break,
                Err(error) => assert_eq!(error.guard(), Some("count"), "{error}"),
            }
        }
    }
}

/// Not a test by itself: what the processes below do.
#[test]
fn child_process() {
    let Ok(path) = std::env::var(PLACE) else { return };
    let backend = open(path.as_ref());
    prepare(&backend, &notes()).expect("prepares, even while others do");
    count_up(&backend);
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let place = Place::new();
    let backend = place.prepared(&notes());
    let _ = write(&backend, many_notes(1)).expect("writes");
    let children: Vec<_> = (0..3)
        .map(|_| {
            Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "processes::child_process"])
                .env(PLACE, place.path())
                .spawn()
                .expect("starts")
        })
        .collect();
    count_up(&backend);
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }

    let note = &find(&backend, "note", Filter::key("n000")).expect("finds")[0];
    assert_eq!(note.value("priority"), &(1 + 4 * WRITES).into());
    assert_eq!(all(&backend, "note").len() as i64, 1 + 4 * WRITES);
    assert_eq!(place.ask::<String>("PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn processes_may_make_the_database_at_once() {
    let place = Place::new();
    let threads: Vec<_> = (0..8)
        .map(|at| {
            let path = place.path();
            thread::spawn(move || {
                let backend = open(&path);
                prepare(&backend, &notes()).expect("prepares");
                let batch = Batch::new().create("note", a_note(&format!("{at}"), "x", at));
                let _ = write(&backend, batch).expect("writes");
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    assert_eq!(all(&place.prepared(&notes()), "note").len(), 8);
}

#[test]
fn a_writer_in_the_way_is_unavailable_and_nothing_is_written() {
    let place = Place::new();
    drop(place.prepared(&notes()));
    let backend = impatient(&place);
    prepare(&backend, &notes()).expect("only reads");
    let other = place.connect();
    other.execute_batch("BEGIN IMMEDIATE").expect("begins");

    for batch in [many_notes(1), many_notes(2)] {
        refused(write(&backend, batch), ErrorKind::Unavailable, &["busy timeout"]);
    }
    assert!(all(&backend, "note").is_empty(), "reading goes on");

    other.execute_batch("COMMIT").expect("ends");
    let _ = write(&backend, many_notes(2)).expect("the same request, repeated");
}

#[test]
fn a_writer_waits_for_another() {
    let place = Place::new();
    let backend = place.prepared(&notes());
    let other = place.connect();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO note (id) VALUES ('first')").expect("begins");
    let waiting = {
        let backend = backend.clone();
        thread::spawn(move || write(&backend, many_notes(1)).map(|_| ()))
    };
    other.execute_batch("COMMIT").expect("ends");
    waiting.join().expect("no panic").expect("waited");
    assert_eq!(all(&backend, "note").len(), 2);
}

#[test]
fn another_process_may_migrate_meanwhile() {
    let place = Place::new();
    let old = place.prepared(&notes());
    let _ = write(&old, many_notes(3)).expect("writes");
    assert_eq!(find(&old, "note", Filter::gt("priority", 1)).expect("finds").len(), 2);

    let less = syncline_core::Collection::define("note")
        .field("title", FieldType::String)
        .optional("priority", FieldType::Int)
        .optional("done", FieldType::Boolean)
        .optional("text", FieldType::Text)
        .index(["text"]);
    let new = place.prepared(&schema(2, [less]));

    assert_eq!(find(&old, "note", Filter::gt("priority", 1)).expect("finds").len(), 2);
    let _ = write(&old, Batch::new().create("note", a_note("late", "x", 9))).expect("writes");
    assert_eq!(all(&new, "note").len(), 4);
}
