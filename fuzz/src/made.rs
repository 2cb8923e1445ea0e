//! JSON made from bytes by a grammar: text that is changed at random is mostly refused at once.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value as Json, json};

/// How deep filters and values are made at most.
const DEEPEST: u8 = 5;

/// Names of collections: few, so that they meet, and some that are plurals of others.
const COLLECTIONS: [&str; 4] = ["a", "as", "city", "cities"];

/// Names of fields and aliases, some of which are those of collections; the last ones are refused.
const NAMES: [&str; 10] = ["b", "c", "d", "id", "a", "x-1", "as", "B", "sync_x", ""];

const TYPES: [&str; 14] = [
    "string",
    "string",
    "int",
    "text",
    "float",
    "boolean",
    "json",
    "datetime",
    "blob",
    "auto-pk",
    "random-key",
    "url",
    "timestamp",
    "nope",
];

/// A schema, as the bytes say.
pub fn schema(data: &mut Unstructured<'_>) -> Result<Json> {
    let mut versions = Vec::new();
    let mut number = 0;
    for _ in 0..data.int_in_range(1..=3_u8)? {
        number += data.int_in_range(1..=2_u32)?;
        versions.push(json!({"version": number, "collections": collections(data, number)?}));
    }
    let mut newest = versions.pop().unwrap_or_default();
    if !versions.is_empty() {
        newest["history"] = versions.into();
    }
    Ok(newest)
}

fn collections(data: &mut Unstructured<'_>, version: u32) -> Result<Json> {
    let mut all = Map::new();
    let first = data.int_in_range(0..=2)?;
    let chosen = &COLLECTIONS[first..data.int_in_range(first..=4)?];
    for name in chosen {
        let mut collection = json!({});
        if rarely(data)? {
            collection["version"] = data.int_in_range(1..=version)?.into();
        }
        let (mut fields, mut indexed) = (Map::new(), Vec::new());
        for _ in 0..data.int_in_range(0..=3_u8)? {
            let mut field = json!({"type": one_of(data, &TYPES)?});
            if rarely(data)? {
                field["optional"] = true.into();
            }
            let name = one_of(data, &NAMES)?;
            indexed.push(name);
            let _ = fields.insert(name.to_owned(), field);
        }
        collection["fields"] = fields.into();
        let relationship = |data: &mut Unstructured<'_>| relationship(data, chosen);
        collection["relationships"] = list(data, 2, relationship)?;
        indexed.extend(chosen);
        collection["indices"] = list(data, 2, |data| index(data, &indexed))?;
        let _ = all.insert((*name).to_owned(), collection);
    }
    Ok(all.into())
}

fn index(data: &mut Unstructured<'_>, fields: &[&str]) -> Result<Json> {
    let one = |data: &mut Unstructured<'_>| -> Result<Json> {
        let name = one_of(data, fields)?;
        Ok(if rarely(data)? { json!({"relationship": name}) } else { name.into() })
    };
    let field = if data.ratio(1, 3)? { list(data, 3, one)? } else { one(data)? };
    let mut index = json!({"field": field});
    if let Some(word) = data.choose(&[None, Some("unique"), Some("pk"), Some("fullText")])? {
        index[word] = true.into();
    }
    Ok(index)
}

fn relationship(data: &mut Unstructured<'_>, targets: &[&str]) -> Result<Json> {
    let mut made = json!({});
    let kind = *data.choose(&["childOf", "singleChildOf", "connects"])?;
    let words = match kind {
        "connects" => ["aliases", "reverseAliases", "fieldNames"],
        _ => ["alias", "reverseAlias", "fieldName"],
    };
    for word in std::iter::once(kind).chain(words) {
        let names = if word == kind { targets } else { &NAMES };
        if word == kind || data.ratio(1, 3)? {
            made[word] = match kind {
                "connects" => json!([one_of(data, names)?, one_of(data, names)?]),
                _ => one_of(data, names)?.into(),
            };
        }
    }
    if rarely(data)? {
        made["optional"] = true.into();
    }
    Ok(made)
}

/// A field and what it holds, as schemas call it.
pub type Field = (&'static str, &'static str);

/// A filter over these fields, as the bytes say.
pub fn filter(data: &mut Unstructured<'_>, fields: &[Field]) -> Result<Json> {
    filter_within(data, fields, DEEPEST)
}

