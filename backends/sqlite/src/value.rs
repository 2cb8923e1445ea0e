//! Values to SQLite and back.

use rusqlite::types::{ToSql, ToSqlOutput, Value as Stored, ValueRef};
use syncline_core::Value;
use syncline_core::schema::Primitive;
use syncline_core::value::canonical::json_text;

/// A value on its way into a statement.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(lend(self.0))
    }
}

/// A value as SQLite takes it, lent where it can be.
pub(crate) fn lend(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Bool(bool) => ValueRef::Integer(i64::from(*bool)),
        Value::Int(int) | Value::Timestamp(int) => ValueRef::Integer(*int),
        Value::Float(float) => ValueRef::Real(*float),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Bytes(bytes) => ValueRef::Blob(bytes),
        Value::Json(json) => return ToSqlOutput::Owned(Stored::Text(json_text(json))),
    })
}

/// A value that a statement keeps for itself, as members of an array are.
pub(crate) fn stored(value: &Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Bool(bool) => Stored::Integer(i64::from(*bool)),
        Value::Int(int) | Value::Timestamp(int) => Stored::Integer(*int),
        Value::Float(float) => Stored::Real(*float),
        Value::Text(text) => Stored::Text(text.clone()),
        Value::Bytes(bytes) => Stored::Blob(bytes.clone()),
        Value::Json(json) => Stored::Text(json_text(json)),
    }
}

/// What a column holds, or the name of what it should not hold.
///
/// Other programs may write anything. What can only mean one thing is taken: a whole number in a
/// column of floats, a number in a column of JSON.
pub(crate) fn read(primitive: Primitive, value: ValueRef<'_>) -> Result<Value, &'static str> {
    Ok(match (primitive, value) {
        (_, ValueRef::Null) => Value::Null,
        (Primitive::Text, ValueRef::Text(text)) => Value::Text(utf8(text)?.to_owned()),
        (Primitive::Int, ValueRef::Integer(int)) => Value::Int(int),
        (Primitive::Timestamp, ValueRef::Integer(int)) => Value::Timestamp(int),
        (Primitive::Bool, ValueRef::Integer(int @ (0 | 1))) => Value::Bool(int == 1),
        (Primitive::Float, ValueRef::Real(float)) if float.is_finite() => Value::Float(float),
        (Primitive::Float, ValueRef::Integer(int)) => Value::Float(int as f64),
        (Primitive::Bytes, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        (Primitive::Json, ValueRef::Text(text)) => {
            Value::Json(serde_json::from_str(utf8(text)?).map_err(|_| "text that is not JSON")?)
        }
        (Primitive::Json, ValueRef::Integer(int)) => Value::Json(int.into()),
        (Primitive::Json, ValueRef::Real(float)) if float.is_finite() => Value::Json(float.into()),
        (_, ValueRef::Text(_)) => return Err("text"),
        (_, ValueRef::Integer(_)) => return Err("a whole number"),
        (_, ValueRef::Real(_)) => return Err("a number"),
        (_, ValueRef::Blob(_)) => return Err("bytes"),
    })
}

fn utf8(text: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(text).map_err(|_| "text that is not UTF-8")
}

/// What a schema calls a primitive, for messages.
pub(crate) fn name(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "boolean",
        Primitive::Bytes => "bytes",
        Primitive::Float => "float",
        Primitive::Int => "int",
        Primitive::Json => "json",
        Primitive::Text => "text",
        Primitive::Timestamp => "timestamp",
    }
}

/// About how many bytes a value takes in memory and on a wire.
pub(crate) fn weight(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => 8,
    }
}
