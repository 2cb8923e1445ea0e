//! Walking along a way, a bounded piece at a time.

use std::collections::VecDeque;

use syncline_core::query::matches;
use syncline_core::{Filter, Object};
use wasm_bindgen::JsValue;

use crate::error::Result;
use crate::glue;
use crate::key::{self, Span};
use crate::plan::Along;
use crate::table::Table;
use crate::transaction::{Answers, Transaction};

/// About how many bytes of rows are in memory at a time.
pub(crate) const PIECE: usize = 4 << 20;

/// A walk along a way.
pub(crate) struct Scan<'a> {
    transaction: &'a Transaction,
    table: &'a Table,
    source: JsValue,
    along: Along,
    spans: VecDeque<Span>,
    backwards: bool,
    /// Whether the run that reaches beyond the span was looked at.
    beyond: bool,
    /// How many objects can be needed at most, as far as is known.
    needs: u64,
}

impl<'a> Scan<'a> {
    /// A walk over the objects in `along`.
    pub(crate) fn new(
        transaction: &'a Transaction,
        table: &'a Table,
        store: &JsValue,
        along: Along,
    ) -> Self {
        let source = source(table, store, along.way);
        let spans = along.spans.iter().cloned().collect();
        let needs = u64::MAX;
        Self { transaction, table, source, along, spans, backwards: false, beyond: false, needs }
    }

    /// The same from the end.
    #[must_use]
    pub(crate) fn backwards(mut self, backwards: bool) -> Self {
        self.backwards = backwards;
        self
    }

    /// The same, for somebody who needs only so many objects.
    #[must_use]
    pub(crate) fn needing(mut self, needs: u64) -> Self {
        self.needs = needs;
        self
    }

    /// The next objects, in order; nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Object>>> {
        while let Some(span) = self.spans.front().cloned() {
            if span.is_empty() {
                self.end_span();
                continue;
            }
            let objects = match self.table.runs {
                true => self.runs(&span).await?,
                false => self.rows(&span).await?,
            };
            if !objects.is_empty() {
                self.needs = self.needs.saturating_sub(objects.len() as u64).max(1);
                return Ok(Some(objects));
            }
        }
        Ok(None)
    }

    async fn rows(&mut self, span: &Span) -> Result<Vec<Object>> {
        let count = self.count();
        let objects = self.ask(span, count).await?;
        let last = objects.last();
        let place =
            last.map(|last| self.table.place(self.along.way, last, self.along.word.as_deref()));
        match place {
            Some(place) if objects.len() >= count as usize => self.go_on(&place),
            _ => self.end_span(),
        }
        Ok(objects)
    }

    /// Objects of runs. A run lies under its last key, so one may reach into the span from beyond its end.
    async fn runs(&mut self, span: &Span) -> Result<Vec<Object>> {
        let in_span = |object: &Object| span.holds(&self.table.place(0, object, None));
        if let (true, false, Some(to)) = (self.backwards, self.beyond, &span.to) {
            self.beyond = true;
            return Ok(self.run_at(to.clone()).await?.into_iter().filter(in_span).rev().collect());
        }
        let count = self.count();
        let (found, last) = self.ask_runs(span, count).await?;
        if let Some(last) = last {
            self.go_on(&last);
            return Ok(found.into_iter().filter(in_span).collect());
        }
        self.end_span();
        let mut objects = found;
        if let (false, Some(to)) = (self.backwards, &span.to) {
            objects.extend(self.run_at(to.clone()).await?);
        }
        objects.retain(in_span);
        Ok(objects)
    }

    /// The run that holds this key, or begins behind it.
    async fn run_at(&self, from: Vec<u8>) -> Result<Vec<Object>> {
        self.transaction.js().all(&self.source, &from, None, 1)?;
        let mut answers = self.transaction.answers().await?;
        answers.row().map_or_else(|| Ok(Vec::new()), |run| self.table.unpack(run))
    }

    async fn ask(&self, span: &Span, count: u32) -> Result<Vec<Object>> {
        let mut answers = self.asked(span, count).await?;
        let size = answers.size();
        let rows = answers.rows();
        self.table.learn(rows.len(), size);
        let mut objects = Vec::with_capacity(rows.len());
        for row in rows {
            objects.extend(self.table.unpack(row)?);
        }
        Ok(objects)
    }

    /// The objects of the next runs, and where the last run lies if more may follow.
    async fn ask_runs(&self, span: &Span, count: u32) -> Result<(Vec<Object>, Option<Vec<u8>>)> {
        let mut answers = self.asked(span, count).await?;
        let size = answers.size();
        let rows = answers.rows();
        self.table.learn(rows.len(), size);
        let (mut objects, mut last) = (Vec::new(), None);
        for row in &rows {
            let mut run = self.table.unpack(row)?;
            last = run.last().map(|object| self.table.place(0, object, None));
            if self.backwards {
                run.reverse();
            }
            objects.extend(run);
        }
        Ok((objects, last.filter(|_| rows.len() >= count as usize)))
    }

    async fn asked(&self, span: &Span, count: u32) -> Result<Answers> {
        let (js, to) = (self.transaction.js(), span.to.as_deref());
        match self.backwards {
            true => js.backwards(&self.source, &span.from, to, count)?,
            false => js.all(&self.source, &span.from, to, count)?,
        }
        self.transaction.answers().await
    }

    fn count(&self) -> u32 {
        let within = self.table.rows_within(PIECE);
        u32::try_from(self.needs).unwrap_or(u32::MAX).clamp(1, within)
    }

    fn go_on(&mut self, last: &[u8]) {
        let Some(span) = self.spans.front_mut() else { return };
        if self.backwards {
            span.end_at(last.to_vec());
        } else if let Some(next) = key::after_all(last) {
            span.from = next;
        }
    }

    fn end_span(&mut self) {
        let _ = self.spans.pop_front();
        self.beyond = false;
    }
}

