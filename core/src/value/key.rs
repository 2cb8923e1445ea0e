//! Primary keys: one value, or several in the order of the key's fields.

use std::fmt;

use super::Value;

/// What names one object within its collection: a value for each field of the primary key.
///
/// # Example
///
/// ```
/// use syncline_core::{Key, Value};
///
/// assert_ne!(Key::from(1), Key::from("1"));
/// assert_eq!(Key::compound([Value::from("a"), Value::from(3)]).to_string(), "[\"a\",3]");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<Value>);

impl Key {
    /// A key of several fields, in the order in which the collection declares them.
    pub fn compound(values: impl IntoIterator<Item = Value>) -> Self {
        Self(values.into_iter().collect())
    }

    /// The values, one for each field of the key.
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// The values, taken out.
    pub fn into_values(self) -> Vec<Value> {
        self.0
    }

    /// The only value, if the key has one field.
    pub fn single(&self) -> Option<&Value> {
        match self.0.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}

impl<T: Into<Value>> From<T> for Key {
    fn from(value: T) -> Self {
        Self(vec![value.into()])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(value) => fmt::Debug::fmt(value, f),
            None => f.debug_list().entries(&self.0).finish(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(value) = self.single() {
            return fmt::Display::fmt(value, f);
        }
        f.write_str("[")?;
        for (position, value) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            fmt::Debug::fmt(value, f)?;
        }
        f.write_str("]")
    }
}
