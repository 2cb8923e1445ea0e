//! Making the database ready for a schema: the stores and indexes it lacks.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::JsString;
use syncline_core::sorted::SortedMap;
use syncline_core::value::Name;
use syncline_core::{Collection, Schema};
use wasm_bindgen::JsValue;

use crate::config::IndexedDbConfig;
use crate::connection::{Connection, Opening, strings};
use crate::error::{IndexedDbError, Result};
use crate::glue;
use crate::key::{self, Span};
use crate::meta::{self, FORMAT, Fact, META};
use crate::row;
use crate::scan;
use crate::table::{Table, wanted_indexes};
use crate::transaction::{Mode, Transaction};

/// An open database, and the tables of the collections that are known.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) connection: Connection,
    pub(crate) durability: &'static str,
    tables: SortedMap<Name, Rc<Table>>,
}

impl Store {
    /// The table of a collection.
    pub(crate) fn table(&self, name: &Name) -> Result<&Rc<Table>> {
        let missing = || IndexedDbError::NotPrepared { collection: name.clone() };
        self.tables.get(name).ok_or_else(missing)
    }
}

/// Opens the database as it is; a new one is made ready for anything.
pub(crate) async fn open(config: &IndexedDbConfig) -> Result<Connection> {
    let opening = Opening::begin(config, None).await?;
    if let Some(transaction) = opening.upgrade() {
        let store = transaction.js().create_store(&JsValue::from_str(META))?;
        meta::keep(&transaction, &store, &Fact::Format, &FORMAT.into())?;
        transaction.leave();
    }
    let connection = opening.finish().await?;
    if !connection.stores().iter().any(|name| name == META) {
        return Err(IndexedDbError::Foreign { name: config.name.clone() });
    }
    let names = [JsString::from(META)];
    let transaction =
        Transaction::begin(&connection, &names, Mode::Read, config.durability.word())?;
    meta::ask(&transaction, &transaction.store(&names[0])?, &Fact::Format)?;
    let format = meta::answer(transaction.answers().await?.row())?.as_int().unwrap_or_default();
    if format == FORMAT { Ok(connection) } else { Err(IndexedDbError::Newer { format }) }
}

/// Opens a database again that was there before.
pub(crate) async fn reopen(config: &IndexedDbConfig, schema: &Schema) -> Result<Store> {
    let gone = || IndexedDbError::Gone { name: config.name.clone() };
    let opening = Opening::begin(config, None).await?;
    if opening.is_new() {
        // Dropped, it is taken back: what was deleted stays deleted.
        return Err(gone());
    }
    let connection = opening.finish().await?;
    let missing = missing(&connection, schema, config)?;
    if missing.iter().any(|missing| missing.is_new) {
        return Err(gone());
    }
    store(connection, schema, config)
}

/// Makes an open database ready for a schema.
pub(crate) async fn prepare(
    connection: Connection,
    schema: &Schema,
    config: &IndexedDbConfig,
) -> Result<Store> {
    let mut connection = connection;
    loop {
        let missing = missing(&connection, schema, config)?;
        check_keys(&connection, schema, &missing, config).await?;
        if missing.is_empty() {
            return store(connection, schema, config);
        }
        let version = connection.version() + 1.0;
        drop(connection);
        connection = match change(config, version, &missing).await {
            Ok(connection) => connection,
            // Another tab was faster; perhaps nothing is missing any more.
            Err(IndexedDbError::Overtaken) => open(config).await?,
            Err(error) => return Err(error),
        };
    }
}

/// What a collection lacks.
struct Missing {
    collection: Arc<Collection>,
    /// Whether it has no store.
    is_new: bool,
    /// The indexes that are there.
    there: Vec<String>,
    /// The indexes that are to be made, and whether each is of words.
    indexes: Vec<(String, bool)>,
}

fn missing(
    connection: &Connection,
    schema: &Schema,
    config: &IndexedDbConfig,
) -> Result<Vec<Missing>> {
    let there = indexes(connection, schema, config)?;
    let mut missing = Vec::new();
    for collection in schema.collections() {
        let found = there.get(collection.name());
        let is_new = found.is_none();
        let there = found.cloned().unwrap_or_default();
        let mut indexes = wanted_indexes(collection);
        indexes.retain(|(name, _)| !there.contains(name));
        if is_new || !indexes.is_empty() {
            missing.push(Missing { collection: collection.clone(), is_new, there, indexes });
        }
    }
    Ok(missing)
}

/// The indexes of each store that a schema has a collection for.
fn indexes(
    connection: &Connection,
    schema: &Schema,
    config: &IndexedDbConfig,
) -> Result<SortedMap<Name, Vec<String>>> {
    let stores = connection.stores();
    let known = schema.collections().map(|collection| collection.name());
    let known: Vec<&Name> =
        known.filter(|name| stores.iter().any(|store| **store == ***name)).collect();
    if known.is_empty() {
        return Ok(SortedMap::new());
    }
    let names: Vec<JsString> = known.iter().map(|name| JsString::from(&***name)).collect();
    let transaction = Transaction::begin(connection, &names, Mode::Read, config.durability.word())?;
    let mut found = SortedMap::new();
    for (name, js) in known.into_iter().zip(&names) {
        let indexes = strings(&glue::index_names(&transaction.store(js)?));
        let _ = found.insert(name.clone(), indexes);
    }
    Ok(found)
}

