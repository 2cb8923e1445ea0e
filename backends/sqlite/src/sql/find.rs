//! Find → SELECT.

use std::cmp::Ordering;

use syncline_core::query::{Continuation, Direction};
use syncline_core::value::Name;
use syncline_core::{Error, Find, Object, Value};

use super::{Param, Sql};
use crate::error::Result;
use crate::table::Table;

/// The statements that answer a question, one after another, and what they read.
#[derive(Debug)]
pub(crate) struct Select<'a> {
    /// The columns that are read, sorted.
    pub(crate) columns: Vec<usize>,
    /// Those of them that are not asked for but say where the next page begins.
    pub(crate) hidden: Vec<usize>,
    /// The statements: two where a page begins within a column that may hold null, one otherwise.
    pub(crate) parts: Vec<Sql<'a>>,
}

/// How the objects are found and sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As SQLite thinks best.
    Free,
    /// Through an index of the filter, in no order.
    Unsorted,
    /// Through an index of the filter, then sorted by key.
    Sort,
    /// In the order of the key, whatever indexes the filter has.
    Walk,
}

/// A column to sort by.
#[derive(Clone, Copy, Debug)]
struct Term<'a> {
    column: usize,
    direction: Direction,
    /// What the object before this page holds; nothing on the first page.
    after: Option<&'a Value>,
}

/// The statements that answer `find` with at most `limit` objects.
pub(crate) fn selects<'a>(
    table: &Table,
    find: &'a Find,
    limit: u64,
    way: Way,
) -> Result<Select<'a>> {
    let terms = terms(table, find)?;
    let (columns, hidden) = columns(table, find, &terms);
    let head = table.select(columns.iter().copied());
    let mut parts = Vec::new();
    for place in places(table, &terms) {
        let mut sql = Sql { text: head.clone(), values: Vec::new() };
        // What stands behind a plus is checked, and no index is used for it.
        sql.push(if way == Way::Walk { " WHERE +(" } else { " WHERE (" });
        sql.filter(table, &find.filter)?;
        sql.push(")");
        sql.place(table, &terms, place);
        if way != Way::Unsorted {
            sql.order(table, &terms, way);
        }
        sql.push(" LIMIT ");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        sql.bind(Param::Made(limit.into()));
        parts.push(sql);
    }
    Ok(Select { columns, hidden, parts })
}

/// What is sorted by: as asked, then the rest of the primary key. Nothing can differ behind that.
fn terms<'a>(table: &Table, find: &'a Find) -> Result<Vec<Term<'a>>> {
    let after = find.after.as_ref();
    if after.is_some_and(|after| !fits(after, table, find)) {
        return Err(Error::invalid("the continuation belongs to another question")
            .with("collection", &table.name)
            .into());
    }
    let mut terms: Vec<Term<'a>> = Vec::new();
    for (at, order) in find.order.iter().enumerate() {
        let column = table.position(&order.field)?;
        if terms.iter().all(|term| term.column != column) {
            let after = after.map(|after| &after.order[at]);
            terms.push(Term { column, direction: order.direction, after });
        }
    }
    for (at, column) in table.key.iter().copied().enumerate() {
        if terms.iter().all(|term| term.column != column) {
            let after = after.map(|after| &after.key[at]);
            terms.push(Term { column, direction: Direction::Ascending, after });
        }
    }
    let is_key = |term: &Term<'_>| table.key.contains(&term.column);
    let last = terms.iter().rposition(is_key).map_or(0, |last| last + 1);
    terms.truncate(last);
    Ok(terms)
}

fn fits(after: &Continuation, table: &Table, find: &Find) -> bool {
    after.order.len() == find.order.len()
        && after.key.len() == table.key.len()
        && !after.key.iter().any(Value::is_null)
}

fn columns(table: &Table, find: &Find, terms: &[Term<'_>]) -> (Vec<usize>, Vec<usize>) {
    let Some(fields) = &find.fields else {
        return ((0..table.columns.len()).collect(), Vec::new());
    };
    let asked = |at: &usize| {
        table.key.contains(at) || fields.iter().any(|field| *field == table.columns[*at].name)
    };
    let needed = |at: &usize| asked(at) || terms.iter().any(|term| term.column == *at);
    let columns: Vec<usize> = (0..table.columns.len()).filter(needed).collect();
    let hidden = columns.iter().copied().filter(|at| !asked(at)).collect();
    (columns, hidden)
}

/// A stretch of the sorted result, such that an index can be entered where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Everything.
    Whole,
    /// Behind the continuation, among objects whose first column is as null as the continuation's.
    Behind,
    /// All objects whose first column is null, which come after those that hold something.
    Nulls,
    /// All objects whose first column holds something, which come after the nulls.
    Values,
}

