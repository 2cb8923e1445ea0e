//! Whether an operation makes sense under a schema, before storage sees it.
//!
//! Backends trust what arrives, so everything the schema says is checked here: names, types, what is
//! required, what suits what. Values of custom types must have been prepared for storage by now. What
//! is harmless is put right: whole numbers become floats in float fields, -0.0 becomes 0.0, and
//! aliases of relationships become the names of their fields.

use serde_json::Value as Json;

use super::{Batch, Condition, Create, Guard, Operation, Step};
use crate::query::{DEEPEST_FILTER, Filter, Find, Test, check_order, descend};
use crate::schema::{Collection, Field, Primitive, Schema};
use crate::value::Quoted;
use crate::value::{Key, Name, Object, Value};
use crate::{Error, Result};

/// How many steps a batch has at most.
pub const MOST_STEPS: usize = 1_000_000;

/// How deep a JSON value may be nested.
///
/// What is written must be readable: `serde_json` reads 127 levels, and this leaves some of them to
/// what a value is wrapped in on its way.
pub const DEEPEST_JSON: usize = 100;

/// Holds if the operation makes sense under the schema; puts right what is harmless.
///
/// The key of a new object may still be missing: whoever gives keys comes later, and
/// [`keys_present`] after that.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with what is wrong, and where.
///
/// # Example
///
/// ```
/// use syncline_core::operation::check;
/// use syncline_core::{Batch, Collection, FieldType, Object, Operation, Registry};
///
/// let city = Collection::define("city")
///     .field("name", FieldType::String)
///     .optional("lat", FieldType::Float);
/// let schema = Registry::new().collections(1, [city]).finish()?;
///
/// let vila = Object::new().with("name", "Vila").with("lat", 42);
/// let mut write = Operation::Write(Batch::new().create("city", vila));
/// check::operation(&mut write, &schema)?;
///
/// let nameless = Object::new().with("lat", 42.5);
/// let mut write = Operation::Write(Batch::new().create("city", nameless));
/// let error = check::operation(&mut write, &schema).unwrap_err();
/// assert!(error.to_string().contains("field: name"));
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn operation(operation: &mut Operation, schema: &Schema) -> Result<()> {
    match operation {
        Operation::Prepare(_) => Ok(()),
        Operation::Find(find) => self::find(find, schema),
        Operation::Count(name, filter) => self::filter(filter, schema.collection(name)?),
        Operation::Write(batch) => self::batch(batch, schema),
    }
}

/// Holds if the operation keeps to the application's own collections.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the reserved collection it names.
pub fn not_reserved(operation: &Operation) -> Result<()> {
    let refuse = |name: &Name| {
        if !name.starts_with(crate::schema::RESERVED) {
            return Ok(());
        }
        Err(Error::invalid("this collection is kept by a middleware, for nobody else to use")
            .with("collection", name))
    };
    match operation {
        Operation::Prepare(_) => Ok(()),
        Operation::Find(find) => refuse(&find.collection),
        Operation::Count(name, _) => refuse(name),
        Operation::Write(batch) => batch.steps.iter().map(Step::collection).try_for_each(refuse),
    }
}

/// Holds if every new object of the batch has its key, or gets it from storage or an earlier step.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if one lacks it.
pub fn keys_present(batch: &Batch, schema: &Schema) -> Result<()> {
    for (position, step) in batch.steps.iter().enumerate() {
        let Step::Create(create) = step else { continue };
        let collection = schema.collection(&create.collection)?;
        let filled = |name: &Name| {
            !create.object.value(name).is_null()
                || create.replace.iter().any(|replace| replace.field == *name)
        };
        if collection.counts_keys() {
            continue;
        }
        if let Some(missing) = collection.key().iter().find(|name| !filled(name)) {
            return Err(Error::invalid(
                "a new object has no primary key; give it one, or add the CustomPk middleware",
            )
            .with("field", missing)
            .with("collection", collection.name())
            .with("step", position));
        }
    }
    Ok(())
}

/// Holds if the filter makes sense for the collection; puts right what is harmless.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with what is wrong, and where.
pub fn filter(filter: &mut Filter, collection: &Collection) -> Result<()> {
    filter_within(filter, collection, DEEPEST_FILTER)
}

