//! What a batch knows of one collection's rows, and what it is about to write to them.

use std::collections::HashMap;
use std::rc::Rc;

use syncline_core::value::{Key, Name};
use syncline_core::{Object, Value};
use wasm_bindgen::JsValue;

use super::runs::Runs;
use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::row;
use crate::table::Table;
use crate::transaction::{Answers, Transaction};

/// One collection within a batch.
pub(super) struct Sheet {
    pub(super) table: Rc<Table>,
    pub(super) rows: JsValue,
    /// The highest key, where keys are counted.
    pub(super) highest: i64,
    /// Whether the highest key rose.
    pub(super) counted: bool,
    slots: HashMap<Vec<u8>, Slot>,
    /// The keys whose slots are to be written, in the order in which they were first touched.
    dirty: Vec<Vec<u8>>,
    wanted: Vec<Vec<u8>>,
    runs: Runs,
}

/// What lies under one key.
#[derive(Debug)]
struct Slot {
    now: Option<Object>,
    stored: Stored,
    dirty: bool,
}

/// What is known of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    /// There is no such object.
    No,
    /// There is one.
    Yes,
    /// It is not known; writing it will tell.
    Unknown,
}

impl Sheet {
    pub(super) fn new(table: Rc<Table>, rows: JsValue) -> Self {
        Self {
            table,
            rows,
            highest: 0,
            counted: false,
            slots: HashMap::new(),
            dirty: Vec::new(),
            wanted: Vec::new(),
            runs: Runs::default(),
        }
    }

    /// Wants to know what lies under a key.
    pub(super) fn want(&mut self, key: Vec<u8>) {
        if !self.slots.contains_key(&key) {
            self.wanted.push(key);
        }
    }

    pub(super) fn wants_nothing(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Asks for what is wanted.
    pub(super) fn ask(&mut self, transaction: &Transaction) -> Result<()> {
        self.wanted.sort_unstable();
        self.wanted.dedup();
        if self.table.runs {
            return self.runs.ask(transaction, &self.rows, &self.wanted);
        }
        for key in &self.wanted {
            transaction.js().get(&self.rows, key)?;
        }
        Ok(())
    }

    /// Takes the answers.
    pub(super) fn hear(&mut self, answers: &mut Answers) -> Result<()> {
        if self.table.runs {
            return self.runs.hear(answers, &self.table);
        }
        for key in std::mem::take(&mut self.wanted) {
            let object = answers.row().map(|row| self.table.unpack(row)).transpose()?;
            self.fill(key, object.and_then(|mut objects| objects.pop()));
        }
        Ok(())
    }

    /// Asks on where runs are longer than the first answer.
    pub(super) async fn hear_rest(&mut self, transaction: &Transaction) -> Result<()> {
        if !self.table.runs {
            return Ok(());
        }
        self.runs.hear_rest(transaction, &self.rows, &self.table).await?;
        for key in std::mem::take(&mut self.wanted) {
            let object = self.runs.object(&key).cloned();
            self.fill(key, object);
        }
        Ok(())
    }

    fn fill(&mut self, key: Vec<u8>, now: Option<Object>) {
        let stored = if now.is_some() { Stored::Yes } else { Stored::No };
        let _ = self.slots.insert(key, Slot { now, stored, dirty: false });
    }

    /// Takes note of an object that was read on the way.
    pub(super) fn learn(&mut self, key: &[u8], object: &Object) {
        match self.table.runs {
            // To write it, the whole run has to be known.
            true => self.want(key.to_vec()),
            false => self.fill(key.to_vec(), Some(object.clone())),
        }
    }

    /// Whether it is known what lies under a key.
    pub(super) fn knows(&self, key: &[u8]) -> bool {
        self.slots.contains_key(key)
    }

    /// Whether an object was created under a key that may not be free.
    pub(super) fn is_added(&self, key: &[u8]) -> bool {
        self.slots.get(key).is_some_and(|slot| slot.stored == Stored::Unknown)
    }

    /// What lies under a key, as far as is known.
    pub(super) fn object(&self, key: &[u8]) -> Option<&Object> {
        self.slots.get(key)?.now.as_ref()
    }

    /// Puts a new object under a key, if no object is known to be there.
    pub(super) fn create(&mut self, key: Vec<u8>, object: Object) -> bool {
        if let Some(slot) = self.slots.get(&key) {
            let is_free = slot.now.is_none();
            if is_free {
                self.set(key, Some(object));
            }
            return is_free;
        }
        self.dirty.push(key.clone());
        let slot = Slot { now: Some(object), stored: Stored::Unknown, dirty: true };
        let _ = self.slots.insert(key, slot);
        true
    }

    /// Changes what lies under a key that is known.
    pub(super) fn set(&mut self, key: Vec<u8>, now: Option<Object>) {
        let Some(slot) = self.slots.get_mut(&key) else { return };
        slot.now = now;
        if !std::mem::replace(&mut slot.dirty, true) {
            self.dirty.push(key);
        }
    }

    /// Forgets what was known; everything is written.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
        self.dirty.clear();
    }

