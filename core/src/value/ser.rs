//! Rust types into objects, by way of serde and without a detour through JSON.

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

use super::fault::Fault;
use super::{Object, Value, date};
use crate::Result;
use crate::schema::{Collection, Field, FieldType, Primitive};

type Refused = Impossible<Value, Fault>;

/// Turns a struct or map into an object of a collection.
///
/// Each field becomes what the schema says it is: whole numbers serve for ints, floats and
/// timestamps (milliseconds), RFC 3339 text for timestamps, bytes or lists of bytes for blobs, enums
/// without contents for text, and anything at all for JSON fields. `None` is null, and left out where
/// it stands for a part of the primary key.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the collection and the field, if the
/// collection lacks a field or a value cannot be what the field holds.
///
/// # Example
///
/// ```
/// use serde::Serialize;
/// use syncline_core::schema::FieldType;
/// use syncline_core::{Collection, Object, value};
///
/// #[derive(Serialize)]
/// struct City<'a> {
///     name: &'a str,
///     country: Option<&'a str>,
/// }
///
/// let cities = Collection::define("city")
///     .field("name", FieldType::String)
///     .optional("country", FieldType::String);
/// # let schema = syncline_core::Registry::new().collections(1, [cities]).finish()?;
/// # let cities = schema.collection("city")?;
/// let object = value::to_object(&City { name: "Vila", country: None }, cities)?;
/// assert_eq!(object, Object::new().with("name", "Vila").with("country", None::<&str>));
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn to_object<T: Serialize + ?Sized>(value: &T, collection: &Collection) -> Result<Object> {
    value.serialize(ObjectSerializer { collection }).map_err(|fault| fault.into_error(collection))
}

const NOT_AN_OBJECT: &str = "only a struct or a map with text keys can be stored as an object";
const NOT_A_VALUE: &str =
    "lists, maps and structs can be stored only in a field that the schema declares as json";

/// The methods of a serializer that refuse what they get.
macro_rules! refuse {
    ($says:expr; $($method:ident($($type:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$result, Fault> {
            Err(Fault::new($says))
        })*
    };
}

/// The methods of a serializer that refuse whatever has contents of any type.
macro_rules! refuse_contents {
    ($says:expr; $result:ty) => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<$result, Fault> {
            Err(Fault::new($says))
        }
    };
}

struct ObjectSerializer<'a> {
    collection: &'a Collection,
}

struct Fields<'a> {
    collection: &'a Collection,
    object: Object,
    /// The key of a map whose value comes next.
    key: Option<&'a Field>,
}

impl<'a> ObjectSerializer<'a> {
    /// Room for this many fields, if the type tells the truth about their number.
    fn fields(self, count: usize) -> Fields<'a> {
        let count = count.min(self.collection.fields().len());
        Fields { collection: self.collection, object: Object::with_capacity(count), key: None }
    }
}

impl<'a> Serializer for ObjectSerializer<'a> {
    type Ok = Object;
    type Error = Fault;
    type SerializeSeq = Impossible<Object, Fault>;
    type SerializeTuple = Impossible<Object, Fault>;
    type SerializeTupleStruct = Impossible<Object, Fault>;
    type SerializeTupleVariant = Impossible<Object, Fault>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Impossible<Object, Fault>;

    refuse! { NOT_AN_OBJECT;
        serialize_bool(bool) -> Object;
        serialize_i8(i8) -> Object;
        serialize_i16(i16) -> Object;
        serialize_i32(i32) -> Object;
        serialize_i64(i64) -> Object;
        serialize_u8(u8) -> Object;
        serialize_u16(u16) -> Object;
        serialize_u32(u32) -> Object;
        serialize_u64(u64) -> Object;
        serialize_f32(f32) -> Object;
        serialize_f64(f64) -> Object;
        serialize_char(char) -> Object;
        serialize_str(&str) -> Object;
        serialize_bytes(&[u8]) -> Object;
        serialize_none() -> Object;
        serialize_unit() -> Object;
        serialize_unit_struct(&'static str) -> Object;
        serialize_unit_variant(&'static str, u32, &'static str) -> Object;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
    refuse_contents! { NOT_AN_OBJECT; Object }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Object, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Object, Fault> {
        value.serialize(self)
    }

    fn serialize_map(self, fields: Option<usize>) -> Result<Fields<'a>, Fault> {
        Ok(self.fields(fields.unwrap_or_default()))
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Fields<'a>, Fault> {
        Ok(self.fields(fields))
    }
}

impl<'a> Fields<'a> {
    fn declared(&self, name: &str) -> Result<&'a Field, Fault> {
        self.collection.resolve(name).ok_or_else(|| {
            Fault::new(
                "the collection has no such field; add it to the schema, or skip it in the type \
                 with #[serde(skip)]",
            )
            .at(name)
        })
    }

    fn put<T: Serialize + ?Sized>(&mut self, field: &Field, value: &T) -> Result<(), Fault> {
        let value = to_value(value, &field.kind).map_err(|fault| fault.at(&field.name))?;
        // A type that is created and read has its key as an option; nothing there is "give me one".
        if !value.is_null() || !self.collection.is_key(&field.name) {
            let _ = self.object.set(field.name.clone(), value);
        }
        Ok(())
    }
}

