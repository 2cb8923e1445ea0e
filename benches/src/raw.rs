//! The sides to compare with: rusqlite as one would write it by hand, without and with a log.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use crate::Result;
use crate::record::Record;
use crate::store::{Durability, Retitle, Store};

/// A database written to by hand.
#[derive(Debug)]
pub struct Raw {
    pub(crate) connection: Connection,
    log: bool,
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
const LOG: &str = "INSERT INTO log (collection, op, stamp, entry) VALUES ('record', ?1, ?2, ?3)";
const RETITLE: &str = "UPDATE record SET title = ?2 WHERE id = ?1";

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
        Ok(Self { connection, log })
    }

    fn insert(&self, record: &Record) -> Result {
        self.connection.prepare_cached(INSERT)?.execute(params![
            record.id,
            record.title,
            record.body,
            record.done,
            record.priority,
            record.updated
        ])?;
        if self.log {
            self.log("create", record.updated, &record.json()?)?;
        }
        Ok(())
    }

    fn update(&self, change: &Retitle) -> Result {
        self.connection.prepare_cached(RETITLE)?.execute(params![change.id, change.title])?;
        if self.log {
            let entry = serde_json::to_string(change)?;
            self.log("update", 1_800_000_000_000, &entry)?;
        }
        Ok(())
    }

    pub(crate) fn log(&self, op: &str, stamp: i64, entry: &str) -> Result {
        self.connection.prepare_cached(LOG)?.execute(params![op, stamp, entry])?;
        Ok(())
    }

    pub(crate) fn together(&self, work: impl FnOnce(&Self) -> Result) -> Result {
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
        if self.log { self.together(|raw| raw.update(change)) } else { self.update(change) }
    }

    fn retitle_all(&mut self, changes: &[Retitle]) -> Result {
        self.together(|raw| changes.iter().try_for_each(|change| raw.update(change)))
    }

    fn reprioritize_all(&mut self, changes: &[Retitle], priority: i64) -> Result {
        let sql = "UPDATE record SET priority = ?2 WHERE id = ?1";
        self.together(|raw| {
            let mut statement = raw.connection.prepare_cached(sql)?;
            changes.iter().try_for_each(|change| {
                statement.execute(params![change.id, priority])?;
                Ok(())
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
