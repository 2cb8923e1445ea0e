//! What goes wrong between a Rust type and an object, before it becomes an [`Error`].

use std::fmt;

use crate::schema::Collection;
use crate::{Error, Name};

/// The error that serde carries; boxed, so that the good case stays small.
#[derive(Debug)]
pub(super) struct Fault(Box<Story>);

#[derive(Debug)]
struct Story {
    message: String,
    field: Option<Name>,
}

impl Fault {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self(Box::new(Story { message: message.to_string(), field: None }))
    }

    /// Names the field, unless an inner one is named already.
    pub(super) fn at(mut self, field: &str) -> Self {
        let _ = self.0.field.get_or_insert_with(|| field.into());
        self
    }

    pub(super) fn into_error(self, collection: &Collection) -> Error {
        let error = Error::invalid(self.0.message).with("collection", collection.name());
        match self.0.field {
            Some(field) => error.with("field", field),
            None => error,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("a field that the type demands is absent; make it an Option or give it a default")
            .at(field)
    }
}
