//! Filters: each operator on each type.

use serde_json::json;
use syncline_core::query::Test;
use syncline_core::{Filter, Object, Result, Value};

use super::support::*;
use crate::Fixture;

fn test(field: &str, test: Test) -> Filter {
    Filter::Field(field.into(), test)
}

/// Things `a`, `b`, … with these values in one field, stored in reverse, and `~` without the field.
async fn things(fixture: &Fixture, field: &str, values: &[Value]) -> Result<Vec<String>> {
    let id = |n: usize| char::from(b'a' + u8::try_from(n).expect("few values")).to_string();
    let object = |n: usize| thing(&id(n)).with(field, values[n].clone());
    fixture.fill("thing", (0..values.len()).rev().map(object).chain([thing("~")])).await?;
    Ok((0..values.len()).map(id).collect())
}

/// For each type that has an order: its field, and values from the smallest to the greatest.
fn ordered_types() -> Vec<(&'static str, Vec<Value>)> {
    let texts = ["", "\0", "10", "9", "B", "a", "a\0", "ab", "é", "\u{fffd}", "🦀"];
    let bytes: [&[u8]; 5] = [b"", b"\0", b"\0\x01", b"a", b"\xff\x00"];
    let floats = [f64::MIN, -1.5, -0.1, 0.0, 5e-324, 0.1, 2.0, 1e300, f64::MAX];
    let ints = [i64::MIN, -2, -1, 0, 9, 10, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, i64::MAX];
    let times = [i64::MIN, -1, 0, 999, 1_700_000_000_000, i64::MAX].map(Value::Timestamp);
    vec![
        ("flag", vec![false.into(), true.into()]),
        ("blob", bytes.map(Value::from).into()),
        ("binary", bytes.map(Value::from).into()),
        ("date", times.clone().into()),
        ("time", times.into()),
        ("ratio", floats.map(Value::from).into()),
        ("count", ints.map(Value::from).into()),
        ("name", texts.map(Value::from).into()),
        ("text", texts.map(Value::from).into()),
    ]
}

async fn clear(fixture: &Fixture, collection: &str) -> Result<()> {
    let everything = syncline_core::Batch::new().delete(collection, Filter::All);
    fixture.write(everything).await.map(drop)
}

/// Equality finds the values of each type one by one, and nothing else.
pub async fn equality_finds_values_of_each_type(fixture: &Fixture) -> Result<()> {
    for (field, values) in ordered_types() {
        let ids = things(fixture, field, &values).await?;
        for (id, value) in ids.iter().zip(&values) {
            let equal = Filter::eq(field, value.clone());
            finds(fixture, nothing_more, "thing", equal, &[id]).await?;
        }
        finds(fixture, nothing_more, "thing", Filter::eq(field, Value::Null), &["~"]).await?;
        clear(fixture, "thing").await?;
    }
    Ok(())
}

