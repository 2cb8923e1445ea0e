//! What a database holds already: tables, columns, indexes.

use std::collections::HashMap;

use rusqlite::types::FromSql;

use crate::connection::Db;
use crate::error::Result;

/// The names that are taken, in small letters: SQLite does not tell `User` from `user`.
#[derive(Debug)]
pub(crate) struct Taken(HashMap<String, Thing>);

/// Something that has a name.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// The table it belongs to, itself if it is one.
    pub(crate) table: String,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    Virtual,
    Index,
    View,
}

/// A column that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) must_be_given: bool,
    pub(crate) is_computed: bool,
    /// Its place in the primary key, counted from 1; 0 if it is not part of it.
    pub(crate) key: i64,
    /// Whether it compares otherwise than letter by letter.
    pub(crate) letters: bool,
}

/// How SQLite treats what is stored in a column, by the type it is declared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Affinity {
    Blob,
    Integer,
    Numeric,
    Real,
    Text,
}

impl Taken {
    pub(crate) fn read(db: &Db) -> Result<Self> {
        let sql = "SELECT name, type, tbl_name, sql LIKE 'CREATE VIRTUAL %' FROM sqlite_schema";
        let mut statement = db.statement(sql)?;
        let mut rows = statement.raw_query();
        let mut taken = HashMap::new();
        while let Some(row) = rows.next()? {
            let (name, kind, table) = (row.get(0)?, row.get::<_, String>(1)?, row.get(2)?);
            let kind = match kind.as_str() {
                "table" if row.get::<_, Option<bool>>(3)? == Some(true) => Kind::Virtual,
                "table" => Kind::Table,
                "index" => Kind::Index,
                "view" => Kind::View,
                // Triggers have names of their own.
                _ => continue,
            };
            let thing = Thing { name, kind, table };
            let _ = taken.insert(thing.name.to_ascii_lowercase(), thing);
        }
        Ok(Self(taken))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Thing> {
        self.0.get(&name.to_ascii_lowercase())
    }

    pub(crate) fn things(&self) -> impl Iterator<Item = &Thing> {
        self.0.values()
    }
}

/// The columns of a table.
pub(crate) fn columns(db: &Db, table: &str) -> Result<Vec<Found>> {
    let sql = "SELECT name, type, \"notnull\" AND dflt_value IS NULL, hidden IN (2, 3), pk
         FROM pragma_table_xinfo(?1)";
    let mut statement = db.statement(sql)?;
    let mut rows = statement.query([table])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let (_, collation, ..) = db.raw().column_metadata(None, table, &name)?;
        let letters =
            collation.is_some_and(|name| !name.to_bytes().eq_ignore_ascii_case(b"binary"));
        let (declared, must_be_given) = (row.get(1)?, row.get(2)?);
        let (is_computed, key) = (row.get(3)?, row.get(4)?);
        columns.push(Found { name, declared, must_be_given, is_computed, key, letters });
    }
    Ok(columns)
}

/// The columns of each whole index of a table, in small letters; those of expressions are not among
/// them, nor those of only some rows.
pub(crate) fn indexes(db: &Db, table: &str) -> Result<HashMap<String, Vec<String>>> {
    let sql = "SELECT list.name, column.name
         FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS column
         WHERE NOT list.partial ORDER BY list.seq, column.seqno";
    let mut statement = db.statement(sql)?;
    let mut rows = statement.query([table])?;
    let mut indexes: HashMap<String, Vec<String>> = HashMap::new();
    while let Some(row) = rows.next()? {
        // An expression has no name, and no field is called so.
        let column: Option<String> = row.get(1)?;
        let column = column.unwrap_or_default().to_ascii_lowercase();
        indexes.entry(row.get(0)?).or_default().push(column);
    }
    Ok(indexes)
}

/// Whether the rows of a table have numbers.
pub(crate) fn has_row_ids(db: &Db, table: &str) -> Result<bool> {
    let mut statement = db.statement("SELECT NOT wr FROM pragma_table_list(?1)")?;
    let mut rows = statement.query([table])?;
    Ok(rows.next()?.map_or(Ok(false), |row| row.get(0))?)
}

/// The first column of the first row, if there is one.
pub(crate) fn first<T: FromSql>(db: &Db, sql: &str) -> Result<Option<T>> {
    let mut statement = db.statement(sql)?;
    let mut rows = statement.raw_query();
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

impl Affinity {
    /// SQLite's own rules, in their order.
    pub(crate) fn of(declared: &str) -> Self {
        let declared = declared.to_ascii_uppercase();
        let says = |words: &[&str]| words.iter().any(|word| declared.contains(word));
        if says(&["INT"]) {
            Self::Integer
        } else if says(&["CHAR", "CLOB", "TEXT"]) {
            Self::Text
        } else if declared.is_empty() || says(&["BLOB"]) {
            Self::Blob
        } else if says(&["REAL", "FLOA", "DOUB"]) {
            Self::Real
        } else {
            Self::Numeric
        }
    }
}
