//! Indexes.

use crate::value::Name;

/// An index over one or several fields; the primary key is not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The fields, in order.
    pub fields: Vec<Name>,
    /// Whether two objects may not have the same values. Checked by a guard inside the writing
    /// batch, never by storage itself: merging must be able to store what two replicas wrote.
    pub unique: bool,
    /// Whether this is an index of the words of one text field.
    pub full_text: bool,
}