/// JSON is equal when it means the same, however its members are ordered.
pub async fn equality_finds_json(fixture: &Fixture) -> Result<()> {
    let values = [json!(null), json!(0), json!(""), json!([1, null]), json!({"a": 1, "b": {}})];
    let ids = things(fixture, "json", &values.clone().map(Value::Json)).await?;
    for (id, value) in ids.iter().zip(&values) {
        let equal = Filter::eq("json", value.clone());
        finds(fixture, nothing_more, "thing", equal, &[id]).await?;
    }
    let same: serde_json::Value =
        serde_json::from_str(r#" {"b":{}, "a":1} "#).expect("this is JSON");
    finds(fixture, nothing_more, "thing", Filter::eq("json", same), &["e"]).await?;
    finds(fixture, nothing_more, "thing", Filter::eq("json", json!("0")), &[]).await?;
    finds(fixture, nothing_more, "thing", Filter::eq("json", Value::Null), &["~"]).await?;
    finds(fixture, compare, "thing", test("json", Test::Exists(false)), &["~"]).await
}

/// Less, less or equal, greater, greater or equal, on each type that has an order.
pub async fn comparisons_find_values_of_each_type(fixture: &Fixture) -> Result<()> {
    for (field, values) in ordered_types() {
        if field == "flag" {
            continue; // False is not less than true, though it sorts before it.
        }
        let ids = things(fixture, field, &values).await?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for (at, value) in values.iter().enumerate() {
            let value = || value.clone();
            finds(fixture, compare, "thing", Filter::lt(field, value()), &ids[..at]).await?;
            finds(fixture, compare, "thing", Filter::lte(field, value()), &ids[..=at]).await?;
            finds(fixture, compare, "thing", Filter::gt(field, value()), &ids[at + 1..]).await?;
            finds(fixture, compare, "thing", Filter::gte(field, value()), &ids[at..]).await?;
        }
        clear(fixture, "thing").await?;
    }
    Ok(())
}

/// One, two, three: the smallest example of each comparison, between two of them.
pub async fn comparisons_find_a_range(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "count", &[1.into(), 2.into(), 3.into(), 4.into()]).await?;
    let between = Filter::gt("count", 1).and(Filter::lt("count", 4));
    finds(fixture, compare, "thing", between, &["b", "c"]).await?;
    let between = Filter::gte("count", 2).and(Filter::lte("count", 2));
    finds(fixture, compare, "thing", between, &["b"]).await?;
    let nowhere = Filter::gt("count", 3).and(Filter::lt("count", 2));
    finds(fixture, compare, "thing", nowhere, &[]).await
}

/// Null is neither less nor greater than anything.
pub async fn null_is_never_less_or_greater(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "count", &[(-5).into(), 5.into()]).await?;
    for filter in [Filter::lt("count", 100), Filter::lte("count", 5), Filter::gte("count", -5)] {
        finds(fixture, compare, "thing", filter.clone(), &["a", "b"]).await?;
        finds(fixture, compare, "thing", filter.negated(), &["~"]).await?;
    }
    finds(fixture, compare, "thing", Filter::gt("count", -5), &["b"]).await?;
    finds(fixture, compare, "thing", Filter::gt("count", -5).negated(), &["a", "~"]).await
}

/// A value is unequal to others and to null; only null is not unequal to null.
pub async fn inequality_is_met_by_null(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "count", &[0.into(), 1.into(), 2.into()]).await?;
    finds(fixture, compare, "thing", Filter::ne("count", 1), &["a", "c", "~"]).await?;
    finds(fixture, compare, "thing", Filter::ne("count", 7), &["a", "b", "c", "~"]).await?;
    finds(fixture, compare, "thing", Filter::ne("count", Value::Null), &["a", "b", "c"]).await
}

/// One of several values, null among them or not.
pub async fn lists_of_values_find_each_of_them(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "name", &["x".into(), "y".into(), "".into()]).await?;
    let within = |values: &[Value]| test("name", Test::In(values.to_vec()));
    let without = |values: &[Value]| test("name", Test::NotIn(values.to_vec()));
    let (x, y, null) = (Value::from("x"), Value::from("y"), Value::Null);
    let cases: [(&[Value], &[&str], &[&str]); 6] = [
        (&[], &[], &["a", "b", "c", "~"]),
        (&["z".into()], &[], &["a", "b", "c", "~"]),
        (&[y.clone(), "z".into(), y.clone()], &["b"], &["a", "c", "~"]),
        (&[x.clone(), "".into()], &["a", "c"], &["b", "~"]),
        (&[null.clone(), x], &["a", "~"], &["b", "c"]),
        (&[null], &["~"], &["a", "b", "c"]),
    ];
    for (values, inside, outside) in cases {
        finds(fixture, compare, "thing", within(values), inside).await?;
        finds(fixture, compare, "thing", without(values), outside).await?;
        finds(fixture, compare, "thing", within(values).negated(), outside).await?;
        finds(fixture, compare, "thing", without(values).negated(), inside).await?;
    }
    Ok(())
}

