//! Which collections there are, what their objects look like, how they relate.

mod collection;
mod field;
mod index;
mod registry;
mod relationship;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use collection::Collection;
pub use field::{CustomType, Field, FieldType, Primitive};
pub use index::Index;
pub use registry::Registry;
pub use relationship::{Relationship, RelationshipKind};

use crate::value::Name;
use crate::{Error, Result};

/// The prefix of collections that Syncline keeps for itself.
pub const RESERVED: &str = "sync_";

/// The finished, immutable answer to "what collections are there?".
///
/// A [`Registry`] makes one, or says why not.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    pub(crate) version: u32,
    pub(crate) collections: BTreeMap<Name, Arc<Collection>>,
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
}
