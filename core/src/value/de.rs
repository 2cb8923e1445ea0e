//! Objects into Rust types, by way of serde and without a detour through JSON.

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::{Name, Object, Value, date};
use crate::Result;
use crate::schema::Collection;

/// Turns an object into a struct or map; text and bytes are moved, not copied.
///
/// Timestamps are whole milliseconds, or RFC 3339 text where the type asks for text. Fields that the
/// type does not know are left out; absent fields and null are `None`.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the collection and the field, if the
/// type demands a field that is absent or wants it to be something else.
///
/// # Example
///
/// ```
/// use serde::Deserialize;
/// use syncline_core::{Collection, Object, value};
///
/// #[derive(Deserialize)]
/// struct City {
///     name: String,
///     country: Option<String>,
/// }
///
/// # let cities = Collection::define("city");
/// # let schema = syncline_core::Registry::new().collections(1, [cities]).finish()?;
/// # let cities = schema.collection("city")?;
/// let city: City = value::from_object(Object::new().with("name", "Vila"), cities)?;
/// assert_eq!(city.name, "Vila");
/// assert_eq!(city.country, None);
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn from_object<T: DeserializeOwned>(object: Object, collection: &Collection) -> Result<T> {
    T::deserialize(ObjectDeserializer(object)).map_err(|fault| fault.into_error(collection))
}

struct ObjectDeserializer(Object);

impl<'de> Deserializer<'de> for ObjectDeserializer {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Fields { rest: self.0.into_iter(), value: None })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Fields {
    rest: std::vec::IntoIter<(Name, Value)>,
    value: Option<(Name, Value)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        let (name, _) = self.value.insert((name, value));
        seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(&**name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((name, value)) = self.value.take() else {
            return Err(Fault::new("a type asked for a value before its key"));
        };
        seed.deserialize(ValueDeserializer(value)).map_err(|fault| fault.at(&name))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct ValueDeserializer(Value);

/// The methods that hand JSON on to its own deserializer and treat the rest as it comes.
macro_rules! json_or_any {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Fault> {
            match self.0 {
                Value::Json(json) => json.$method($($name,)* visitor).map_err(Fault::new),
                Value::Bytes(bytes) => Self::sequence(bytes, visitor),
                other => Self(other).deserialize_any(visitor),
            }
        })*
    };
}

impl ValueDeserializer {
    /// Bytes for a type that asks for a list of numbers.
    fn sequence<'de, V: Visitor<'de>>(bytes: Vec<u8>, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(SeqDeserializer::<_, Fault>::new(bytes.into_iter()))
    }

    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Timestamp(millis) => match date::format(millis) {
                Some(text) => visitor.visit_string(text),
                None => visitor.visit_i64(millis),
            },
            other => Self(other).deserialize_any(visitor),
        }
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(int) | Value::Timestamp(int) => visitor.visit_i64(int),
            Value::Float(float) => visitor.visit_f64(float),
            Value::Text(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::Json(json) => json.deserialize_any(visitor).map_err(Fault::new),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null | Value::Json(serde_json::Value::Null) => visitor.visit_none(),
            other => visitor.visit_some(Self(other)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Text(text) => {
                StringDeserializer::<Fault>::new(text).deserialize_enum(name, variants, visitor)
            }
            Value::Json(json) => json.deserialize_enum(name, variants, visitor).map_err(Fault::new),
            other => Self(other).deserialize_any(visitor),
        }
    }

    json_or_any! {
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        !matches!(self.0, Value::Bytes(_))
    }
}
