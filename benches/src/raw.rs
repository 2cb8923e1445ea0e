//! The sides to compare with: rusqlite as one would write it by hand, without and with a log.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::json;

use crate::Result;
use crate::record::Record;
use crate::store::{Durability, Retitle, Store};

/// A database written to by hand.
#[derive(Debug)]
pub struct Raw {
    pub(crate) connection: Connection,
    log: bool,
    /// The stamp of the next change, where changes are stamped.
    stamp: Option<i64>,
}

/// A clock for each field but the key, one behind the other.
const CLOCKS: &str = "ALTER TABLE record ADD COLUMN clocks BLOB";
pub(crate) const KNOWN: &str = "SELECT clocks FROM record WHERE id = ?1";
/// How many fields have a clock.
pub(crate) const FIELDS: usize = 5;

/// A field that the workloads change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Title = 0,
    Priority = 3,
}

impl Field {
    /// Where its clock is.
    pub(crate) fn clock(self) -> std::ops::Range<usize> {
        let at = self as usize * 8;
        at..at + 8
    }

    fn update(self) -> &'static str {
        match self {
            Self::Title => "UPDATE record SET title = ?2 WHERE id = ?1",
            Self::Priority => "UPDATE record SET priority = ?2 WHERE id = ?1",
        }
    }

    fn update_with_clocks(self) -> &'static str {
        match self {
            Self::Title => "UPDATE record SET title = ?2, clocks = ?3 WHERE id = ?1",
            Self::Priority => "UPDATE record SET priority = ?2, clocks = ?3 WHERE id = ?1",
        }
    }
}

const TABLES: &str = "
    CREATE TABLE record (
        id TEXT PRIMARY KEY, title TEXT, body TEXT, done INTEGER, priority INTEGER, updated INTEGER
    );
    CREATE INDEX record_priority ON record (priority);
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY, collection TEXT, op TEXT, stamp INTEGER, entry TEXT
    );";

const INSERT: &str = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_WITH_CLOCKS: &str = "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const LOG: &str = "INSERT INTO log (collection, op, stamp, entry) VALUES ('record', ?1, ?2, ?3)";

impl Raw {
    /// A new database in this folder.
    ///
    /// # Errors
    ///
    /// Whatever SQLite reports.
    pub fn open(folder: &Path, durability: Durability, log: bool) -> Result<Self> {
        let connection = Connection::open(folder.join("raw.db"))?;
        let synchronous = match durability {
            Durability::Normal => "NORMAL",
            Durability::Full => "FULL",
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch(TABLES)?;
        Ok(Self { connection, log, stamp: None })
    }

    /// Keeps a clock for each field from now on; the first change gets this stamp, each one a greater one.
    pub(crate) fn with_clocks(mut self, stamp: i64) -> Result<Self> {
        self.connection.execute_batch(CLOCKS)?;
        self.stamp = Some(stamp);
        Ok(self)
    }

    fn insert(&self, record: &Record) -> Result {
        let sql = if self.stamp.is_some() { INSERT_WITH_CLOCKS } else { INSERT };
        let mut statement = self.connection.prepare_cached(sql)?;
        let Record { id, title, body, done, priority, updated } = record;
        let _ = match self.stamp {
            None => statement.execute(params![id, title, body, done, priority, updated])?,
            Some(_) => {
                let clocks = updated.to_be_bytes().repeat(FIELDS);
                statement.execute(params![id, title, body, done, priority, updated, clocks])?
            }
        };
        if self.log {
            self.log("create", record.updated, &record.json()?)?;
        }
        Ok(())
    }

    fn update(&mut self, id: &str, field: Field, value: &dyn ToSql, entry: &str) -> Result {
        let Some(stamp) = &mut self.stamp else {
            self.connection.prepare_cached(field.update())?.execute(params![id, value])?;
            return if self.log { self.log("update", 1_800_000_000_000, entry) } else { Ok(()) };
        };
        let now = *stamp;
        *stamp += 2;
        let mut clocks = self.clocks(id)?.ok_or("the record is there")?;
        clocks[field.clock()].copy_from_slice(&now.to_be_bytes());
        self.set(id, field, value, &clocks)?;
        self.log("update", now, entry)
    }

    /// The clocks of a record, if it is there.
    pub(crate) fn clocks(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let mut known = self.connection.prepare_cached(KNOWN)?;
        Ok(known.query_row([id], |row| row.get(0)).optional()?)
    }

    /// Sets a field and the clocks of a record.
    pub(crate) fn set(&self, id: &str, field: Field, to: &dyn ToSql, clocks: &[u8]) -> Result {
        let sql = field.update_with_clocks();
        self.connection.prepare_cached(sql)?.execute(params![id, to, clocks])?;
        Ok(())
    }

    fn retitled(&mut self, change: &Retitle) -> Result {
        let entry = if self.log { serde_json::to_string(change)? } else { String::new() };
        self.update(&change.id, Field::Title, &change.title, &entry)
    }

    pub(crate) fn log(&self, op: &str, stamp: i64, entry: &str) -> Result {
        self.connection.prepare_cached(LOG)?.execute(params![op, stamp, entry])?;
        Ok(())
    }

    pub(crate) fn together(&mut self, work: impl FnOnce(&mut Self) -> Result) -> Result {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        work(self)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Store for Raw {
    fn create(&mut self, record: &Record) -> Result {
        if self.log { self.together(|raw| raw.insert(record)) } else { self.insert(record) }
    }

    fn create_all(&mut self, records: &[Record]) -> Result {
        self.together(|raw| records.iter().try_for_each(|record| raw.insert(record)))
    }

    fn read(&mut self, id: &str) -> Result<u64> {
        let sql = "SELECT * FROM record WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([id], record)?.checksum())
    }

    fn range(&mut self, from: i64, to: i64) -> Result<u64> {
        let sql = "SELECT * FROM record WHERE priority >= ?1 AND priority < ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let records: Vec<Record> =
            statement.query_map([from, to], record)?.collect::<rusqlite::Result<_>>()?;
        Ok(records.iter().map(Record::checksum).fold(0, u64::wrapping_add))
    }

    fn retitle(&mut self, change: &Retitle) -> Result {
        if self.log { self.together(|raw| raw.retitled(change)) } else { self.retitled(change) }
    }

    fn retitle_all(&mut self, changes: &[Retitle]) -> Result {
        self.together(|raw| changes.iter().try_for_each(|change| raw.retitled(change)))
    }

    fn reprioritize_all(&mut self, changes: &[Retitle], priority: i64) -> Result {
        self.together(|raw| {
            changes.iter().try_for_each(|change| {
                let entry = json!({ "id": change.id, "priority": priority }).to_string();
                raw.update(&change.id, Field::Priority, &priority, &entry)
            })
        })
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        title: row.get(1)?,
        body: row.get(2)?,
        done: row.get(3)?,
        priority: row.get(4)?,
        updated: row.get(5)?,
    })
}