fn places(table: &Table, terms: &[Term<'_>]) -> Vec<Place> {
    let Some(Term { column, direction, after: Some(after) }) = terms.first() else {
        return vec![Place::Whole];
    };
    match (after.is_null(), direction) {
        _ if table.key.contains(column) => vec![Place::Behind],
        (true, Direction::Ascending) => vec![Place::Behind, Place::Values],
        (false, Direction::Descending) => vec![Place::Behind, Place::Nulls],
        _ => vec![Place::Behind],
    }
}

impl<'a> Sql<'a> {
    fn place(&mut self, table: &Table, terms: &[Term<'a>], place: Place) {
        let Some((first, rest)) = terms.split_first() else { return };
        let column = &table.columns[first.column].compared;
        match place {
            Place::Whole => {}
            Place::Nulls => self.push(&format!(" AND {column} IS NULL")),
            Place::Values => self.push(&format!(" AND {column} IS NOT NULL")),
            Place::Behind => {
                self.push(" AND ");
                self.behind(table, first, rest);
            }
        }
    }

    /// Behind the continuation, given that the first column is as null as there.
    fn behind(&mut self, table: &Table, first: &Term<'a>, rest: &[Term<'a>]) {
        let column = &table.columns[first.column].compared;
        let after = first.after.unwrap_or(&Value::Null);
        if after.is_null() {
            self.push(&format!("{column} IS NULL"));
            if !rest.is_empty() {
                self.push(" AND ");
                self.strictly(table, rest);
            }
            return;
        }
        let ascending = first.direction == Direction::Ascending;
        if rest.is_empty() {
            self.push(&format!("{column} {} ", if ascending { ">" } else { "<" }));
            return self.given(after);
        }
        // Says where an index is entered; the exact condition follows.
        self.push(&format!("{column} {} ", if ascending { ">=" } else { "<=" }));
        self.given(after);
        self.push(" AND ");
        self.strictly(table, &[std::slice::from_ref(first), rest].concat());
    }

    /// Strictly behind the continuation, whatever is null.
    fn strictly(&mut self, table: &Table, terms: &[Term<'a>]) {
        let Some((first, rest)) = terms.split_first() else { return self.push("0") };
        let column = &table.columns[first.column].compared;
        let after = first.after.unwrap_or(&Value::Null);
        self.push("(");
        match (after.is_null(), first.direction) {
            (true, Direction::Ascending) => self.push(&format!("{column} IS NOT NULL")),
            (true, Direction::Descending) => self.push("0"),
            (false, Direction::Ascending) => {
                self.push(&format!("{column} > "));
                self.given(after);
            }
            (false, Direction::Descending) => {
                self.push(&format!("{column} < "));
                self.given(after);
                self.push(&format!(" OR {column} IS NULL"));
            }
        }
        if !rest.is_empty() {
            self.push(&format!(" OR ({column} IS "));
            self.given(after);
            self.push(" AND ");
            self.strictly(table, rest);
            self.push(")");
        }
        self.push(")");
    }

    fn order(&mut self, table: &Table, terms: &[Term<'_>], way: Way) {
        for (position, term) in terms.iter().enumerate() {
            self.push(if position == 0 { " ORDER BY " } else { ", " });
            // Without the plus, SQLite likes to walk the whole primary key in order rather than to
            // sort the few objects that an index leads to.
            self.push(if way == Way::Sort { "+" } else { "" });
            self.push(&table.columns[term.column].compared);
            if term.direction == Direction::Descending {
                self.push(" DESC");
            }
        }
    }
}

/// The order in which a statement would give these objects, as their places.
pub(crate) fn sorted(
    table: &Table,
    find: &Find,
    objects: &[(Object, usize)],
) -> Result<Vec<usize>> {
    let terms = terms(table, find)?;
    let names: Vec<&Name> = terms.iter().map(|term| &table.columns[term.column].name).collect();
    let held: Vec<&Value> = objects
        .iter()
        .flat_map(|(object, _)| names.iter().map(|name| object.value(name)))
        .collect();
    let mut places: Vec<usize> = (0..objects.len()).collect();
    places.sort_unstable_by(|a, b| {
        let (a, b) = (&held[a * terms.len()..], &held[b * terms.len()..]);
        let differ = terms.iter().zip(a.iter().zip(b)).map(|(term, (a, b))| match term.direction {
            Direction::Ascending => a.cmp(b),
            Direction::Descending => b.cmp(a),
        });
        differ.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    });
    Ok(places)
}