impl SerializeStruct for Fields<'_> {
    type Ok = Object;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        let field = self.declared(name)?;
        self.put(field, value)
    }

    fn end(self) -> Result<Object, Fault> {
        Ok(self.object)
    }
}

impl SerializeMap for Fields<'_> {
    type Ok = Object;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        match key.serialize(ValueSerializer { wanted: None })? {
            Value::Text(name) => self.key = Some(self.declared(&name)?),
            _ => return Err(Fault::new(NOT_AN_OBJECT)),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        match self.key.take() {
            Some(field) => self.put(field, value),
            None => Err(Fault::new("a map gave a value before its key")),
        }
    }

    fn end(self) -> Result<Object, Fault> {
        Ok(self.object)
    }
}

fn to_value<T: Serialize + ?Sized>(value: &T, kind: &FieldType) -> Result<Value, Fault> {
    let wanted = match (kind, kind.primitive()) {
        (_, Primitive::Json) => return to_json(value),
        // What a custom type takes is its own affair.
        (FieldType::Custom(_), _) => None,
        (_, primitive) => Some(primitive),
    };
    value.serialize(ValueSerializer { wanted })
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<Value, Fault> {
    match serde_json::to_value(value).map_err(Fault::new)? {
        serde_json::Value::Null => Ok(Value::Null),
        json => Ok(Value::Json(json)),
    }
}

struct ValueSerializer {
    wanted: Option<Primitive>,
}

impl ValueSerializer {
    fn whole(self, number: impl TryInto<i64>) -> Result<Value, Fault> {
        let number = number.try_into().map_err(|_| {
            Fault::new("the number lies outside of what an int holds, which is 64 bits and a sign")
        })?;
        Ok(match self.wanted {
            Some(Primitive::Float) => Value::Float(number as f64),
            Some(Primitive::Timestamp) => Value::Timestamp(number),
            _ => Value::Int(number),
        })
    }
}

macro_rules! whole {
    ($($method:ident $type:ty,)*) => {
        $(fn $method(self, number: $type) -> Result<Value, Fault> {
            self.whole(number)
        })*
    };
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = Bytes;
    type SerializeTuple = Bytes;
    type SerializeTupleStruct = Refused;
    type SerializeTupleVariant = Refused;
    type SerializeMap = Refused;
    type SerializeStruct = Refused;
    type SerializeStructVariant = Refused;

    whole! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
    }
    refuse! { NOT_A_VALUE;
        serialize_tuple_struct(&'static str, usize) -> Refused;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Refused;
        serialize_map(Option<usize>) -> Refused;
        serialize_struct(&'static str, usize) -> Refused;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Refused;
    }
    refuse_contents! { NOT_A_VALUE; Value }

    fn serialize_bool(self, bool: bool) -> Result<Value, Fault> {
        Ok(Value::Bool(bool))
    }

    fn serialize_f32(self, number: f32) -> Result<Value, Fault> {
        Ok(Value::Float(number.into()))
    }

    fn serialize_f64(self, number: f64) -> Result<Value, Fault> {
        Ok(Value::Float(number))
    }

    fn serialize_char(self, char: char) -> Result<Value, Fault> {
        Ok(Value::Text(char.into()))
    }

    fn serialize_str(self, text: &str) -> Result<Value, Fault> {
        match self.wanted {
            Some(Primitive::Timestamp) => {
                date::parse(text).map(Value::Timestamp).map_err(Fault::new)
            }
            _ => Ok(Value::Text(text.to_owned())),
        }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Value, Fault> {
        Ok(Value::Bytes(bytes.to_vec()))
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Value, Fault> {
        self.serialize_str(name)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Fault> {
        self.serialize_str(variant)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Bytes, Fault> {
        match self.wanted {
            // A length that lies must not make us reserve memory for it.
            Some(Primitive::Bytes) => Ok(Bytes(Vec::with_capacity(length.unwrap_or(0).min(4_096)))),
            _ => Err(Fault::new(NOT_A_VALUE)),
        }
    }

    fn serialize_tuple(self, length: usize) -> Result<Bytes, Fault> {
        self.serialize_seq(Some(length))
    }

    fn is_human_readable(&self) -> bool {
        // So that types with two faces, such as UUIDs, show their bytes to a field of bytes.
        self.wanted != Some(Primitive::Bytes)
    }
}

/// A list of numbers that becomes bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn push<T: Serialize + ?Sized>(&mut self, number: &T) -> Result<(), Fault> {
        let value = number.serialize(ValueSerializer { wanted: None })?;
        let byte = value.as_int().and_then(|int| u8::try_from(int).ok());
        self.0.push(byte.ok_or_else(|| Fault::new("bytes are whole numbers from 0 to 255"))?);
        Ok(())
    }
}

impl serde::ser::SerializeSeq for Bytes {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(Value::Bytes(self.0))
    }
}

impl serde::ser::SerializeTuple for Bytes {
    type Ok = Value;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.push(value)
    }

    fn end(self) -> Result<Value, Fault> {
        Ok(Value::Bytes(self.0))
    }
}
