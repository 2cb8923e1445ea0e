//! Creates.
//!
//! One prepared statement for each row: statements of several rows, from 2 to 64, were measured to be
//! slower, because SQLite collects their rows before it stores them.

use rusqlite::CachedStatement;
use syncline_core::operation::Create;
use syncline_core::value::{Key, Object};
use syncline_core::{Error, StepOutcome, Value};

use super::Writer;
use crate::error::{Result, SqliteError};
use crate::table::Table;
use crate::value::Bound;

impl Writer<'_> {
    /// Carries out a create, and says how many steps that was.
    pub(super) fn create(&mut self, create: &mut Create) -> Result<usize> {
        let table = self.table(&create.collection)?;
        for replace in &create.replace {
            let value = self.placeholders.get(&replace.placeholder).ok_or_else(|| {
                Error::invalid(
                    "no create before this one has a key of one field by this placeholder",
                )
                .with("collection", &create.collection)
                .with("placeholder", &replace.placeholder)
            })?;
            let _ = create.object.set(replace.field.clone(), value.clone());
        }
        let statement = self.statement(&table.insert)?;
        let has_key = bind(statement, table, &create.object)?;
        if !has_key && !table.counts_keys {
            let _ = table.key_of(&create.object)?;
        }
        if let Err(error) = statement.raw_execute().map_err(SqliteError::from) {
            return Err(refused(table, &create.object, error));
        }
        let key = match has_key {
            // Nobody needs the object any more, so its key is taken out and not copied.
            true => table.take_key(&mut create.object),
            false => Key::from(self.db.raw().last_insert_rowid()),
        };
        if let (Some(placeholder), Some(value)) = (&create.placeholder, key.single()) {
            let _ = self.placeholders.insert(placeholder.clone(), value.clone());
        }
        self.outcomes.push(StepOutcome::Created(key));
        Ok(1)
    }
}

/// Binds an object to the columns of its table, both sorted by name, and says whether no part of its
/// key is null.
fn bind(statement: &mut CachedStatement<'_>, table: &Table, object: &Object) -> Result<bool> {
    let mut fields = object.iter().peekable();
    let mut has_key = true;
    for (at, column) in table.columns.iter().enumerate() {
        let value = fields.next_if(|(name, _)| **name == column.name).map(|(_, value)| value);
        let value = value.unwrap_or(&Value::Null);
        has_key &= !(column.is_key && value.is_null());
        statement.raw_bind_parameter(at + 1, Bound(value))?;
    }
    // A field that is left over has no column, and says so.
    fields.try_for_each(|(name, _)| table.position(name).map(|_| ()))?;
    Ok(has_key)
}

fn refused(table: &Table, object: &Object, error: SqliteError) -> SqliteError {
    match (error.is_taken_key(), table.key_of(object)) {
        (true, Ok(key)) => SqliteError::KeyTaken { collection: table.name.clone(), key },
        _ => error,
    }
}
