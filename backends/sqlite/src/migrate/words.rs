//! Indexes of words: a full-text table for each, which triggers keep in step with the texts.
//!
//! Triggers, and not the statements that write, so that what another program writes is found as well.
//! The full-text table holds no texts, only where words are.

use syncline_core::schema::{Collection, Index};

use super::Plan;
use crate::connection::Db;
use crate::error::{Result, SqliteError};
use crate::inspect::{self, Kind, Taken};
use crate::table::{quote, row_id, table_name, words_table};

/// Letters, digits and the marks on them make words, whatever their case; an accent makes another word.
const TOKENS: &str = "unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'";

/// What the trigger of each kind of write is called, and what it does.
const TRIGGERS: [(&str, &str, &str); 3] = [
    ("insert", "INSERT", ADD),
    ("update", "UPDATE OF {column}", FORGET_AND_ADD),
    ("delete", "DELETE", FORGET),
];
const ADD: &str = "INSERT INTO {words} (rowid, words) VALUES (new.{row}, new.{column});";
const FORGET: &str =
    "INSERT INTO {words} ({words}, rowid, words) VALUES ('delete', old.{row}, old.{column});";
const FORGET_AND_ADD: &str =
    "INSERT INTO {words} ({words}, rowid, words) VALUES ('delete', old.{row}, old.{column});
  INSERT INTO {words} (rowid, words) VALUES (new.{row}, new.{column});";

impl Plan {
    pub(super) fn words(
        &mut self,
        db: &Db,
        collection: &Collection,
        taken: &Taken,
        made: &[String],
        indexes: &mut Vec<String>,
    ) -> Result<()> {
        let table = table_name(collection.name());
        for index in collection.indexes().iter().filter(|index| index.full_text) {
            let Some(field) = index.fields.first() else { continue };
            let name = words_table(collection.name(), field);
            let is_ours = made.contains(&name);
            match (taken.get(&name), taken.get(&table)) {
                (Some(words), Some(_)) if is_ours && words.kind == Kind::Virtual => {}
                (Some(_), None) if is_ours => {
                    // The table is gone, and its triggers with it.
                    self.statements.push(format!("DROP TABLE {}", quote(&name)));
                    self.create_words(collection, index, &name)?;
                }
                (Some(_), _) => {
                    let problem = "something else has the name of an index of words; rename it";
                    return Err(SqliteError::table(name, None, problem));
                }
                (None, Some(table)) if !inspect::has_row_ids(db, &table.name)? => {
                    let problem = "words cannot be indexed in a table WITHOUT ROWID; rebuild it";
                    return Err(SqliteError::table(&table.name, Some(field), problem));
                }
                (None, _) => self.create_words(collection, index, &name)?,
            }
            indexes.push(name);
        }
        Ok(())
    }

    fn create_words(&mut self, collection: &Collection, index: &Index, name: &str) -> Result<()> {
        let Some(field) = index.fields.first() else { return Ok(()) };
        let Some(row) = row_id(collection) else {
            let problem = "fields named rowid, _rowid_ and oid leave no way to number the rows that \
                 an index of words needs; rename one";
            return Err(SqliteError::table(&**collection.name(), None, problem));
        };
        let (table, words) = (quote(&table_name(collection.name())), quote(name));
        let fill = |text: &str| {
            text.replace("{words}", &words)
                .replace("{row}", &row)
                .replace("{column}", &quote(field))
        };
        self.statements.push(format!(
            "CREATE VIRTUAL TABLE {words} USING fts5(words, content='', tokenize=\"{TOKENS}\")"
        ));
        for (kind, event, action) in TRIGGERS {
            self.statements.push(format!(
                "CREATE TRIGGER {} AFTER {} ON {table} BEGIN\n  {}\nEND",
                trigger(name, kind),
                fill(event),
                fill(action)
            ));
        }
        self.statements.push(fill(&format!(
            "INSERT INTO {{words}} (rowid, words) SELECT {{row}}, {{column}} FROM {table}"
        )));
        Ok(())
    }

    pub(super) fn drop_words(&mut self, name: &str) {
        for (kind, ..) in TRIGGERS {
            self.statements.push(format!("DROP TRIGGER IF EXISTS {}", trigger(name, kind)));
        }
        self.statements.push(format!("DROP TABLE {}", quote(name)));
    }
}

fn trigger(words: &str, kind: &str) -> String {
    quote(&format!("{words}_{kind}"))
}
