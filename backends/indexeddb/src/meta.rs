//! What the database says of itself, in the store `$meta`.

use syncline_core::value::{Name, canonical};
use syncline_core::{Collection, Value};
use wasm_bindgen::JsValue;

use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::transaction::Transaction;

/// The store's name, which no collection can have.
pub(crate) const META: &str = "$meta";

/// The number of this layout.
pub(crate) const FORMAT: i64 = 1;

/// What is kept there.
#[derive(Clone, Debug)]
pub(crate) enum Fact<'a> {
    /// The number of the layout.
    Format,
    /// What the primary key of a collection is.
    Key(&'a Name),
    /// The highest key of a collection whose keys are counted.
    Highest(&'a Name),
}

impl Fact<'_> {
    /// Its key in the store.
    pub(crate) fn key(&self) -> Vec<u8> {
        let text = |text: &str| Value::from(text);
        match self {
            Self::Format => key::of_values(&[text("format")]),
            Self::Key(name) => key::of_values(&[text("key"), text(name)]),
            Self::Highest(name) => key::of_values(&[text("highest"), text(name)]),
        }
    }
}

/// Asks for a fact.
pub(crate) fn ask(transaction: &Transaction, meta: &JsValue, fact: &Fact<'_>) -> Result<()> {
    Ok(transaction.js().get(meta, &fact.key())?)
}

/// The answer.
pub(crate) fn answer(row: Option<&[u8]>) -> Result<Value> {
    let Some(row) = row else { return Ok(Value::Null) };
    let value = canonical::Reader::new(row).value();
    value.map_err(|source| IndexedDbError::Row { collection: META.into(), source })
}

/// Keeps a fact.
pub(crate) fn keep(
    transaction: &Transaction,
    meta: &JsValue,
    fact: &Fact<'_>,
    value: &Value,
) -> Result<()> {
    let mut bytes = Vec::new();
    canonical::put_value(&mut bytes, value);
    Ok(transaction.js().put(meta, &fact.key(), &bytes)?)
}

/// A collection's primary key in words, to see whether another schema means the same.
pub(crate) fn key_in_words(collection: &Collection) -> Value {
    let fields = collection.key().iter().zip(collection.key_primitives());
    let fields: Vec<String> =
        fields.map(|(name, primitive)| format!("{name} {primitive:?}")).collect();
    Value::Text(fields.join(", "))
}
