//! The JSON codec: entries as people can read them, values tagged where JSON has no type of its own.
//!
//! Text, booleans, null and whole numbers are JSON's. The others are objects with one member:
//! `{"float": "1.5"}`, `{"bytes": "00ff"}` (hexadecimal), `{"timestamp": 1700000000000}` and
//! `{"json": …}`. A float is text, because not every reader of JSON keeps all its digits.

use serde_json::{Map, Value as Json, json};

use super::{Context, Entry, Op, Write};
use crate::id::{hex, unhex};
use crate::value::json::map;
use crate::value::json_text;
use crate::{Error, Key, Name, Object, Result, Stamp, Value};

/// Writes entries as one JSON array, one entry a line.
pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = String::with_capacity(entries.len() * 256);
    for (position, entry) in entries.iter().enumerate() {
        out.push_str(if position == 0 { "[" } else { ",\n" });
        out.push_str(&json_text::written(&entry_to_json(entry)));
    }
    out.push_str(if entries.is_empty() { "[]" } else { "]\n" });
    out.into_bytes()
}

/// How deep the JSON of entries is nested at most: `serde_json` reads 127 levels of a value, and this
/// codec wraps a value in four.
const DEEPEST: usize = 127 + 4;

/// Reads such an array.
pub(super) fn decode(first: u64, body: &[u8]) -> Result<Vec<Entry>> {
    if is_deeper(body, DEEPEST) {
        return Err(Error::corrupt("a segment's JSON is nested too deep"));
    }
    // The usual limit would leave values unreadable that the canonical bytes can hold.
    let entries = json_text::read_flat(body)
        .map_err(|error| Error::corrupt("a segment's JSON is broken").caused_by(error))?;
    let Json::Array(entries) = entries else {
        return Err(Error::corrupt("a segment's JSON is no list"));
    };
    let read = |(seq, entry): (u64, &Json)| {
        entry_from_json(seq, entry).ok_or_else(|| {
            Error::corrupt("a segment's JSON holds something other than an entry").with("seq", seq)
        })
    };
    (first..).zip(&entries).map(read).collect()
}

/// Whether more brackets than this are open at some place. What is no JSON may get any answer: it is
/// refused where it is read.
fn is_deeper(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    json.iter().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > limit
    })
}

fn entry_to_json(entry: &Entry) -> Json {
    let mut out = Map::new();
    let mut put = |name: &str, value: Json| drop(out.insert(name.to_owned(), value));
    put("at", json!([entry.stamp.millis(), entry.stamp.counter()]));
    if entry.more {
        put("more", true.into());
    }
    if let Some(context) = &entry.context {
        put("context", hex(&context.to_bytes()).into());
    }
    if let Some(write) = &entry.write {
        put("schema", write.schema.into());
        put("collection", (*write.collection).into());
        put("key", write.key.values().iter().map(value_to_json).collect());
        match &write.op {
            Op::Create(fields) => put("create", fields_to_json(fields)),
            Op::Update(fields) => put("update", fields_to_json(fields)),
            Op::Delete => put("delete", true.into()),
        }
    }
    if !entry.extensions.is_empty() {
        let all = entry.extensions.iter().map(|(id, bytes)| json!([id, hex(bytes)]));
        put("extensions", all.collect());
    }
    Json::Object(out)
}

fn entry_from_json(seq: u64, json: &Json) -> Option<Entry> {
    let millis = json["at"][0].as_u64()?;
    let counter = json["at"][1].as_u64().filter(|counter| *counter <= 0xffff)?;
    let stamp = Stamp::from_bits(millis.checked_mul(1 << 16)? | counter).ok()?;
    let context = match json.get("context") {
        None => None,
        Some(text) => Some(Context::from_bytes(&unhex(text.as_str()?)?).ok()?),
    };
    let extension = |pair: &Json| Some((pair[0].as_u64()?, unhex(pair[1].as_str()?)?));
    let extensions = match json.get("extensions") {
        None => Vec::new(),
        Some(all) => all.as_array()?.iter().map(extension).collect::<Option<_>>()?,
    };
    let more = json.get("more") == Some(&Json::Bool(true));
    let write = if json.get("collection").is_some() { Some(write_from_json(json)?) } else { None };
    Some(Entry { seq, stamp, more, context, write, extensions })
}

