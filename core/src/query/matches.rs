//! Whether an object meets a filter, and which of two objects comes first.
//!
//! Pure, and the reference: what storage answers by itself has to agree with this, and storage that
//! cannot answer by itself filters and sorts with it.

use std::cmp::Ordering;

use super::{Continuation, Direction, Filter, Order, Test};
use crate::schema::Collection;
use crate::value::{Object, Value};

/// Whether the object meets the filter: yes or no, there is no third answer for null.
///
/// An absent field is the same as one that holds null. So `$ne`, `$nin` and `$not` are met by objects
/// that lack the field, `$lt` and its like never are. Whole numbers and floats compare as numbers;
/// other values of different types are neither equal nor ordered.
///
/// # Example
///
/// ```
/// use syncline_core::query::matches;
/// use syncline_core::{Collection, FieldType, Filter, Object, Registry};
///
/// let city = Collection::define("city").field("lat", FieldType::Float);
/// let schema = Registry::new().collections(1, [city]).finish()?;
/// let city = schema.collection("city")?;
///
/// let vila = Object::new().with("id", "vila").with("lat", 42.5);
/// assert!(matches(&Filter::gt("lat", 42), &vila, city));
/// assert!(matches(&Filter::ne("country", "AD"), &vila, city), "absent is not equal to anything");
/// assert!(!matches(&Filter::lt("height", 2_000), &vila, city), "absent is not less than anything");
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn matches(filter: &Filter, object: &Object, collection: &Collection) -> bool {
    match filter {
        Filter::All => true,
        Filter::Keys(keys) => collection.key_of(object).is_some_and(|key| keys.contains(&key)),
        Filter::Field(field, test) => passes(test, object.value(field)),
        Filter::And(all) => all.iter().all(|filter| matches(filter, object, collection)),
        Filter::Or(any) => any.iter().any(|filter| matches(filter, object, collection)),
        Filter::Not(filter) => !matches(filter, object, collection),
    }
}

/// Whether what a field holds passes a test; an absent field holds null.
pub fn passes(test: &Test, held: &Value) -> bool {
    match test {
        Test::Eq(value) => same(held, value),
        Test::Ne(value) => !same(held, value),
        Test::Lt(value) => ordered(held, value) == Some(Ordering::Less),
        Test::Lte(value) => ordered(held, value).is_some_and(Ordering::is_le),
        Test::Gt(value) => ordered(held, value) == Some(Ordering::Greater),
        Test::Gte(value) => ordered(held, value).is_some_and(Ordering::is_ge),
        Test::In(values) => values.iter().any(|value| same(held, value)),
        Test::NotIn(values) => !values.iter().any(|value| same(held, value)),
        Test::Exists(wanted) => held.is_null() != *wanted,
        Test::Prefix(prefix) => held.as_text().is_some_and(|text| text.starts_with(prefix)),
        Test::Words(wanted) => held.as_text().is_some_and(|text| holds_words(text, wanted)),
    }
}

/// Whether a filter takes two values for equal: null is equal to null, 1 to 1.0.
pub fn same(a: &Value, b: &Value) -> bool {
    (a.is_null() && b.is_null()) || ordered(a, b) == Some(Ordering::Equal)
}

/// The words of a text: letters and digits in a row, in small letters.
///
/// # Example
///
/// ```
/// let words: Vec<String> = syncline_core::query::words("It's EASY, 3-fold").collect();
/// assert_eq!(words, ["it", "s", "easy", "3", "fold"]);
/// ```
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Which of two objects of a collection comes first: sorted by `order`, then by primary key.
///
/// Null and absent come first when ascending, last when descending.
pub fn compare(order: &[Order], a: &Object, b: &Object, collection: &Collection) -> Ordering {
    let by_order = order
        .iter()
        .map(|Order { field, direction }| directed(*direction, a.value(field).cmp(b.value(field))));
    let by_key = collection.key().iter().map(|field| a.value(field).cmp(b.value(field)));
    first_difference(by_order.chain(by_key))
}

impl Continuation {
    /// The place behind this object in a result that is sorted by `order`.
    pub fn behind(object: &Object, order: &[Order], collection: &Collection) -> Self {
        Self {
            order: order.iter().map(|order| object.value(&order.field).clone()).collect(),
            key: collection.key().iter().map(|field| object.value(field).clone()).collect(),
        }
    }

    /// Whether the object lies behind this place, and so belongs to a page that is still to come.
    pub fn is_before(&self, object: &Object, order: &[Order], collection: &Collection) -> bool {
        let by_order = order.iter().zip(&self.order).map(|(Order { field, direction }, place)| {
            directed(*direction, place.cmp(object.value(field)))
        });
        let fields = collection.key().iter();
        let by_key = fields.zip(&self.key).map(|(field, place)| place.cmp(object.value(field)));
        first_difference(by_order.chain(by_key)).is_lt()
    }
}

fn first_difference(mut criteria: impl Iterator<Item = Ordering>) -> Ordering {
    criteria.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn directed(direction: Direction, ordering: Ordering) -> Ordering {
    match direction {
        Direction::Ascending => ordering,
        Direction::Descending => ordering.reverse(),
    }
}

/// How two values compare, or nothing if one is null or they are not of one kind.
fn ordered(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Int(int), Value::Float(float)) => int_to_float(*int, *float),
        (Value::Float(float), Value::Int(int)) => int_to_float(*int, *float).map(Ordering::reverse),
        _ if std::mem::discriminant(a) == std::mem::discriminant(b) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Compares exactly: not every whole number of 64 bits is a float.
fn int_to_float(int: i64, float: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    let by_whole = int.cmp(&(whole as i64));
    by_whole.is_ne().then_some(by_whole).or_else(|| whole.partial_cmp(&float))
}

fn holds_words(text: &str, wanted: &[String]) -> bool {
    let held: Vec<String> = words(text).collect();
    wanted.iter().flat_map(|wanted| words(wanted)).all(|word| held.contains(&word))
}

#[cfg(test)]
mod tests;
