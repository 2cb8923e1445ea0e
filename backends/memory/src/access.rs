//! The way to the objects that a filter can mean: by keys, along the primary key, or all of them.

use syncline_core::query::{Demands, Test, passes};
use syncline_core::schema::{Collection, Primitive};
use syncline_core::value::{Key, Name};
use syncline_core::{Filter, Value};

/// A way to objects, and what is still to be asked of each of them.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) access: Access<'a>,
    pub(crate) rest: Vec<&'a Filter>,
}

/// Where to look.
#[derive(Debug)]
pub(crate) enum Access<'a> {
    /// At these keys, sorted and each once.
    Keys(Vec<Key>),
    /// From this key on, as long as the keys stay within the span.
    From(Key, Span<'a>),
}

/// Keys that begin with the same values, and end by what is demanded of the value behind those.
#[derive(Debug, Default)]
pub(crate) struct Span<'a> {
    beginning: Vec<Value>,
    end: Vec<&'a Test>,
}

impl Span<'_> {
    /// Whether the key lies within; keys in order lie within up to some key, and none behind it.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        let values = key.values();
        values.starts_with(&self.beginning)
            && values
                .get(self.beginning.len())
                .is_none_or(|value| self.end.iter().all(|test| passes(test, value)))
    }
}

impl<'a> Plan<'a> {
    /// The shortest way that leaves nothing out.
    pub(crate) fn new(filter: &'a Filter, collection: &Collection) -> Self {
        let mut demands = Demands::of(filter);
        let access = match demands.take_keys(collection) {
            Some(keys) => Access::Keys(keys),
            None => along_the_key(&demands, collection),
        };
        Self { access, rest: demands.all().to_vec() }
    }
}

/// The part of the key order in which everything lies that meets the demands.
fn along_the_key<'a>(demands: &Demands<'a>, collection: &Collection) -> Access<'a> {
    let mut beginning = Vec::new();
    for (field, primitive) in collection.key().iter().zip(collection.key_primitives()) {
        match demands.equal(field, primitive) {
            Some(value) => beginning.push(value.clone()),
            None => return range(beginning, demands, field, primitive),
        }
    }
    Access::From(Key::compound(beginning.clone()), Span { beginning, end: Vec::new() })
}

/// The keys that begin so and go on with values between those that the demands on `field` allow.
fn range<'a>(
    beginning: Vec<Value>,
    demands: &Demands<'a>,
    field: &Name,
    primitive: Primitive,
) -> Access<'a> {
    let usable = |value: &Value| primitive.holds(value);
    let lowest = demands.tests(field).filter_map(|test| match test {
        Test::Gt(value) | Test::Gte(value) if usable(value) => Some(value.clone()),
        Test::Prefix(prefix) if primitive == Primitive::Text => Some(Value::Text(prefix.clone())),
        _ => None,
    });
    let first = Key::compound(beginning.iter().cloned().chain(lowest.max()));
    let end = demands
        .tests(field)
        .filter(|test| match test {
            Test::Lt(value) | Test::Lte(value) => usable(value),
            Test::Prefix(_) => primitive == Primitive::Text,
            _ => false,
        })
        .collect();
    Access::From(first, Span { beginning, end })
}

#[cfg(test)]
mod tests {
    use syncline_core::{FieldType, Registry};

    use super::*;

    /// The log is read by `seq > x`: what lies before `x` must not be looked at.
    #[test]
    fn a_range_of_keys_begins_and_ends_where_it_is_asked_for() {
        let entry = Collection::define("entry")
            .field("lane", FieldType::String)
            .field("seq", FieldType::Int)
            .key(["lane", "seq"]);
        let mark = Collection::define("mark").field("seq", FieldType::Int).key(["seq"]);
        let schema = Registry::new().collections(1, [entry, mark]).finish().expect("it is sound");
        let check = |name: &str, filter: Filter, first: Key, inside: Key, behind: Option<Key>| {
            let collection = schema.collection(name).expect("both are defined");
            let Access::From(from, span) = Plan::new(&filter, collection).access else {
                panic!("{filter:?} names no keys")
            };
            assert_eq!(from, first, "{filter:?}");
            assert!(span.holds(&inside), "{filter:?}");
            assert!(behind.is_none_or(|behind| !span.holds(&behind)), "{filter:?}");
        };
        let both = |lane: &str, seq: i64| Key::compound([Value::from(lane), Value::from(seq)]);
        let nothing = Key::compound([]);
        let lane = || Filter::eq("lane", "b");

        check("mark", Filter::All, nothing.clone(), 3.into(), None);
        check("mark", Filter::gt("seq", 7), 7.into(), 8.into(), None);
        let between = Filter::gte("seq", 7).and(Filter::lt("seq", 9));
        check("mark", between, 7.into(), 8.into(), Some(9.into()));
        let whole_lane = (Key::from("b"), both("b", 1), Some(both("c", 0)));
        check("entry", lane(), whole_lane.0, whole_lane.1, whole_lane.2);
        let rest = lane().and(Filter::gt("seq", 7));
        check("entry", rest, both("b", 7), both("b", 8), Some(both("c", 0)));
        let start = Filter::lte("seq", 7).and(lane());
        check("entry", start, "b".into(), both("b", 7), Some(both("b", 8)));
        check("entry", Filter::gt("seq", 7), nothing, both("a", 1), None);
        let prefix = Filter::prefix("lane", "b");
        check("entry", prefix, "b".into(), both("bc", 1), Some(both("c", 1)));
    }
}
