//! Filters and orders as people write them; the words are MongoDB's.
//!
//! ```json
//! {"country": "AD", "lat": {"$gt": 42.4, "$lt": 42.6}, "$or": [{"name": {"$prefix": "V"}}, {"admin1": null}]}
//! ```
//!
//! Members of an object must all be met. A field stands with a value, which means `$eq`, or with tests.
//! `$and`, `$or` take a list of filters, `$not` one filter or, in a field, tests. `$keys` takes a list of
//! primary keys.

use serde_json::{Value as Json, json};

use super::{Direction, Filter, Order, Test, words};
use crate::schema::{Collection, Field, Primitive};
use crate::value::Quoted;
use crate::value::Value;
use crate::value::json::{field_from_json, key_from_json, key_to_json, short, value_to_json};
use crate::{Error, Result};

/// How deep filters may be nested.
pub const DEEPEST_FILTER: usize = 64;

const TESTS: &str = "$eq, $ne, $lt, $lte, $gt, $gte, $in, $nin, $exists, $prefix, $text, $not";
const COMBINATIONS: &str = "$and, $or, $not, $keys";

impl Filter {
    /// A filter over this collection from JSON.
    ///
    /// A relationship may be named by its alias. Values are read by the types of their fields, see
    /// [`value::json`](crate::value::json).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a field, an operator or a type is wrong, or
    /// if filters are nested deeper than [`DEEPEST_FILTER`].
    ///
    /// # Example
    ///
    /// ```
    /// use serde_json::json;
    /// use syncline_core::{Collection, FieldType, Filter, Registry};
    ///
    /// let city = Collection::define("city")
    ///     .field("name", FieldType::String)
    ///     .field("lat", FieldType::Float);
    /// let schema = Registry::new().collections(1, [city]).finish()?;
    /// let city = schema.collection("city")?;
    ///
    /// let filter = Filter::from_json(&json!({"name": "Vila", "lat": {"$gt": 42}}), city)?;
    /// assert_eq!(filter, Filter::gt("lat", 42.0).and(Filter::eq("name", "Vila")));
    /// assert_eq!(Filter::from_json(&filter.to_json(), city)?, filter);
    ///
    /// let error = Filter::from_json(&json!({"nmae": "Vila"}), city).unwrap_err();
    /// assert!(error.to_string().contains("nmae"));
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn from_json(json: &Json, collection: &Collection) -> Result<Self> {
        Parser { collection }
            .filter(json, DEEPEST_FILTER)
            .and_then(|filter| flat_enough(&filter, DEEPEST_FILTER).map(|()| filter))
            .map_err(|error| error.with("collection", collection.name()))
    }

