//! A collection as a table: its columns, and its statements, written once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::schema::{Collection, Index, Primitive, Schema};
use syncline_core::value::{Key, Name, Object};
use syncline_core::{Error, Value};

use crate::error::{Result, SqliteError};

/// All tables of a prepared schema.
#[derive(Debug, Default)]
pub(crate) struct Tables(HashMap<Name, Table>);

/// One collection's table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: Name,
    pub(crate) quoted: String,
    /// Sorted by name, as the fields of objects are.
    pub(crate) columns: Vec<Column>,
    /// Where in `columns` the primary key's are, in the key's order.
    pub(crate) key: Vec<usize>,
    pub(crate) counts_keys: bool,
    /// What the number of a row is called, if it has a name.
    pub(crate) row_id: Option<String>,
    /// Leading columns of indexes, the primary key's among them.
    pub(crate) leads: Vec<usize>,
    /// Stores one object.
    pub(crate) insert: Arc<str>,
    /// All columns of the object with a key.
    pub(crate) by_key: Arc<str>,
    /// All columns of many objects, found by key.
    pub(crate) by_keys: Arc<str>,
    /// Whether there is an object with a key.
    pub(crate) exists: Arc<str>,
    /// Removes the object with a key.
    pub(crate) delete: Arc<str>,
    shapes: Mutex<HashMap<Shape, Arc<str>>>,
}

/// One field's column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: Name,
    pub(crate) primitive: Primitive,
    pub(crate) is_key: bool,
    pub(crate) quoted: String,
    /// How it is compared and sorted: letter by letter, whatever an adopted table says.
    pub(crate) compared: String,
    /// The table of its words, if they are indexed.
    pub(crate) words: Option<String>,
}

/// A statement about one object that depends on which fields are given.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) kind: ShapeKind,
    /// Columns that are set.
    pub(crate) set: Vec<usize>,
    /// Columns that must look so.
    pub(crate) looks: Vec<usize>,
}

/// What such a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ShapeKind {
    Update,
    Delete,
    Look,
    Unique,
}

/// How many keys of several fields one statement takes.
pub(crate) const COMPOUND_KEYS: usize = 64;