    /// The key of a new object: its own, or the next that is counted.
    pub(super) fn claim_key(&mut self, object: &mut Object) -> Result<Key> {
        let collection = &self.table.collection;
        let no_key = || IndexedDbError::NoKey { collection: collection.name().clone() };
        if !collection.counts_keys() {
            let key = collection.key_of(object).ok_or_else(no_key)?;
            let is_number = || key.single().is_some_and(|value| value.as_int().is_some());
            return if self.table.runs && !is_number() { Err(no_key()) } else { Ok(key) };
        }
        let field = collection.key().first().ok_or_else(no_key)?;
        let key = match object.value(field) {
            Value::Int(given) => *given,
            _ => self.highest.checked_add(1).ok_or_else(|| IndexedDbError::NoKeyLeft {
                collection: collection.name().clone(),
            })?,
        };
        let _ = object.set(field.clone(), key);
        self.counted |= key > self.highest;
        self.highest = self.highest.max(key);
        Ok(Key::from(key))
    }

    /// Writes what is to be written. Each create whose key may be taken gets the next number in `added`.
    pub(super) fn flush(
        &mut self,
        transaction: &Transaction,
        added: &mut Vec<(Name, Key)>,
    ) -> Result<()> {
        let dirty = std::mem::take(&mut self.dirty);
        if self.table.runs {
            let changed = dirty.into_iter().filter_map(|key| {
                let slot = self.slots.get_mut(&key)?;
                slot.dirty = false;
                slot.stored = if slot.now.is_some() { Stored::Yes } else { Stored::No };
                Some((key, slot.now.clone()))
            });
            let changed: Vec<_> = changed.collect();
            return self.runs.write(transaction, &self.rows, changed);
        }
        for key in dirty {
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            slot.dirty = false;
            let stored = slot.stored;
            slot.stored = if slot.now.is_some() { Stored::Yes } else { Stored::No };
            match (&slot.now, stored) {
                (Some(object), stored) => {
                    let number = (stored == Stored::Unknown).then_some(added.len());
                    if number.is_some() {
                        let name_key = self
                            .table
                            .collection
                            .key_of(object)
                            .unwrap_or_else(|| Key::compound([]));
                        added.push((self.table.collection.name().clone(), name_key));
                    }
                    write(transaction, &self.table, &self.rows, &key, object, number)?;
                }
                (None, Stored::No) => {}
                (None, _) => transaction.js().remove(&self.rows, &key)?,
            }
        }
        Ok(())
    }
}

/// Writes one row: as a new one with a number, or whatever was there.
pub(super) fn write(
    transaction: &Transaction,
    table: &Table,
    rows: &JsValue,
    key: &[u8],
    object: &Object,
    number: Option<usize>,
) -> Result<()> {
    let bytes = row::pack(object);
    table.learn(1, bytes.len());
    let js = transaction.js();
    let number = number.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    if table.ways.len() == 1 {
        match number {
            Some(number) => js.add(rows, key, &bytes, number)?,
            None => js.put(rows, key, &bytes)?,
        }
        return Ok(());
    }
    let (places, ends) = table.places(object);
    match number {
        Some(number) => js.add_row(rows, key, number, &bytes, &table.indexes, &places, &ends)?,
        None => js.put_row(rows, key, &bytes, &table.indexes, &places, &ends)?,
    }
    Ok(())
}

/// The bytes of a whole number as a key.
pub(super) fn number_key(number: i64) -> Vec<u8> {
    key::of_values([&Value::Int(number)])
}