fn write_from_json(json: &Json) -> Option<Write> {
    let key = json["key"].as_array()?.iter().map(value_from_json).collect::<Option<Vec<_>>>()?;
    let op = if let Some(fields) = json.get("create") {
        Op::Create(fields_from_json(fields)?)
    } else if let Some(fields) = json.get("update") {
        Op::Update(fields_from_json(fields)?)
    } else {
        json.get("delete").map(|_| Op::Delete)?
    };
    Some(Write {
        schema: u32::try_from(json["schema"].as_u64()?).ok()?,
        collection: Name::from(json["collection"].as_str()?),
        key: Key::compound(key),
        op,
    })
}

fn fields_to_json(fields: &Object) -> Json {
    let pairs = fields.iter().map(|(name, value)| (name.to_string(), value_to_json(value)));
    Json::Object(map(pairs))
}

fn fields_from_json(json: &Json) -> Option<Object> {
    let mut fields = Object::with_capacity(json.as_object()?.len());
    for (name, value) in json.as_object()? {
        let _ = fields.set(Name::from(name.as_str()), value_from_json(value)?);
    }
    Some(fields)
}

fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => (*bool).into(),
        Value::Int(int) => (*int).into(),
        Value::Float(float) => json!({ "float": json_text::float_text(float + 0.0) }),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => json!({ "bytes": hex(bytes) }),
        Value::Timestamp(millis) => json!({ "timestamp": millis }),
        Value::Json(json) => json!({ "json": json }),
    }
}

fn value_from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(_) => return None,
        Json::Object(tagged) => {
            let (tag, contents) = tagged.iter().next().filter(|_| tagged.len() == 1)?;
            match tag.as_str() {
                "float" => {
                    // As JSON has numbers: browsers need not load another way to read them.
                    let float: f64 =
                        json_text::read(contents.as_str()?.as_bytes()).ok()?.as_f64()?;
                    // Turns -0.0 into 0.0, as the canonical bytes have it.
                    Value::Float(Some(float + 0.0).filter(|float| float.is_finite())?)
                }
                "bytes" => Value::Bytes(unhex(contents.as_str()?)?),
                "timestamp" => Value::Timestamp(contents.as_i64()?),
                "json" => Value::Json(contents.clone()),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Codec;
    use crate::value::canonical::Reader;

    fn entry(value: Value) -> Entry {
        let op = Op::Create(Object::new().with("a", value));
        let write = Some(Write { schema: 1, collection: "c".into(), key: "k".into(), op });
        let stamp = Stamp::at_millis(5);
        Entry { seq: 1, stamp, more: false, context: None, write, extensions: Vec::new() }
    }

    /// A value within this many lists.
    fn nested(depth: usize) -> Value {
        Value::Json((0..depth).fold(Json::Null, |inner, _| Json::Array(vec![inner])))
    }

    #[test]
    fn a_value_as_deep_as_the_canonical_bytes_can_hold_is_read_back() {
        let entries = [entry(nested(127))];
        let canonical = entries[0].to_bytes();
        assert_eq!(Entry::from_bytes(1, &canonical).unwrap(), entries[0]);
        for codec in Codec::ALL {
            let body = codec.encode(1, &canonical).unwrap();
            assert_eq!(codec.decode(1, &body).unwrap(), entries, "{codec:?}");
        }
    }

    #[test]
    fn what_is_deeper_than_the_stack_is_refused() {
        for text in ["[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
            assert!(decode(1, text.as_bytes()).is_err());
        }
        let quoted = Value::from("[\"\\{".repeat(1_000));
        let body = encode(&[entry(quoted.clone())]);
        assert_eq!(decode(1, &body).unwrap(), [entry(quoted)], "brackets in text do not count");
    }

    #[test]
    fn a_negative_zero_becomes_what_the_canonical_bytes_say() {
        let body = String::from_utf8(encode(&[entry(0.0.into())])).unwrap();
        let entries = decode(1, body.replace("0.0", "-0.0").as_bytes()).unwrap();
        let bytes = entries[0].to_bytes();
        assert_eq!(Entry::read(1, &mut Reader::new(&bytes)).unwrap(), entries[0]);
    }
}
