//! How collections relate; the words are storex's.

use crate::value::Name;

/// A relationship, declared by the collection whose objects hold the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relationship {
    /// What kind it is.
    pub kind: RelationshipKind,
    /// The collection that is referred to.
    pub target: Name,
    /// What an object of this collection calls the other one; the target's name if nothing is said.
    pub alias: Name,
    /// What the other object calls this one or these; it is where nested creates are found.
    pub reverse_alias: Name,
    /// The field that holds the other object's key; the alias if nothing is said.
    pub field: Name,
}

/// The kind of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationshipKind {
    /// One of several children of the other object (`childOf`).
    ChildOf,
    /// The only child of the other object (`singleChildOf`).
    SingleChildOf,
    /// One end of a connection between two objects (`connects`); a connection declares two of these.
    Connects,
}
