//! What changed between two versions of a schema.

use std::sync::Arc;

use super::{Collection, Collections, Field, Index, Relationship, Schema};
use crate::value::Name;
use crate::{Error, Result};

/// What changed from one version of the collections to another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Collections that were not there before.
    pub added: Vec<Arc<Collection>>,
    /// Collections that are gone.
    pub removed: Vec<Arc<Collection>>,
    /// Collections that look different now.
    pub changed: Vec<CollectionDifference>,
}

/// What changed in one collection.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionDifference {
    /// The collection.
    pub name: Name,
    /// Fields that were not there before.
    pub fields_added: Vec<Field>,
    /// Fields that are gone.
    pub fields_removed: Vec<Field>,
    /// Fields of another type, or optional where they were required, or the other way round.
    pub fields_changed: Vec<FieldDifference>,
    /// The fields of the key before, if they were others.
    pub key_before: Option<Vec<Name>>,
    /// Indexes that were not there before.
    pub indexes_added: Vec<Index>,
    /// Indexes that are gone.
    pub indexes_removed: Vec<Index>,
    /// Relationships that were not there before.
    pub relationships_added: Vec<Relationship>,
    /// Relationships that are gone.
    pub relationships_removed: Vec<Relationship>,
}

/// A field before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// As it was.
    pub before: Field,
    /// As it is.
    pub after: Field,
}

impl Difference {
    /// What changed from `before` to `after`.
    pub fn between(before: &Collections, after: &Collections) -> Self {
        let missing = |from: &Collections, of: &Collections| -> Vec<Arc<Collection>> {
            of.iter()
                .filter(|(name, _)| !from.contains_key(*name))
                .map(|(_, c)| c.clone())
                .collect()
        };
        let changed = after
            .iter()
            .filter_map(|(name, after)| before.get(name).map(|before| (before, after)))
            .filter(|(before, after)| !before.same_shape(after))
            .map(|(before, after)| CollectionDifference::between(before, after))
            .collect();
        Self { added: missing(before, after), removed: missing(after, before), changed }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl CollectionDifference {
    /// What changed from `before` to `after`, which have one name.
    pub fn between(before: &Collection, after: &Collection) -> Self {
        let lacks = |from: &Collection, of: &Collection| -> Vec<Field> {
            of.fields.iter().filter(|field| from.field(&field.name).is_none()).cloned().collect()
        };
        let fields_changed = after
            .fields
            .iter()
            .filter_map(|field| before.field(&field.name).map(|before| (before, field)))
            .filter(|(before, after)| before != after)
            .map(|(before, after)| FieldDifference { before: before.clone(), after: after.clone() })
            .collect();
        Self {
            name: after.name.clone(),
            fields_added: lacks(before, after),
            fields_removed: lacks(after, before),
            fields_changed,
            key_before: (before.key != after.key).then(|| before.key.clone()),
            indexes_added: without(&after.indexes, &before.indexes),
            indexes_removed: without(&before.indexes, &after.indexes),
            relationships_added: without(&after.relationships, &before.relationships),
            relationships_removed: without(&before.relationships, &after.relationships),
        }
    }
}

fn without<T: Clone + PartialEq>(these: &[T], those: &[T]) -> Vec<T> {
    these.iter().filter(|this| !those.contains(this)).cloned().collect()
}

impl Schema {
    /// The collections of a version, or nothing if the schema does not remember that version.
    ///
    /// The newest version has the collections of middlewares too, older ones have not.
    pub fn at(&self, version: u32) -> Option<&Collections> {
        if version == self.version {
            return Some(&self.collections);
        }
        self.history.iter().find(|(known, _)| *known == version).map(|(_, collections)| collections)
    }

    /// The versions this schema remembers, oldest first; the last one is its own.
    pub fn versions(&self) -> impl Iterator<Item = u32> {
        self.history.iter().map(|(version, _)| *version).chain([self.version])
    }

    /// What changed from one version to another, among the application's collections.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the schema does not remember one of them.
    pub fn difference(&self, from: u32, to: u32) -> Result<Difference> {
        let at = |version: u32| -> Result<Collections> {
            let collections = self.at(version).ok_or_else(|| {
                Error::invalid("the schema does not remember this version").with("version", version)
            })?;
            let own = collections.iter().filter(|(_, collection)| !collection.is_reserved());
            Ok(own.map(|(name, collection)| (name.clone(), collection.clone())).collect())
        };
        Ok(Difference::between(&at(from)?, &at(to)?))
    }
}
