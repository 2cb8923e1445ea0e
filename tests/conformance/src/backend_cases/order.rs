//! The order of results.

use syncline_core::{Direction, Filter, Find, Object, Result, Value};

use super::support::*;
use crate::Fixture;

fn aged(id: &str, name: &str, age: Option<i64>) -> Object {
    user(id, name).with("age", age)
}

/// Without an order, objects come in the order of their keys, whenever they were stored.
pub async fn unsorted_results_come_in_key_order(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", ["c", "a", "d", "b"].map(|id| user(id, "X"))).await?;
    assert_eq!(ids(&all(fixture, "user").await?), ["a", "b", "c", "d"]);
    let found = fixture.find(Find::new("user", Filter::eq("name", "X"))).await?;
    assert_eq!(ids(&found), ["a", "b", "c", "d"]);
    let stored = [("b", 2), ("a", 10), ("b", -1), ("a", 9)];
    fixture.fill("visit", stored.map(|(url, time)| visit(url, time))).await?;
    let sorted = [visit("a", 9), visit("a", 10), visit("b", -1), visit("b", 2)];
    assert_eq!(all(fixture, "visit").await?, sorted);
    Ok(())
}

/// Numbers 2, 1, 3: sorted up and down.
pub async fn results_sort_by_one_field(fixture: &Fixture) -> Result<()> {
    let stored = [("x", 2), ("z", 1), ("y", 3)].map(|(id, age)| aged(id, "X", Some(age)));
    fixture.fill("user", stored).await?;
    let (up, down) = (ascending("user", "age"), descending("user", "age"));
    finds_in_order(fixture, order_by_one, up, &["z", "x", "y"]).await?;
    finds_in_order(fixture, order_by_one, down, &["y", "x", "z"]).await
}

/// The first few of a sorted result, from either end.
pub async fn sorted_results_can_be_limited(fixture: &Fixture) -> Result<()> {
    let stored = [("x", 2), ("z", 1), ("y", 3)].map(|(id, age)| aged(id, "X", Some(age)));
    fixture.fill("user", stored).await?;
    let (up, down) = (ascending("user", "age").limit(2), descending("user", "age").limit(2));
    finds_in_order(fixture, order_by_one, up, &["z", "x"]).await?;
    finds_in_order(fixture, order_by_one, down, &["y", "x"]).await
}

/// Null and absent come first when ascending, last when descending.
pub async fn null_sorts_before_everything(fixture: &Fixture) -> Result<()> {
    let stored = [("a", Some(0)), ("d", None), ("c", Some(-1)), ("b", None), ("e", Some(i64::MIN))];
    fixture.fill("user", stored.map(|(id, age)| aged(id, "X", age))).await?;
    let (up, down) = (ascending("user", "age"), descending("user", "age"));
    finds_in_order(fixture, order_by_one, up, &["b", "d", "e", "c", "a"]).await?;
    finds_in_order(fixture, order_by_one, down, &["a", "c", "e", "b", "d"]).await
}

/// What is equal in every field of the order comes in the order of the keys, also when descending.
pub async fn ties_come_in_key_order(fixture: &Fixture) -> Result<()> {
    let stored = [("d", "X"), ("a", "Y"), ("c", "X"), ("e", "Y"), ("b", "X")];
    fixture.fill("user", stored.map(|(id, name)| user(id, name))).await?;
    let (up, down) = (ascending("user", "name"), descending("user", "name"));
    finds_in_order(fixture, order_by_one, up, &["b", "c", "d", "a", "e"]).await?;
    finds_in_order(fixture, order_by_one, down, &["a", "e", "b", "c", "d"]).await?;

    let stored = [("b", 2), ("a", 10), ("b", 1), ("a", 9)];
    let noted = |(url, time)| visit(url, time).with("note", "same");
    fixture.fill("visit", stored.map(noted)).await?;
    if let Some(found) = fixture.try_find(order_by_one, descending("visit", "note")).await? {
        assert_eq!(found, [("a", 9), ("a", 10), ("b", 1), ("b", 2)].map(noted));
    }
    Ok(())
}