fn filter_within(data: &mut Unstructured<'_>, fields: &[Field], deeper: u8) -> Result<Json> {
    let mut made = json!({});
    for _ in 0..data.int_in_range(0..=3_u8)? {
        let inner = |data: &mut Unstructured<'_>| filter_within(data, fields, deeper - 1);
        match data.int_in_range(0..=9_u8)? {
            0 if deeper > 0 => made["$and"] = list(data, 3, inner)?,
            1 if deeper > 0 => made["$or"] = list(data, 3, inner)?,
            2 if deeper > 0 => made["$not"] = inner(data)?,
            3 => made["$keys"] = list(data, 3, |data| value(data, fields[0].1))?,
            of => {
                let (name, kind) = *data.choose(fields)?;
                made[name] = if of > 6 { value(data, kind)? } else { tests(data, kind, deeper)? };
            }
        }
    }
    Ok(made)
}

fn tests(data: &mut Unstructured<'_>, kind: &str, deeper: u8) -> Result<Json> {
    const WORDS: [&str; 11] =
        ["$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$exists", "$prefix", "$text"];
    let mut made = json!({});
    for _ in 0..data.int_in_range(1..=2_u8)? {
        if deeper > 0 && data.ratio(1, 8)? {
            made["$not"] = tests(data, kind, deeper - 1)?;
            continue;
        }
        let word = *data.choose(&WORDS)?;
        made[word] = match word {
            "$in" | "$nin" => list(data, 3, |data| value(data, kind))?,
            "$exists" => data.arbitrary::<bool>()?.into(),
            "$prefix" => text(data)?.into(),
            "$text" if data.arbitrary()? => list(data, 3, |data| Ok(text(data)?.into()))?,
            "$text" => text(data)?.into(),
            _ => value(data, kind)?,
        };
    }
    Ok(made)
}

/// A value that suits, mostly; of the numbers mostly those at which something changes.
fn value(data: &mut Unstructured<'_>, kind: &str) -> Result<Json> {
    let kind = if rarely(data)? { one_of(data, &TYPES)? } else { kind };
    Ok(match kind {
        "boolean" => data.arbitrary::<bool>()?.into(),
        "int" if data.arbitrary()? => data.arbitrary::<i64>()?.into(),
        "int" | "auto-pk" => data.int_in_range(-2..=4_i64)?.into(),
        "float" if rarely(data)? => data.arbitrary::<f64>()?.into(),
        "float" => {
            let turns = [0.0, -0.0, 1.5, 0.5, 1e300, -1e300, 9_007_199_254_740_992.0, 1e-320];
            (*data.choose(&turns)?).into()
        }
        "datetime" | "timestamp" if data.arbitrary()? => data.arbitrary::<i32>()?.into(),
        "datetime" | "timestamp" => {
            one_of(data, &["2026-11-20T12:00:00.000Z", "0000-01-01T00:00:00-00:01"])?.into()
        }
        "blob" | "binary" => one_of(data, &["", "AP8=", "AA==", "AP8"])?.into(),
        "json" => match data.int_in_range(0..=3_u8)? {
            0 => list(data, 2, |data| value(data, "float"))?,
            1 => json!({"x": value(data, "int")?, "b": text(data)?}),
            _ => value(data, "nope")?,
        },
        "nope" => Json::Null,
        _ => text(data)?.into(),
    })
}

fn text(data: &mut Unstructured<'_>) -> Result<String> {
    const TEXTS: [&str; 12] =
        ["", "a", "b", "Vila", "vil", "V", "easy", "3 fold", "\"", "AND NOT *", "x%_\\", "\u{0}é"];
    if data.ratio(1, 4)? { data.arbitrary() } else { Ok((*data.choose(&TEXTS)?).to_owned()) }
}

/// One of these; the last ones least.
fn one_of<'a>(data: &mut Unstructured<'_>, all: &[&'a str]) -> Result<&'a str> {
    let last = data.int_in_range(1..=all.len().max(1))?;
    data.choose(all.get(..last).unwrap_or_default()).copied()
}

fn rarely(data: &mut Unstructured<'_>) -> Result<bool> {
    data.ratio(1, 8)
}

fn list(
    data: &mut Unstructured<'_>,
    most: u8,
    item: impl Fn(&mut Unstructured<'_>) -> Result<Json>,
) -> Result<Json> {
    (0..data.int_in_range(0..=most)?).map(|_| item(data)).collect()
}
