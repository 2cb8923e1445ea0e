//! Objects: fields by name, in the order of their names.

use std::fmt;
use std::sync::Arc;

use super::{Name, Value};

/// So many fields are faster looked through than halved again and again: names mostly differ in length.
const FEW: usize = 16;

/// The fields of one object, sorted by name; a field that is not there is absent.
///
/// Cheap to copy: copies share their fields until one of them is changed.
///
/// # Example
///
/// ```
/// use syncline_core::{Object, Value};
///
/// let city = Object::new().with("name", "Vila").with("lat", 42.5);
/// assert_eq!(city.get("name"), Some(&Value::from("Vila")));
/// assert_eq!(city.get("country"), None);
/// assert!(city.value("country").is_null(), "what is absent reads as null");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    fields: Arc<Vec<(Name, Value)>>,
}

impl Object {
    /// An object without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// An object without fields yet, with room for this many.
    pub fn with_capacity(fields: usize) -> Self {
        Self { fields: Arc::new(Vec::with_capacity(fields)) }
    }

    /// The same object with one more field; a field of that name is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<Name>, value: impl Into<Value>) -> Self {
        let _ = self.set(name, value);
        self
    }

    /// Sets a field and returns what it held before.
    pub fn set(&mut self, name: impl Into<Name>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        // Fields mostly arrive in order; then this is a push.
        if self.fields.last().is_none_or(|(last, _)| *last < name) {
            self.own().push((name, value));
            return None;
        }
        match self.position(&name) {
            Ok(at) => Some(std::mem::replace(&mut self.own()[at].1, value)),
            Err(at) => {
                self.own().insert(at, (name, value));
                None
            }
        }
    }

    /// What a field holds, or nothing if it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.place(name).map(|at| &self.fields[at].1)
    }

    /// What a field holds, to be changed in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.position(name).ok().map(|at| &mut self.own()[at].1)
    }

    /// What a field holds; an absent field reads as null.
    pub fn value(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|at| self.own().remove(at).1)
    }

    /// What a field holds, given away: a field that other copies share is copied, otherwise it is left
    /// null. For those who are about to drop the object.
    pub fn give(&mut self, name: &str) -> Option<Value> {
        let at = self.place(name)?;
        match Arc::get_mut(&mut self.fields) {
            Some(fields) => Some(std::mem::take(&mut fields[at].1)),
            None => Some(self.fields[at].1.clone()),
        }
    }

    /// Whether the field is there, be it null.
    pub fn contains(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// Keeps only the fields that pass.
    pub fn retain(&mut self, pass: impl Fn(&str, &Value) -> bool) {
        if self.fields.iter().all(|(name, value)| pass(name, value)) {
            return;
        }
        self.own().retain(|(name, value)| pass(name, value));
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Value)> {
        self.fields.iter().map(|(name, value)| (name, value))
    }

    /// The fields, sorted by name, with values that can be changed in place.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Name, &mut Value)> {
        self.own().iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Sets every field of `other`.
    pub fn merge(&mut self, other: Self) {
        for (name, value) in other {
            let _ = self.set(name, value);
        }
    }

    /// The fields, for changing; shared ones are copied first.
    fn own(&mut self) -> &mut Vec<(Name, Value)> {
        Arc::make_mut(&mut self.fields)
    }

    /// Where a field is, if it is there.
    fn place(&self, name: &str) -> Option<usize> {
        if self.fields.len() > FEW {
            return self.position(name).ok();
        }
        self.fields.iter().position(|(own, _)| **own == *name)
    }

    /// Where a field is, or would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|(own, _)| (**own).cmp(name))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl IntoIterator for Object {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.fields).into_iter()
    }
}

/// Takes fields that are sorted by name as they are, without looking for the place of each; any others
/// as if they were set one after another.
impl From<Vec<(Name, Value)>> for Object {
    fn from(fields: Vec<(Name, Value)>) -> Self {
        if fields.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Self { fields: Arc::new(fields) };
        }
        fields.into_iter().collect()
    }
}

impl<N: Into<Name>, V: Into<Value>> FromIterator<(N, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut object = Self::new();
        for (name, value) in fields {
            let _ = object.set(name, value);
        }
        object
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_any_order_make_the_same_object() {
        let field = |name: &str, value: i64| (Name::from(name), Value::from(value));
        let expected = Object::new().with("a", 1).with("b", 2);
        for fields in [
            vec![field("a", 1), field("b", 2)],
            vec![field("b", 2), field("a", 1)],
            vec![field("a", 7), field("b", 2), field("a", 1)],
        ] {
            assert_eq!(Object::from(fields), expected);
        }
        assert_eq!(Object::from(Vec::new()), Object::new());
    }
}
