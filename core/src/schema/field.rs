//! Fields and their types; the names of the types are storex's.

use std::fmt::Debug;
use std::sync::Arc;

use crate::value::{Name, Value};
use crate::{MaybeSend, MaybeSync, Result};

/// One field of a collection.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// What it holds.
    pub kind: FieldType,
    /// Whether objects may lack it.
    pub optional: bool,
}

/// What a field holds, as the schema says it.
#[derive(Clone, Debug)]
pub enum FieldType {
    /// A whole number that the backend counts up; only as a primary key of one field.
    AutoPk,
    /// True or false.
    Boolean,
    /// Bytes.
    Binary,
    /// Bytes.
    Blob,
    /// A point in time.
    Datetime,
    /// A finite number.
    Float,
    /// A whole number of 64 bits.
    Int,
    /// Any JSON value.
    Json,
    /// Short text.
    String,
    /// Long text.
    Text,
    /// A point in time.
    Timestamp,
    /// A type that prepares its values for storage and back.
    Custom(Arc<dyn CustomType>),
}

/// What storage has to hold for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    /// [`Value::Bool`].
    Bool,
    /// [`Value::Bytes`].
    Bytes,
    /// [`Value::Float`].
    Float,
    /// [`Value::Int`].
    Int,
    /// [`Value::Json`].
    Json,
    /// [`Value::Text`].
    Text,
    /// [`Value::Timestamp`].
    Timestamp,
}

/// A field type of one's own: prepares a value for storage and back.
///
/// The log and other replicas see what is stored.
pub trait CustomType: Debug + MaybeSend + MaybeSync {
    /// The name that schemas use, such as `"url"`.
    fn name(&self) -> &'static str;

    /// What storage has to hold.
    fn primitive(&self) -> Primitive;

    /// Turns what the application gave into what is stored; `None` is an absent field of a new object.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the value is not of this type.
    fn prepare(&self, value: Option<Value>) -> Result<Option<Value>>;

    /// Turns what is stored into what the application sees.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the stored value is not of this type.
    fn restore(&self, value: Value) -> Result<Value> {
        Ok(value)
    }
}

impl FieldType {
    /// All types but the custom ones.
    pub const BUILT_IN: [Self; 11] = [
        Self::AutoPk,
        Self::Boolean,
        Self::Binary,
        Self::Blob,
        Self::Datetime,
        Self::Float,
        Self::Int,
        Self::Json,
        Self::String,
        Self::Text,
        Self::Timestamp,
    ];

    /// The built-in type of this name.
    pub fn built_in(name: &str) -> Option<Self> {
        Self::BUILT_IN.into_iter().find(|kind| kind.name() == name)
    }

    /// What storage has to hold.
    pub fn primitive(&self) -> Primitive {
        match self {
            Self::AutoPk | Self::Int => Primitive::Int,
            Self::Boolean => Primitive::Bool,
            Self::Binary | Self::Blob => Primitive::Bytes,
            Self::Datetime | Self::Timestamp => Primitive::Timestamp,
            Self::Float => Primitive::Float,
            Self::Json => Primitive::Json,
            Self::String | Self::Text => Primitive::Text,
            Self::Custom(custom) => custom.primitive(),
        }
    }

    /// The name that schemas use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AutoPk => "auto-pk",
            Self::Boolean => "boolean",
            Self::Binary => "binary",
            Self::Blob => "blob",
            Self::Datetime => "datetime",
            Self::Float => "float",
            Self::Int => "int",
            Self::Json => "json",
            Self::String => "string",
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Custom(custom) => custom.name(),
        }
    }
}

impl PartialEq for FieldType {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.primitive() == other.primitive()
    }
}

impl Primitive {
    /// Whether a value, other than null, is of this type.
    pub fn holds(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Self::Bool, Value::Bool(_))
                | (Self::Bytes, Value::Bytes(_))
                | (Self::Float, Value::Float(_))
                | (Self::Int, Value::Int(_))
                | (Self::Json, Value::Json(_))
                | (Self::Text, Value::Text(_))
                | (Self::Timestamp, Value::Timestamp(_))
        )
    }
}
