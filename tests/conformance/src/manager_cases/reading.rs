//! Finding, comparing, sorting, counting.

use serde::{Deserialize, Serialize};
use serde_json::json;
use syncline_core::{
    Collection, Direction, FieldType, Filter, Object, Result, StorageManager, Value,
};

use super::support::*;
use crate::Fixture;

/// An optional field that is left out is absent, when created and when found.
pub async fn an_omitted_optional_field_is_absent(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let created = accounts.create(account("ann")).await?;
    same(&created, &account("ann").with("id", 1))?;
    same(accounts.find_by_key(1).await?, Some(created.clone()))?;
    same(accounts.find_by_key(2).await?, None)?;
    let nobody = accounts.create(account("bob").with("nick", Value::Null)).await?;
    same(nobody.contains("nick"), false)?;
    same(accounts.find(Filter::eq("nick", Value::Null)).await?, vec![created, nobody])
}

/// An object is found by what a text field holds, and not by what it does not hold.
pub async fn an_object_is_found_by_text(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let ann = accounts.create(account("ann")).await?;
    let _ = accounts.create(account("bob")).await?;
    same(accounts.find_one(json!({ "name": "ann" })).await?, Some(ann))?;
    same(accounts.find_one(json!({ "name": "zoe" })).await?, None)
}

/// True is true and false is false.
pub async fn an_object_is_found_by_a_boolean(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let off = accounts.create(account("off")).await?;
    let on = accounts.create(account("on").with("active", true)).await?;
    same(accounts.find(json!({ "active": true })).await?, vec![on])?;
    same(accounts.find(json!({ "active": false })).await?, vec![off])
}

/// Events 2, 1, 3, of which `field` holds `value(n)`.
async fn events(storage: &StorageManager, field: &str, value: impl Fn(i64) -> Value) -> Result<()> {
    let events = storage.collection("event")?;
    for number in [2, 1, 3] {
        let event = Object::new().with("id", format!("e{number}")).with(field, value(number));
        let _ = events.create(event).await?;
    }
    Ok(())
}

async fn found(storage: &StorageManager, filter: Filter) -> Result<Vec<String>> {
    let found = storage.collection("event")?.find(filter).await?;
    Ok(found.iter().map(|event| event.value("id").to_string()).collect())
}

async fn compares(fixture: &Fixture, field: &str, value: impl Fn(i64) -> Value) -> Result<()> {
    let storage = open(fixture).await?;
    events(&storage, field, &value).await?;
    let _ = storage.collection("event")?.create(Object::new().with("id", "none")).await?;
    for (filter, wanted) in [
        (Filter::lt(field, value(3)), ["e1", "e2"]),
        (Filter::lte(field, value(2)), ["e1", "e2"]),
        (Filter::gt(field, value(1)), ["e2", "e3"]),
        (Filter::gte(field, value(2)), ["e2", "e3"]),
        (Filter::is_in(field, [value(3), value(1), value(7)]), ["e1", "e3"]),
        (Filter::gt(field, value(1)).and(Filter::lt(field, value(7))), ["e2", "e3"]),
    ] {
        same(found(&storage, filter).await?, wanted.map(str::to_owned).to_vec())?;
    }
    same(found(&storage, Filter::eq(field, value(2))).await?, vec!["e2".to_owned()])
}

/// Whole numbers are less and greater than each other.
pub async fn ints_are_compared(fixture: &Fixture) -> Result<()> {
    compares(fixture, "count", Value::Int).await
}

/// Points in time are before and after each other.
pub async fn timestamps_are_compared(fixture: &Fixture) -> Result<()> {
    compares(fixture, "at", |number| Value::Timestamp(1_700_000_000_000 + number)).await
}

/// Floats are less and greater than each other.
pub async fn floats_are_compared(fixture: &Fixture) -> Result<()> {
    compares(fixture, "weight", |number| Value::Float(number as f64 / 2.0)).await
}

