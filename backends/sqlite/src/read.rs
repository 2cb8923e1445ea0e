//! Reading: which way to the objects of a page.

mod cut;

use std::rc::Rc;

use rusqlite::CachedStatement;
use rusqlite::types::{Null, Value as Stored};
use syncline_core::value::Key;
use syncline_core::{Filter, Find, Page, Value};

use crate::connection::Db;
use crate::error::Result;
use crate::sql::{Param, Select, Sql, Way, is_led_by_index, selects, sorted};
use crate::table::{COMPOUND_KEYS, Table};
use crate::value::{Bound, stored};
use cut::{Cut, Decoder};

/// How many single keys one statement is asked for.
const KEYS: usize = 1_000;

/// Up to this many objects are sorted here, which is faster than having SQLite sort them.
const FEW: u64 = 256;

/// From this many objects on, sorting them anew for each page costs more than walking the primary key.
const MANY: u64 = 20_000;

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
    let first = first_way(table, find);
    if first == Way::Unsorted
        && let Some(page) = unsorted(db, table, find)?
    {
        return Ok(page);
    }
    let way = match first {
        Way::Unsorted | Way::Sort if find.order.is_empty() => many_or_few(db, table, find)?,
        _ => Way::Free,
    };
    let select = selects(table, find, needed(find), way)?;
    let mut cut = Cut::new(table, find, &select.columns);
    for part in &select.parts {
        let mut statement = part.ready(db)?;
        if cut.fill(&mut statement.raw_query())?.is_break() {
            break;
        }
    }
    Ok(cut.finish(&select.hidden))
}

/// The way that is tried first.
fn first_way(table: &Table, find: &Find) -> Way {
    match (is_led_by_index(table, &find.filter), find.skip == 0 && find.after.is_none()) {
        (true, true) => Way::Unsorted,
        (true, false) if find.order.is_empty() => Way::Sort,
        _ => Way::Free,
    }
}

/// The page, if the answer is so short that it can be sorted here.
fn unsorted(db: &Db, table: &Table, find: &Find) -> Result<Option<Page>> {
    let Select { columns, hidden, parts } = selects(table, find, FEW + 1, Way::Unsorted)?;
    let decoder = Decoder::new(table, &columns);
    let mut objects = Vec::new();
    for part in &parts {
        let mut statement = part.ready(db)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if objects.len() as u64 == FEW {
                return Ok(None);
            }
            objects.push(decoder.object(row)?);
        }
    }
    let mut cut = Cut::new(table, find, &columns);
    cut.expect(objects.len());
    let places = sorted(table, find, &objects)?;
    let mut objects: Vec<Option<_>> = objects.into_iter().map(Some).collect();
    for object in places.into_iter().filter_map(|place| objects[place].take()) {
        if cut.offer(|| Ok(object))?.is_break() {
            break;
        }
    }
    Ok(Some(cut.finish(&hidden)))
}

/// Whether to sort what an index leads to, or to walk the primary key.
fn many_or_few(db: &Db, table: &Table, find: &Find) -> Result<Way> {
    let text = format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ", table.quoted);
    let mut sql = Sql { text, ..Sql::default() };
    sql.filter(table, &find.filter)?;
    sql.push(" LIMIT ");
    sql.bind(Param::Made(Stored::Integer(MANY.cast_signed())));
    sql.push(")");
    Ok(if single(db, &sql)? < MANY { Way::Sort } else { Way::Walk })
}

fn by_keys(db: &Db, table: &Table, find: &Find, keys: &[Key]) -> Result<Page> {
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let mut cut = Cut::new(table, find, &columns);
    if let ([key], None) = (keys, &find.after) {
        if table.fits(key.values()) {
            let mut statement = db.statement(&table.by_key)?;
            bind(&mut statement, key.values().iter())?;
            let _ = cut.fill(&mut statement.raw_query())?;
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
            let keys: Vec<Stored> = keys.iter().copied().flatten().map(stored).collect();
            statement.raw_bind_parameter(1, Rc::new(keys))?;
        } else {
            // The places that are left over take the last key again, which changes nothing.
            let last = keys.last().into_iter().cycle();
            let places = keys.iter().chain(last).take(COMPOUND_KEYS).copied().flatten();
            bind(&mut statement, places)?;
        }
        if cut.fill(&mut statement.raw_query())?.is_break() {
            break;
        }
    }
    Ok(cut.finish(&[]))
}

/// Counts the objects that meet a filter.
pub(crate) fn count(db: &Db, table: &Table, filter: &Filter) -> Result<u64> {
    let text = format!("SELECT count(*) FROM {} WHERE ", table.quoted);
    let mut sql = Sql { text, ..Sql::default() };
    sql.filter(table, filter)?;
    single(db, &sql)
}

/// How SQLite would find the objects: its own words, one line for each step.
pub(crate) fn explain(db: &Db, table: &Table, find: &Find) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for part in selects(table, find, needed(find), first_way(table, find))?.parts {
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

fn single(db: &Db, sql: &Sql<'_>) -> Result<u64> {
    let mut statement = sql.ready(db)?;
    let mut rows = statement.raw_query();
    let count: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

fn bind<'v>(
    statement: &mut CachedStatement<'_>,
    values: impl Iterator<Item = &'v Value>,
) -> Result<()> {
    for (at, value) in values.enumerate() {
        statement.raw_bind_parameter(at + 1, Bound(value))?;
    }
    Ok(())
}

/// How many objects the answer needs at most: those that are skipped, those of the page, and one more
/// that tells whether another page follows.
fn needed(find: &Find) -> u64 {
    let page = (find.page_objects as u64).max(1).saturating_add(1);
    page.min(find.limit.unwrap_or(u64::MAX)).saturating_add(find.skip)
}