/// A list may be as long as a page of keys.
pub async fn long_lists_of_values_are_answered(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "count", &[5_000.into(), 3.into(), (-1).into()]).await?;
    let long = || (0..2_500).map(|n| Value::from(n * 2 + 1));
    finds(fixture, compare, "thing", Filter::is_in("count", long()), &["b"]).await?;
    let outside = test("count", Test::NotIn(long().collect()));
    finds(fixture, compare, "thing", outside, &["a", "c", "~"]).await
}

/// Present means holding something other than null, however little it is.
pub async fn exists_tells_null_from_empty(fixture: &Fixture) -> Result<()> {
    for (field, value) in [
        ("flag", Value::from(false)),
        ("count", 0.into()),
        ("name", "".into()),
        ("blob", Value::Bytes(Vec::new())),
        ("json", Value::Json(json!(null))),
    ] {
        let _ = things(fixture, field, &[value]).await?;
        finds(fixture, compare, "thing", test(field, Test::Exists(true)), &["a"]).await?;
        finds(fixture, compare, "thing", test(field, Test::Exists(false)), &["~"]).await?;
        clear(fixture, "thing").await?;
    }
    Ok(())
}

/// A prefix is compared letter by letter: no letter in it means anything special.
pub async fn prefixes_are_found_letter_by_letter(fixture: &Fixture) -> Result<()> {
    let texts = ["a%b", "a_b", "axb", "A%b", "a*b", "a\\b", "a[b", "é1", "🦀🦀", "", "a'b"];
    let _ = things(fixture, "text", &texts.map(Value::from)).await?;
    let prefix = |prefix: &str| Filter::prefix("text", prefix);
    let cases: [(&str, &[&str]); 12] = [
        ("a", &["a", "b", "c", "e", "f", "g", "k"]),
        ("a%", &["a"]),
        ("a_", &["b"]),
        ("A", &["d"]),
        ("a*", &["e"]),
        ("a\\", &["f"]),
        ("a[", &["g"]),
        ("é", &["h"]),
        ("🦀", &["i"]),
        ("a'", &["k"]),
        ("a%bc", &[]),
        ("", &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]),
    ];
    for (text, expected) in cases {
        finds(fixture, compare, "thing", prefix(text), expected).await?;
    }
    finds(fixture, compare, "thing", prefix("").negated(), &["~"]).await
}

/// A prefix of a key is found, the greatest letter at its end included.
pub async fn prefixes_of_keys_are_found(fixture: &Fixture) -> Result<()> {
    let stored = ["b", "a\u{10ffff}\u{10ffff}", "a", "a\u{10ffff}", "ab", "A", "aaa"];
    fixture.fill("user", stored.map(|id| user(id, "X"))).await?;
    let expected = ["a", "aaa", "ab", "a\u{10ffff}", "a\u{10ffff}\u{10ffff}"];
    finds(fixture, compare, "user", Filter::prefix("id", "a"), &expected).await?;
    let last = Filter::prefix("id", "a\u{10ffff}");
    finds(fixture, compare, "user", last, &expected[3..]).await
}

