//! The one mapping between values and plain JSON for people: the command, REST, the browser.
//!
//! | field type | JSON |
//! |---|---|
//! | boolean | `true`, `false` |
//! | int, auto-pk | a whole number of 64 bits |
//! | float | a number |
//! | string, text | text |
//! | blob, binary | base64 text |
//! | datetime, timestamp | RFC 3339 text such as `"2026-11-20T12:00:00.000Z"`, or milliseconds since 1970 |
//! | json | any JSON |
//!
//! Null is null in every type; a custom type is written as what it stores, or as what its
//! [`prepare`](crate::schema::CustomType::prepare) takes. The log does not use this mapping: it keeps
//! types, see [`canonical`](super::canonical).

use serde_json::{Map, Value as Json};

use super::json_text::written;
use super::quoted::Quoted;
use super::{Key, Name, Object, Value, base64, date};
use crate::operation::Nested;
use crate::schema::{Collection, Field, FieldType, Primitive, RelationshipKind, Schema};
use crate::{Error, Result};

/// How deep objects may be nested in [`nested_from_json`].
pub const DEEPEST_NESTING: usize = 64;

/// A value of this type from JSON.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with what was wanted and what was there.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use syncline_core::Value;
/// use syncline_core::schema::Primitive;
/// use syncline_core::value::json::{value_from_json, value_to_json};
///
/// let noon = value_from_json(&json!("2026-11-20T12:00:00Z"), Primitive::Timestamp)?;
/// assert_eq!(noon, Value::Timestamp(1_795_176_000_000));
/// assert_eq!(value_to_json(&noon), json!("2026-11-20T12:00:00.000Z"));
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn value_from_json(json: &Json, kind: Primitive) -> Result<Value> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    let value = match kind {
        Primitive::Bool => json.as_bool().map(Value::Bool),
        Primitive::Bytes => json.as_str().and_then(base64::decode).map(Value::Bytes),
        Primitive::Float => json.as_f64().map(Value::Float),
        Primitive::Int => json.as_i64().map(Value::Int),
        Primitive::Json => Some(Value::Json(json.clone())),
        Primitive::Text => json.as_str().map(Value::from),
        Primitive::Timestamp => match json {
            Json::String(text) => Some(Value::Timestamp(
                date::parse(text)
                    .map_err(|reason| Error::invalid(reason).with("got", written(json)))?,
            )),
            json => json.as_i64().map(Value::Timestamp),
        },
    };
    value.ok_or_else(|| wrong_type(kind, json))
}

fn wrong_type(kind: Primitive, json: &Json) -> Error {
    let wanted = match kind {
        Primitive::Bool => "true or false",
        Primitive::Bytes => "base64 text",
        Primitive::Float => "a number",
        Primitive::Int => "a whole number of 64 bits",
        Primitive::Json => "any JSON",
        Primitive::Text => "text",
        Primitive::Timestamp => "RFC 3339 text or whole milliseconds",
    };
    Error::invalid("the value is of another type").with("wanted", wanted).with("got", short(json))
}

/// As much of a JSON value as fits into a message.
pub(crate) fn short(json: &Json) -> String {
    const LONGEST: usize = 60;
    let text = match json {
        Json::Array(_) => return "a list".to_owned(),
        Json::Object(_) => return "an object".to_owned(),
        scalar => written(scalar),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A value of this field from JSON.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the field, what was wanted and what was
/// there.
pub fn field_from_json(json: &Json, field: &Field) -> Result<Value> {
    let value = value_from_json(json, field.kind.primitive());
    match (&field.kind, value) {
        // What applications hand to a custom type need not be what it stores: it will judge.
        (FieldType::Custom(_), Err(_)) => Ok(natural(json)),
        (_, value) => value.map_err(|error| error.with("field", &field.name)),
    }
}

/// The value that JSON looks like when no type says what it is.
fn natural(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(float)) => Value::Float(float),
            (None, None) => Value::Json(json.clone()),
        },
        Json::Array(_) | Json::Object(_) => Value::Json(json.clone()),
    }
}

/// A value as JSON.
///
/// Timestamps outside the years 0 to 9999 are written as milliseconds. A float that is not finite,
/// which no storage holds, is written as null.
pub fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Int(int) => Json::from(*int),
        Value::Float(float) => Json::from(*float),
        Value::Text(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(base64::encode(bytes)),
        Value::Timestamp(millis) => {
            date::format(*millis).map_or_else(|| Json::from(*millis), Json::String)
        }
        Value::Json(json) => json.clone(),
    }
}

/// An object of this collection from JSON; a relationship may be named by its alias.
///
/// Required fields may be missing here: whether an object is whole is checked when it is written.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a member is no field, or of another type.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use syncline_core::value::json::{object_from_json, object_to_json};
/// use syncline_core::{Collection, FieldType, Registry, Value};
///
/// let city = Collection::define("city").field("lat", FieldType::Float);
/// let schema = Registry::new().collections(1, [city]).finish()?;
/// let city = schema.collection("city")?;
///
/// let object = object_from_json(&json!({"id": "vila", "lat": 42}), city)?;
/// assert_eq!(object.get("lat"), Some(&Value::from(42.0)));
/// assert_eq!(object_to_json(&object), json!({"id": "vila", "lat": 42.0}));
///
/// let error = object_from_json(&json!({"lat": "42"}), city).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the value is of another type (wanted: a number, got: \"42\", field: lat, collection: city)"
/// );
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn object_from_json(json: &Json, collection: &Collection) -> Result<Object> {
    let members = members(json, collection)?;
    let mut object = Object::with_capacity(members.len());
    for (name, json) in members {
        let field = collection.resolve(name).ok_or_else(|| unknown(name, collection))?;
        set(&mut object, field, json, collection)?;
    }
    Ok(object)
}