impl Tables {
    /// The tables of a schema. `letters` says which columns compare otherwise than letter by letter.
    pub(crate) fn new(schema: &Schema, letters: &dyn Fn(&str, &str) -> bool) -> Self {
        let table = |collection: &Arc<Collection>| {
            (collection.name().clone(), Table::new(collection, letters))
        };
        Self(schema.collections().map(table).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Table> {
        self.0.get(name).ok_or_else(|| {
            Error::invalid("there is no such collection in the prepared schema")
                .with("collection", name)
                .into()
        })
    }
}

impl Table {
    fn new(collection: &Collection, letters: &dyn Fn(&str, &str) -> bool) -> Self {
        let column = |field: &syncline_core::Field| {
            let quoted = quote(&field.name);
            let compared = match letters(collection.name(), &field.name) {
                true => format!("{quoted} COLLATE BINARY"),
                false => quoted.clone(),
            };
            let primitive = field.kind.primitive();
            let is_key = collection.is_key(&field.name);
            let indexed =
                |index: &&Index| index.full_text && index.fields[..] == [field.name.clone()];
            let words = collection.indexes().iter().find(indexed);
            let words = words.map(|_| quote(&words_table(collection.name(), &field.name)));
            Column { name: field.name.clone(), primitive, is_key, quoted, compared, words }
        };
        let columns: Vec<Column> = collection.fields().iter().map(column).collect();
        let position = |name: &Name| columns.iter().position(|column| column.name == *name);
        let key: Vec<usize> = collection.key().iter().filter_map(position).collect();
        let plain = collection.indexes().iter().filter(|index| !index.full_text);
        let leads = plain.filter_map(|index| index.fields.first()).filter_map(position);
        let leads = leads.chain(key.first().copied()).collect();
        let mut table = Self {
            name: collection.name().clone(),
            quoted: quote(&table_name(collection.name())),
            columns,
            key,
            counts_keys: collection.counts_keys(),
            row_id: row_id(collection),
            leads,
            insert: "".into(),
            by_key: "".into(),
            by_keys: "".into(),
            exists: "".into(),
            delete: "".into(),
            shapes: Mutex::default(),
        };
        table.write_statements();
        table
    }

    fn write_statements(&mut self) {
        let (table, key) = (&self.quoted, self.key_equals());
        let all = self.select(0..self.columns.len());
        let columns = list(self.columns.iter().map(|column| column.quoted.as_str()));
        let row = format!("({})", list(self.columns.iter().map(|_| "?")));
        let insert = format!("INSERT INTO {table} ({columns}) VALUES {row}");
        let by_keys = match self.key.as_slice() {
            [single] => {
                let key = &self.columns[*single].compared;
                format!("{all} WHERE {key} IN rarray(?1) ORDER BY {key}")
            }
            several => {
                let keys = list(several.iter().map(|at| self.columns[*at].compared.as_str()));
                let one = format!("({})", list(several.iter().map(|_| "?")));
                let values = list((0..COMPOUND_KEYS).map(|_| one.as_str()));
                format!("{all} WHERE ({keys}) IN (VALUES {values}) ORDER BY {keys}")
            }
        };
        let by_key = format!("{all} WHERE {key}");
        let exists = format!("SELECT 1 FROM {table} WHERE {key}");
        let delete = format!("DELETE FROM {table} WHERE {key}");
        self.insert = insert.into();
        self.by_keys = by_keys.into();
        self.by_key = by_key.into();
        self.exists = exists.into();
        self.delete = delete.into();
    }

    /// `SELECT` with these columns, up to the table's name.
    pub(crate) fn select(&self, columns: impl IntoIterator<Item = usize>) -> String {
        let columns = columns.into_iter().map(|at| self.columns[at].quoted.as_str());
        format!("SELECT {} FROM {}", list(columns), self.quoted)
    }

    fn key_equals(&self) -> String {
        let equal = |at: &usize| format!("{} = ?", self.columns[*at].compared);
        self.key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// The statement of this shape; its values are those set, then the key's, then those looked at.
    pub(crate) fn shaped(&self, shape: &Shape) -> Arc<str> {
        let mut shapes = self.shapes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sql) = shapes.get(shape) {
            return sql.clone();
        }
        let sql: Arc<str> = self.write_shape(shape).into();
        shapes.insert(shape.clone(), sql.clone());
        sql
    }

    fn write_shape(&self, shape: &Shape) -> String {
        let table = &self.quoted;
        let mut sql = match shape.kind {
            ShapeKind::Update => {
                let set = shape.set.iter().map(|at| format!("{} = ?", self.columns[*at].quoted));
                format!("UPDATE {table} SET {} WHERE ", set.collect::<Vec<_>>().join(", "))
            }
            ShapeKind::Delete => format!("DELETE FROM {table} WHERE "),
            ShapeKind::Look => format!("SELECT 1 FROM {table} WHERE "),
            ShapeKind::Unique => {
                let equal =
                    shape.looks.iter().map(|at| format!("{} = ?", self.columns[*at].compared));
                let equal = equal.collect::<Vec<_>>().join(" AND ");
                return format!("SELECT 1 FROM {table} WHERE {equal} LIMIT 2");
            }
        };
        sql.push_str(&self.key_equals());
        for at in &shape.looks {
            // Writing to text cannot fail.
            let _ = write!(sql, " AND {} IS ?", self.columns[*at].compared);
        }
        sql
    }

    /// Where the column of a field is.
    pub(crate) fn position(&self, field: &str) -> Result<usize> {
        self.columns.binary_search_by(|column| (*column.name).cmp(field)).map_err(|_| {
            Error::invalid("there is no such field in the prepared schema")
                .with("collection", &self.name)
                .with("field", field)
                .into()
        })
    }

    /// Where the columns of an object's fields are.
    pub(crate) fn positions(&self, object: &Object) -> Result<Vec<usize>> {
        object.iter().map(|(field, _)| self.position(field)).collect()
    }

    /// Whether a key has as many values as the primary key has fields, each of the field's type.
    pub(crate) fn fits(&self, key: &[Value]) -> bool {
        key.len() == self.key.len()
            && key.iter().zip(&self.key).all(|(value, at)| self.columns[*at].primitive.holds(value))
    }

    /// The values of an object's key, or what is wrong with it.
    pub(crate) fn key_of(&self, object: &Object) -> Result<Key> {
        let value = |at: &usize| {
            let name = &self.columns[*at].name;
            object.get(name).filter(|value| !value.is_null()).cloned().ok_or_else(|| {
                SqliteError::from(
                    Error::invalid("an object has no primary key; give it one")
                        .with("collection", &self.name)
                        .with("field", name),
                )
            })
        };
        self.key.iter().map(value).collect::<Result<Vec<_>>>().map(Key::compound)
    }
}

impl Table {
    /// Takes the values of an object's key out of it.
    pub(crate) fn take_key(&self, object: &mut Object) -> Key {
        let value = |at: &usize| object.give(&self.columns[*at].name).unwrap_or_default();
        Key::compound(self.key.iter().map(value))
    }
}

/// The name of a collection's table: its own, unless SQLite keeps names like that for itself. No
/// collection has a colon in its name.
pub(crate) fn table_name(collection: &str) -> Cow<'_, str> {
    let start = collection.get(..7).unwrap_or_default();
    match start.eq_ignore_ascii_case("sqlite_") {
        true => format!("collection:{collection}").into(),
        false => collection.into(),
    }
}

/// The name of the table of a field's words.
pub(crate) fn words_table(collection: &str, field: &str) -> String {
    format!("fts_{collection}({field})")
}

/// What SQLite calls the number of a row where no field has that name.
pub(crate) fn row_id(collection: &Collection) -> Option<String> {
    let free = |name: &&str| {
        collection.fields().iter().all(|field| !field.name.eq_ignore_ascii_case(name))
    };
    ["_rowid_", "rowid", "oid"].into_iter().find(free).map(str::to_owned)
}

/// A name as SQLite takes it, whatever letters it has.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Parts with commas between them.
pub(crate) fn list<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
