//! Schema → tables and indexes: what is missing is made, what is there is used as it is.

mod check;
mod record;
mod words;

use std::collections::HashSet;

use syncline_core::Schema;
use syncline_core::schema::{Collection, FieldType, Index, Primitive, RESERVED};
use syncline_core::value::Name;

use crate::connection::Db;
use crate::error::{Result, SqliteError};
use crate::inspect::{self, Kind, Taken};
use crate::table::{Tables, list, quote, table_name};
use record::Record;

pub(crate) use record::{stored_definition, stored_schema};

/// Makes the database ready for a schema: in one transaction, or in none if it is ready.
pub(crate) fn prepare(db: &Db, schema: &Schema) -> Result<Tables> {
    let plan = Plan::new(db, schema)?;
    let letters = match plan.statements.is_empty() && plan.record.is_none() {
        true => plan.letters,
        // Another process may have been quicker, so the plan is made again with the right to write.
        false => db.transaction(|| {
            let plan = Plan::new(db, schema)?;
            plan.statements.iter().try_for_each(|sql| db.run(sql))?;
            plan.record.iter().try_for_each(|record| record.store(db))?;
            Ok(plan.letters)
        })?,
    };
    let letters = |table: &str, column: &str| letters.contains(&(table.into(), column.into()));
    Ok(Tables::new(schema, &letters))
}

/// What has to be done.
#[derive(Debug, Default)]
struct Plan {
    statements: Vec<String>,
    /// The new record, if it differs from the one that is stored.
    record: Option<Record>,
    /// Columns that compare otherwise than letter by letter.
    letters: HashSet<(Name, Name)>,
}

impl Plan {
    fn new(db: &Db, schema: &Schema) -> Result<Self> {
        let taken = Taken::read(db)?;
        let stored = Record::read(db, &taken)?;
        if let Some(stored) = &stored {
            stored.allow(schema)?;
        } else {
            refuse_reserved(&taken)?;
        }
        if schema.get(record::TABLE).is_some() {
            return Err(SqliteError::table(
                record::TABLE,
                None,
                "this name is taken; choose another",
            ));
        }
        let mut plan = Self::default();
        let mut indexes = Vec::new();
        let made = stored.as_ref().map_or(&[][..], |stored| &stored.indexes);
        for collection in schema.collections() {
            plan.table(db, collection, &taken)?;
            plan.indexes(db, collection, &taken, made, &mut indexes)?;
            plan.words(db, collection, &taken, made, &mut indexes)?;
        }
        for index in made {
            if !indexes.contains(index) {
                plan.give_up(index, schema, &taken, &mut indexes);
            }
        }
        let record = Record::new(schema, indexes);
        plan.record = (stored.as_ref() != Some(&record)).then_some(record);
        Ok(plan)
    }

    fn table(&mut self, db: &Db, collection: &Collection, taken: &Taken) -> Result<()> {
        let name = collection.name();
        let Some(thing) = taken.get(&table_name(name)) else {
            self.statements.push(create_table(collection));
            return Ok(());
        };
        if thing.kind != Kind::Table {
            let problem = "something that is not a plain table has this name; rename it";
            return Err(SqliteError::table(&thing.name, None, problem));
        }
        let columns = inspect::columns(db, &thing.name)?;
        check::table(collection, &thing.name, &columns)?;
        for field in collection.fields() {
            match columns.iter().find(|column| column.name.eq_ignore_ascii_case(&field.name)) {
                Some(column) if column.letters => {
                    let _ = self.letters.insert((name.clone(), field.name.clone()));
                }
                Some(_) => {}
                None => self.statements.push(format!(
                    "ALTER TABLE {} ADD COLUMN {} {}",
                    quote(&thing.name),
                    quote(&field.name),
                    declared(field.kind.primitive())
                )),
            }
        }
        Ok(())
    }

    fn indexes(
        &mut self,
        db: &Db,
        collection: &Collection,
        taken: &Taken,
        made: &[String],
        indexes: &mut Vec<String>,
    ) -> Result<()> {
        let present = match taken.get(&table_name(collection.name())) {
            Some(table) => inspect::indexes(db, &table.name)?,
            None => Default::default(),
        };
        for index in collection.indexes().iter().filter(|index| !index.full_text) {
            let name = index_name(collection.name(), index);
            let fields: Vec<_> =
                index.fields.iter().map(|field| field.to_ascii_lowercase()).collect();
            if present.get(&name) == Some(&fields) {
                indexes.extend(made.contains(&name).then_some(name));
                continue;
            }
            let serves = |(own, columns): (&String, &Vec<String>)| {
                !made.contains(own) && columns.starts_with(&fields)
            };
            let letters =
                |field: &Name| self.letters.contains(&(collection.name().clone(), field.clone()));
            if present.iter().any(serves) && !index.fields.iter().any(letters) {
                continue;
            }
            if taken.get(&name).is_some() {
                let problem = "something else has the name of an index; rename it";
                return Err(SqliteError::table(name, None, problem));
            }
            self.statements.push(self.create_index(collection, index, &name));
            indexes.push(name);
        }
        Ok(())
    }

