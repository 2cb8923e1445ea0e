//! Writing: the steps of a batch, each with as few statements as it can.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, ToSql};
use syncline_core::query::Test;
use syncline_core::value::{Key, Name, Object};
use syncline_core::{Batch, Condition, Filter, Guard, Step, StepOutcome, Value};

use crate::connection::Db;
use crate::error::{Result, SqliteError};
use crate::sql::Sql;
use crate::table::{Shape, ShapeKind, Table, Tables};
use crate::value::Bound;

mod create;

/// Applies a batch: all of it, or nothing if it fails.
pub(crate) fn write(db: &Db, tables: &Tables, mut batch: Batch) -> Result<Vec<StepOutcome>> {
    if is_one_statement(&batch) {
        // SQLite makes such a statement a transaction by itself.
        db.count_transaction();
        return Writer::new(db, tables).steps(&mut batch.steps);
    }
    db.transaction(|| Writer::new(db, tables).steps(&mut batch.steps))
}

/// Whether one statement does all of the batch, with nothing to check afterwards.
fn is_one_statement(batch: &Batch) -> bool {
    match batch.steps.as_slice() {
        [Step::Create(_) | Step::Delete { limit: None, .. }] => true,
        [Step::Update { changes, .. }] => !changes.is_empty(),
        _ => false,
    }
}

/// How many statements a batch keeps at hand.
const AT_HAND: usize = 8;

struct Writer<'a> {
    db: &'a Db,
    tables: &'a Tables,
    /// The statements used last, the newest one first: batches repeat themselves.
    at_hand: Vec<(Arc<str>, CachedStatement<'a>)>,
    placeholders: HashMap<String, Value>,
    /// The table used last.
    table: Option<&'a Table>,
    outcomes: Vec<StepOutcome>,
}

impl<'a> Writer<'a> {
    fn new(db: &'a Db, tables: &'a Tables) -> Self {
        let (at_hand, outcomes) = (Vec::new(), Vec::new());
        Self { db, tables, at_hand, placeholders: HashMap::new(), table: None, outcomes }
    }

    fn steps(mut self, steps: &mut [Step]) -> Result<Vec<StepOutcome>> {
        self.outcomes.reserve(steps.len());
        let mut at = 0;
        while at < steps.len() {
            at += match &mut steps[at] {
                Step::Create(create) => self.create(create)?,
                Step::Guard(_) => self.guard(&steps[at..])?,
                step => self.change(step, None)?,
            };
        }
        Ok(self.outcomes)
    }

