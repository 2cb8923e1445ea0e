//! Placeholders: keys that earlier steps of a batch make, used by later ones.

use std::collections::HashMap;

use super::Create;
use crate::schema::{Collection, Primitive};
use crate::{Error, Result};

/// The placeholders of a batch so far, each with the type of the key it stands for.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    known: HashMap<String, Primitive>,
}

impl Placeholders {
    /// Holds if the create uses what earlier ones made, and makes what is new; aliases of
    /// relationships become the names of their fields.
    pub(super) fn check(&mut self, create: &mut Create, collection: &Collection) -> Result<()> {
        for position in 0..create.replace.len() {
            let replace = &create.replace[position];
            let refuse = |message: &'static str| {
                Err(Error::invalid(message)
                    .with("field", &replace.field)
                    .with("placeholder", &replace.placeholder)
                    .with("collection", collection.name()))
            };
            let Some(field) = collection.resolve(&replace.field) else {
                return refuse("there is no such field for a placeholder to fill");
            };
            let Some(kind) = self.known.get(&replace.placeholder) else {
                return refuse("no earlier step of the batch has this placeholder");
            };
            if *kind != field.kind.primitive() {
                return refuse("the key that the placeholder stands for is of another type");
            }
            let twice = create.replace[..position].iter().any(|other| other.field == field.name);
            if twice
                || create.object.contains(&replace.field)
                || create.object.contains(&field.name)
            {
                return refuse("a field is filled twice; leave it out, or the placeholder");
            }
            create.replace[position].field = field.name.clone();
        }
        let Some(name) = &create.placeholder else { return Ok(()) };
        let mut primitives = collection.key_primitives();
        let (Some(kind), None) = (primitives.next(), primitives.next()) else {
            return Err(Error::invalid("a placeholder stands for a key of one field")
                .with("placeholder", name)
                .with("collection", collection.name()));
        };
        if self.known.insert(name.clone(), kind).is_some() {
            return Err(Error::invalid("two steps of a batch have one placeholder; rename one")
                .with("placeholder", name)
                .with("collection", collection.name()));
        }
        Ok(())
    }
}
