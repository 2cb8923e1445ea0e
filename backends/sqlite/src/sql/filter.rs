//! Filter → condition. Every filter is met or not: null is turned into an answer where it would leak.

use std::rc::Rc;

use rusqlite::types::Value as Stored;
use syncline_core::query::Test;
use syncline_core::schema::Primitive;
use syncline_core::value::Key;
use syncline_core::{Error, Filter, Value};

use super::{Param, Sql};
use crate::error::Result;
use crate::table::{Column, Table};
use crate::value::stored;

impl<'a> Sql<'a> {
    /// Appends a condition that holds for the objects that meet the filter.
    ///
    /// It may be null where it does not hold, as any condition of SQLite may.
    pub(crate) fn filter(&mut self, table: &Table, filter: &'a Filter) -> Result<()> {
        match filter {
            Filter::All => self.push("1"),
            Filter::Keys(keys) => return self.keys(table, keys),
            Filter::Field(field, test) => {
                let column = &table.columns[table.position(field)?];
                return self.test(table, column, test);
            }
            Filter::And(all) => return self.many(table, all, " AND ", "1"),
            Filter::Or(any) => return self.many(table, any, " OR ", "0"),
            Filter::Not(filter) => {
                self.push("(");
                self.filter(table, filter)?;
                self.push(") IS NOT TRUE");
            }
        }
        Ok(())
    }

    /// Halves the list at each step, so that a thousand alternatives are ten levels deep and not a
    /// thousand, which SQLite refuses.
    fn many(
        &mut self,
        table: &Table,
        filters: &'a [Filter],
        operator: &str,
        nothing: &str,
    ) -> Result<()> {
        match filters {
            [] => self.push(nothing),
            [only] => return self.filter(table, only),
            several => {
                let (left, right) = several.split_at(several.len() / 2);
                self.push("(");
                self.many(table, left, operator, nothing)?;
                self.push(operator);
                self.many(table, right, operator, nothing)?;
                self.push(")");
            }
        }
        Ok(())
    }

    fn keys(&mut self, table: &Table, keys: &'a [Key]) -> Result<()> {
        let keys = keys.iter().filter(|key| table.fits(key.values()));
        if let [single] = table.key.as_slice() {
            self.push(&table.columns[*single].compared);
            let values = keys.flat_map(Key::values).map(stored).collect();
            self.array(values);
            return Ok(());
        }
        let keys: Vec<&Key> = keys.collect();
        if keys.is_empty() {
            self.push("0");
            return Ok(());
        }
        for (position, at) in table.key.iter().enumerate() {
            self.push(if position == 0 { "(" } else { ", " });
            self.push(&table.columns[*at].compared);
        }
        self.push(") IN (VALUES ");
        for (position, key) in keys.into_iter().enumerate() {
            self.push(if position == 0 { "(" } else { ", (" });
            for (position, value) in key.values().iter().enumerate() {
                self.push(if position == 0 { "" } else { ", " });
                self.given(value);
            }
            self.push(")");
        }
        self.push(")");
        Ok(())
    }

    fn test(&mut self, table: &Table, column: &Column, test: &'a Test) -> Result<()> {
        match test {
            Test::Eq(Value::Null) | Test::Exists(false) => self.null(column, true),
            Test::Ne(Value::Null) | Test::Exists(true) => self.null(column, false),
            Test::Eq(value) => self.compare(column, " = ", value, "0"),
            Test::Ne(value) => self.compare(column, " IS NOT ", value, "1"),
            Test::Lt(value) => self.compare(column, " < ", value, "0"),
            Test::Lte(value) => self.compare(column, " <= ", value, "0"),
            Test::Gt(value) => self.compare(column, " > ", value, "0"),
            Test::Gte(value) => self.compare(column, " >= ", value, "0"),
            Test::In(values) => self.one_of(column, values),
            Test::NotIn(values) => {
                self.push("(");
                self.one_of(column, values);
                self.push(") IS NOT TRUE");
            }
            Test::Prefix(prefix) => self.prefix(column, prefix),
            Test::Words(words) => return self.words(table, column, words),
        }
        Ok(())
    }

    fn null(&mut self, column: &Column, wanted: bool) {
        self.push(&column.compared);
        self.push(if wanted { " IS NULL" } else { " IS NOT NULL" });
    }

    /// A value of another type is neither equal nor ordered, and must not meet SQLite, which would
    /// take `'1'` for 1.
    fn compare(&mut self, column: &Column, operator: &str, value: &'a Value, otherwise: &str) {
        match comparable(column.primitive, value) {
            Some(value) => {
                self.push(&column.compared);
                self.push(operator);
                self.bind(value);
            }
            None => self.push(otherwise),
        }
    }

    fn one_of(&mut self, column: &Column, values: &'a [Value]) {
        let members = values.iter().filter_map(|value| comparable(column.primitive, value));
        let members = members.map(Param::into_stored).collect();
        let or_null = values.iter().any(Value::is_null);
        if or_null {
            self.push("(");
            self.null(column, true);
            self.push(" OR ");
        }
        self.push(&column.compared);
        self.array(members);
        if or_null {
            self.push(")");
        }
    }