    fn table(&mut self, name: &Name) -> Result<&'a Table> {
        match self.table {
            Some(table) if table.name == *name => Ok(table),
            _ => {
                let table = self.tables.get(name)?;
                self.table = Some(table);
                Ok(table)
            }
        }
    }

    /// Carries out an update or a delete, and says how many steps that were.
    fn change(&mut self, step: &Step, looks: Option<&Object>) -> Result<usize> {
        match step {
            Step::Update { collection, filter, changes } => {
                let table = self.table(collection)?;
                let updated = self.update(table, filter, changes, looks)?;
                self.outcomes.push(StepOutcome::Updated(updated));
            }
            Step::Delete { collection, filter, limit } => {
                let table = self.table(collection)?;
                let count = self.delete(table, filter, looks)?;
                if let Some(limit) = limit.filter(|limit| count > *limit) {
                    let collection = collection.clone();
                    return Err(SqliteError::TooMany { collection, limit, count });
                }
                self.outcomes.push(StepOutcome::Deleted(count));
            }
            Step::Create(_) | Step::Guard(_) => {}
        }
        Ok(1)
    }

    fn update(
        &mut self,
        table: &Table,
        filter: &Filter,
        changes: &Object,
        looks: Option<&Object>,
    ) -> Result<u64> {
        if changes.is_empty() && looks.is_none() {
            return crate::read::count(self.db, table, filter);
        }
        let set = table.positions(changes)?;
        if let Some(key) = only_key(table, filter) {
            let shape = Shape { kind: ShapeKind::Update, set, looks: Vec::new() };
            return self.shaped(table, shape, key, Some(changes), looks);
        }
        let mut sql = Sql { text: format!("UPDATE {} SET ", table.quoted), ..Sql::default() };
        for (position, (at, (_, value))) in set.iter().zip(changes.iter()).enumerate() {
            sql.push(if position == 0 { "" } else { ", " });
            sql.push(&table.columns[*at].quoted);
            sql.push(" = ");
            sql.given(value);
        }
        sql.push(" WHERE ");
        sql.filter(table, filter)?;
        Ok(sql.ready(self.db)?.raw_execute()? as u64)
    }

    fn delete(&mut self, table: &Table, filter: &Filter, looks: Option<&Object>) -> Result<u64> {
        if let Some(key) = only_key(table, filter) {
            let shape = Shape { kind: ShapeKind::Delete, set: Vec::new(), looks: Vec::new() };
            return self.shaped(table, shape, key, None, looks);
        }
        let mut sql =
            Sql { text: format!("DELETE FROM {} WHERE ", table.quoted), ..Sql::default() };
        sql.filter(table, filter)?;
        Ok(sql.ready(self.db)?.raw_execute()? as u64)
    }

    /// Runs a statement about one object and says how many it found: one or none.
    fn shaped(
        &mut self,
        table: &Table,
        mut shape: Shape,
        key: &[Value],
        changes: Option<&Object>,
        looks: Option<&Object>,
    ) -> Result<u64> {
        shape.looks = looks.map_or(Ok(Vec::new()), |looks| table.positions(looks))?;
        if !table.fits(key) {
            return Ok(0);
        }
        let sql = table.shaped(&shape);
        let set = changes.into_iter().flat_map(Object::iter).map(|(_, value)| value);
        let looks = looks.into_iter().flat_map(Object::iter).map(|(_, value)| value);
        let values = set.chain(key).chain(looks);
        let statement = self.bound(&sql, values.map(Bound))?;
        Ok(statement.raw_execute()? as u64)
    }

    /// A statement with its values, ready to run once.
    fn bound<V: ToSql>(
        &mut self,
        sql: &Arc<str>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<&mut CachedStatement<'a>> {
        let statement = self.statement(sql)?;
        for (at, value) in values.into_iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        Ok(statement)
    }

    fn statement(&mut self, sql: &Arc<str>) -> Result<&mut CachedStatement<'a>> {
        let found = self.at_hand.iter().position(|(own, _)| Arc::ptr_eq(own, sql));
        let at = match found {
            Some(at) => {
                self.db.count_statement();
                at
            }
            None => {
                self.at_hand.truncate(AT_HAND - 1);
                self.at_hand.insert(0, (sql.clone(), self.db.statement(sql)?));
                0
            }
        };
        Ok(&mut self.at_hand[at].1)
    }

    /// Holds a guard, and carries out the next step at once if that step's statement can tell whether
    /// the guard holds. Says how many steps that were.
    fn guard(&mut self, steps: &[Step]) -> Result<usize> {
        let Some(Step::Guard(guard)) = steps.first() else { return Ok(0) };
        let table = self.table(&guard.collection)?;
        let (steps, holds) = match fused(table, guard, steps.get(1)) {
            Some((step, looks)) => {
                self.outcomes.push(StepOutcome::Held);
                self.change(step, looks)?;
                let touched = self.outcomes.last();
                let none = [StepOutcome::Updated(0), StepOutcome::Deleted(0)];
                (2, touched.is_some_and(|touched| !none.contains(touched)))
            }
            None => {
                let holds = self.holds(table, guard)?;
                self.outcomes.push(StepOutcome::Held);
                (1, holds)
            }
        };
        if holds {
            return Ok(steps);
        }
        let (name, collection) = (guard.name.clone(), guard.collection.clone());
        Err(SqliteError::Guard { name, collection })
    }

    fn holds(&mut self, table: &Table, guard: &Guard) -> Result<bool> {
        match &guard.condition {
            Condition::Looks(key, looks) => Ok(self.look(table, key, looks)? == 1),
            Condition::Exists(key) => Ok(self.look(table, key, &Object::new())? == 1),
            Condition::Absent(key) => Ok(self.look(table, key, &Object::new())? == 0),
            Condition::Unique(values) => {
                if values.iter().any(|(_, value)| value.is_null()) {
                    return Ok(true);
                }
                let looks = table.positions(values)?;
                let shape = Shape { kind: ShapeKind::Unique, set: Vec::new(), looks };
                let sql = table.shaped(&shape);
                let values = values.iter().map(|(_, value)| Bound(value));
                let statement = self.bound(&sql, values)?;
                Ok(rows(statement)? <= 1)
            }
        }
    }

    fn look(&mut self, table: &Table, key: &Key, looks: &Object) -> Result<u64> {
        if !table.fits(key.values()) {
            return Ok(0);
        }
        let shape =
            Shape { kind: ShapeKind::Look, set: Vec::new(), looks: table.positions(looks)? };
        let sql = table.shaped(&shape);
        let values = key.values().iter().chain(looks.iter().map(|(_, value)| value));
        let statement = self.bound(&sql, values.map(Bound))?;
        rows(statement)
    }
}

/// How many rows a statement gives.
fn rows(statement: &mut CachedStatement<'_>) -> Result<u64> {
    let mut rows = statement.raw_query();
    let mut count = 0;
    while rows.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// The key, if the filter names one object by nothing else.
fn only_key<'f>(table: &Table, filter: &'f Filter) -> Option<&'f [Value]> {
    match filter {
        Filter::Keys(keys) => match keys.as_slice() {
            [key] => Some(key.values()),
            _ => None,
        },
        Filter::Field(field, Test::Eq(value)) => {
            let is_key = table.key.len() == 1 && table.columns[table.key[0]].name == *field;
            is_key.then(|| std::slice::from_ref(value))
        }
        _ => None,
    }
}

/// The step behind a guard and what its statement has to look at, if the guard says no more than that
/// the one object that the step touches is there, or looks so.
fn fused<'s>(
    table: &Table,
    guard: &'s Guard,
    next: Option<&'s Step>,
) -> Option<(&'s Step, Option<&'s Object>)> {
    let (key, looks) = match &guard.condition {
        Condition::Looks(key, looks) => (key, Some(looks)),
        Condition::Exists(key) => (key, None),
        Condition::Absent(_) | Condition::Unique(_) => return None,
    };
    let step = next?;
    let filter = match step {
        Step::Update { filter, changes, .. } if !changes.is_empty() => filter,
        Step::Delete { filter, limit, .. } if *limit != Some(0) => filter,
        _ => return None,
    };
    let same =
        *step.collection() == guard.collection && only_key(table, filter) == Some(key.values());
    same.then_some((step, looks))
}
