//! Values that must survive.

use serde_json::json;
use syncline_core::{Batch, Filter, Object, Result, Value};

use super::support::*;
use crate::Fixture;

/// Each value comes back as it was written, by a create and by an update, next to another object.
async fn survive(fixture: &Fixture, field: &str, values: Vec<Value>) -> Result<()> {
    let id = |n: usize| format!("{n:03}");
    let object = |n: usize| thing(&id(n)).with(field, values[n].clone());
    fixture.fill("thing", (0..values.len()).rev().map(object)).await?;
    let expected: Vec<Object> = (0..values.len()).map(object).collect();
    let held = all(fixture, "thing").await?;
    for (held, expected) in held.iter().zip(&expected) {
        assert!(held == expected, "{field}: {} was {}", short(held), short(expected));
    }
    assert_eq!(held.len(), expected.len());

    // Now everybody gets the value of the next one.
    let next = |n: usize| values[(n + 1) % values.len()].clone();
    for n in 0..values.len() {
        let changes = Object::new().with(field, next(n));
        let _ = fixture.write(Batch::new().update("thing", Filter::key(id(n)), changes)).await?;
    }
    for (n, held) in all(fixture, "thing").await?.iter().enumerate() {
        let expected = thing(&id(n)).with(field, next(n));
        assert!(*held == expected, "{field}: {} was {}", short(held), short(&expected));
    }
    let _ = fixture.write(Batch::new().delete("thing", Filter::All)).await?;
    Ok(())
}

fn short(object: &Object) -> String {
    format!("{object:?}").chars().take(200).collect()
}

/// False is not absent, and neither is zero or what is empty.
pub async fn empty_values_survive(fixture: &Fixture) -> Result<()> {
    for (field, value) in [
        ("flag", Value::from(false)),
        ("count", 0.into()),
        ("ratio", 0.0.into()),
        ("name", "".into()),
        ("text", "".into()),
        ("blob", Value::Bytes(Vec::new())),
        ("binary", Value::Bytes(Vec::new())),
        ("time", Value::Timestamp(0)),
        ("date", Value::Timestamp(0)),
    ] {
        survive(fixture, field, vec![value]).await?;
    }
    survive(fixture, "flag", vec![true.into(), false.into()]).await
}

/// The whole range of whole numbers.
pub async fn whole_numbers_survive(fixture: &Fixture) -> Result<()> {
    let ints = [0, 1, -1, 255, 256, 1 << 31, 1 << 32, (1 << 53) + 1, -(1 << 53) - 1];
    let ints = ints.into_iter().chain([i64::MAX, i64::MAX - 1, i64::MIN, i64::MIN + 1]);
    survive(fixture, "count", ints.clone().map(Value::Int).collect()).await?;
    survive(fixture, "time", ints.clone().map(Value::Timestamp).collect()).await?;
    survive(fixture, "date", ints.map(Value::Timestamp).collect()).await
}

/// Floats to the last bit; those without a fraction stay floats.
pub async fn floats_survive(fixture: &Fixture) -> Result<()> {
    let floats = [0.0, 1.0, -1.0, 0.1, 0.1 + 0.2, 1.0 / 3.0, 1e15, 1e16, 9_007_199_254_740_993.0];
    let extreme = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON, 5e-324, -5e-324, 1e300];
    survive(fixture, "ratio", floats.into_iter().chain(extreme).map(Value::Float).collect()).await
}

/// Text letter by letter: nothing in it ends it, escapes it or turns it into something else.
pub async fn texts_survive(fixture: &Fixture) -> Result<()> {
    let texts = [
        "\0",
        "a\0b",
        "a\0",
        "'",
        "''",
        "\"",
        "`",
        "\\",
        "\\0",
        "%",
        "_",
        "?",
        "?1",
        ":a",
        "$1",
        "@a",
        ";",
        "--",
        "/*",
        "'; DROP TABLE thing; --",
        "\n",
        "\r\n",
        "\t",
        " ",
        "  a  ",
        "\u{feff}a",
        "🦀",
        "👩‍👩‍👧‍👦",
        "é",
        "e\u{301}",
        "ß",
        "İ",
        "\u{202e}abc",
        "\u{10ffff}",
        "\u{fffd}",
        "\u{7f}",
        "null",
        "NULL",
        "true",
        "0",
        "007",
        "1.0",
        "1e3",
        "-0",
        "0x10",
        "NaN",
        "{}",
        "[]",
        "\"a\"",
        "x'00'",
        "2020-01-01T00:00:00Z",
    ];
    for field in ["name", "text"] {
        survive(fixture, field, texts.map(Value::from).into()).await?;
    }
    Ok(())
}

/// Bytes one by one, those that are not text included.
pub async fn bytes_survive(fixture: &Fixture) -> Result<()> {
    let all: Vec<u8> = (0..=255).collect();
    let bytes = [vec![], vec![0], vec![0, 0], vec![255], b"text".to_vec(), b"'\"\\".to_vec(), all];
    for field in ["blob", "binary"] {
        survive(fixture, field, bytes.clone().map(Value::Bytes).into()).await?;
    }
    Ok(())
}

/// Large values in one piece.
pub async fn large_values_survive(fixture: &Fixture) -> Result<()> {
    let text = "0123456789abcdé\n".repeat(1 << 16);
    let bytes: Vec<u8> = (0..1_u32 << 20).map(|n| ((n * 31) >> 7) as u8).collect();
    survive(fixture, "text", vec![text.as_str().into(), "small".into()]).await?;
    survive(fixture, "blob", vec![bytes.into(), vec![1_u8].into()]).await?;
    survive(fixture, "json", vec![json!([text, {"deep": text}]).into(), json!(1).into()]).await
}

/// JSON of every kind; JSON null is a value and not the absence of one.
pub async fn json_survives(fixture: &Fixture) -> Result<()> {
    let deep = (0..50)
        .fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) });
    let values = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1.0),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("null"),
        json!("a\0\"\\/\u{1f}🦀"),
        json!([]),
        json!({}),
        json!([null, [], {}]),
        json!({"": null, "a": {"b": [null, 0, false, ""]}}),
        json!({"z": 1, "a": 2, "é": 3, "$x": 4, "a.b": 5}),
        deep,
    ];
    survive(fixture, "json", values.map(Value::Json).into()).await
}

/// Every field of an object at once, in one piece.
pub async fn an_object_with_every_field_survives(fixture: &Fixture) -> Result<()> {
    let full = |id: &str, n: i64| {
        thing(id)
            .with("flag", n == 0)
            .with("blob", vec![n as u8])
            .with("binary", vec![n as u8, 0])
            .with("date", Value::Timestamp(n))
            .with("ratio", n as f64 / 3.0)
            .with("count", n)
            .with("json", json!({"n": n}))
            .with("name", format!("name {n}"))
            .with("text", format!("text {n}"))
            .with("time", Value::Timestamp(-n))
    };
    fixture.fill("thing", [full("b", 1), thing("c"), full("a", 0)]).await?;
    assert_eq!(all(fixture, "thing").await?, [full("a", 0), full("b", 1), thing("c")]);
    let changes = fixture_changes(&full("c", 7));
    let _ = fixture.write(Batch::new().update("thing", Filter::key("c"), changes)).await?;
    assert_eq!(get(fixture, "thing", "c").await?, Some(full("c", 7)));
    Ok(())
}

fn fixture_changes(object: &Object) -> Object {
    let mut changes = object.clone();
    let _ = changes.remove("id");
    changes
}