    /// The filter as JSON, which [`from_json`](Self::from_json) reads back.
    ///
    /// Empty lists are written as what they mean: all of nothing is every object, one of nothing is
    /// none.
    pub fn to_json(&self) -> Json {
        match self {
            Self::All => json!({}),
            Self::Keys(keys) => {
                json!({"$keys": keys.iter().map(key_to_json).collect::<Vec<_>>()})
            }
            Self::Field(field, test) => json!({&**field: test_json(test)}),
            Self::And(all) if all.is_empty() => json!({}),
            Self::And(all) => json!({"$and": all.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Or(any) if any.is_empty() => json!({"$not": {}}),
            Self::Or(any) => json!({"$or": any.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Not(filter) => json!({"$not": filter.to_json()}),
        }
    }
}

fn test_json(test: &Test) -> Json {
    let argument = match test {
        // Only a JSON object could be taken for tests.
        Test::Eq(value) if !matches!(value, Value::Json(Json::Object(_))) => {
            return value_to_json(value);
        }
        Test::Eq(value)
        | Test::Ne(value)
        | Test::Lt(value)
        | Test::Lte(value)
        | Test::Gt(value)
        | Test::Gte(value) => value_to_json(value),
        Test::In(values) | Test::NotIn(values) => values.iter().map(value_to_json).collect(),
        Test::Exists(wanted) => json!(wanted),
        Test::Prefix(prefix) => json!(prefix),
        Test::Words(words) => json!(words),
    };
    json!({test.word(): argument})
}

struct Parser<'a> {
    collection: &'a Collection,
}

impl Parser<'_> {
    fn filter(&self, json: &Json, deeper: usize) -> Result<Filter> {
        let deeper = descend(deeper)?;
        let members = json.as_object().ok_or_else(|| {
            Error::invalid("a filter is written as an object").with("got", short(json))
        })?;
        let mut all = Vec::with_capacity(members.len());
        for (name, json) in members {
            if name.starts_with('$') {
                all.push(self.combination(name, json, deeper)?);
            } else {
                self.field(name, json, deeper, &mut all)?;
            }
        }
        Ok(together(all))
    }

    fn combination(&self, word: &str, json: &Json, deeper: usize) -> Result<Filter> {
        let filters = || -> Result<Vec<Filter>> {
            list(word, json)?.iter().map(|filter| self.filter(filter, deeper)).collect()
        };
        match word {
            "$and" => Ok(Filter::And(not_empty(word, filters()?)?)),
            "$or" => Ok(Filter::Or(not_empty(word, filters()?)?)),
            "$not" => Ok(self.filter(json, deeper)?.negated()),
            "$keys" => {
                let keys = list(word, json)?.iter().map(|key| key_from_json(key, self.collection));
                Ok(Filter::Keys(keys.collect::<Result<_>>()?))
            }
            _ => Err(Error::invalid("there is no such operator, or it belongs to a field")
                .with("operator", Quoted(word))
                .with("known", COMBINATIONS)),
        }
    }

    fn field(&self, name: &str, json: &Json, deeper: usize, all: &mut Vec<Filter>) -> Result<()> {
        let field = self.collection.resolve(name).ok_or_else(|| {
            Error::invalid("there is no such field; correct it or leave it out")
                .with("field", Quoted(name))
        })?;
        let operator =
            |of: &serde_json::Map<String, Json>| of.keys().any(|key| key.starts_with('$'));
        match json.as_object() {
            Some(tests) if operator(tests) => self.tests(field, json, deeper, all),
            Some(_) if field.kind.primitive() != Primitive::Json => {
                Err(Error::invalid("a field stands with a value or with tests")
                    .with("field", name)
                    .with("known", TESTS))
            }
            _ => {
                all.push(self.test(field, "$eq", json)?);
                Ok(())
            }
        }
    }

    fn tests(
        &self,
        field: &Field,
        json: &Json,
        deeper: usize,
        all: &mut Vec<Filter>,
    ) -> Result<()> {
        let tests = json.as_object().filter(|tests| !tests.is_empty()).ok_or_else(|| {
            Error::invalid("`$not` takes an object of tests here")
                .with("got", short(json))
                .with("field", &field.name)
                .with("known", TESTS)
        })?;
        for (word, json) in tests {
            if word == "$not" {
                let mut inner = Vec::new();
                self.tests(field, json, descend(deeper)?, &mut inner)?;
                all.push(together(inner).negated());
            } else {
                all.push(self.test(field, word, json)?);
            }
        }
        Ok(())
    }

    fn test(&self, field: &Field, word: &str, json: &Json) -> Result<Filter> {
        let value = || field_from_json(json, field);
        let values = || -> Result<Vec<Value>> {
            list(word, json)?.iter().map(|json| field_from_json(json, field)).collect()
        };
        let test = match word {
            "$eq" => Test::Eq(value()?),
            "$ne" => Test::Ne(value()?),
            "$lt" => Test::Lt(value()?),
            "$lte" => Test::Lte(value()?),
            "$gt" => Test::Gt(value()?),
            "$gte" => Test::Gte(value()?),
            "$in" => Test::In(values()?),
            "$nin" => Test::NotIn(values()?),
            "$exists" => {
                Test::Exists(json.as_bool().ok_or_else(|| takes(word, "true or false", json))?)
            }
            "$prefix" => {
                Test::Prefix(json.as_str().ok_or_else(|| takes(word, "text", json))?.to_owned())
            }
            "$text" => Test::Words(text_words(word, json)?),
            _ => {
                return Err(Error::invalid("there is no such test")
                    .with("operator", Quoted(word))
                    .with("field", &field.name)
                    .with("known", TESTS));
            }
        };
        test.suits(field, self.collection)?;
        Ok(Filter::Field(field.name.clone(), test))
    }
}

/// One filter for several that must all be met.
fn together(mut all: Vec<Filter>) -> Filter {
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, None) => Filter::All,
        (_, Some(last)) => {
            all.push(last);
            Filter::And(all)
        }
    }
}

