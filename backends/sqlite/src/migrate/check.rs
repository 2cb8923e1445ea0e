//! Whether a table that is there can hold a collection as it is.

use syncline_core::schema::{Collection, Primitive};

use crate::error::{Result, SqliteError};
use crate::inspect::{Affinity, Found};
use crate::value::name;

/// Holds if the collection's objects fit into the table; columns may be missing, none may be wrong.
pub(super) fn table(collection: &Collection, table: &str, columns: &[Found]) -> Result<()> {
    key(collection, table, columns)?;
    for column in columns {
        let field =
            collection.fields().iter().find(|field| field.name.eq_ignore_ascii_case(&column.name));
        match field {
            Some(field) => self::column(field.kind.primitive(), table, column)?,
            None if column.must_be_given && !column.is_computed => {
                let problem = "the column must be given a value (NOT NULL without a default), and the \
                     schema does not know it; give it a default, or add it to the schema";
                return Err(SqliteError::table(table, Some(&column.name), problem));
            }
            None => {}
        }
    }
    Ok(())
}

fn key(collection: &Collection, table: &str, columns: &[Found]) -> Result<()> {
    let mut key: Vec<&Found> = columns.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    let same = key.len() == collection.key().len()
        && key.iter().zip(collection.key()).all(|(own, name)| own.name.eq_ignore_ascii_case(name));
    if !same {
        let names = |names: Vec<&str>| match names.is_empty() {
            true => "nothing".to_owned(),
            false => format!("({})", names.join(", ")),
        };
        let own = names(key.iter().map(|column| column.name.as_str()).collect());
        let wanted = names(collection.key().iter().map(|name| &**name).collect());
        let problem =
            format!("the table's primary key is {own}, the schema's {wanted}; change one");
        return Err(SqliteError::table(table, None, problem));
    }
    if let Some(column) = key.iter().find(|column| column.letters) {
        let problem = "the primary key takes different letters for the same (COLLATE); rebuild the \
             table without that";
        return Err(SqliteError::table(table, Some(&column.name), problem));
    }
    let counts = |column: &&&Found| !column.declared.eq_ignore_ascii_case("integer");
    if let Some(column) = key.iter().find(counts).filter(|_| collection.counts_keys()) {
        let problem = "SQLite counts keys only in a column declared INTEGER PRIMARY KEY";
        return Err(SqliteError::table(table, Some(&column.name), problem));
    }
    Ok(())
}

fn column(primitive: Primitive, table: &str, column: &Found) -> Result<()> {
    if column.is_computed {
        let problem = "SQLite computes the column, so no field can be stored in it; rename one";
        return Err(SqliteError::table(table, Some(&column.name), problem));
    }
    if !holds(Affinity::of(&column.declared), primitive) {
        let declared = &column.declared;
        let wanted = name(primitive);
        let problem =
            format!("the column is declared {declared}, which cannot hold {wanted}; change one");
        return Err(SqliteError::table(table, Some(&column.name), problem));
    }
    Ok(())
}

/// Whether SQLite gives back what is stored in such a column, or what can only mean the same.
fn holds(affinity: Affinity, primitive: Primitive) -> bool {
    use Affinity::{Blob, Integer, Numeric, Real, Text};
    match primitive {
        Primitive::Text => matches!(affinity, Text | Blob),
        Primitive::Json => matches!(affinity, Text | Blob | Numeric),
        Primitive::Bytes => matches!(affinity, Blob | Text),
        Primitive::Float => matches!(affinity, Real | Numeric | Blob),
        Primitive::Int | Primitive::Timestamp | Primitive::Bool => {
            matches!(affinity, Integer | Numeric | Blob)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_would_change_what_it_stores_holds_nothing_of_that_type() {
        for (declared, yes, no) in [
            ("VARCHAR(20)", Primitive::Text, Primitive::Int),
            ("STRING", Primitive::Float, Primitive::Text),
            ("DATETIME", Primitive::Timestamp, Primitive::Text),
            ("BOOLEAN", Primitive::Bool, Primitive::Bytes),
            ("JSON", Primitive::Json, Primitive::Text),
            ("DOUBLE PRECISION", Primitive::Float, Primitive::Int),
            ("BIGINT", Primitive::Int, Primitive::Float),
            ("", Primitive::Text, Primitive::Text),
        ] {
            assert!(holds(Affinity::of(declared), yes), "{declared} {yes:?}");
            assert!(yes == no || !holds(Affinity::of(declared), no), "{declared} {no:?}");
        }
    }
}