/// Each field has a direction of its own.
pub async fn results_sort_by_several_fields(fixture: &Fixture) -> Result<()> {
    let stored = [
        aged("e", "X", Some(1)),
        aged("a", "Y", Some(2)),
        aged("d", "X", None),
        aged("b", "Y", None),
        aged("c", "X", Some(3)),
        aged("f", "X", Some(3)),
    ];
    fixture.fill("user", stored).await?;
    let (up, down) = (Direction::Ascending, Direction::Descending);
    let cases: [(Direction, Direction, &[&str]); 4] = [
        (up, up, &["d", "e", "c", "f", "b", "a"]),
        (up, down, &["c", "f", "e", "d", "a", "b"]),
        (down, up, &["b", "a", "d", "e", "c", "f"]),
        (down, down, &["a", "b", "c", "f", "e", "d"]),
    ];
    for (name, age, expected) in cases {
        let find = Find::new("user", Filter::All).order_by("name", name).order_by("age", age);
        finds_in_order(fixture, order_by_many, find, expected).await?;
    }
    let three = descending("user", "active").order_by("age", down).order_by("id", down);
    finds_in_order(fixture, order_by_many, three, &["f", "c", "a", "e", "d", "b"]).await
}

/// Results sort by the key itself, or by a part of it.
pub async fn results_sort_by_key_fields(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", ["c", "a", "d", "b"].map(|id| user(id, "X"))).await?;
    finds_in_order(fixture, order_by_one, ascending("user", "id"), &["a", "b", "c", "d"]).await?;
    finds_in_order(fixture, order_by_one, descending("user", "id"), &["d", "c", "b", "a"]).await?;

    let visits = |visits: [(&str, i64); 4]| visits.map(|(url, time)| visit(url, time));
    fixture.fill("visit", visits([("b", 2), ("a", 9), ("b", 1), ("a", 10)])).await?;
    let cases = [
        (ascending("visit", "time"), [("b", 1), ("b", 2), ("a", 9), ("a", 10)]),
        (descending("visit", "url"), [("b", 1), ("b", 2), ("a", 9), ("a", 10)]),
        (descending("visit", "time"), [("a", 10), ("a", 9), ("b", 2), ("b", 1)]),
        (ascending("visit", "url"), [("a", 9), ("a", 10), ("b", 1), ("b", 2)]),
    ];
    for (find, expected) in cases {
        if let Some(found) = fixture.try_find(order_by_one, find.clone()).await? {
            assert_eq!(found, visits(expected), "{find:?}");
        }
    }
    Ok(())
}

/// Values of each type sort by what they mean; texts by their letters' numbers, not by a language.
pub async fn values_of_each_type_sort(fixture: &Fixture) -> Result<()> {
    let texts = ["", "\0", "10", "9", "B", "a", "a\0", "ab", "é", "\u{fffd}", "🦀"];
    let bytes: [&[u8]; 4] = [b"", b"\0", b"\0\x01", b"\xff"];
    let floats = [f64::MIN, -1.5, 0.0, 5e-324, 0.1, 10.0, 1e300, f64::MAX];
    let ints = [i64::MIN, -10, -9, 0, 9, 10, 1 << 53, (1 << 53) + 1, i64::MAX];
    let types: [(&str, Vec<Value>); 6] = [
        ("flag", vec![false.into(), true.into()]),
        ("text", texts.map(Value::from).into()),
        ("blob", bytes.map(Value::from).into()),
        ("ratio", floats.map(Value::from).into()),
        ("count", ints.map(Value::from).into()),
        ("time", ints.map(Value::Timestamp).into()),
    ];
    for (field, values) in types {
        let object = |n: usize| thing(&format!("{:02}", 50 - n)).with(field, values[n].clone());
        let sorted: Vec<Object> = (0..values.len()).map(object).collect();
        let mixed = sorted.iter().step_by(2).chain(sorted.iter().skip(1).step_by(2)).rev();
        fixture.fill("thing", mixed.cloned()).await?;
        let reversed: Vec<Object> = sorted.iter().rev().cloned().collect();
        for (find, expected) in
            [(ascending("thing", field), &sorted), (descending("thing", field), &reversed)]
        {
            let mut find = find;
            find.page_objects = 3;
            if let Some(found) = fixture.try_find(order_by_one, find).await? {
                assert_eq!(found, *expected, "{field}");
            }
        }
        let everything = syncline_core::Batch::new().delete("thing", Filter::All);
        let _ = fixture.write(everything).await?;
    }
    Ok(())
}

/// Sorting and filtering go together.
pub async fn filtered_results_sort(fixture: &Fixture) -> Result<()> {
    let stored = [
        aged("a", "X", Some(5)),
        aged("b", "Y", Some(4)),
        aged("c", "X", Some(3)),
        aged("d", "X", None),
        aged("e", "X", Some(4)),
    ];
    fixture.fill("user", stored).await?;
    let mut find = descending("user", "age");
    find.filter = Filter::eq("name", "X");
    finds_in_order(fixture, order_by_one, find.clone(), &["a", "e", "c", "d"]).await?;
    find.filter = Filter::Keys(["a", "d", "b"].map(Into::into).into());
    finds_in_order(fixture, order_by_one, find, &["a", "b", "d"]).await
}