/// Holds if the filter is no deeper than this. Several members of an object make one filter more than
/// their JSON is deep, and what is printed must be readable again.
fn flat_enough(filter: &Filter, deeper: usize) -> Result<()> {
    let deeper = descend(deeper)?;
    match filter {
        Filter::All | Filter::Keys(_) | Filter::Field(..) => Ok(()),
        Filter::And(several) | Filter::Or(several) => {
            several.iter().try_for_each(|filter| flat_enough(filter, deeper))
        }
        Filter::Not(filter) => flat_enough(filter, deeper),
    }
}

/// One level less to go, so that no input is deeper than the stack.
pub(crate) fn descend(deeper: usize) -> Result<usize> {
    deeper.checked_sub(1).ok_or_else(|| {
        Error::invalid("filters are nested too deep; write this one flatter")
            .with("most", DEEPEST_FILTER)
    })
}

fn takes(word: &str, wanted: &str, got: &Json) -> Error {
    Error::invalid("an operator takes something else")
        .with("operator", word)
        .with("wanted", wanted)
        .with("got", short(got))
}

fn list<'a>(word: &str, json: &'a Json) -> Result<&'a Vec<Json>> {
    json.as_array().ok_or_else(|| takes(word, "a list", json))
}

fn not_empty(word: &str, filters: Vec<Filter>) -> Result<Vec<Filter>> {
    if filters.is_empty() {
        return Err(Error::invalid("an operator takes a list of at least one filter")
            .with("operator", word));
    }
    Ok(filters)
}

fn text_words(word: &str, json: &Json) -> Result<Vec<String>> {
    let wanted = "text, or a list of words";
    match json {
        Json::String(text) => Ok(words(text).collect()),
        Json::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| takes(word, wanted, item)))
            .collect(),
        other => Err(takes(word, wanted, other)),
    }
}

impl Order {
    /// The fields to sort by, as people write them: `"-name,lat"` is by name, greatest first, then by
    /// latitude.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a field is unknown, stands there twice or
    /// cannot be sorted by.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_core::query::{Direction, Order};
    /// use syncline_core::{Collection, FieldType, Registry};
    ///
    /// let city = Collection::define("city").field("name", FieldType::String);
    /// let schema = Registry::new().collections(1, [city]).finish()?;
    /// let order = Order::parse("-name, id", schema.collection("city")?)?;
    /// assert_eq!(order[0], Order { field: "name".into(), direction: Direction::Descending });
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn parse(text: &str, collection: &Collection) -> Result<Vec<Self>> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let mut order = Vec::new();
        for part in parts {
            let (name, direction) = match part.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (part, Direction::Ascending),
            };
            let field = collection.resolve(name).ok_or_else(|| {
                Error::invalid("there is no such field to sort by")
                    .with("field", Quoted(name))
                    .with("collection", collection.name())
            })?;
            order.push(Self { field: field.name.clone(), direction });
        }
        check_order(&order, collection)?;
        Ok(order)
    }

    /// The fields to sort by, from JSON: text as in [`parse`](Self::parse), or a list of such texts.
    ///
    /// # Errors
    ///
    /// Like [`parse`](Self::parse), and if the JSON is something else.
    pub fn from_json(json: &Json, collection: &Collection) -> Result<Vec<Self>> {
        let other = || {
            Error::invalid("an order is text such as \"-name,lat\", or a list of such texts")
                .with("got", short(json))
        };
        match json {
            Json::String(text) => Self::parse(text, collection),
            Json::Array(parts) => {
                let parts: Option<Vec<&str>> = parts.iter().map(Json::as_str).collect();
                Self::parse(&parts.ok_or_else(other)?.join(","), collection)
            }
            _ => Err(other()),
        }
    }
}

/// Holds if results can be sorted so; the fields are named by their own names.
pub(crate) fn check_order(order: &[Order], collection: &Collection) -> Result<()> {
    for (position, Order { field, .. }) in order.iter().enumerate() {
        let message = match collection.field(field) {
            None => "there is no such field to sort by",
            Some(of) if of.kind.primitive() == Primitive::Json => "a json field has no order",
            Some(_) if order[..position].iter().any(|before| before.field == *field) => {
                "a field to sort by stands there twice"
            }
            Some(_) => continue,
        };
        return Err(Error::invalid(message)
            .with("field", Quoted(field))
            .with("collection", collection.name()));
    }
    Ok(())
}
