//! Rows to objects, objects to a page.

use std::ops::ControlFlow;

use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};
use syncline_core::{Continuation, Find, Object, Page};

use crate::error::{Result, SqliteError};
use crate::table::Table;
use crate::value::{name, read, weight};

/// Makes objects of rows that hold these columns, which are sorted.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    table: &'a Table,
    columns: &'a [usize],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(table: &'a Table, columns: &'a [usize]) -> Self {
        Self { table, columns }
    }

    /// The object, and about how many bytes it takes.
    pub(super) fn object(&self, row: &Row<'_>) -> Result<(Object, usize)> {
        let mut fields = Vec::with_capacity(self.columns.len());
        let mut bytes = 0;
        for (at, position) in self.columns.iter().enumerate() {
            let column = &self.table.columns[*position];
            let held = row.get_ref(at)?;
            if held != ValueRef::Null {
                let value =
                    read(column.primitive, held).map_err(|found| self.wrong(*position, found))?;
                bytes += column.name.len() + weight(held);
                fields.push((column.name.clone(), value));
            } else if column.is_key {
                return Err(self.wrong(*position, "null"));
            }
        }
        Ok((Object::from(fields), bytes))
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
}

/// Cuts one page out of objects that come in order.
pub(super) struct Cut<'a> {
    decoder: Decoder<'a>,
    find: &'a Find,
    skip: u64,
    bytes: usize,
    full: bool,
    page: Page,
}

impl<'a> Cut<'a> {
    pub(super) fn new(table: &'a Table, find: &'a Find, columns: &'a [usize]) -> Self {
        let decoder = Decoder::new(table, columns);
        Self { decoder, find, skip: find.skip, bytes: 0, full: false, page: Page::default() }
    }

    /// Makes room for this many objects.
    pub(super) fn expect(&mut self, objects: usize) {
        self.page.objects.reserve_exact(objects.min(self.find.page_objects));
    }

    /// Takes as many rows as the page needs, and says when it needs no more.
    pub(super) fn fill(&mut self, rows: &mut Rows<'_>) -> Result<ControlFlow<()>> {
        while let Some(row) = rows.next()? {
            let decoder = self.decoder;
            if self.offer(|| decoder.object(row))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Takes the next object, which is only made if the page needs it.
    pub(super) fn offer(
        &mut self,
        object: impl FnOnce() -> Result<(Object, usize)>,
    ) -> Result<ControlFlow<()>> {
        if self.skip > 0 {
            self.skip -= 1;
            return Ok(ControlFlow::Continue(()));
        }
        if self.full {
            // Only now it is certain that another page follows.
            self.page.next = self.page.objects.last().map(|last| self.behind(last));
            return Ok(ControlFlow::Break(()));
        }
        let (object, bytes) = object()?;
        self.bytes += bytes;
        self.page.objects.push(object);
        let objects = self.page.objects.len();
        if self.find.limit.is_some_and(|limit| objects as u64 >= limit) {
            return Ok(ControlFlow::Break(()));
        }
        self.full = objects >= self.find.page_objects || self.bytes >= self.find.page_bytes;
        Ok(ControlFlow::Continue(()))
    }

    fn behind(&self, object: &Object) -> Continuation {
        let table = self.decoder.table;
        let value = |name| object.value(name).clone();
        Continuation {
            order: self.find.order.iter().map(|order| value(&order.field)).collect(),
            key: table.key.iter().map(|at| value(&table.columns[*at].name)).collect(),
        }
    }

    pub(super) fn finish(mut self, hidden: &[usize]) -> Page {
        for column in hidden {
            for object in &mut self.page.objects {
                let _ = object.remove(&self.decoder.table.columns[*column].name);
            }
        }
        self.page
    }
}