/// What the objects on a way are asked of: the store, or one of its indexes.
pub(crate) fn source(table: &Table, store: &JsValue, way: usize) -> JsValue {
    match u32::try_from(way) {
        Ok(way) if way > 0 => glue::index_of(store, &table.indexes.get(way - 1)),
        _ => store.clone(),
    }
}

/// Whether an object meets all of these.
pub(crate) fn meets(rest: &[&Filter], object: &Object, table: &Table) -> bool {
    rest.iter().all(|demand| matches(demand, object, &table.collection))
}

/// Asks for what lies under a key.
pub(crate) fn ask_for(
    transaction: &Transaction,
    table: &Table,
    store: &JsValue,
    key: &[u8],
) -> Result<()> {
    match table.runs {
        true => transaction.js().all(store, key, None, 1)?,
        false => transaction.js().get(store, key)?,
    }
    Ok(())
}

/// The object that was asked for.
pub(crate) fn found(answers: &mut Answers, table: &Table, key: &[u8]) -> Result<Option<Object>> {
    let Some(row) = answers.row() else { return Ok(None) };
    let objects = table.unpack(row)?;
    Ok(objects.into_iter().find(|object| table.place(0, object, None) == key))
}

/// The objects with these keys, in their order; the keys are sorted.
pub(crate) async fn by_keys(
    transaction: &Transaction,
    table: &Table,
    store: &JsValue,
    keys: &[Vec<u8>],
) -> Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(keys.len());
    if !table.runs {
        for key in keys {
            transaction.js().get(store, key)?;
        }
        let mut answers = transaction.answers().await?;
        table.learn(keys.len(), answers.size());
        for _ in keys {
            if let Some(row) = answers.row() {
                objects.extend(table.unpack(row)?);
            }
        }
        return Ok(objects);
    }
    let mut keys = keys.iter().peekable();
    while let Some(first) = keys.peek() {
        transaction.js().all(store, first, None, 1)?;
        let mut answers = transaction.answers().await?;
        let Some(run) = answers.row() else { break };
        for object in table.unpack(run)? {
            let place = table.place(0, &object, None);
            while keys.next_if(|key| **key < place).is_some() {}
            if keys.next_if(|key| **key == place).is_some() {
                objects.push(object);
            }
        }
    }
    Ok(objects)
}