    fn create_index(&self, collection: &Collection, index: &Index, name: &str) -> String {
        let column = |field: &Name| {
            let letters = self.letters.contains(&(collection.name().clone(), field.clone()));
            format!("{}{}", quote(field), if letters { " COLLATE BINARY" } else { "" })
        };
        let columns: Vec<_> = index.fields.iter().map(column).collect();
        let columns = list(columns.iter().map(String::as_str));
        format!(
            "CREATE INDEX {} ON {} ({columns})",
            quote(name),
            quote(&table_name(collection.name()))
        )
    }

    /// Drops an index that was made here and that the schema no longer has. Those of Syncline's own
    /// collections stay while the schema is without them, because they may come back.
    fn give_up(&mut self, index: &str, schema: &Schema, taken: &Taken, kept: &mut Vec<String>) {
        let Some(thing) = taken.get(index) else { return };
        if is_reserved(&thing.table) && schema.get(&thing.table).is_none() {
            return kept.push(index.to_owned());
        }
        match thing.kind {
            Kind::Index => self.statements.push(format!("DROP INDEX {}", quote(index))),
            Kind::Virtual => self.drop_words(index),
            Kind::Table | Kind::View => {}
        }
    }
}

fn create_table(collection: &Collection) -> String {
    let single = collection.key().len() == 1;
    let whole_number = single
        && collection
            .key_primitives()
            .all(|primitive| matches!(primitive, Primitive::Int | Primitive::Timestamp));
    let key = collection.key().iter().filter_map(|name| collection.field(name));
    let mut rest: Vec<_> =
        collection.fields().iter().filter(|field| !collection.is_key(&field.name)).collect();
    rest.sort_by_key(|field| length(&field.kind));
    let mut lines = Vec::new();
    for field in key.chain(rest) {
        let rule = match (collection.is_key(&field.name), single) {
            // Without the last word, the key of a deleted object would be given again.
            (true, true) if collection.counts_keys() => " PRIMARY KEY AUTOINCREMENT",
            (true, true) if whole_number => " PRIMARY KEY",
            (true, true) => " PRIMARY KEY NOT NULL",
            (true, false) => " NOT NULL",
            (false, _) => "",
        };
        let declared = declared(field.kind.primitive());
        lines.push(format!("{} {declared}{rule}", quote(&field.name)));
    }
    if !single {
        let key: Vec<_> = collection.key().iter().map(|field| quote(field)).collect();
        lines.push(format!("PRIMARY KEY ({})", key.join(", ")));
    }
    // Syncline's own rows are short and found by their key; then one tree does instead of two.
    let one_tree = collection.is_reserved() && !whole_number;
    let options = if one_tree { " WITHOUT ROWID" } else { "" };
    let name = quote(&table_name(collection.name()));
    format!("CREATE TABLE {name} (\n  {}\n){options}", lines.join(",\n  "))
}

/// How long values of a type are, roughly. What is long comes last in a row, so that what is short is
/// found without reading through it.
fn length(kind: &FieldType) -> u8 {
    match (kind, kind.primitive()) {
        (FieldType::String, _) => 1,
        (_, Primitive::Text) => 2,
        (_, Primitive::Json) => 3,
        (_, Primitive::Bytes) => 4,
        _ => 0,
    }
}

/// The type a column is declared with.
fn declared(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "BOOLEAN",
        Primitive::Bytes => "BLOB",
        Primitive::Float => "REAL",
        Primitive::Int | Primitive::Timestamp => "INTEGER",
        Primitive::Json | Primitive::Text => "TEXT",
    }
}

/// Names an index after its fields. No collection and no field has a bracket in its name.
fn index_name(collection: &str, index: &Index) -> String {
    format!("idx_{collection}({})", index.fields.join(","))
}

fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

/// In a database that was never prepared, names of Syncline's own tables mean something else.
fn refuse_reserved(taken: &Taken) -> Result<()> {
    match taken.things().find(|thing| thing.kind != Kind::Index && is_reserved(&thing.name)) {
        None => Ok(()),
        Some(thing) => Err(SqliteError::table(
            &thing.name,
            None,
            "names that begin with `sync_` are kept for Syncline; rename the table",
        )),
    }
}