    fn array(&mut self, values: Vec<Stored>) {
        self.push(" IN rarray(");
        self.bind(Param::Array(Rc::new(values)));
        self.push(")");
    }

    /// A range finds a prefix letter by letter and through an index, which `LIKE` and `GLOB` do not.
    fn prefix(&mut self, column: &Column, prefix: &str) {
        if column.primitive != Primitive::Text {
            return self.push("0");
        }
        self.push("(");
        self.push(&column.compared);
        self.push(" >= ");
        self.bind(Param::Made(Stored::Text(prefix.to_owned())));
        if let Some(beyond) = beyond(prefix) {
            self.push(" AND ");
            self.push(&column.compared);
            self.push(" < ");
            self.bind(Param::Made(Stored::Text(beyond)));
        }
        self.push(")");
    }

    fn words(&mut self, table: &Table, column: &Column, wanted: &[String]) -> Result<()> {
        let (Some(index), Some(row)) = (&column.words, &table.row_id) else {
            let problem =
                "the words of this field are not indexed; add a full text index to the schema";
            let error = Error::invalid(problem).with("collection", &table.name);
            return Err(error.with("field", &column.name).into());
        };
        // Each word in quotes, so that none means anything to the search language. What is not ASCII is
        // left to SQLite, which knows letters from marks.
        let between = |letter: char| {
            letter.is_whitespace() || (letter.is_ascii() && !letter.is_ascii_alphanumeric())
        };
        let wanted = wanted.iter().flat_map(|wanted| wanted.split(between));
        // What holds no letter and no digit asks for nothing, as everywhere else.
        let wanted = wanted.filter(|word| syncline_core::query::words(word).next().is_some());
        let wanted: Vec<String> = wanted.map(|word| format!("\"{word}\"")).collect();
        if wanted.is_empty() {
            self.null(column, false);
            return Ok(());
        }
        self.push(&format!("{row} IN (SELECT rowid FROM {index} WHERE words MATCH "));
        self.bind(Param::Made(Stored::Text(wanted.join(" AND "))));
        self.push(")");
        Ok(())
    }
}

impl Param<'_> {
    fn into_stored(self) -> Stored {
        match self {
            Self::Given(value) => stored(value),
            Self::Made(value) => value,
            Self::Array(_) => Stored::Null,
        }
    }
}

/// The value as the column holds it, or nothing if the column cannot hold its like.
fn comparable(primitive: Primitive, value: &Value) -> Option<Param<'_>> {
    match (primitive, value) {
        (_, Value::Float(float)) if float.is_nan() => None,
        (Primitive::Float, Value::Int(int)) => Some(Param::Made(Stored::Real(*int as f64))),
        (Primitive::Int, Value::Float(_)) => Some(Param::Given(value)),
        (primitive, value) => primitive.holds(value).then_some(Param::Given(value)),
    }
}

/// The smallest text greater than every text that begins so, or nothing if there is none.
fn beyond(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        // `char` knows which numbers are no letters, and steps over them.
        if let Some(next) = (last..=char::MAX).nth(1) {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// How much a filter narrows down where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Key,
    Index,
    Nothing,
}

/// Whether an index, other than the primary key's, leads to the objects that meet the filter.
pub(crate) fn is_led_by_index(table: &Table, filter: &Filter) -> bool {
    lead(table, filter) == Lead::Index
}

fn lead(table: &Table, filter: &Filter) -> Lead {
    match filter {
        Filter::All | Filter::Not(_) => Lead::Nothing,
        Filter::Keys(_) => Lead::Key,
        Filter::Field(field, test) => {
            let leads = match test {
                Test::Ne(_) | Test::NotIn(_) | Test::Exists(_) => false,
                Test::Eq(_) | Test::Lt(_) | Test::Lte(_) | Test::Gt(_) | Test::Gte(_) => true,
                Test::In(_) | Test::Prefix(_) => true,
                Test::Words(_) => return Lead::Index,
            };
            match table.position(field) {
                Ok(at) if leads && table.key.first() == Some(&at) => Lead::Key,
                Ok(at) if leads && table.leads.contains(&at) => Lead::Index,
                _ => Lead::Nothing,
            }
        }
        Filter::And(all) => {
            let leads: Vec<Lead> = all.iter().map(|filter| lead(table, filter)).collect();
            let any = |wanted| leads.contains(&wanted);
            match (any(Lead::Key), any(Lead::Index)) {
                (true, _) => Lead::Key,
                (false, true) => Lead::Index,
                (false, false) => Lead::Nothing,
            }
        }
        Filter::Or(any) => {
            let leads: Vec<Lead> = any.iter().map(|filter| lead(table, filter)).collect();
            match leads.contains(&Lead::Nothing) || leads.is_empty() {
                true => Lead::Nothing,
                false => Lead::Index,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_beyond_a_prefix_is_the_smallest_that_does_not_begin_so() {
        for (prefix, expected) in [
            ("a", Some("b")),
            ("a%_*[", Some("a%_*\\")),
            ("é", Some("ê")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(beyond(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
