//! Which collections there are, what their objects look like, how they relate.

mod builder;
mod collection;
mod cursor;
mod field;
mod history;
mod index;
mod json;
mod name;
mod registry;
mod relationship;
mod resolve;
mod types;

use std::sync::Arc;

pub use builder::{Definition, RelationshipDef};
pub use collection::Collection;
pub use field::{CustomType, Field, FieldType, Primitive};
pub use history::{CollectionDifference, Difference, FieldDifference};
pub use index::Index;
pub use name::{LONGEST_NAME, check_name};
pub use registry::Registry;
pub use relationship::{Relationship, RelationshipKind};
pub use types::{RandomKey, Url};

use crate::sorted::SortedMap;
use crate::value::Name;
use crate::{Error, Result};

/// The prefix of collections that Syncline keeps for itself.
pub const RESERVED: &str = "sync_";

/// The collections of one version of a schema, by name.
pub type Collections = SortedMap<Name, Arc<Collection>>;

/// The finished, immutable answer to "what collections are there?".
///
/// A [`Registry`] makes one, or says why not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    pub(crate) version: u32,
    pub(crate) collections: Collections,
    /// The older versions, oldest first.
    pub(crate) history: Arc<[(u32, Collections)]>,
}

impl Schema {
    /// The version of the newest definitions; versions count from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The definition of a collection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if there is none of that name.
    pub fn collection(&self, name: &str) -> Result<&Arc<Collection>> {
        self.collections.get(name).ok_or_else(|| {
            Error::invalid("there is no such collection in the schema").with("collection", name)
        })
    }

    /// The definition of a collection, if there is one of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Collection>> {
        self.collections.get(name)
    }

    /// All collections, sorted by name, those of Syncline itself included.
    pub fn collections(&self) -> impl Iterator<Item = &Arc<Collection>> {
        self.collections.values()
    }

    /// The collections of the application, sorted by name.
    pub fn own_collections(&self) -> impl Iterator<Item = &Arc<Collection>> {
        self.collections().filter(|collection| !collection.is_reserved())
    }

    /// The collection whose objects an object of `target` knows by this reverse alias.
    pub fn child(
        &self,
        target: &str,
        reverse_alias: &str,
    ) -> Option<(&Arc<Collection>, &Relationship)> {
        self.children(target)
            .find(|(_, relationship)| *relationship.reverse_alias == *reverse_alias)
    }

    /// The relationships that refer to `target`, each with the collection that holds it.
    pub fn children(
        &self,
        target: &str,
    ) -> impl Iterator<Item = (&Arc<Collection>, &Relationship)> {
        self.collections()
            .flat_map(|collection| {
                collection.relationships().iter().map(move |of| (collection, of))
            })
            .filter(move |(_, relationship)| *relationship.target == *target)
    }

    /// The same schema with collections that middlewares keep for themselves.
    ///
    /// Adding a collection that is there already and looks the same changes nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a name does not begin with `sync_`, or if
    /// another collection has it.
    pub fn with_collections(&self, reserved: impl IntoIterator<Item = Collection>) -> Result<Self> {
        let mut schema = self.clone();
        for collection in reserved {
            let name = collection.name.clone();
            if !collection.is_reserved() {
                return Err(Error::invalid("a middleware's own collection is named `sync_…`")
                    .with("collection", name));
            }
            let there = schema.collections.get(&name);
            if there.is_some_and(|there| **there != collection) {
                return Err(Error::invalid(
                    "two middlewares want one collection; leave one of them out",
                )
                .with("collection", name));
            }
            schema.collections.insert(name, Arc::new(collection));
        }
        Ok(schema)
    }
}