/// All, any, not, and each inside the others.
pub async fn filters_nest(fixture: &Fixture) -> Result<()> {
    let object =
        |id: &str, name: &str, count: i64| thing(id).with("name", name).with("count", count);
    let stored =
        [object("d", "y", 2), object("a", "x", 1), object("c", "y", 1), object("b", "x", 2)];
    fixture.fill("thing", stored.into_iter().chain([thing("e")])).await?;
    let x = || Filter::eq("name", "x");
    let one = || Filter::eq("count", 1);

    finds(fixture, nothing_more, "thing", x().and(one()), &["a"]).await?;
    finds(fixture, compare, "thing", x().or(one()), &["a", "b", "c"]).await?;
    finds(fixture, compare, "thing", x().negated(), &["c", "d", "e"]).await?;
    finds(fixture, compare, "thing", x().and(one()).negated(), &["b", "c", "d", "e"]).await?;
    finds(fixture, compare, "thing", x().or(one()).negated(), &["d", "e"]).await?;
    finds(fixture, compare, "thing", x().negated().negated(), &["a", "b"]).await?;
    let both = x().and(Filter::ne("count", 1).or(Filter::eq("id", "a").negated()));
    finds(fixture, compare, "thing", both, &["b"]).await?;
    let deep = (0..20).fold(x(), |filter, n| match n % 3 {
        0 => filter.negated(),
        1 => Filter::Or(vec![filter, Filter::eq("id", "nobody")]),
        _ => Filter::And(vec![Filter::All, filter]),
    });
    // Negated seven times, and otherwise the same.
    finds(fixture, compare, "thing", deep, &["c", "d", "e"]).await
}

/// A demand for nothing is always met, a choice between nothing never.
pub async fn empty_combinations_are_answered(fixture: &Fixture) -> Result<()> {
    fixture.fill("thing", [thing("b"), thing("a")]).await?;
    finds(fixture, nothing_more, "thing", Filter::All, &["a", "b"]).await?;
    finds(fixture, nothing_more, "thing", Filter::And(Vec::new()), &["a", "b"]).await?;
    finds(fixture, compare, "thing", Filter::Or(Vec::new()), &[]).await?;
    finds(fixture, compare, "thing", Filter::Or(Vec::new()).negated(), &["a", "b"]).await?;
    finds(fixture, compare, "thing", Filter::All.negated(), &[]).await
}

/// Not is met exactly where the filter is not, null included.
pub async fn not_is_met_by_null(fixture: &Fixture) -> Result<()> {
    let _ = things(fixture, "count", &[1.into(), 2.into()]).await?;
    let tests: [(Test, &[&str]); 7] = [
        (Test::Eq(1.into()), &["b", "~"]),
        (Test::Ne(1.into()), &["a"]),
        (Test::Lt(2.into()), &["b", "~"]),
        (Test::Gte(2.into()), &["a", "~"]),
        (Test::Eq(Value::Null), &["a", "b"]),
        (Test::Ne(Value::Null), &["~"]),
        (Test::Exists(true), &["~"]),
    ];
    for (test, expected) in tests {
        let filter = self::test("count", test);
        finds(fixture, compare, "thing", filter.clone().negated(), expected).await?;
        let within = Filter::All.and(filter.clone().negated());
        finds(fixture, compare, "thing", within, expected).await?;
        let either = filter.clone().or(filter.negated());
        finds(fixture, compare, "thing", either, &["a", "b", "~"]).await?;
    }
    Ok(())
}

/// Filters do not care whether an index helps: by the first, the second or both fields of one.
pub async fn indexes_change_no_answer(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, active: Option<bool>, age: Option<i64>| {
        Object::new().with("id", id).with("name", "X").with("active", active).with("age", age)
    };
    let stored = [
        aged("d", Some(true), Some(2)),
        aged("a", None, Some(1)),
        aged("c", Some(true), None),
        aged("b", Some(false), Some(2)),
    ];
    fixture.fill("user", stored).await?;
    let active = || Filter::eq("active", true);
    finds(fixture, nothing_more, "user", active(), &["c", "d"]).await?;
    finds(fixture, nothing_more, "user", Filter::eq("age", 2), &["b", "d"]).await?;
    finds(fixture, nothing_more, "user", active().and(Filter::eq("age", 2)), &["d"]).await?;
    finds(fixture, nothing_more, "user", active().and(Filter::eq("age", Value::Null)), &["c"])
        .await?;
    finds(fixture, compare, "user", active().and(Filter::lt("age", 9)), &["d"]).await?;
    finds(fixture, compare, "user", Filter::ne("active", true), &["a", "b"]).await
}
