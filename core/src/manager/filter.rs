//! What can be given where a filter is wanted.

use crate::Result;
use crate::query::Filter;
use crate::schema::Collection;
use crate::value::{Key, Object};

/// What can be given where a filter is wanted: a [`Filter`], JSON in MongoDB's words, a [`Key`], or
/// an [`Object`] whose fields all have to be equal.
pub trait IntoFilter {
    /// The filter, over the objects of this collection.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if this is no filter.
    fn into_filter(self, collection: &Collection) -> Result<Filter>;
}

impl IntoFilter for Filter {
    fn into_filter(self, _: &Collection) -> Result<Filter> {
        Ok(self)
    }
}

impl IntoFilter for &Filter {
    fn into_filter(self, _: &Collection) -> Result<Filter> {
        Ok(self.clone())
    }
}

impl IntoFilter for Key {
    fn into_filter(self, _: &Collection) -> Result<Filter> {
        Ok(Filter::key(self))
    }
}

impl IntoFilter for Object {
    fn into_filter(self, _: &Collection) -> Result<Filter> {
        Ok(Filter::And(self.into_iter().map(|(name, value)| Filter::eq(name, value)).collect()))
    }
}

impl IntoFilter for serde_json::Value {
    fn into_filter(self, collection: &Collection) -> Result<Filter> {
        Filter::from_json(&self, collection)
    }
}

impl IntoFilter for &serde_json::Value {
    fn into_filter(self, collection: &Collection) -> Result<Filter> {
        Filter::from_json(self, collection)
    }
}