/// An object of this collection with its children, which stand under the reverse aliases of the
/// relationships that refer to it: a list, or one object for the only child.
///
/// # Errors
///
/// Like [`object_from_json`]; also if a child names its parent, or if objects are nested too deep.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use syncline_core::value::json::nested_from_json;
/// use syncline_core::{Collection, FieldType, Registry};
///
/// let user = Collection::define("user").field("name", FieldType::String);
/// let email = Collection::define("email").field("address", FieldType::String).child_of("user");
/// let schema = Registry::new().collections(1, [user, email]).finish()?;
///
/// let json = json!({"name": "Ann", "emails": [{"address": "ann@example.com"}]});
/// let ann = nested_from_json(&json, schema.collection("user")?, &schema)?;
/// assert_eq!(&*ann.children[0].0, "emails");
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn nested_from_json(json: &Json, collection: &Collection, schema: &Schema) -> Result<Nested> {
    nested(json, collection, schema, None, DEEPEST_NESTING)
}

fn nested(
    json: &Json,
    collection: &Collection,
    schema: &Schema,
    parent: Option<&Name>,
    deeper: usize,
) -> Result<Nested> {
    let mut nested = Nested::default();
    for (name, json) in members(json, collection)? {
        if let Some(field) = collection.resolve(name) {
            if parent == Some(&field.name) {
                return Err(Error::invalid(
                    "a nested child does not name its parent; leave it out",
                )
                .with("field", name)
                .with("collection", collection.name()));
            }
            set(&mut nested.object, field, json, collection)?;
            continue;
        }
        let (child, relationship) =
            schema.child(collection.name(), name).ok_or_else(|| unknown(name, collection))?;
        if deeper == 0 {
            return Err(Error::invalid("objects are nested too deep; create them one by one")
                .with("most", DEEPEST_NESTING));
        }
        let children = match (relationship.kind, json) {
            (_, Json::Null) => continue,
            (RelationshipKind::SingleChildOf, one @ Json::Object(_)) => std::slice::from_ref(one),
            (RelationshipKind::ChildOf | RelationshipKind::Connects, Json::Array(all)) => all,
            (kind, other) => {
                let single = kind == RelationshipKind::SingleChildOf;
                return Err(Error::invalid("children are nested in another way")
                    .with("wanted", if single { "an object" } else { "a list of objects" })
                    .with("got", short(other))
                    .with("member", name)
                    .with("collection", collection.name()));
            }
        };
        let children = children
            .iter()
            .map(|json| self::nested(json, child, schema, Some(&relationship.field), deeper - 1))
            .collect::<Result<Vec<_>>>()?;
        nested.children.push((relationship.reverse_alias.clone(), children));
    }
    Ok(nested)
}

fn members<'a>(json: &'a Json, collection: &Collection) -> Result<&'a Map<String, Json>> {
    json.as_object().ok_or_else(|| {
        Error::invalid("an object is written as a JSON object")
            .with("got", short(json))
            .with("collection", collection.name())
    })
}

fn unknown(name: &str, collection: &Collection) -> Error {
    Error::invalid("there is no such field; correct it or leave it out")
        .with("field", Quoted(name))
        .with("collection", collection.name())
}

fn set(object: &mut Object, field: &Field, json: &Json, collection: &Collection) -> Result<()> {
    let value = field_from_json(json, field)
        .map_err(|error| error.with("collection", collection.name()))?;
    match object.set(field.name.clone(), value) {
        None => Ok(()),
        Some(_) => Err(Error::invalid("a field stands there twice, once by its alias; drop one")
            .with("field", &field.name)
            .with("collection", collection.name())),
    }
}

/// Members as a map. To collect them would sort them first, in code that browsers have no other use for.
pub fn map(members: impl IntoIterator<Item = (String, Json)>) -> Map<String, Json> {
    let mut map = Map::new();
    for (name, value) in members {
        let _ = map.insert(name, value);
    }
    map
}

/// An object as JSON.
pub fn object_to_json(object: &Object) -> Json {
    let members = object.iter().map(|(name, value)| (name.to_string(), value_to_json(value)));
    Json::Object(map(members))
}

/// A primary key of this collection from JSON: the value, or for a compound key a list of its values
/// in order, or an object with its fields.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it is not a whole key.
pub fn key_from_json(json: &Json, collection: &Collection) -> Result<Key> {
    let names = collection.key();
    let parts: Option<Vec<&Json>> = match json {
        Json::Object(members) if members.len() == names.len() => {
            names.iter().map(|name| members.get(&**name)).collect()
        }
        Json::Array(items) if names.len() > 1 && items.len() == names.len() => {
            Some(items.iter().collect())
        }
        Json::Object(_) | Json::Array(_) => None,
        scalar if names.len() == 1 => Some(vec![scalar]),
        _ => None,
    };
    let parts =
        parts.filter(|parts| parts.iter().all(|part| !part.is_null())).ok_or_else(|| {
            Error::invalid("this is not a whole primary key")
                .with("wanted", names.join(", "))
                .with("got", short(json))
                .with("collection", collection.name())
        })?;
    let fields = names.iter().filter_map(|name| collection.field(name));
    let values = fields.zip(parts).map(|(field, json)| field_from_json(json, field));
    let key = values.collect::<Result<Vec<Value>>>();
    key.map(Key::compound).map_err(|error| error.with("collection", collection.name()))
}

/// A primary key as JSON: its value, or the list of its values.
pub fn key_to_json(key: &Key) -> Json {
    match key.single() {
        Some(value) => value_to_json(value),
        None => Json::Array(key.values().iter().map(value_to_json).collect()),
    }
}
