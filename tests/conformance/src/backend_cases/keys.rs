//! Finding objects by their keys.

use std::collections::BTreeMap;

use syncline_core::value::Key;
use syncline_core::{Batch, Filter, Find, Object, Result, Value};

use super::support::*;
use crate::Fixture;

fn keys<K: Into<Key>>(keys: impl IntoIterator<Item = K>) -> Filter {
    Filter::Keys(keys.into_iter().map(Into::into).collect())
}

/// Without a key nothing is found, updated or deleted.
pub async fn no_keys_mean_no_objects(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    finds(fixture, nothing_more, "user", keys::<&str>([]), &[]).await?;
    let none = || Filter::Keys(Vec::new());
    let changes = Object::new().with("age", 1);
    let _ = fixture.write(Batch::new().update("user", none(), changes)).await?;
    let _ = fixture.write(Batch::new().delete("user", none())).await?;
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// Each key finds its object once, however often it is named; absent keys find nothing.
pub async fn keys_find_their_objects_once(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    finds(fixture, nothing_more, "user", keys(["eve"]), &["eve"]).await?;
    finds(fixture, nothing_more, "user", keys(["zoe"]), &[]).await?;
    let several = keys(["eve", "zoe", "ann", "eve", "Ann", ""]);
    finds(fixture, nothing_more, "user", several, &["ann", "eve"]).await
}

/// Thousands of keys in one call are the ordinary case for sync.
pub async fn two_thousand_keys_find_their_objects(fixture: &Fixture) -> Result<()> {
    let id = |n: usize| format!("u{n:05}");
    let stored = (0..1_500).map(|n| n * 7 % 1_500);
    fixture.fill("user", stored.map(|n| user(&id(n * 2), "X"))).await?;

    // Every other key is of an object that is not there, and one is named twice.
    let asked = (0..2_000).map(|n| n * 3 % 2_000).chain([4]);
    let mut find = Find::new("user", keys(asked.map(id)));
    find.page_objects = 300;
    let found = fixture.find(find).await?;
    let expected: Vec<String> = (0..1_000).map(|n| id(n * 2)).collect();
    assert_eq!(ids(&found), expected);

    let some = || keys((0..2_000).map(|n| id(n * 2)));
    let changes = Object::new().with("age", 9);
    let _ = fixture.write(Batch::new().update("user", some(), changes)).await?;
    finds(fixture, nothing_more, "user", Filter::eq("age", 8), &[]).await?;
    let updated = fixture.find(Find::new("user", Filter::eq("age", 9))).await?;
    assert_eq!(updated.len(), 1_500);
    let some = keys((2..2_002).map(|n| id(n * 2)));
    let _ = fixture.write(Batch::new().delete("user", some)).await?;
    assert_eq!(ids(&all(fixture, "user").await?), [id(0), id(2)]);
    Ok(())
}

/// A compound key names an object by all of its values together.
pub async fn compound_keys_find_their_objects(fixture: &Fixture) -> Result<()> {
    let stored = [("b", 1), ("a", 2), ("a", 10), ("a,2", 1), ("b", 2), ("a", -3)];
    fixture.fill("visit", stored.map(|(url, time)| visit(url, time))).await?;
    let asked = [("b", 2), ("a", 1), ("a", 2), ("a", -3), ("b", 2)];
    let asked = keys(asked.map(|(url, time)| visit_key(url, time)));
    let found = fixture.find(Find::new("visit", asked.clone())).await?;
    assert_eq!(found, [visit("a", -3), visit("a", 2), visit("b", 2)]);

    let _ = fixture
        .write(Batch::new().update("visit", asked.clone(), Object::new().with("note", "x")))
        .await?;
    let noted = fixture.find(Find::new("visit", Filter::eq("note", "x"))).await?;
    assert_eq!(noted.len(), 3);
    let _ = fixture.write(Batch::new().delete("visit", asked)).await?;
    let rest = [visit("a", 10), visit("a,2", 1), visit("b", 1)];
    assert_eq!(all(fixture, "visit").await?, rest);
    Ok(())
}

/// Several thousand compound keys in one call.
pub async fn two_thousand_compound_keys_find_their_objects(fixture: &Fixture) -> Result<()> {
    let stored = (0..900).map(|n| visit(if n % 2 == 0 { "even" } else { "odd" }, n * 7 % 900));
    fixture.fill("visit", stored).await?;
    // Numbers that are 7 times even numbers modulo 900 are even.
    let asked = keys((0..2_000).map(|n| visit_key("even", n)));
    let found = fixture.find(Find::new("visit", asked)).await?;
    let expected: Vec<Object> = (0..450).map(|n| visit("even", n * 2)).collect();
    assert_eq!(found, expected);
    Ok(())
}

/// Fields of a compound key are found like any others.
pub async fn parts_of_a_key_find_objects(fixture: &Fixture) -> Result<()> {
    let stored = [("b", 1), ("a", 2), ("a", 10), ("b", 2)];
    fixture.fill("visit", stored.map(|(url, time)| visit(url, time))).await?;
    let found = fixture.find(Find::new("visit", Filter::eq("url", "a"))).await?;
    assert_eq!(found, [visit("a", 2), visit("a", 10)]);
    let found = fixture.find(Find::new("visit", Filter::eq("time", 2))).await?;
    assert_eq!(found, [visit("a", 2), visit("b", 2)]);
    let both = Filter::eq("url", "b").and(Filter::eq("time", 2));
    assert_eq!(fixture.find(Find::new("visit", both)).await?, [visit("b", 2)]);

    let behind = Filter::eq("url", "a").and(Filter::gt("time", 2));
    if let Some(found) = fixture.try_find(compare, Find::new("visit", behind)).await? {
        assert_eq!(found, [visit("a", 10)]);
    }
    let before = Filter::lt("url", "b").and(Filter::lte("time", 2));
    if let Some(found) = fixture.try_find(compare, Find::new("visit", before)).await? {
        assert_eq!(found, [visit("a", 2)]);
    }
    Ok(())
}

/// Keys of each type that a key can have, stored out of order and found in order.
pub async fn keys_of_each_type_find_their_objects(fixture: &Fixture) -> Result<()> {
    let bytes = |bytes: &[u8]| Value::from(bytes);
    let time = Value::Timestamp;
    let sorted: [(&str, &str, Vec<Value>); 5] = [
        (
            "number",
            "n",
            [i64::MIN, -10, -9, 0, 2, 10, 1 << 53, (1 << 53) + 1, i64::MAX].map(Value::Int).into(),
        ),
        (
            "file",
            "hash",
            vec![bytes(b""), bytes(b"\0"), bytes(b"\0\0"), bytes(b"a"), bytes(b"\xff")],
        ),
        ("moment", "at", [i64::MIN, -1, 0, 1_700_000_000_000, i64::MAX].map(time).into()),
        ("switch", "on", vec![false.into(), true.into()]),
        (
            "user",
            "id",
            ["", "\0", " ", "0", "01", "1", "1.0", "1e0", "A", "a", "a\0", "a\0b", "ab", "null"]
                .into_iter()
                .chain(["é", "\u{fffd}", "🦀", "🦀🦀"])
                .map(Value::from)
                .collect(),
        ),
    ];
    for (collection, field, values) in sorted {
        let object = |value: &Value| {
            Object::new().with(field, value.clone()).with("name", format!("{value:?}"))
        };
        let objects: Vec<Object> = values.iter().map(object).collect();
        // Every third, then the others: neither in order nor against it.
        let mixed: BTreeMap<usize, &Object> =
            objects.iter().enumerate().map(|(n, object)| (n % 3 * 100 + n, object)).collect();
        fixture.fill(collection, mixed.into_values().cloned()).await?;
        assert_eq!(all(fixture, collection).await?, objects, "{collection} in the order of keys");
        for (value, object) in values.iter().zip(&objects) {
            let found = get(fixture, collection, value.clone()).await?;
            assert_eq!(found.as_ref(), Some(object), "{collection} {value:?}");
            let equal = Find::new(collection, Filter::eq(field, value.clone()));
            assert_eq!(fixture.find(equal).await?, std::slice::from_ref(object));
        }
    }
    Ok(())
}

/// Keys narrow a filter like any other demand.
pub async fn keys_combine_with_other_demands(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, age: i64| user(id, "X").with("age", age);
    fixture.fill("user", [aged("d", 1), aged("a", 1), aged("c", 2), aged("b", 2)]).await?;
    let both = keys(["a", "b", "x"]).and(Filter::eq("age", 1));
    finds(fixture, compare, "user", both, &["a"]).await?;
    let either = keys(["a", "x"]).or(Filter::eq("age", 2));
    finds(fixture, compare, "user", either, &["a", "b", "c"]).await?;
    let twice = keys(["a", "b", "c"]).and(keys(["d", "c", "b"]));
    finds(fixture, compare, "user", twice, &["b", "c"]).await?;
    finds(fixture, compare, "user", keys(["a", "d", "x"]).negated(), &["b", "c"]).await?;
    finds(fixture, compare, "user", keys::<&str>([]).negated(), &["a", "b", "c", "d"]).await
}

/// The log is read by a range of its keys: from behind a number on, in order.
pub async fn ranges_of_keys_find_their_objects(fixture: &Fixture) -> Result<()> {
    let number = |n: i64| Object::new().with("n", n);
    fixture.fill("number", (0..200).map(|n| number(n * 77 % 200))).await?;
    let cases: [(Filter, std::ops::Range<i64>); 5] = [
        (Filter::gt("n", 150), 151..200),
        (Filter::gte("n", 10).and(Filter::lt("n", 20)), 10..20),
        (Filter::lte("n", 5), 0..6),
        (Filter::gt("n", 20).and(Filter::lt("n", 10)), 0..0),
        (Filter::gt("n", 3).and(Filter::gt("n", 190)).and(Filter::lt("n", 1_000)), 191..200),
    ];
    for (filter, expected) in cases {
        let expected: Vec<Object> = expected.map(number).collect();
        let mut find = Find::new("number", filter.clone());
        find.page_objects = 7;
        if let Some(found) = fixture.try_find(compare, find.clone()).await? {
            assert_eq!(found, expected, "{filter:?}");
        }
        let ordered = find.order_by("n", syncline_core::Direction::Ascending);
        let needed = |can| compare(can) && order_by_one(can);
        if let Some(found) = fixture.try_find(needed, ordered).await? {
            assert_eq!(found, expected, "{filter:?} sorted by the key itself");
        }
    }
    Ok(())
}
