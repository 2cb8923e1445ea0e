//! One transaction of IndexedDB.
//!
//! It lives as long as something was asked of it and not yet answered, so between its beginning and its
//! end nothing is awaited but its own answers.

use std::cell::Cell;

use js_sys::{Array, JsString};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::connection::Connection;
use crate::error::{IndexedDbError, Result};
use crate::glue;

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
}

/// A transaction under way. Dropped before it is committed it is taken back.
pub(crate) struct Transaction {
    js: glue::Transaction,
    writes: bool,
    ended: Cell<bool>,
}

impl Transaction {
    /// Begins a transaction over these stores.
    pub(crate) fn begin<'a>(
        connection: &Connection,
        stores: impl IntoIterator<Item = &'a JsString>,
        mode: Mode,
        durability: &str,
    ) -> Result<Self> {
        let names = Array::new();
        for store in stores {
            let _ = names.push(store);
        }
        let word = if mode == Mode::Write { "readwrite" } else { "readonly" };
        let js = glue::Transaction::begin(connection.db(), &names, word, durability)
            .map_err(|thrown| IndexedDbError::from_beginning(&thrown))?;
        Ok(Self { js, writes: mode == Mode::Write, ended: Cell::new(false) })
    }

    /// The transaction in which a database changes; it commits by itself.
    pub(crate) fn changing(js: glue::Transaction) -> Self {
        Self { js, writes: true, ended: Cell::new(false) }
    }

    /// What asks and writes.
    pub(crate) fn js(&self) -> &glue::Transaction {
        &self.js
    }

    /// An object store.
    pub(crate) fn store(&self, name: &JsValue) -> Result<JsValue> {
        Ok(self.js.store(name)?)
    }

    /// The answers to everything that was asked, in the order of the questions.
    pub(crate) async fn answers(&self) -> Result<Answers> {
        let bytes = JsFuture::from(self.js.answers()).await?;
        Ok(Answers { bytes: bytes.to_vec(), at: 0 })
    }

    /// Commits, and waits until what was written is durable.
    pub(crate) async fn commit(self) -> Result<()> {
        self.ended.set(true);
        // What keeps it from committing is told by how it ends.
        let _ = self.js.commit();
        JsFuture::from(self.js.ended()).await?;
        Ok(())
    }

    /// Leaves the end to the browser: nothing is taken back.
    pub(crate) fn leave(self) {
        self.ended.set(true);
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.ended.get() {
            return;
        }
        if self.writes {
            self.js.abort();
        } else {
            // Left to the browser it would end only when this page is done with what it does next: a page that
            // hangs would keep all other tabs from writing. If it has ended already, all is well.
            let _ = self.js.commit();
        }
    }
}

/// Rows that answer questions, packed.
#[derive(Debug)]
pub(crate) struct Answers {
    bytes: Vec<u8>,
    at: usize,
}

impl Answers {
    /// The rows that answer the next question.
    pub(crate) fn rows(&mut self) -> Vec<&[u8]> {
        let count = number(&self.bytes, &mut self.at);
        let mut rows = Vec::with_capacity(count.min(self.bytes.len()));
        for _ in 0..count {
            let length = number(&self.bytes, &mut self.at);
            let end = self.at.saturating_add(length);
            rows.push(self.bytes.get(self.at..end).unwrap_or_default());
            self.at = end;
        }
        rows
    }

    /// The only row of the next answer.
    pub(crate) fn row(&mut self) -> Option<&[u8]> {
        self.rows().into_iter().next()
    }

    /// The number that answers the next question.
    pub(crate) fn counted(&mut self) -> u64 {
        let bytes = self.row().and_then(|row| <[u8; 8]>::try_from(row).ok());
        // Counts are whole and far below 2^53.
        bytes.map_or(0, |bytes| f64::from_le_bytes(bytes) as u64)
    }

    /// How many bytes the answers take.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

fn number(bytes: &[u8], at: &mut usize) -> usize {
    let four = bytes.get(*at..*at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    *at += 4;
    four.map_or(0, |four| u32::from_le_bytes(four) as usize)
}
