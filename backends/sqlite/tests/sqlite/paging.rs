//! Answers agree with core's own matching and sorting, whatever way SQLite finds them.

use std::sync::Arc;

use syncline_backend_sqlite::SqliteBackend;
use syncline_core::query::{Pager, Test, compare, matches};
use syncline_core::{
    Batch, Collection, Direction, FieldType, Filter, Find, Object, Page, Schema, Value,
};

use super::support::*;

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize].clone()
    }
}

const COLLECTIONS: [&str; 3] = ["text", "counted", "pair"];
const FIELDS: [&str; 4] = ["name", "n", "ratio", "flag"];

fn schemas() -> Arc<Schema> {
    let fields = |name: &str| {
        Collection::define(name.to_owned())
            .optional("name", FieldType::String)
            .optional("n", FieldType::Int)
            .optional("ratio", FieldType::Float)
            .optional("flag", FieldType::Boolean)
            .index(["n"])
            .index(["name", "n"])
    };
    schema(
        1,
        [
            fields("text"),
            fields("counted").field("id", FieldType::Int).key(["id"]),
            fields("pair").field("a", FieldType::String).field("b", FieldType::Int).key(["a", "b"]),
        ],
    )
}

fn value(dice: &mut Dice, field: &str) -> Value {
    match field {
        "name" => {
            Value::from(dice.pick(&["", "a", "ab", "a%", "A", "é", "b", "\u{10ffff}", "ab\u{0}"]))
        }
        "n" => Value::from(dice.pick(&[i64::MIN, -3, 0, 1, 2, 3, i64::MAX])),
        "ratio" => Value::from(dice.pick(&[-1.5, 0.0, 1.0, 2.5, 1e300])),
        _ => Value::from(dice.roll(2) == 0),
    }
}

fn object(dice: &mut Dice, collection: &str, at: i64) -> Object {
    let mut object = match collection {
        "text" => Object::new().with("id", format!("{:03}", (at * 7919) % 1000)),
        "counted" => Object::new().with("id", (at * 7919) % 1000),
        _ => Object::new().with("a", dice.pick(&["x", "y", "z"])).with("b", at),
    };
    for field in FIELDS {
        if dice.roll(3) > 0 {
            let value = value(dice, field);
            let _ = object.set(field, value);
        }
    }
    object
}

fn test(dice: &mut Dice, field: &str) -> Test {
    let any = |dice: &mut Dice| match dice.roll(8) {
        0 => Value::Null,
        1 => {
            let other = dice.pick(&FIELDS);
            value(dice, other)
        }
        _ => value(dice, field),
    };
    match dice.roll(10) {
        0 | 1 => Test::Eq(any(dice)),
        2 => Test::Ne(any(dice)),
        3 => Test::Lt(any(dice)),
        4 => Test::Lte(any(dice)),
        5 => Test::Gt(any(dice)),
        6 => Test::Gte(any(dice)),
        7 => Test::In((0..dice.roll(4)).map(|_| any(dice)).collect()),
        8 => Test::NotIn((0..dice.roll(4)).map(|_| any(dice)).collect()),
        _ if dice.roll(2) == 0 => Test::Exists(dice.roll(2) == 0),
        _ => Test::Prefix(dice.pick(&["", "a", "a%", "é", "\u{10ffff}"]).to_owned()),
    }
}

fn filter(dice: &mut Dice, objects: &[Object], collection: &Collection, depth: u32) -> Filter {
    let below = |dice: &mut Dice| -> Vec<Filter> {
        (0..dice.roll(4)).map(|_| filter(dice, objects, collection, depth + 1)).collect()
    };
    match dice.roll(if depth < 3 { 10 } else { 5 }) {
        0 => Filter::All,
        1 if !objects.is_empty() => {
            let some = (0..dice.roll(9)).map(|_| dice.pick(objects));
            Filter::Keys(some.filter_map(|object| collection.key_of(&object)).collect())
        }
        1..=4 => {
            let field = dice.pick(&FIELDS);
            Filter::Field(field.into(), test(dice, field))
        }
        5 | 6 => Filter::And(below(dice)),
        7 | 8 => Filter::Or(below(dice)),
        _ => filter(dice, objects, collection, depth + 1).negated(),
    }
}

fn question(dice: &mut Dice, objects: &[Object], collection: &Collection) -> Find {
    let mut find = Find::new(collection.name().clone(), filter(dice, objects, collection, 0));
    let key: Vec<&str> = collection.key().iter().map(|name| &**name).collect();
    for _ in 0..dice.roll(3) {
        let field = match dice.roll(5) {
            0 => dice.pick(&key),
            _ => dice.pick(&FIELDS),
        };
        find = find.order_by(field, dice.pick(&[Direction::Ascending, Direction::Descending]));
    }
    find.limit = (dice.roll(4) == 0).then(|| dice.roll(40));
    find.skip = if dice.roll(4) == 0 { dice.roll(20) } else { 0 };
    if dice.roll(4) == 0 {
        find = find.select([dice.pick(&FIELDS)]);
    }
    find.page_objects = dice.pick(&[1, 2, 7, 50, 1_000]);
    find.page_bytes = dice.pick(&[10, 200, 1 << 20]);
    find
}

fn pages(backend: &SqliteBackend, find: &Find) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut next = Some(find.clone());
    while let Some(find) = next {
        let page = page(backend, find.clone()).expect("finds");
        next = find.following(&page);
        pages.push(page);
    }
    pages
}

