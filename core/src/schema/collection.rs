//! One collection's definition.

use super::{Field, Index, Primitive, RESERVED, Relationship};
use crate::query::Filter;
use crate::value::{Key, Name, Object, Value};
use crate::{Error, Result};

/// What the objects of one collection look like.
///
/// The fields of relationships are among [`fields`](Self::fields), and so is the primary key, which
/// is the text field `id` unless the definition says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    pub(crate) name: Name,
    pub(crate) version: u32,
    pub(crate) fields: Vec<Field>,
    pub(crate) key: Vec<Name>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) relationships: Vec<Relationship>,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind && self.optional == other.optional
    }
}

impl Collection {
    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The schema version in which this definition last changed.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All fields, sorted by name.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        // Few fields are faster looked through: their names mostly differ in length.
        if self.fields.len() <= 16 {
            return self.fields.iter().find(|field| *field.name == *name);
        }
        let at = self.fields.binary_search_by(|field| (*field.name).cmp(name)).ok()?;
        Some(&self.fields[at])
    }

    /// The field of this name, or the one that holds the relationship with this alias.
    pub fn resolve(&self, name: &str) -> Option<&Field> {
        self.field(name).or_else(|| {
            let held = self.relationships.iter().find(|of| *of.alias == *name)?;
            self.field(&held.field)
        })
    }

    /// Whether two definitions say the same, whatever the versions in which they last changed.
    pub fn same_shape(&self, other: &Self) -> bool {
        self.name == other.name
            && self.fields == other.fields
            && self.key == other.key
            && self.indexes == other.indexes
            && self.relationships == other.relationships
    }

    /// The fields of the primary key, in order.
    pub fn key(&self) -> &[Name] {
        &self.key
    }

    /// Whether the field belongs to the primary key.
    pub fn is_key(&self, field: &str) -> bool {
        self.key.iter().any(|key| **key == *field)
    }

    /// Whether the backend counts the primary key up.
    pub fn counts_keys(&self) -> bool {
        let auto = |name: &Name| {
            self.field(name).is_some_and(|field| field.kind == super::FieldType::AutoPk)
        };
        self.key.iter().any(auto)
    }

    /// What storage has to hold for each field of the primary key.
    pub fn key_primitives(&self) -> impl Iterator<Item = Primitive> {
        self.key.iter().filter_map(|name| self.field(name)).map(|field| field.kind.primitive())
    }

    /// The indexes.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// The relationships that this collection's objects hold.
    pub fn relationships(&self) -> &[Relationship] {
        &self.relationships
    }

    /// Whether Syncline keeps this collection for itself.
    pub fn is_reserved(&self) -> bool {
        self.name.starts_with(RESERVED)
    }

    /// Whether one of the indexes is of words.
    pub fn has_full_text(&self) -> bool {
        self.indexes.iter().any(|index| index.full_text)
    }

    /// The primary key of an object, or nothing if a part of it is absent or null.
    pub fn key_of(&self, object: &Object) -> Option<Key> {
        let values: Option<Vec<Value>> = self
            .key
            .iter()
            .map(|name| object.get(name).filter(|value| !value.is_null()).cloned())
            .collect();
        values.map(Key::compound)
    }

    /// Puts a key into an object's key fields.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the key has another number of values.
    pub fn set_key(&self, object: &mut Object, key: Key) -> Result<()> {
        if key.values().len() != self.key.len() {
            return Err(Error::invalid("the key has another number of fields")
                .with("collection", &self.name)
                .with("key", key));
        }
        for (name, value) in self.key.iter().zip(key.into_values()) {
            let _ = object.set(name.clone(), value);
        }
        Ok(())
    }

    /// The object without the fields of its key.
    #[must_use]
    pub fn without_key(&self, mut object: Object) -> Object {
        object.retain(|name, _| !self.is_key(name));
        object
    }

    /// The keys that a filter names, if it names objects by nothing but their key.
    pub fn keys_in(&self, filter: &Filter) -> Option<Vec<Key>> {
        use crate::query::Test;
        match (filter, self.key.as_slice()) {
            (Filter::Keys(keys), _) => Some(keys.clone()),
            (Filter::Field(field, Test::Eq(value)), [key]) if field == key && !value.is_null() => {
                Some(vec![Key::from(value.clone())])
            }
            (Filter::Field(field, Test::In(values)), [key])
                if field == key && values.iter().all(|value| !value.is_null()) =>
            {
                Some(values.iter().cloned().map(Key::from).collect())
            }
            (Filter::And(all), key) if all.len() == key.len() => {
                let mut object = Object::new();
                for filter in all {
                    let Filter::Field(field, Test::Eq(value)) = filter else { return None };
                    let _ = self.is_key(field).then(|| object.set(field.clone(), value.clone()))?;
                }
                self.key_of(&object).map(|key| vec![key])
            }
            _ => None,
        }
    }
}
