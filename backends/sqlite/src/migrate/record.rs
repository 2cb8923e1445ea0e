//! The record of what the database was prepared for.

use rusqlite::params;
use syncline_core::{Error, Schema};

use crate::connection::Db;
use crate::error::{Result, SqliteError};
use crate::inspect::{Kind, Taken, first};

/// Where the record is; its only row.
pub(super) const TABLE: &str = "sync_schema";

/// The format this version of the library writes.
const FORMAT: i64 = 1;

/// What is remembered of the last preparation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    version: i64,
    /// The schema as JSON, without the collections of middlewares.
    definition: String,
    /// The indexes that were made here, so that no other index is ever dropped.
    pub(super) indexes: Vec<String>,
}

impl Record {
    pub(super) fn new(schema: &Schema, mut indexes: Vec<String>) -> Self {
        indexes.sort_unstable();
        Self { version: schema.version().into(), definition: schema.to_json().to_string(), indexes }
    }

    /// The stored record, if there is one that this version can read.
    pub(super) fn read(db: &Db, taken: &Taken) -> Result<Option<Self>> {
        let Some(table) = taken.get(TABLE) else { return Ok(None) };
        if table.kind != Kind::Table {
            return Err(foreign());
        }
        // A newer format may have other columns, so this one is read first.
        let Some(format) = first::<i64>(db, "SELECT format FROM sync_schema").map_err(not_ours)?
        else {
            return Err(broken("the row is gone"));
        };
        if format > FORMAT {
            return Err(SqliteError::Newer { what: "format", found: format, known: FORMAT });
        }
        let mut statement = db
            .statement("SELECT version, definition, indexes FROM sync_schema")
            .map_err(not_ours)?;
        let mut rows = statement.raw_query();
        let Some(row) = rows.next()? else { return Err(broken("the row is gone")) };
        let indexes: String = row.get(2)?;
        let indexes = serde_json::from_str(&indexes).map_err(broken)?;
        Ok(Some(Self { version: row.get(0)?, definition: row.get(1)?, indexes }))
    }

    /// Holds if the stored schema is not newer than this one.
    pub(super) fn allow(&self, schema: &Schema) -> Result<()> {
        let known = i64::from(schema.version());
        match self.version > known {
            true => Err(SqliteError::Newer { what: "schema", found: self.version, known }),
            false => Ok(()),
        }
    }

    pub(super) fn store(&self, db: &Db) -> Result<()> {
        db.run(
            "CREATE TABLE IF NOT EXISTS sync_schema (
  format INTEGER NOT NULL,
  version INTEGER NOT NULL,
  definition TEXT NOT NULL,
  indexes TEXT NOT NULL
)",
        )?;
        db.run("DELETE FROM sync_schema")?;
        let indexes = serde_json::Value::from(self.indexes.clone()).to_string();
        let mut statement = db.statement("INSERT INTO sync_schema VALUES (?1, ?2, ?3, ?4)")?;
        let _ = statement.execute(params![FORMAT, self.version, self.definition, indexes])?;
        Ok(())
    }
}

/// The schema as JSON, as it was stored.
pub(crate) fn stored_definition(db: &Db) -> Result<Option<serde_json::Value>> {
    let record = Record::read(db, &Taken::read(db)?)?;
    record.map(|record| serde_json::from_str(&record.definition).map_err(broken)).transpose()
}

/// The schema that was stored; its custom types are those that every schema knows.
pub(crate) fn stored_schema(db: &Db) -> Result<Option<Schema>> {
    let definition = stored_definition(db)?;
    Ok(definition.map(|definition| Schema::from_json(&definition)).transpose()?)
}

fn foreign() -> SqliteError {
    SqliteError::table(TABLE, None, "another program made a table of this name; rename it")
}

/// A table that lacks our columns is not ours.
fn not_ours(error: SqliteError) -> SqliteError {
    match &error {
        SqliteError::Driver(rusqlite::Error::SqlInputError { .. }) => foreign(),
        _ => error,
    }
}

fn broken(why: impl ToString) -> SqliteError {
    Error::corrupt("the record of what the database was prepared for cannot be read")
        .with("table", TABLE)
        .with("why", why.to_string())
        .into()
}