/// Holds if no primary key would change under its objects.
async fn check_keys(
    connection: &Connection,
    schema: &Schema,
    missing: &[Missing],
    config: &IndexedDbConfig,
) -> Result<()> {
    let is_new = |collection: &&Arc<Collection>| {
        missing.iter().any(|of| of.is_new && of.collection.name() == collection.name())
    };
    let old: Vec<&Arc<Collection>> =
        schema.collections().filter(|collection| !is_new(collection)).collect();
    if old.is_empty() {
        return Ok(());
    }
    let name = |collection: &&Arc<Collection>| JsString::from(&**collection.name());
    let names: Vec<JsString> = old.iter().map(name).chain([JsString::from(META)]).collect();
    let durability = config.durability.word();
    let transaction = Transaction::begin(connection, &names, Mode::Read, durability)?;
    let facts = transaction.store(&names[old.len()])?;
    for (collection, name) in old.iter().zip(&names) {
        meta::ask(&transaction, &facts, &Fact::Key(collection.name()))?;
        transaction.js().count(&transaction.store(name)?, &[], None)?;
    }
    let mut answers = transaction.answers().await?;
    let mut turned = Vec::new();
    for collection in old {
        let stored = meta::answer(answers.row())?;
        let count = answers.counted();
        if stored == meta::key_in_words(collection) {
            continue;
        }
        if count > 0 {
            return Err(IndexedDbError::KeyChanged { collection: collection.name().clone() });
        }
        turned.push(collection);
    }
    if turned.is_empty() {
        return Ok(());
    }
    let meta = &names[names.len() - 1..];
    let transaction = Transaction::begin(connection, meta, Mode::Write, durability)?;
    let facts = transaction.store(&meta[0])?;
    for collection in turned {
        let words = meta::key_in_words(collection);
        meta::keep(&transaction, &facts, &Fact::Key(collection.name()), &words)?;
    }
    transaction.commit().await
}

/// Makes what is missing, in one transaction.
async fn change(config: &IndexedDbConfig, version: f64, missing: &[Missing]) -> Result<Connection> {
    let opening = Opening::begin(config, Some(version)).await?;
    if let Some(transaction) = opening.upgrade() {
        if opening.is_new() {
            return Err(IndexedDbError::Gone { name: config.name.clone() });
        }
        let facts = transaction.store(&JsValue::from_str(META))?;
        for of in missing {
            make(&transaction, &facts, of).await?;
        }
        transaction.leave();
    }
    opening.finish().await
}

async fn make(transaction: &Transaction, facts: &JsValue, of: &Missing) -> Result<()> {
    let name = JsValue::from_str(of.collection.name());
    let store = match of.is_new {
        true => transaction.js().create_store(&name)?,
        false => transaction.store(&name)?,
    };
    for (index, words) in &of.indexes {
        transaction.js().create_index(&store, &JsValue::from_str(index), *words)?;
    }
    if of.is_new {
        let words = meta::key_in_words(&of.collection);
        return meta::keep(transaction, facts, &Fact::Key(of.collection.name()), &words);
    }
    let before = Table::new(&of.collection, &of.there);
    let all = strings(&glue::index_names(&store));
    rewrite(transaction, &store, &before, &Table::new(&of.collection, &all)).await
}

/// Writes every object anew, so that it has its place in the new indexes. Runs become rows: the last
/// object of a run has the run's own key.
async fn rewrite(
    transaction: &Transaction,
    store: &JsValue,
    before: &Table,
    now: &Table,
) -> Result<()> {
    let mut span = Span::default();
    loop {
        let count = before.rows_within(scan::PIECE);
        transaction.js().all(store, &span.from, None, count)?;
        let mut answers = transaction.answers().await?;
        let size = answers.size();
        let rows = answers.rows();
        before.learn(rows.len(), size);
        let mut last = None;
        for bytes in &rows {
            for object in before.unpack(bytes)? {
                let key = now.place(0, &object, None);
                let (places, ends) = now.places(&object);
                let bytes = row::pack(&object);
                let js = transaction.js();
                js.put_row(store, &key, &bytes, &now.indexes, &places, &ends)?;
                last = Some(key);
            }
        }
        match last.and_then(|last| key::after_all(&last)) {
            Some(next) if rows.len() >= count as usize => span.from = next,
            _ => return Ok(()),
        }
    }
}

fn store(connection: Connection, schema: &Schema, config: &IndexedDbConfig) -> Result<Store> {
    let indexes = indexes(&connection, schema, config)?;
    let mut tables = SortedMap::new();
    for collection in schema.collections() {
        let none = Vec::new();
        let indexes = indexes.get(collection.name()).unwrap_or(&none);
        let table = Rc::new(Table::new(collection, indexes));
        let _ = tables.insert(collection.name().clone(), table);
    }
    Ok(Store { connection, durability: config.durability.word(), tables })
}
