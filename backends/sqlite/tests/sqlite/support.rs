//! What the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::FromSql;
use syncline_backend_sqlite::{SqliteBackend, SqliteConfig};
use syncline_core::schema::Definition;
use syncline_core::{
    Backend, Batch, Collection, Error, ErrorKind, FieldType, Filter, Find, Object, Operation, Page,
    Registry, Result, Schema, StepOutcome, run,
};

/// A folder with one database in it, which lasts as long as this.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    /// A database that another program made with these statements.
    pub fn foreign(sql: &str) -> Self {
        let place = Self::new();
        place.sql(sql);
        place
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("data.db")
    }

    pub fn open(&self) -> SqliteBackend {
        open(&self.path())
    }

    /// Opens the database and prepares it.
    pub fn prepared(&self, schema: &Arc<Schema>) -> SqliteBackend {
        let backend = self.open();
        prepare(&backend, schema).expect("prepares");
        backend
    }

    /// Does what any other program could do.
    pub fn sql(&self, sql: &str) {
        self.connect().execute_batch(sql).expect("plain SQL works");
    }

    /// The first column of every row.
    pub fn ask<T: FromSql>(&self, sql: &str) -> Vec<T> {
        let connection = self.connect();
        let mut statement = connection.prepare(sql).expect("plain SQL works");
        let rows = statement.query_map([], |row| row.get(0)).expect("plain SQL works");
        rows.collect::<Result<_, _>>().expect("of that type")
    }

    pub fn connect(&self) -> Connection {
        Connection::open(self.path()).expect("opens")
    }
}

pub fn open(path: &Path) -> SqliteBackend {
    SqliteBackend::open(path, SqliteConfig::default()).expect("opens")
}

pub fn memory(schema: &Arc<Schema>) -> SqliteBackend {
    let backend = SqliteBackend::open_in_memory(SqliteConfig::default()).expect("opens");
    prepare(&backend, schema).expect("prepares");
    backend
}

pub fn schema(version: u32, definitions: impl IntoIterator<Item = Definition>) -> Arc<Schema> {
    let registry = Registry::new().collections(version, definitions);
    Arc::new(registry.finish().expect("a schema"))
}

/// A note, with one index.
pub fn note() -> Definition {
    Collection::define("note")
        .field("title", FieldType::String)
        .optional("priority", FieldType::Int)
        .optional("done", FieldType::Boolean)
        .index(["priority"])
}

pub fn notes() -> Arc<Schema> {
    schema(1, [note()])
}

pub fn a_note(id: &str, title: &str, priority: i64) -> Object {
    Object::new().with("id", id).with("title", title).with("priority", priority)
}

/// Notes `n000`, `n001` and so on; their priorities run the other way.
pub fn many_notes(count: usize) -> Batch {
    (0..count).fold(Batch::new(), |batch, at| {
        batch.create("note", a_note(&format!("n{at:03}"), "x", (count - at) as i64))
    })
}

pub fn prepare(backend: &SqliteBackend, schema: &Arc<Schema>) -> Result<()> {
    execute(backend, Operation::Prepare(schema.clone())).map(|_| ())
}

pub fn execute(backend: &dyn Backend, operation: Operation) -> Result<syncline_core::Outcome> {
    pollster::block_on(run(backend, operation))
}

pub fn write(backend: &SqliteBackend, batch: Batch) -> Result<Vec<StepOutcome>> {
    execute(backend, Operation::Write(batch))?.written()
}

pub fn page(backend: &SqliteBackend, find: Find) -> Result<Page> {
    execute(backend, Operation::Find(find))?.found()
}

pub fn find(backend: &SqliteBackend, collection: &str, filter: Filter) -> Result<Vec<Object>> {
    page(backend, Find::new(collection, filter)).map(|page| page.objects)
}

pub fn all(backend: &SqliteBackend, collection: &str) -> Vec<Object> {
    find(backend, collection, Filter::All).expect("finds")
}

/// The error, which must be of this kind and say all of this.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T>, kind: ErrorKind, says: &[&str]) -> Error {
    let error = answer.expect_err("must fail");
    assert_eq!(error.kind(), kind, "{error}");
    for word in says {
        assert!(error.to_string().contains(word), "`{error}` does not say `{word}`");
    }
    error
}
