//! Objects with their children inside, as people write them.

use crate::value::{Name, Object};

/// An object and the children to be created with it.
///
/// # Example
///
/// ```
/// use syncline_core::{Nested, Object};
///
/// let user = Nested {
///     object: Object::new().with("name", "Ann"),
///     children: vec![(
///         "emails".into(),
///         vec![Nested::from(Object::new().with("address", "ann@example.com"))],
///     )],
/// };
/// assert_eq!(user.children[0].1.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nested {
    /// The object's own fields.
    pub object: Object,
    /// Its children: what this object calls them (the reverse alias of a relationship), and each of
    /// them. A child lacks the field that refers to this object.
    pub children: Vec<(Name, Vec<Nested>)>,
}

impl From<Object> for Nested {
    fn from(object: Object) -> Self {
        Self { object, children: Vec::new() }
    }
}
