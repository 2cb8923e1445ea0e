//! An object with its children into the steps of a batch, and back.

use super::{Batch, Create, Nested, Replace, Step};
use crate::schema::{Collection, Relationship, RelationshipKind, Schema};
use crate::value::{Key, Name, Object};
use crate::{Error, Result};

/// How deep children may have children.
const DEEPEST: usize = 64;

/// How the objects of a nested create hang together, once they are steps of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    children: Vec<(Name, Vec<Shape>)>,
}

impl Nested {
    /// Turns an object and its children into steps: each parent first, then its children, whose
    /// field for the parent takes the parent's key.
    ///
    /// Where that key is not known yet, the parent gets a placeholder that begins with
    /// `placeholder`, and the child's field refers to it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if no collection relates to the parent's
    /// under this name, a child names another parent already, there are several children where one
    /// is allowed, or the parent's key has several fields.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_core::operation::Nested;
    /// use syncline_core::{Collection, Object, Registry, Step};
    ///
    /// let user = Collection::define("user");
    /// let email = Collection::define("email").child_of("user");
    /// let schema = Registry::new().collections(1, [user, email]).finish()?;
    ///
    /// let child = Nested { object: Object::new().with("id", "e1"), children: Vec::new() };
    /// let jane = Nested {
    ///     object: Object::new().with("id", "jane"),
    ///     children: vec![("emails".into(), vec![child])],
    /// };
    /// let (batch, _) = jane.flatten("user", &schema, "new")?;
    ///
    /// let Step::Create(email) = &batch.steps[1] else { unreachable!() };
    /// assert_eq!(email.object.value("user"), &"jane".into());
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn flatten(
        self,
        collection: &str,
        schema: &Schema,
        placeholder: &str,
    ) -> Result<(Batch, Shape)> {
        let mut flat = Flat { schema, steps: Vec::new() };
        let definition = schema.collection(collection)?;
        let root = Create {
            collection: definition.name().clone(),
            object: self.object,
            placeholder: one_field(definition).then(|| placeholder.to_owned()),
            replace: Vec::new(),
        };
        let shape = flat.add(root, self.children, 0)?;
        Ok((Batch { steps: flat.steps }, shape))
    }
}

impl Shape {
    /// Puts created objects, in the order of the steps that created them, back into nested form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if there are fewer objects than steps.
    pub fn nest(self, objects: &mut impl Iterator<Item = Object>) -> Result<Nested> {
        let object = objects
            .next()
            .ok_or_else(|| Error::internal("a nested create stored fewer objects than it has"))?;
        let mut children = Vec::with_capacity(self.children.len());
        for (name, shapes) in self.children {
            let nested = shapes.into_iter().map(|shape| shape.nest(objects));
            children.push((name, nested.collect::<Result<Vec<_>>>()?));
        }
        Ok(Nested { object, children })
    }
}

struct Flat<'a> {
    schema: &'a Schema,
    steps: Vec<Step>,
}

impl<'a> Flat<'a> {
    fn add(
        &mut self,
        create: Create,
        children: Vec<(Name, Vec<Nested>)>,
        depth: usize,
    ) -> Result<Shape> {
        if depth > DEEPEST {
            return Err(Error::invalid(
                "children are nested too deep; create them in several steps",
            )
            .with("deepest", DEEPEST));
        }
        let parent = self.schema.collection(&create.collection)?;
        let key = parent.key_of(&create.object);
        let placeholder = create.placeholder.clone().unwrap_or_default();
        self.steps.push(Step::Create(create));

        let mut shape = Shape::default();
        for (name, children) in children {
            let (collection, relationship) = self.related(parent.name(), &name)?;
            if relationship.kind == RelationshipKind::SingleChildOf && children.len() > 1 {
                return Err(Error::invalid("an object has one child of this name, not several")
                    .with("collection", parent.name())
                    .with("child", &name));
            }
            let mut shapes = Vec::with_capacity(children.len());
            for (position, child) in children.into_iter().enumerate() {
                let mut create = Create {
                    collection: collection.name().clone(),
                    object: child.object,
                    placeholder: one_field(collection)
                        .then(|| format!("{placeholder}.{name}.{position}")),
                    replace: Vec::new(),
                };
                refer(&mut create, relationship, key.as_ref(), &placeholder)?;
                shapes.push(self.add(create, child.children, depth + 1)?);
            }
            shape.children.push((name, shapes));
        }
        Ok(shape)
    }

    /// The collection whose objects are called so by their parent, and how they hold its key.
    fn related(&self, parent: &Name, name: &str) -> Result<(&'a Collection, &'a Relationship)> {
        let found = self.schema.child(parent, name);
        let (collection, relationship) = found.ok_or_else(|| {
            Error::invalid(
                "no collection is related under this name; use the relationship's reverse alias, or \
                 declare the relationship",
            )
            .with("collection", parent)
            .with("child", name)
        })?;
        Ok((collection, relationship))
    }
}

fn one_field(collection: &Collection) -> bool {
    collection.key().len() == 1
}

/// Puts the parent's key into the child's field, or a reference to it.
fn refer(
    child: &mut Create,
    relationship: &Relationship,
    key: Option<&Key>,
    placeholder: &str,
) -> Result<()> {
    let complain = |message: &'static str| {
        Err(Error::invalid(message)
            .with("collection", &child.collection)
            .with("field", &relationship.field))
    };
    let given = child.object.remove(&relationship.alias);
    let given = given.or_else(|| child.object.remove(&relationship.field)).unwrap_or_default();
    match key.map(Key::single) {
        Some(None) => complain("a field cannot hold its parent's key, which has several fields"),
        Some(Some(value)) if given.is_null() || given == *value => {
            let _ = child.object.set(relationship.field.clone(), value.clone());
            Ok(())
        }
        None if given.is_null() => {
            let field = relationship.field.clone();
            child.replace.push(Replace { field, placeholder: placeholder.to_owned() });
            Ok(())
        }
        _ => complain("a nested child names another parent; leave its field out"),
    }
}
