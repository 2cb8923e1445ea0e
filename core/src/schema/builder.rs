//! Definitions of collections, written in Rust.

use super::{Collection, Field, FieldType, Index, RESERVED, RelationshipKind, resolve};
use crate::value::Name;
use crate::{Error, Result};

/// A collection as somebody defines it; a [`Registry`](super::Registry) makes it a [`Collection`].
///
/// Mistakes are reported by the registry when it finishes, not while the definition is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub(super) name: Name,
    pub(super) version: Option<u32>,
    pub(super) fields: Vec<Field>,
    pub(super) key: Option<Vec<Name>>,
    pub(super) indexes: Vec<Index>,
    pub(super) relationships: Vec<RelationshipDef>,
}

/// A relationship as somebody defines it; what is left out has a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationshipDef {
    pub(super) kind: RelationshipKind,
    pub(super) target: Name,
    pub(super) alias: Option<Name>,
    pub(super) reverse_alias: Option<Name>,
    pub(super) field: Option<Name>,
    pub(super) optional: bool,
}

impl Collection {
    /// Begins the definition of a collection.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_core::{Collection, FieldType, Registry};
    ///
    /// let city = Collection::define("city")
    ///     .field("name", FieldType::String)
    ///     .optional("population", FieldType::Int)
    ///     .index(["name"])
    ///     .child_of("country");
    /// let country = Collection::define("country").field("name", FieldType::String);
    ///
    /// let schema = Registry::new().collections(1, [city, country]).finish()?;
    /// let city = schema.collection("city")?;
    /// assert!(city.field("id").is_some(), "the primary key, if nothing else is said");
    /// assert!(city.field("country").is_some(), "holds the key of the country");
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn define(name: impl Into<Name>) -> Definition {
        Definition {
            name: name.into(),
            version: None,
            fields: Vec::new(),
            key: None,
            indexes: Vec::new(),
            relationships: Vec::new(),
        }
    }
}

impl Definition {
    /// Adds a field that every object has.
    #[must_use]
    pub fn field(mut self, name: impl Into<Name>, kind: FieldType) -> Self {
        self.fields.push(Field { name: name.into(), kind, optional: false });
        self
    }

    /// Adds a field that objects may lack.
    #[must_use]
    pub fn optional(mut self, name: impl Into<Name>, kind: FieldType) -> Self {
        self.fields.push(Field { name: name.into(), kind, optional: true });
        self
    }

    /// Names the fields of the primary key; without this it is the text field `id`.
    #[must_use]
    pub fn key<N: Into<Name>>(mut self, fields: impl IntoIterator<Item = N>) -> Self {
        self.key = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Adds an index over one or several fields; a relationship may be named by its alias.
    #[must_use]
    pub fn index<N: Into<Name>>(self, fields: impl IntoIterator<Item = N>) -> Self {
        self.any_index(fields, false, false)
    }

    /// Adds an index whose values two objects may not share.
    #[must_use]
    pub fn unique<N: Into<Name>>(self, fields: impl IntoIterator<Item = N>) -> Self {
        self.any_index(fields, true, false)
    }

    /// Adds an index of the words of a text field.
    #[must_use]
    pub fn full_text(self, field: impl Into<Name>) -> Self {
        self.any_index([field], false, true)
    }

    /// Its objects are children of objects of `target`.
    #[must_use]
    pub fn child_of(self, target: impl Into<Name>) -> Self {
        self.relationship(RelationshipDef::child_of(target))
    }

    /// Each of its objects is the only child of an object of `target`.
    #[must_use]
    pub fn single_child_of(self, target: impl Into<Name>) -> Self {
        self.relationship(RelationshipDef::single_child_of(target))
    }

    /// Its objects connect an object of `a` with one of `b`.
    #[must_use]
    pub fn connects(self, a: impl Into<Name>, b: impl Into<Name>) -> Self {
        self.relationship(RelationshipDef::end(a)).relationship(RelationshipDef::end(b))
    }

    /// Adds a relationship with names of its own. A connection is two [ends](RelationshipDef::end),
    /// one after the other.
    #[must_use]
    pub fn relationship(mut self, relationship: RelationshipDef) -> Self {
        self.relationships.push(relationship);
        self
    }

    /// Says in which version of the schema this definition last changed; without this the registry
    /// finds out.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Makes a collection that a middleware keeps for itself, outside any registry.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if its name does not begin with `sync_`, if
    /// it has relationships, or if the definition contradicts itself.
    pub fn finish_reserved(self) -> Result<Collection> {
        if !self.name.starts_with(RESERVED) {
            return Err(Error::invalid("a reserved collection is named `sync_…`")
                .with("collection", &self.name));
        }
        if !self.relationships.is_empty() {
            return Err(Error::invalid("a reserved collection has no relationships")
                .with("collection", &self.name));
        }
        resolve::standalone(&self)
    }

    fn any_index<N: Into<Name>>(
        mut self,
        fields: impl IntoIterator<Item = N>,
        unique: bool,
        full_text: bool,
    ) -> Self {
        let fields = fields.into_iter().map(Into::into).collect();
        self.indexes.push(Index { fields, unique, full_text });
        self
    }
}

impl RelationshipDef {
    /// One of several children of an object of `target`.
    pub fn child_of(target: impl Into<Name>) -> Self {
        Self::new(RelationshipKind::ChildOf, target)
    }

    /// The only child of an object of `target`.
    pub fn single_child_of(target: impl Into<Name>) -> Self {
        Self::new(RelationshipKind::SingleChildOf, target)
    }

    /// One end of a connection; a connection has two.
    pub fn end(target: impl Into<Name>) -> Self {
        Self::new(RelationshipKind::Connects, target)
    }

    /// What an object calls the other one; without this, the target's name.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<Name>) -> Self {
        self.alias = Some(alias.into());
        self
    }

    /// What the other object calls this one or these; without this, the collection's name, in the
    /// plural unless it is the only child.
    #[must_use]
    pub fn reverse_alias(mut self, alias: impl Into<Name>) -> Self {
        self.reverse_alias = Some(alias.into());
        self
    }

    /// The field that holds the other object's key; without this, the alias.
    #[must_use]
    pub fn field(mut self, field: impl Into<Name>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Objects may lack it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(super) fn new(kind: RelationshipKind, target: impl Into<Name>) -> Self {
        Self {
            kind,
            target: target.into(),
            alias: None,
            reverse_alias: None,
            field: None,
            optional: false,
        }
    }
}
