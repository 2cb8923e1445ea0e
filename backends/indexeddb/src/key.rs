//! Values as bytes that sort as the values do: IndexedDB compares keys of bytes byte by byte.
//!
//! Its own numbers are floats, which are not exact beyond 2^53, and its own texts are compared by UTF-16,
//! which puts some letters elsewhere than Rust does. Bytes are the same everywhere. No encoded value is
//! the beginning of another one, so what begins with certain values is one range.

use syncline_core::value::{Key, canonical};
use syncline_core::{Object, Value};

/// Ends text and bytes. A zero inside is followed by [`INSIDE`], so it sorts behind this.
const END: [u8; 2] = [0, 0];

/// What follows a zero inside text and bytes.
const INSIDE: u8 = 0xff;

/// Keys from one on, up to another that is not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// The first; from the start if this is empty.
    pub(crate) from: Vec<u8>,
    /// Where it ends; never if nothing is said.
    pub(crate) to: Option<Vec<u8>>,
}

impl Span {
    /// What begins so.
    pub(crate) fn beginning(bytes: Vec<u8>) -> Self {
        Self { to: after_all(&bytes), from: bytes }
    }

    /// Leaves out what lies from this key on.
    pub(crate) fn end_at(&mut self, key: Vec<u8>) {
        if self.to.as_ref().is_none_or(|to| key < *to) {
            self.to = Some(key);
        }
    }

    /// Whether nothing can lie within. IndexedDB refuses such ranges.
    pub(crate) fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }

    /// Whether a key lies within.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        *self.from <= *key && self.to.as_ref().is_none_or(|to| *key < **to)
    }
}

/// The first bytes behind everything that begins so; nothing if there are none.
pub(crate) fn after_all(beginning: &[u8]) -> Option<Vec<u8>> {
    let last = beginning.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = beginning[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

/// A primary key.
pub(crate) fn of_key(key: &Key) -> Vec<u8> {
    of_values(key.values())
}

/// The whole number that is a key, if it is one.
pub(crate) fn number(key: &[u8]) -> Option<i64> {
    let bytes = key.strip_prefix(&[2])?;
    Some((u64::from_be_bytes(bytes.try_into().ok()?) ^ 1 << 63).cast_signed())
}

/// Several values, one behind the other.
pub(crate) fn of_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    for value in values {
        put(&mut out, value);
    }
    out
}

/// What an object holds in these fields; an absent field is null.
pub(crate) fn put_fields(out: &mut Vec<u8>, object: &Object, fields: &[syncline_core::Name]) {
    for field in fields {
        put(out, object.value(field));
    }
}

/// One value behind what is there.
pub(crate) fn put(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(bool) => out.extend([1, u8::from(*bool)]),
        Value::Int(int) => put_signed(out, 2, *int),
        Value::Float(float) => put_float(out, *float),
        Value::Timestamp(millis) => put_signed(out, 4, *millis),
        Value::Text(text) => put_whole(out, 5, text.as_bytes()),
        Value::Bytes(bytes) => put_whole(out, 6, bytes),
        Value::Json(json) => put_whole(out, 7, canonical::json_text(json).as_bytes()),
    }
}

/// The beginning of every text that begins so.
pub(crate) fn put_beginning(out: &mut Vec<u8>, text: &str) {
    out.push(5);
    put_escaped(out, text.as_bytes());
}

fn put_signed(out: &mut Vec<u8>, tag: u8, number: i64) {
    out.push(tag);
    // Negative numbers come first once the sign is turned round.
    out.extend((number.cast_unsigned() ^ 1 << 63).to_be_bytes());
}

fn put_float(out: &mut Vec<u8>, float: f64) {
    // Negative zero is zero, in storage as in filters.
    let bits = (float + 0.0).to_bits();
    let negative = bits >> 63 == 1;
    out.push(3);
    out.extend((if negative { !bits } else { bits ^ 1 << 63 }).to_be_bytes());
}

fn put_whole(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    put_escaped(out, bytes);
    out.extend(END);
}

fn put_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    if !bytes.contains(&0) {
        return out.extend_from_slice(bytes);
    }
    for byte in bytes {
        out.push(*byte);
        if *byte == 0 {
            out.push(INSIDE);
        }
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use proptest::prelude::*;
    use syncline_core::query::{Test, passes};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        // Few letters, and the ones at which UTF-8 and UTF-16 part, so that values meet.
        let text = proptest::collection::vec(
            prop_oneof![Just('\0'), Just('a'), Just('b'), Just('\u{ff61}'), Just('\u{10000}')],
            0..4,
        );
        let bytes = proptest::collection::vec(prop_oneof![Just(0), Just(1), Just(255)], 0..4);
        let int = prop_oneof![any::<i64>(), -3_i64..3, Just((1 << 53) + 1), Just(1 << 53)];
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            int.clone().prop_map(Value::from),
            int.prop_map(Value::Timestamp),
            prop_oneof![any::<f64>(), Just(0.0), Just(1.5), Just(-1.5)]
                .prop_filter("finite", |float| float.is_finite())
                .prop_map(|float| Value::from(float + 0.0)),
            text.prop_map(|text| Value::from(text.into_iter().collect::<String>())),
            bytes.prop_map(|bytes| Value::from(Vec::<u8>::from_iter(bytes))),
            Just(Value::Json(serde_json::json!({"b": 1, "a": "\u{0}"}))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn keys_sort_as_their_values_do(
            a in proptest::collection::vec(value(), 0..3),
            b in proptest::collection::vec(value(), 0..3),
        ) {
            prop_assert_eq!(of_values(&a).cmp(&of_values(&b)), a.cmp(&b), "{:?} {:?}", a, b);
        }

        #[test]
        fn whole_numbers_are_read_again(number: i64, other in value()) {
            prop_assert_eq!(super::number(&of_key(&number.into())), Some(number));
            let is_number = super::number(&of_key(&other.clone().into()));
            prop_assert_eq!(is_number, other.as_int());
        }

        #[test]
        fn what_begins_with_a_value_is_one_range(
            first in value(), other in value(), rest in value(),
        ) {
            let range = Span::beginning(of_values([&first]));
            let key = of_values([&other, &rest]);
            prop_assert_eq!(range.holds(&key), first == other, "{:?} {:?}", first, other);
        }

        #[test]
        fn texts_that_begin_so_are_one_range(text in value(), prefix in "[a\0]{0,2}") {
            let mut beginning = Vec::new();
            put_beginning(&mut beginning, &prefix);
            let held = Span::beginning(beginning).holds(&of_values([&text]));
            prop_assert_eq!(held, passes(&Test::Prefix(prefix), &text));
        }
    }

    #[test]
    fn a_span_without_room_is_empty() {
        let mut span = Span::beginning(of_values([&Value::from(1)]));
        assert!(!span.is_empty());
        span.end_at(span.from.clone());
        assert!(span.is_empty());
        assert_eq!(after_all(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(after_all(&[255]), None);
    }
}