fn filter_within(filter: &mut Filter, collection: &Collection, deeper: usize) -> Result<()> {
    let deeper = descend(deeper).map_err(|error| error.with("collection", collection.name()))?;
    match filter {
        Filter::All => Ok(()),
        Filter::Keys(keys) => keys.iter().try_for_each(|key| self::key(key, collection)),
        Filter::Field(name, test) => {
            let field = resolve(name, collection)?;
            test.suits(field, collection)?;
            let check = |held: &mut Value| value(held, field, collection);
            match test {
                Test::Eq(held)
                | Test::Ne(held)
                | Test::Lt(held)
                | Test::Lte(held)
                | Test::Gt(held)
                | Test::Gte(held) => check(held),
                Test::In(held) | Test::NotIn(held) => held.iter_mut().try_for_each(check),
                Test::Exists(_) | Test::Prefix(_) | Test::Words(_) => Ok(()),
            }
        }
        Filter::And(several) | Filter::Or(several) => {
            several.iter_mut().try_for_each(|filter| filter_within(filter, collection, deeper))
        }
        Filter::Not(filter) => filter_within(filter, collection, deeper),
    }
}

fn find(find: &mut Find, schema: &Schema) -> Result<()> {
    let collection = schema.collection(&find.collection)?;
    filter(&mut find.filter, collection)?;
    for order in &mut find.order {
        let _ = resolve(&mut order.field, collection)?;
    }
    check_order(&find.order, collection)?;
    for name in find.fields.iter_mut().flatten() {
        let _ = resolve(name, collection)?;
    }
    if find.page_objects == 0 {
        return Err(Error::invalid("a page has room for at least one object")
            .with("collection", collection.name()));
    }
    let Some(after) = &mut find.after else { return Ok(()) };
    if after.order.len() != find.order.len() || after.key.len() != collection.key().len() {
        return Err(Error::invalid("the continuation belongs to another question; ask anew")
            .with("collection", collection.name()));
    }
    let sorted = find.order.iter().map(|order| &order.field).zip(&mut after.order);
    for (name, held) in sorted.chain(collection.key().iter().zip(&mut after.key)) {
        let field = known(name, collection)?;
        value(held, field, collection)?;
    }
    Ok(())
}

fn batch(batch: &mut Batch, schema: &Schema) -> Result<()> {
    if batch.steps.len() > MOST_STEPS {
        return Err(Error::invalid("a batch has too many steps; write it in several batches")
            .with("steps", batch.steps.len())
            .with("most", MOST_STEPS));
    }
    let mut placeholders = super::placeholder::Placeholders::default();
    for (position, step) in batch.steps.iter_mut().enumerate() {
        self::step(step, schema, &mut placeholders)
            .map_err(|error| error.with("step", position))?;
    }
    Ok(())
}

fn step(
    step: &mut Step,
    schema: &Schema,
    placeholders: &mut super::placeholder::Placeholders,
) -> Result<()> {
    let collection = schema.collection(step.collection())?;
    match step {
        Step::Create(create) => {
            placeholders.check(create, collection)?;
            self::create(create, collection)
        }
        Step::Update { filter, changes, .. } => {
            self::filter(filter, collection)?;
            self::changes(changes, collection)
        }
        Step::Delete { filter, .. } => self::filter(filter, collection),
        Step::Guard(guard) => self::guard(guard, collection),
    }
}

fn create(create: &mut Create, collection: &Collection) -> Result<()> {
    object(&mut create.object, collection)?;
    for field in collection.fields() {
        let held = create.object.get(&field.name);
        let key = collection.is_key(&field.name);
        let missing = match held {
            Some(value) => value.is_null() && (key || !field.optional),
            None => !key && !field.optional,
        };
        if missing && !create.replace.iter().any(|replace| replace.field == field.name) {
            return Err(missing_field(field, key, collection));
        }
    }
    Ok(())
}

fn missing_field(field: &Field, key: bool, collection: &Collection) -> Error {
    Error::invalid(match key {
        true => "a field of the primary key cannot be null; leave it out to be given one",
        false => "a new object lacks a field; give it, or declare the field optional",
    })
    .with("field", &field.name)
    .with("type", field.kind.name())
    .with("collection", collection.name())
}

fn changes(changes: &mut Object, collection: &Collection) -> Result<()> {
    object(changes, collection)?;
    for (name, value) in changes.iter() {
        let message = if collection.is_key(name) {
            "a primary key does not change; delete the object and create another"
        } else if value.is_null() && !known(name, collection)?.optional {
            "a field that every object has cannot be emptied; declare it optional"
        } else {
            continue;
        };
        return Err(Error::invalid(message)
            .with("field", name)
            .with("collection", collection.name()));
    }
    Ok(())
}