/// What core says the answer is.
fn expected(objects: &[Object], find: &Find, collection: &Collection) -> Vec<Object> {
    let mut find = find.clone();
    (find.page_objects, find.page_bytes) = (usize::MAX, usize::MAX);
    let mut found: Vec<&Object> =
        objects.iter().filter(|object| matches(&find.filter, object, collection)).collect();
    found.sort_by(|a, b| compare(&find.order, a, b, collection));
    let mut pager = Pager::new(&find, collection);
    let _ = found.into_iter().try_for_each(|object| pager.offer(object));
    pager.finish().objects
}

fn filled(dice: &mut Dice, count: i64) -> (SqliteBackend, Vec<Vec<Object>>) {
    let backend = memory(&schemas());
    let objects: Vec<Vec<Object>> = COLLECTIONS
        .map(|collection| (0..count).map(|at| object(dice, collection, at)).collect())
        .to_vec();
    for (collection, objects) in COLLECTIONS.iter().zip(&objects) {
        let batch = objects
            .iter()
            .fold(Batch::new(), |batch, object| batch.create(*collection, object.clone()));
        let _ = write(&backend, batch).expect("stores");
    }
    (backend, objects)
}

#[test]
fn any_question_has_the_answer_that_core_gives() {
    let mut dice = Dice(1);
    let schema = schemas();
    for round in 0..12 {
        let (backend, objects) = filled(&mut dice, if round % 4 == 3 { 600 } else { 40 });
        for _ in 0..150 {
            let at = dice.roll(3) as usize;
            let collection = schema.collection(COLLECTIONS[at]).expect("there");
            let find = question(&mut dice, &objects[at], collection);
            let pages = pages(&backend, &find);
            for page in &pages {
                assert!(page.objects.len() <= find.page_objects, "{find:?}");
            }
            let found: Vec<Object> = pages.into_iter().flat_map(|page| page.objects).collect();
            assert_eq!(found, expected(&objects[at], &find, collection), "{find:?}");
        }
    }
}

#[test]
fn any_change_touches_what_core_says_it_touches() {
    let mut dice = Dice(2);
    let schema = schemas();
    for _ in 0..60 {
        let (backend, mut objects) = filled(&mut dice, 30);
        for _ in 0..4 {
            let at = dice.roll(3) as usize;
            let collection = schema.collection(COLLECTIONS[at]).expect("there");
            let filter = filter(&mut dice, &objects[at], collection, 0);
            let met = |object: &Object| matches(&filter, object, collection);
            let count = objects[at].iter().filter(|object| met(object)).count() as u64;
            let batch = match dice.roll(2) {
                0 => {
                    objects[at].retain(|object| !met(object));
                    Batch::new().delete(COLLECTIONS[at], filter.clone())
                }
                _ => {
                    let changes = Object::new().with("n", 7).with("name", None::<&str>);
                    let batch = Batch::new().update(COLLECTIONS[at], filter.clone(), changes);
                    for object in objects[at].iter_mut().filter(|object| met(object)) {
                        let _ = object.set("n", 7);
                        let _ = object.remove("name");
                    }
                    batch
                }
            };
            let outcome = write(&backend, batch).expect("writes");
            let expected = [
                syncline_core::StepOutcome::Deleted(count),
                syncline_core::StepOutcome::Updated(count),
            ];
            assert!(expected.contains(&outcome[0]), "{filter:?}: {outcome:?}, not {count}");
            let mut left = objects[at].clone();
            left.sort_by(|a, b| compare(&[], a, b, collection));
            assert_eq!(all(&backend, COLLECTIONS[at]), left, "{filter:?}");
        }
    }
}

#[test]
fn an_index_that_leads_to_very_many_objects_is_not_sorted_for_each_page() {
    let backend = memory(&notes());
    let batch = (0..25_000).fold(Batch::new(), |batch, at| {
        batch.create("note", a_note(&format!("{:05}", (at * 7919) % 25_000), "x", at % 2))
    });
    let _ = write(&backend, batch).expect("stores");
    let find = Find::new("note", Filter::eq("priority", 1));
    let found: Vec<String> = pages(&backend, &find)
        .into_iter()
        .flat_map(|page| page.objects)
        .map(|object| object.value("id").to_string())
        .collect();
    assert_eq!(found.len(), 12_500);
    assert!(found.is_sorted());

    let all = Find::new("note", Filter::gte("priority", 0));
    let ids = pages(&backend, &all).into_iter().flat_map(|page| page.objects);
    assert!(ids.map(|object| object.value("id").to_string()).is_sorted());
}

#[test]
fn thousands_of_alternatives_are_one_question() {
    let backend = memory(&notes());
    let _ = write(&backend, many_notes(20)).expect("stores");
    let any =
        (0..3_000).map(|at| Filter::eq("priority", at).and(Filter::eq("title", "x"))).collect();
    assert_eq!(find(&backend, "note", Filter::Or(any)).expect("finds").len(), 20);
    let keys = (0..5_000).map(|at| format!("n{at:03}").as_str().into()).collect();
    assert_eq!(find(&backend, "note", Filter::Keys(keys)).expect("finds").len(), 20);
}

#[test]
fn too_many_values_are_invalid() {
    let backend = memory(&notes());
    let any = (0..40_000).map(|at| Filter::eq("priority", at)).collect();
    let says = ["several parts", "values: 4000"];
    refused(find(&backend, "note", Filter::Or(any)), syncline_core::ErrorKind::Invalid, &says);
    let one_of = Filter::is_in("priority", 0..40_000_i64);
    assert!(find(&backend, "note", one_of).expect("is one value").is_empty());
}
