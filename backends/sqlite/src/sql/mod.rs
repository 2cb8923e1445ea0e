//! The statements that depend on a question: quoted identifiers, bound values, nothing formatted in.

mod filter;
mod find;

use std::rc::Rc;

use rusqlite::CachedStatement;
use rusqlite::types::{ToSql, ToSqlOutput, Value as Stored};
use syncline_core::{Error, Value};

pub(crate) use filter::is_led_by_index;
pub(crate) use find::{Select, Way, selects, sorted};

use crate::connection::Db;
use crate::error::Result;
use crate::value::lend;

/// A statement in the making, and the values it will be bound to.
#[derive(Debug, Default)]
pub(crate) struct Sql<'a> {
    pub(crate) text: String,
    pub(crate) values: Vec<Param<'a>>,
}

/// A value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Param<'a> {
    /// As it stands in the question.
    Given(&'a Value),
    /// Made here.
    Made(Stored),
    /// As many values as one likes, as a table.
    Array(Rc<Vec<Stored>>),
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Given(value) => Ok(lend(value)),
            Self::Made(value) => value.to_sql(),
            Self::Array(values) => values.to_sql(),
        }
    }
}

/// SQLite refuses statements of more values than this.
const MOST_VALUES: usize = 32_766;

impl<'a> Sql<'a> {
    /// The statement with its values, ready to be run.
    pub(crate) fn ready<'d>(&self, db: &'d Db) -> Result<CachedStatement<'d>> {
        if self.values.len() > MOST_VALUES {
            let problem = "there are too many values in one filter; ask in several parts";
            return Err(Error::invalid(problem)
                .with("values", self.values.len())
                .with("most", MOST_VALUES)
                .into());
        }
        let mut statement = db.statement(&self.text)?;
        for (at, value) in self.values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        Ok(statement)
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A place for a value.
    pub(crate) fn bind(&mut self, value: Param<'a>) {
        self.text.push('?');
        self.values.push(value);
    }

    pub(crate) fn given(&mut self, value: &'a Value) {
        self.bind(Param::Given(value));
    }
}