/// Results come sorted up or down, and end where they are told to.
pub async fn results_are_sorted_and_limited(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    events(&storage, "count", Value::Int).await?;
    let collection = storage.collection("event")?;
    for (direction, limit, wanted) in [
        (Direction::Ascending, 9, vec![1, 2, 3]),
        (Direction::Descending, 9, vec![3, 2, 1]),
        (Direction::Ascending, 2, vec![1, 2]),
        (Direction::Descending, 2, vec![3, 2]),
    ] {
        let sorted = collection.query(Filter::All).order_by("count", direction).limit(limit);
        let counts = sorted.all().await?;
        let counts: Vec<_> =
            counts.iter().filter_map(|event| event.value("count").as_int()).collect();
        same(counts, wanted)?;
    }
    Ok(())
}

/// Counting agrees with finding.
pub async fn objects_are_counted(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    events(&storage, "count", Value::Int).await?;
    let events = storage.collection("event")?;
    same(events.count(Filter::All).await?, 3)?;
    same(events.count(Filter::eq("count", 1)).await?, 1)?;
    same(events.count(json!({ "count": { "$lt": 3 } })).await?, 2)?;
    same(storage.collection("note")?.count(Filter::All).await?, 0)
}

/// A long answer streams, whatever the size of a page.
pub async fn a_long_answer_streams(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let notes = storage.collection("note")?;
    let ids = (0..2_500).map(|number| format!("n{number:04}"));
    let _ = notes.create_many(ids.map(|id| note(&id, &id))).await?;
    for size in [999, 1_000, 2_500] {
        let mut stream = notes.query(Filter::All).page_size(size).stream()?;
        let mut count = 0;
        while let Some(object) = stream.next().await {
            same(object?.value("id"), &Value::from(format!("n{count:04}")))?;
            count += 1;
        }
        same(count, 2_500)?;
    }
    Ok(())
}

/// A Rust type comes back as it was stored.
pub async fn typed_objects_survive(fixture: &Fixture) -> Result<()> {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        id: String,
        flag: bool,
        int: i64,
        float: f64,
        text: String,
        bytes: Vec<u8>,
        at: i64,
        json: Option<Vec<(String, Option<u8>)>>,
        absent: Option<String>,
    }
    let all = Collection::define("all")
        .field("flag", FieldType::Boolean)
        .field("int", FieldType::Int)
        .field("float", FieldType::Float)
        .field("text", FieldType::Text)
        .field("bytes", FieldType::Binary)
        .field("at", FieldType::Datetime)
        .optional("json", FieldType::Json)
        .optional("absent", FieldType::String);
    let storage = open_with(fixture, [all]).await?;
    let typed = storage.collection("all")?.typed::<All>();
    let zero = All {
        id: "zero".into(),
        flag: false,
        int: 0,
        float: 0.0,
        text: String::new(),
        bytes: Vec::new(),
        at: 0,
        json: Some(Vec::new()),
        absent: None,
    };
    let full = All {
        id: "full".into(),
        flag: true,
        int: i64::MIN,
        float: -1.5e300,
        text: "ü\n\"\0'".into(),
        bytes: vec![0, 1, 255],
        at: -1,
        json: Some(vec![("a".into(), Some(1)), ("b".into(), None)]),
        absent: Some(String::new()),
    };
    for wanted in [zero, full] {
        same(typed.create(&wanted).await?, wanted.clone())?;
        same(typed.find_by_key(wanted.id.as_str()).await?, Some(wanted))?;
    }
    Ok(())
}

/// Words are found in a text, where the backend can.
pub async fn words_are_found(fixture: &Fixture) -> Result<()> {
    let text = Collection::define("text").field("body", FieldType::Text).full_text("body");
    let storage = open_with(fixture, [text]).await?;
    let texts = storage.collection("text")?;
    let easy = Object::new().with("id", "a").with("body", "testing this stuff is not always easy");
    let _ = texts.create(easy.clone()).await?;
    let _ =
        texts.create(Object::new().with("id", "b").with("body", "uneasy lies the head")).await?;
    same(texts.find(json!({ "body": { "$text": ["easy"] } })).await?, vec![easy])
}
