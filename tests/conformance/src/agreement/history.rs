//! Random operations over a schema with few keys and few values, so that they meet.

use std::sync::Arc;

use serde_json::json;
use syncline_core::query::{Continuation, Test};
use syncline_core::schema::Primitive;
use syncline_core::value::{Key, Name};
use syncline_core::{
    Batch, Collection, Condition, Direction, FieldType, Filter, Find, Object, Operation, Registry,
    Schema, Step, Value,
};

use super::dice::Dice;

/// Objects with keys of one field, of several, and of numbers; every type of value, all optional.
pub(crate) fn schema() -> Arc<Schema> {
    let note = Collection::define("note")
        .optional("flag", FieldType::Boolean)
        .optional("blob", FieldType::Blob)
        .optional("ratio", FieldType::Float)
        .optional("count", FieldType::Int)
        .optional("json", FieldType::Json)
        .optional("text", FieldType::Text)
        .optional("time", FieldType::Timestamp)
        .index(["count"])
        .index(["text", "flag"])
        .unique(["time"]);
    let pair = Collection::define("pair")
        .field("left", FieldType::String)
        .field("right", FieldType::Int)
        .optional("text", FieldType::Text)
        .optional("count", FieldType::Int)
        .key(["left", "right"]);
    let number = Collection::define("number")
        .field("n", FieldType::Int)
        .optional("flag", FieldType::Boolean)
        .key(["n"]);
    crate::schema::finish(Registry::new().collections(1, [note, pair, number]))
}

/// The history of this number.
pub(crate) fn random(seed: u64, length: usize) -> Vec<Operation> {
    let schema = schema();
    let collections: Vec<Arc<Collection>> = schema.collections().cloned().collect();
    let mut dice = Dice::new(seed);
    (0..length).map(|_| operation(&mut dice, &collections)).collect()
}

/// Batches of the history of this number, as an application writes them.
pub(crate) fn random_batches(seed: u64, length: usize) -> Vec<Batch> {
    let schema = schema();
    let collections: Vec<Arc<Collection>> = schema.collections().cloned().collect();
    let mut dice = Dice::new(seed);
    (0..length).map(|_| batch(&mut dice, &collections)).collect()
}

fn operation(dice: &mut Dice, collections: &[Arc<Collection>]) -> Operation {
    let collection = dice.pick(collections);
    match dice.below(8) {
        0..4 => Operation::Write(batch(dice, collections)),
        4..7 => Operation::Find(find(dice, &collection)),
        _ => Operation::Count(collection.name().clone(), filter(dice, &collection, 3)),
    }
}

fn batch(dice: &mut Dice, collections: &[Arc<Collection>]) -> Batch {
    let steps = if dice.once_in(2) { 1 } else { dice.below(7) };
    (0..steps).fold(Batch::new(), |batch, number| {
        let collection = dice.pick(collections);
        batch.step(step(dice, &collection, number))
    })
}

fn step(dice: &mut Dice, collection: &Collection, number: usize) -> Step {
    let name = collection.name().clone();
    let one = match dice.below(10) {
        0..5 => Batch::new().create(name, object(dice, collection)),
        5..7 => {
            let changes = collection.without_key(object(dice, collection));
            Batch::new().update(name, filter(dice, collection, 2), changes)
        }
        7..9 => {
            let limit = dice.once_in(2).then(|| dice.below(6) as u64);
            let filter = filter(dice, collection, 2);
            Batch::new().step(Step::Delete { collection: name, filter, limit })
        }
        _ => Batch::new().guard(format!("guard {number}"), name, condition(dice, collection)),
    };
    one.steps.into_iter().next().expect("each arm adds one step")
}

fn condition(dice: &mut Dice, collection: &Collection) -> Condition {
    let look = collection.without_key(object(dice, collection));
    match dice.below(4) {
        0 => Condition::Exists(key(dice, collection)),
        1 => Condition::Absent(key(dice, collection)),
        2 => Condition::Looks(key(dice, collection), look),
        _ if look.is_empty() => Condition::Exists(key(dice, collection)),
        _ => Condition::Unique(look),
    }
}

/// A new object: a key, and some of the other fields, now and then with null in them.
fn object(dice: &mut Dice, collection: &Collection) -> Object {
    let mut object = Object::new();
    for field in collection.fields() {
        let primitive = field.kind.primitive();
        if collection.is_key(&field.name) {
            let _ = object.set(field.name.clone(), value(dice, primitive));
        } else if dice.once_in(2) {
            let _ = object.set(field.name.clone(), value_or_null(dice, primitive));
        }
    }
    object
}

fn key(dice: &mut Dice, collection: &Collection) -> Key {
    let primitives: Vec<Primitive> = collection.key_primitives().collect();
    Key::compound(primitives.into_iter().map(|primitive| value(dice, primitive)))
}

