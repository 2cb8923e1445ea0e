//! Between the application's form and that of storage: custom field types and aliases.

use crate::operation::{Batch, Condition, Step};
use crate::query::{Filter, Find, Test};
use crate::schema::{Collection, CustomType, Field, FieldType, RESERVED, Schema};
use crate::value::{Key, Object, Value};
use crate::{Error, Result};

pub(super) fn prepare_batch(batch: &mut Batch, schema: &Schema) -> Result<()> {
    for step in &mut batch.steps {
        if step.collection().starts_with(RESERVED) {
            return Err(Error::invalid("Syncline keeps this collection for itself; only read it")
                .with("collection", step.collection()));
        }
        let collection = schema.collection(step.collection())?;
        if is_plain(collection) {
            continue;
        }
        match step {
            Step::Create(create) => {
                prepare_new(&mut create.object, collection)?;
            }
            Step::Update { filter, changes, .. } => {
                prepare_filter(filter, collection)?;
                prepare_fields(changes, collection)?;
            }
            Step::Delete { filter, .. } => prepare_filter(filter, collection)?,
            Step::Guard(guard) => match &mut guard.condition {
                Condition::Looks(key, fields) => {
                    prepare_key(key, collection)?;
                    prepare_fields(fields, collection)?;
                }
                Condition::Exists(key) | Condition::Absent(key) => prepare_key(key, collection)?,
                Condition::Unique(fields) => prepare_fields(fields, collection)?,
            },
        }
    }
    Ok(())
}

pub(super) fn prepare_find(find: &mut Find, schema: &Schema) -> Result<()> {
    let collection = schema.collection(&find.collection)?;
    prepare_filter(&mut find.filter, collection)
}

pub(super) fn prepare_filter(filter: &mut Filter, collection: &Collection) -> Result<()> {
    if is_plain(collection) {
        return Ok(());
    }
    match filter {
        Filter::All => Ok(()),
        Filter::Keys(keys) => keys.iter_mut().try_for_each(|key| prepare_key(key, collection)),
        Filter::And(several) | Filter::Or(several) => {
            several.iter_mut().try_for_each(|filter| prepare_filter(filter, collection))
        }
        Filter::Not(filter) => prepare_filter(filter, collection),
        Filter::Field(name, test) => {
            let Some((field, custom)) = custom(collection, name) else { return Ok(()) };
            match test {
                Test::Eq(value) | Test::Ne(value) => prepare(value, field, custom, collection),
                Test::In(values) | Test::NotIn(values) => values
                    .iter_mut()
                    .try_for_each(|value| prepare(value, field, custom, collection)),
                _ => Ok(()),
            }
        }
    }
}

/// Brings objects that storage answered with into the form that the application sees.
pub(super) fn restore_all(objects: &mut [Object], collection: &Collection) -> Result<()> {
    if is_plain(collection) {
        return Ok(());
    }
    objects.iter_mut().try_for_each(|object| restore(object, collection))
}

/// Brings an object into the form that the application sees.
pub(super) fn restore(object: &mut Object, collection: &Collection) -> Result<()> {
    for field in collection.fields() {
        let FieldType::Custom(custom) = &field.kind else { continue };
        let Some(value) = object.get_mut(&field.name).filter(|value| !value.is_null()) else {
            continue;
        };
        *value = custom
            .restore(std::mem::take(value))
            .map_err(|error| named(error, field, collection))?;
    }
    for relationship in collection.relationships() {
        if relationship.alias != relationship.field
            && let Some(value) = object.remove(&relationship.field)
        {
            let _ = object.set(relationship.alias.clone(), value);
        }
    }
    Ok(())
}

/// Whether the application's form of the objects is that of storage.
fn is_plain(collection: &Collection) -> bool {
    let custom = |field: &Field| matches!(field.kind, FieldType::Custom(_));
    !collection.fields().iter().any(custom)
        && collection.relationships().iter().all(|of| of.alias == of.field)
}

fn custom<'a>(collection: &'a Collection, name: &str) -> Option<(&'a Field, &'a dyn CustomType)> {
    match collection.field(name) {
        Some(field @ Field { kind: FieldType::Custom(custom), .. }) => Some((field, &**custom)),
        _ => None,
    }
}

/// Prepares a new object: an absent field is for its type to fill, or not.
fn prepare_new(object: &mut Object, collection: &Collection) -> Result<()> {
    for field in collection.fields() {
        let FieldType::Custom(custom) = &field.kind else { continue };
        let given = object.remove(&field.name).filter(|value| !value.is_null());
        let prepared = custom.prepare(given).map_err(|error| named(error, field, collection))?;
        if let Some(value) = prepared {
            let _ = object.set(field.name.clone(), value);
        }
    }
    Ok(())
}

/// Prepares the fields that are there.
fn prepare_fields(object: &mut Object, collection: &Collection) -> Result<()> {
    for (name, value) in object.iter_mut() {
        if let Some((field, custom)) = custom(collection, name) {
            prepare(value, field, custom, collection)?;
        }
    }
    Ok(())
}

fn prepare_key(key: &mut Key, collection: &Collection) -> Result<()> {
    if !collection.key().iter().any(|name| custom(collection, name).is_some()) {
        return Ok(());
    }
    let mut values = key.values().to_vec();
    for (name, value) in collection.key().iter().zip(&mut values) {
        if let Some((field, custom)) = custom(collection, name) {
            prepare(value, field, custom, collection)?;
        }
    }
    *key = Key::compound(values);
    Ok(())
}

fn prepare(
    value: &mut Value,
    field: &Field,
    custom: &dyn CustomType,
    collection: &Collection,
) -> Result<()> {
    if !value.is_null() {
        *value = custom
            .prepare(Some(std::mem::take(value)))
            .map_err(|error| named(error, field, collection))?
            .unwrap_or_default();
    }
    Ok(())
}

fn named(error: Error, field: &Field, collection: &Collection) -> Error {
    error.with("collection", collection.name()).with("field", &field.name)
}
