//! Which tests suit which fields.

use super::Test;
use crate::schema::{Collection, Field, Primitive};
use crate::{Error, Result};

impl Test {
    /// The word for this test in JSON, such as `$eq`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Eq(_) => "$eq",
            Self::Ne(_) => "$ne",
            Self::Lt(_) => "$lt",
            Self::Lte(_) => "$lte",
            Self::Gt(_) => "$gt",
            Self::Gte(_) => "$gte",
            Self::In(_) => "$in",
            Self::NotIn(_) => "$nin",
            Self::Exists(_) => "$exists",
            Self::Prefix(_) => "$prefix",
            Self::Words(_) => "$text",
        }
    }

    /// Holds if the test suits the type of the field; the values in it are not looked at.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it orders what has no order, or looks for
    /// text in what is none.
    pub fn suits(&self, field: &Field, collection: &Collection) -> Result<()> {
        let kind = field.kind.primitive();
        let refused = match self {
            Self::Lt(value) | Self::Lte(value) | Self::Gt(value) | Self::Gte(value) => {
                if value.is_null() {
                    Some("nothing is less or greater than null; test with `$exists`")
                } else if matches!(kind, Primitive::Bool | Primitive::Json) {
                    Some("values of this type are not less or greater than each other")
                } else {
                    None
                }
            }
            Self::Prefix(_) if kind != Primitive::Text => Some("only text has a beginning"),
            Self::Words(_) => {
                let indexed = collection
                    .indexes()
                    .iter()
                    .any(|index| index.full_text && index.fields.contains(&field.name));
                (!indexed)
                    .then_some("words are found in fields with a full text index; declare one")
            }
            _ => None,
        };
        refused.map_or(Ok(()), |message| {
            Err(Error::invalid(message)
                .with("test", self.word())
                .with("type", field.kind.name())
                .with("field", &field.name)
                .with("collection", collection.name()))
        })
    }
}