fn guard(guard: &mut Guard, collection: &Collection) -> Result<()> {
    match &mut guard.condition {
        Condition::Exists(key) | Condition::Absent(key) => self::key(key, collection),
        Condition::Looks(key, fields) => {
            self::key(key, collection)?;
            object(fields, collection)
        }
        Condition::Unique(fields) => {
            if fields.is_empty() {
                return Err(Error::invalid("a unique guard names at least one field")
                    .with("collection", collection.name()));
            }
            object(fields, collection)
        }
    }
    .map_err(|error| error.with("guard", &guard.name))
}

/// Holds if this can be a primary key of the collection.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it has another number of values, or one of
/// another type.
pub fn key(key: &Key, collection: &Collection) -> Result<()> {
    if key.values().len() != collection.key().len() {
        return Err(Error::invalid("the key has another number of fields")
            .with("wanted", collection.key().join(", "))
            .with("got", key)
            .with("collection", collection.name()));
    }
    for (name, value) in collection.key().iter().zip(key.values()) {
        let field = known(name, collection)?;
        if value.is_null() {
            return Err(Error::invalid("a field of the primary key cannot be null")
                .with("field", name)
                .with("collection", collection.name()));
        }
        if !field.kind.primitive().holds(value) {
            return Err(wrong_type(field, value, collection));
        }
    }
    Ok(())
}

/// Names and values of an object; what must be there is another question.
fn object(object: &mut Object, collection: &Collection) -> Result<()> {
    if object.iter().any(|(name, _)| collection.field(name).is_none()) {
        rename(object, collection)?;
    }
    for (name, held) in object.iter_mut() {
        let field = known(name, collection)?;
        value(held, field, collection)?;
    }
    Ok(())
}

/// Turns aliases of relationships into the names of their fields.
fn rename(object: &mut Object, collection: &Collection) -> Result<()> {
    let mut renamed = Object::with_capacity(object.len());
    for (mut name, value) in std::mem::take(object) {
        let field = resolve(&mut name, collection)?;
        if renamed.set(field.name.clone(), value).is_some() {
            return Err(Error::invalid("a field stands there twice, once by its alias; drop one")
                .with("field", &field.name)
                .with("collection", collection.name()));
        }
    }
    *object = renamed;
    Ok(())
}

/// The field of this name or alias; the name becomes the field's.
fn resolve<'a>(name: &mut Name, collection: &'a Collection) -> Result<&'a Field> {
    let field = collection.resolve(name).ok_or_else(|| unknown(name, collection))?;
    if field.name != *name {
        *name = field.name.clone();
    }
    Ok(field)
}

fn known<'a>(name: &str, collection: &'a Collection) -> Result<&'a Field> {
    collection.field(name).ok_or_else(|| unknown(name, collection))
}

fn unknown(name: &str, collection: &Collection) -> Error {
    Error::invalid("there is no such field; correct it or leave it out")
        .with("field", Quoted(name))
        .with("collection", collection.name())
}

fn value(value: &mut Value, field: &Field, collection: &Collection) -> Result<()> {
    let message = match (field.kind.primitive(), &mut *value) {
        (_, Value::Null) => return Ok(()),
        (Primitive::Float, Value::Int(int)) => {
            let float = *int as f64;
            if float as i128 == i128::from(*int) {
                *value = Value::Float(float);
                return Ok(());
            }
            "no float is this whole number; round it, or declare the field int"
        }
        (Primitive::Float, Value::Float(float)) => {
            if float.is_finite() {
                // Turns -0.0 into 0.0 and leaves the rest alone.
                *float += 0.0;
                return Ok(());
            }
            "a float is a finite number; leave the field out instead"
        }
        (Primitive::Json, Value::Json(json)) => {
            if !is_deeper(json, DEEPEST_JSON) {
                return Ok(());
            }
            "a JSON value is nested too deep; make it flatter"
        }
        (primitive, held) if primitive.holds(held) => return Ok(()),
        (_, held) => return Err(wrong_type(field, held, collection)),
    };
    Err(Error::invalid(message).with("field", &field.name).with("collection", collection.name()))
}

fn wrong_type(field: &Field, got: &Value, collection: &Collection) -> Error {
    Error::invalid("the value is of another type")
        .with("wanted", field.kind.name())
        .with("got", got.type_name())
        .with("field", &field.name)
        .with("collection", collection.name())
}

/// Whether lists and objects are nested deeper than this; asks no deeper than that itself.
fn is_deeper(json: &Json, limit: usize) -> bool {
    match json {
        Json::Array(items) => limit == 0 || items.iter().any(|item| is_deeper(item, limit - 1)),
        Json::Object(of) => limit == 0 || of.values().any(|item| is_deeper(item, limit - 1)),
        _ => false,
    }
}
