//! Placeholders: names by which later steps use the key of an earlier create.

use std::collections::HashMap;

use super::{Batch, Step};
use crate::schema::Schema;
use crate::value::{Key, Name};
use crate::{Error, Result};

/// What an earlier create's placeholder stands for.
enum Meaning {
    Known(Key),
    /// The backend will count it.
    Counted,
}

impl Batch {
    /// Puts keys that are known by now in the place of the placeholders that stand for them.
    ///
    /// What stays are references to keys that the backend will count. A placeholder itself stays with
    /// its create, since the caller wants to find the created object by it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if a field refers to a placeholder that no
    /// earlier step has, two steps have the same one, or the key it stands for has several fields.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_core::operation::{Create, Replace};
    /// use syncline_core::{Batch, Collection, FieldType, Object, Registry, Step};
    ///
    /// let user = Collection::define("user");
    /// let email = Collection::define("email").child_of("user");
    /// let schema = Registry::new().collections(1, [user, email]).finish()?;
    ///
    /// let mut batch = Batch::new()
    ///     .step(Step::Create(Create {
    ///         collection: "user".into(),
    ///         object: Object::new().with("id", "u1"),
    ///         placeholder: Some("jane".into()),
    ///         ..Create::default()
    ///     }))
    ///     .step(Step::Create(Create {
    ///         collection: "email".into(),
    ///         object: Object::new().with("id", "e1"),
    ///         replace: vec![Replace { field: "user".into(), placeholder: "jane".into() }],
    ///         ..Create::default()
    ///     }));
    /// batch.resolve_placeholders(&schema)?;
    ///
    /// let Step::Create(email) = &batch.steps[1] else { unreachable!() };
    /// assert_eq!(email.object.value("user"), &"u1".into());
    /// assert!(email.replace.is_empty());
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn resolve_placeholders(&mut self, schema: &Schema) -> Result<()> {
        let mut meanings: HashMap<String, Meaning> = HashMap::new();
        for step in &mut self.steps {
            let Step::Create(create) = step else { continue };
            for replace in std::mem::take(&mut create.replace) {
                match meanings.get(&replace.placeholder) {
                    Some(Meaning::Counted) => create.replace.push(replace),
                    Some(Meaning::Known(key)) => {
                        let value = key.single().ok_or_else(|| {
                            complaint(COMPOUND, &create.collection, &replace.placeholder)
                        })?;
                        let _ = create.object.set(replace.field, value.clone());
                    }
                    None => {
                        return Err(complaint(UNKNOWN, &create.collection, &replace.placeholder)
                            .with("field", replace.field));
                    }
                }
            }
            let Some(placeholder) = &create.placeholder else { continue };
            let collection = schema.collection(&create.collection)?;
            let meaning = match collection.key_of(&create.object) {
                Some(key) => Meaning::Known(key),
                None => Meaning::Counted,
            };
            if meanings.insert(placeholder.clone(), meaning).is_some() {
                return Err(complaint(TWICE, &create.collection, placeholder));
            }
        }
        Ok(())
    }
}

const COMPOUND: &str = "a placeholder stands for a key of several fields, which one field cannot hold; \
                        fill in the fields";
const UNKNOWN: &str = "no earlier step of the batch creates an object under this placeholder; create \
                       the object that is referred to first";
const TWICE: &str = "two steps of the batch have the same placeholder; give each its own";

fn complaint(message: &'static str, collection: &Name, placeholder: &str) -> Error {
    Error::invalid(message).with("collection", collection).with("placeholder", placeholder)
}
