//! New keys for rows whose keys the database counted, and for what refers to them.

use std::collections::HashMap;

use super::adopt::Unfolded;
use super::{ClientLog, Head};
use crate::log::{Op, Write};
use crate::query::Test;
use crate::schema::Collection;
use crate::{Error, Filter, Find, Key, Name, Object, Result, Step, Value};

/// Makes keys that no object has yet.
#[cfg(not(target_family = "wasm"))]
pub(super) type Fresh<'a> = &'a (dyn Fn() -> Value + Send + Sync);
/// Makes keys that no object has yet.
#[cfg(target_family = "wasm")]
pub(super) type Fresh<'a> = &'a dyn Fn() -> Value;

/// Rows under their new keys.
#[derive(Debug, Default)]
pub(super) struct Rekeyed {
    /// What to write: the rows moved, the references to them changed.
    pub steps: Vec<Step>,
    /// The rows as they are then.
    pub rows: Vec<(Key, Object)>,
    /// What to log of objects that referred to them and are logged already.
    pub referring: Vec<Write>,
}

impl ClientLog {
    /// Gives rows new keys, and changes what refers to them.
    pub(super) async fn rekey(
        &self,
        head: &Head,
        definition: &Collection,
        rows: Vec<(Key, Object)>,
        fresh: Fresh<'_>,
    ) -> Result<Rekeyed> {
        let new = new_keys(definition, &rows, fresh)?;
        let mut rekeyed = Rekeyed::default();
        let (collection, filter) = (definition.name().clone(), keys(new.keys()));
        rekeyed.steps.push(Step::Delete { collection, filter, limit: None });
        for (key, mut row) in rows {
            let Some(key) = key.single().and_then(|old| new.get(old)) else { continue };
            definition.set_key(&mut row, Key::from(key.clone()))?;
            for field in referring_fields(definition, definition.name()) {
                if let Some(other) = new.get(row.value(field)) {
                    let _ = row.set(field.clone(), other.clone());
                }
            }
            let (collection, object) = (definition.name().clone(), row.clone());
            let create = crate::operation::Create { collection, object, ..Default::default() };
            rekeyed.steps.push(Step::Create(create));
            rekeyed.rows.push((Key::from(key.clone()), row));
        }
        for other in self.schema().own_collections() {
            for field in referring_fields(other, definition.name()) {
                self.refer(head, definition, (other, field), &new, &mut rekeyed).await?;
            }
        }
        Ok(rekeyed)
    }

    /// Changes the references in one field of one collection.
    async fn refer(
        &self,
        head: &Head,
        definition: &Collection,
        (other, field): (&Collection, &Name),
        new: &HashMap<Value, Value>,
        rekeyed: &mut Rekeyed,
    ) -> Result<()> {
        let old = Test::In(new.keys().cloned().collect());
        let question = Find::new(other.name().clone(), Filter::Field(field.clone(), old));
        let rows = self.find_all(question).await?;
        let known = match self.logs(other.name()) {
            true => self.known_objects(head, other, &rows, &mut Unfolded::default()).await?,
            false => Default::default(),
        };
        for row in rows {
            let Some(key) = other.key_of(&row) else { continue };
            let is_moved = other.name() == definition.name()
                && key.single().is_some_and(|key| new.contains_key(key));
            let Some(to) = new.get(row.value(field)).filter(|_| !is_moved) else { continue };
            let changes = Object::new().with(field.clone(), to.clone());
            if known.contains(&key) {
                let op = Op::Update(changes.clone());
                rekeyed.referring.push(self.write_of(other.name().clone(), key.clone(), op)?);
            }
            let (collection, filter) = (other.name().clone(), Filter::Keys(vec![key]));
            rekeyed.steps.push(Step::Update { collection, filter, changes });
        }
        Ok(())
    }
}

fn new_keys(
    definition: &Collection,
    rows: &[(Key, Object)],
    fresh: Fresh<'_>,
) -> Result<HashMap<Value, Value>> {
    let primitive = definition.key_primitives().next();
    let mut new = HashMap::with_capacity(rows.len());
    for (key, _) in rows {
        let (Some(old), key) = (key.single(), fresh()) else {
            return Err(Error::invalid("only keys of one field can be replaced")
                .with("collection", definition.name()));
        };
        if !primitive.is_some_and(|primitive| primitive.holds(&key)) {
            return Err(Error::invalid(
                "a new key is not of the key's type; give another generator",
            )
            .with("collection", definition.name())
            .with("key", &key));
        }
        let _ = new.insert(old.clone(), key);
    }
    Ok(new)
}

fn keys<'a>(values: impl Iterator<Item = &'a Value>) -> Filter {
    Filter::Keys(values.cloned().map(Key::from).collect())
}

fn referring_fields<'a>(from: &'a Collection, to: &'a Name) -> impl Iterator<Item = &'a Name> {
    let relationships = from.relationships().iter();
    relationships.filter(move |other| other.target == *to).map(|other| &other.field)
}
