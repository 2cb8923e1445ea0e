//! A collection as an object store: which indexes it has, and where an object is in each of them.

use std::cell::Cell;
use std::sync::Arc;

use js_sys::{Array, JsString};
use syncline_core::query::words;
use syncline_core::schema::{Collection, Primitive};
use syncline_core::value::Name;
use syncline_core::{Object, Value};

use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::plan::Way;
use crate::row;

/// Stands between the fields of an index in its name: a letter in JavaScript, and in no field's name.
const AND: char = 'ǀ';

/// Stands in the names of indexes for the hyphen, which a path of JavaScript cannot hold.
const HYPHEN: &str = "$";

/// One collection's object store.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) collection: Arc<Collection>,
    pub(crate) name: JsString,
    /// The ways along which objects lie: the primary key, then the store's indexes.
    pub(crate) ways: Vec<Way>,
    /// The names of the indexes, in the order of their ways.
    pub(crate) indexes: Array,
    /// Whether objects lie in runs.
    pub(crate) runs: bool,
    /// About how long a row is; 0 while that is not known.
    row_bytes: Cell<usize>,
}

impl Table {
    /// The table of a collection whose store has these indexes.
    pub(crate) fn new(collection: &Arc<Collection>, indexes: &[String]) -> Self {
        let key = collection.key();
        let mut ways = vec![Way { fields: key.to_vec(), words: false }];
        let names = Array::new();
        for name in indexes {
            ways.push(way_named(name, collection));
            let _ = names.push(&JsString::from(name.as_str()));
        }
        let name = JsString::from(&**collection.name());
        let runs = ways.len() == 1 && may_lie_in_runs(collection);
        let (collection, row_bytes) = (collection.clone(), Cell::new(0));
        Self { collection, name, ways, indexes: names, runs, row_bytes }
    }

    /// Where an object is on a way; `word` is the place of the word by which it was found.
    pub(crate) fn place(&self, way: usize, object: &Object, word: Option<&[u8]>) -> Vec<u8> {
        self.ways.get(way).map(|way| way.place(object, word)).unwrap_or_default()
    }

    /// Where an object is in the indexes: its places one behind the other, and where each of them ends. A
    /// zero begins and ends the places in an index of words.
    pub(crate) fn places(&self, object: &Object) -> (Vec<u8>, Vec<u32>) {
        let (mut places, mut ends) = (Vec::with_capacity(64), Vec::with_capacity(4));
        let mut end = |places: &Vec<u8>| ends.push(u32::try_from(places.len()).unwrap_or(u32::MAX));
        for way in self.ways.iter().skip(1) {
            if !way.words {
                key::put_fields(&mut places, object, &way.fields);
                end(&places);
                continue;
            }
            let nothing = Vec::new();
            end(&nothing);
            let text = way.fields.first().and_then(|field| object.value(field).as_text());
            let mut all: Vec<String> = text.into_iter().flat_map(words).collect();
            all.sort_unstable();
            all.dedup();
            for word in all {
                key::put(&mut places, &Value::Text(word));
                key::put_fields(&mut places, object, &way.fields[1..]);
                end(&places);
            }
            end(&nothing);
        }
        (places, ends)
    }

    /// The objects of a row.
    pub(crate) fn unpack(&self, bytes: &[u8]) -> Result<Vec<Object>> {
        let objects = match self.runs {
            false => row::unpack(bytes, &self.collection).map(|object| vec![object]),
            true => row::unpack_run(bytes, &self.collection)
                .map(|run| run.into_iter().map(|(_, object)| object).collect()),
        };
        objects.map_err(|source| self.broken(source))
    }

    /// A row that is not what was written.
    pub(crate) fn broken(&self, source: syncline_core::Error) -> IndexedDbError {
        IndexedDbError::Row { collection: self.collection.name().clone(), source }
    }

    /// How many rows to ask for at once, so that they take this many bytes at most, about: few while nothing
    /// is known of them, for a row may take megabytes.
    pub(crate) fn rows_within(&self, bytes: usize) -> u32 {
        let rows = bytes.checked_div(self.row_bytes.get()).unwrap_or(16);
        u32::try_from(rows.clamp(1, 4_096)).unwrap_or(1)
    }

    /// Learns how long rows are: at once that they are longer than was thought, and slowly that they are
    /// shorter.
    pub(crate) fn learn(&self, rows: usize, bytes: usize) {
        let Some(length) = bytes.checked_div(rows) else { return };
        let known = self.row_bytes.get();
        let slowly = if known == 0 { length } else { (3 * known + length) / 4 };
        self.row_bytes.set(slowly.max(length).max(1));
    }
}

/// Whether keys are whole numbers that the application gives.
fn may_lie_in_runs(collection: &Collection) -> bool {
    let mut key = collection.key_primitives();
    let whole_number = (key.next(), key.next()) == (Some(Primitive::Int), None);
    whole_number && !collection.counts_keys()
}

/// The names of the indexes that a collection wants, and whether each is of words.
pub(crate) fn wanted_indexes(collection: &Collection) -> Vec<(String, bool)> {
    let mut wanted: Vec<(String, bool)> = Vec::new();
    let mut want = |name: String, words: bool| {
        if !wanted.iter().any(|(other, _)| *other == name) {
            wanted.push((name, words));
        }
    };
    for index in collection.indexes() {
        if index.full_text {
            index
                .fields
                .iter()
                .for_each(|field| want(index_name(std::slice::from_ref(field), true), true));
        } else if !collection.key().starts_with(&index.fields) {
            want(index_name(&index.fields, false), false);
        }
    }
    wanted
}

fn index_name(fields: &[Name], words: bool) -> String {
    let fields: Vec<String> = fields.iter().map(|field| field.replace('-', HYPHEN)).collect();
    let mut name = fields.join(&AND.to_string());
    if words {
        name.push(AND);
    }
    name
}

/// The way of an index of this name. Another version of the schema may have made it, for fields that this
/// one does not know; it is kept up all the same.
fn way_named(name: &str, collection: &Collection) -> Way {
    let (fields, words) = match name.strip_suffix(AND) {
        Some(field) => (field, true),
        None => (name, false),
    };
    let field = |field: &str| Name::from(field.replace(HYPHEN, "-"));
    let fields = fields.split(AND).map(field).chain(collection.key().iter().cloned());
    Way { fields: fields.collect(), words }
}