fn value_or_null(dice: &mut Dice, primitive: Primitive) -> Value {
    if dice.once_in(6) { Value::Null } else { value(dice, primitive) }
}

fn value(dice: &mut Dice, primitive: Primitive) -> Value {
    let numbers = [i64::MIN, -2, 0, 1, 2, 10, i64::MAX];
    match primitive {
        Primitive::Bool => Value::Bool(dice.once_in(2)),
        Primitive::Bytes => Value::from(dice.pick::<&[u8]>(&[b"", b"\0", b"a", b"ab", b"\xff"])),
        Primitive::Float => Value::Float(dice.pick(&[f64::MIN, -0.5, 0.0, 0.1, 1.0, 2.0, 1e300])),
        Primitive::Int => Value::Int(dice.pick(&numbers)),
        Primitive::Json => Value::Json(dice.pick(&[json!(null), json!(1), json!({"a": [null]})])),
        Primitive::Text => {
            Value::from(dice.pick(&["", "a", "a\0", "ab", "a%", "A", "1", "é", "\u{fffd}", "🦀"]))
        }
        Primitive::Timestamp => Value::Timestamp(dice.pick(&numbers)),
    }
}

fn filter(dice: &mut Dice, collection: &Collection, depth: usize) -> Filter {
    let several = |dice: &mut Dice| dice.several(3, |dice| filter(dice, collection, depth - 1));
    match dice.below(if depth == 0 { 8 } else { 12 }) {
        0 => Filter::All,
        1..3 => Filter::Keys(dice.several(4, |dice| key(dice, collection))),
        3..8 => field_filter(dice, collection),
        8..10 => Filter::And(several(dice)),
        10 => Filter::Or(several(dice)),
        _ => filter(dice, collection, depth - 1).negated(),
    }
}

fn field_filter(dice: &mut Dice, collection: &Collection) -> Filter {
    let field = &collection.fields()[dice.below(collection.fields().len())];
    let primitive = field.kind.primitive();
    let is_ordered = !matches!(primitive, Primitive::Bool | Primitive::Json);
    let is_text = primitive == Primitive::Text;
    let held = |dice: &mut Dice| value_or_null(dice, primitive);
    let test = match dice.below(12) {
        0 => Test::Ne(held(dice)),
        1 => Test::In(dice.several(4, held)),
        2 => Test::NotIn(dice.several(4, held)),
        3 => Test::Exists(dice.once_in(2)),
        4 if is_ordered => Test::Lt(value(dice, primitive)),
        5 if is_ordered => Test::Lte(value(dice, primitive)),
        6 if is_ordered => Test::Gt(value(dice, primitive)),
        7 if is_ordered => Test::Gte(value(dice, primitive)),
        8 if is_text => Test::Prefix(dice.pick(&["", "a", "A", "a%", "é", "🦀"]).to_owned()),
        _ => Test::Eq(held(dice)),
    };
    Filter::Field(field.name.clone(), test)
}

fn find(dice: &mut Dice, collection: &Collection) -> Find {
    let mut find = Find::new(collection.name().clone(), filter(dice, collection, 3));
    let mut sortable: Vec<(Name, Primitive)> = collection
        .fields()
        .iter()
        .map(|field| (field.name.clone(), field.kind.primitive()))
        .filter(|(_, primitive)| *primitive != Primitive::Json)
        .collect();
    let mut sorted: Vec<(Name, Primitive)> = Vec::new();
    for _ in 0..dice.below(4).min(sortable.len()) {
        // Behind the whole key nothing is left to sort, and a place there is nobody's.
        if collection.key().iter().all(|name| sorted.iter().any(|(field, _)| field == name)) {
            break;
        }
        let (field, primitive) = sortable.swap_remove(dice.below(sortable.len()));
        let directions = [Direction::Ascending, Direction::Descending];
        find = find.order_by(field.clone(), dice.pick(&directions));
        sorted.push((field, primitive));
    }
    if dice.once_in(4) {
        let key = key(dice, collection).into_values();
        let order = sorted.iter().map(|(field, primitive)| {
            let part = collection.key().iter().position(|name| name == field);
            part.map_or_else(|| value_or_null(dice, *primitive), |part| key[part].clone())
        });
        find.after = Some(Continuation { order: order.collect(), key });
    }
    find.limit = dice.once_in(3).then(|| dice.below(8) as u64);
    find.skip = if dice.once_in(4) { dice.below(4) as u64 } else { 0 };
    find.page_objects = dice.pick(&[1, 2, 3, 7, 1_000]);
    if dice.once_in(3) {
        let names: Vec<Name> = collection.fields().iter().map(|field| field.name.clone()).collect();
        find.fields = Some(dice.several(3, |dice| dice.pick(&names)));
    }
    find
}
