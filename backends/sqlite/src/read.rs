//! Reading: rows to objects, objects to a page.

use std::ops::ControlFlow;
use std::rc::Rc;

use rusqlite::Row;
use rusqlite::types::{Null, Value as Stored};
use syncline_core::value::Key;
use syncline_core::{Continuation, Filter, Find, Object, Page, Value};

use crate::connection::Db;
use crate::error::{Result, SqliteError};
use crate::sql::{Sql, selects};
use crate::table::{COMPOUND_KEYS, Table};
use crate::value::{Bound, name, read, stored, weight};

/// How many single keys one statement is asked for.
const KEYS: usize = 1_000;

/// Answers a question with one page.
pub(crate) fn find(db: &Db, table: &Table, find: &Find) -> Result<Page> {
    if find.limit == Some(0) {
        return Ok(Page::default());
    }
    match &find.filter {
        Filter::Keys(keys) if find.order.is_empty() && find.fields.is_none() => {
            by_keys(db, table, find, keys)
        }
        _ => by_select(db, table, find),
    }
}

fn by_select(db: &Db, table: &Table, find: &Find) -> Result<Page> {
    let select = selects(table, find, needed(find))?;
    let mut cut = Cut::new(table, find, &select.columns);
    for part in &select.parts {
        let mut statement = db.statement(&part.text)?;
        for (at, value) in part.values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if cut.offer(row)?.is_break() {
                return Ok(cut.finish(&select.hidden));
            }
        }
    }
    Ok(cut.finish(&select.hidden))
}

fn by_keys(db: &Db, table: &Table, find: &Find, keys: &[Key]) -> Result<Page> {
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let mut cut = Cut::new(table, find, &columns);
    if let ([key], None) = (keys, &find.after) {
        if table.fits(key.values()) {
            let mut statement = db.statement(&table.by_key)?;
            for (at, value) in key.values().iter().enumerate() {
                statement.raw_bind_parameter(at + 1, Bound(value))?;
            }
            let mut rows = statement.raw_query();
            if let Some(row) = rows.next()? {
                let _ = cut.offer(row)?;
            }
        }
        return Ok(cut.finish(&[]));
    }
    let after = find.after.as_ref().map(|after| after.key.as_slice());
    let mut keys: Vec<&[Value]> = keys.iter().map(Key::values).collect();
    keys.retain(|key| table.fits(key) && after.is_none_or(|after| *key > after));
    keys.sort_unstable();
    keys.dedup();
    let at_once = if table.key.len() == 1 { KEYS } else { COMPOUND_KEYS };
    for keys in keys.chunks(at_once) {
        let mut statement = db.statement(&table.by_keys)?;
        if table.key.len() == 1 {
            let keys: Vec<Stored> = keys.iter().flat_map(|key| key.iter()).map(stored).collect();
            statement.raw_bind_parameter(1, Rc::new(keys))?;
        } else {
            // The places that are left over take the last key again, which changes nothing.
            let last = keys.last().into_iter().cycle();
            let places = keys.iter().chain(last).take(COMPOUND_KEYS).flat_map(|key| key.iter());
            for (at, value) in places.enumerate() {
                statement.raw_bind_parameter(at + 1, Bound(value))?;
            }
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if cut.offer(row)?.is_break() {
                return Ok(cut.finish(&[]));
            }
        }
    }
    Ok(cut.finish(&[]))
}

/// Counts the objects that meet a filter.
pub(crate) fn count(db: &Db, table: &Table, filter: &Filter) -> Result<u64> {
    let mut sql =
        Sql { text: format!("SELECT count(*) FROM {} WHERE ", table.quoted), ..Sql::default() };
    sql.filter(table, filter)?;
    let mut statement = db.statement(&sql.text)?;
    for (at, value) in sql.values.iter().enumerate() {
        statement.raw_bind_parameter(at + 1, value)?;
    }
    let mut rows = statement.raw_query();
    let count: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// How SQLite would find the objects: its own words, one line for each step.
pub(crate) fn explain(db: &Db, table: &Table, find: &Find) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for part in selects(table, find, needed(find))?.parts {
        let mut statement = db.statement(&format!("EXPLAIN QUERY PLAN {}", part.text))?;
        for at in 1..=part.values.len() {
            statement.raw_bind_parameter(at, Null)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            lines.push(row.get("detail")?);
        }
    }
    Ok(lines)
}

/// How many objects the answer needs at most: those that are skipped, those of the page, and one more
/// that tells whether another page follows.
fn needed(find: &Find) -> u64 {
    let page = (find.page_objects as u64).max(1).saturating_add(1);
    page.min(find.limit.unwrap_or(u64::MAX)).saturating_add(find.skip)
}

/// Cuts one page out of the rows that a statement gives.
struct Cut<'a> {
    table: &'a Table,
    find: &'a Find,
    columns: &'a [usize],
    skip: u64,
    bytes: usize,
    full: bool,
    page: Page,
}

impl<'a> Cut<'a> {
    fn new(table: &'a Table, find: &'a Find, columns: &'a [usize]) -> Self {
        let page = Page::default();
        Self { table, find, columns, skip: find.skip, bytes: 0, full: false, page }
    }

    fn offer(&mut self, row: &Row<'_>) -> Result<ControlFlow<()>> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        if self.full {
            // Only now it is certain that another page follows.
            self.page.next = self.page.objects.last().map(|last| self.behind(last));
            return Ok(ControlFlow::Break(()));
        }
        let object = self.object(row)?;
        self.page.objects.push(object);
        let objects = self.page.objects.len();
        if self.find.limit.is_some_and(|limit| objects as u64 >= limit) {
            return Ok(ControlFlow::Break(()));
        }
        self.full = objects >= self.find.page_objects || self.bytes >= self.find.page_bytes;
        Ok(ControlFlow::Continue(()))
    }

    fn object(&mut self, row: &Row<'_>) -> Result<Object> {
        let mut object = Object::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            let held = row.get_ref(at)?;
            let value = self.value(*column, held)?;
            if !value.is_null() {
                let name = &self.table.columns[*column].name;
                self.bytes += name.len() + weight(held);
                let _ = object.set(name.clone(), value);
            } else if self.table.columns[*column].is_key {
                return Err(self.wrong(*column, "null"));
            }
        }
        Ok(object)
    }

    fn value(&self, column: usize, held: rusqlite::types::ValueRef<'_>) -> Result<Value> {
        read(self.table.columns[column].primitive, held).map_err(|found| self.wrong(column, found))
    }

    fn wrong(&self, column: usize, found: &'static str) -> SqliteError {
        let column = &self.table.columns[column];
        SqliteError::WrongValue {
            table: self.table.name.clone(),
            column: column.name.clone(),
            wanted: name(column.primitive),
            found,
        }
    }

    fn behind(&self, object: &Object) -> Continuation {
        let value = |name| object.value(name).clone();
        Continuation {
            order: self.find.order.iter().map(|order| value(&order.field)).collect(),
            key: self.table.key.iter().map(|at| value(&self.table.columns[*at].name)).collect(),
        }
    }

    fn finish(mut self, hidden: &[usize]) -> Page {
        for column in hidden {
            for object in &mut self.page.objects {
                let _ = object.remove(&self.table.columns[*column].name);
            }
        }
        self.page
    }
}
