//! Filters and orders: what parses prints and parses alike, and every backend answers the same.

use std::cell::OnceCell;
use std::sync::Arc;

use arbitrary::Unstructured;
use serde_json::{Value as Json, json};
use syncline_backend_memory::MemoryBackend;
use syncline_backend_sqlite::{SqliteBackend, SqliteConfig};
use syncline_core::operation::check as whether;
use syncline_core::query::{Order, Test, compare, matches};
use syncline_core::value::json::object_from_json;
use syncline_core::{Backend, Batch, Collection, Filter, Find, Object, Operation, Schema, run};

use crate::made::Field;

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// The collections that can be chosen by the first byte.
pub const COLLECTIONS: [&str; 3] = ["thing", "pair", "counted"];

/// The fields of each, those of the key first.
const FIELDS: [&[Field]; 3] = [
    &[
        ("id", "string"),
        ("flag", "boolean"),
        ("raw", "binary"),
        ("at", "datetime"),
        ("lat", "float"),
        ("count", "int"),
        ("any", "json"),
        ("name", "string"),
        ("body", "text"),
        ("link", "url"),
        ("token", "random-key"),
        ("owner", "int"),
    ],
    &[("a", "string"), ("b", "int"), ("c", "float")],
    &[("no", "auto-pk"), ("word", "string")],
];

/// Some objects, in two backends.
struct World {
    schema: Arc<Schema>,
    objects: Vec<(&'static str, Object)>,
    backends: [Box<dyn Backend>; 2],
}

/// Reads the bytes as a filter, or as a list of a filter and an order; or makes a filter from them.
pub fn check(data: &[u8]) {
    let Some((choice, data)) = crate::choice(data) else { return };
    let at = usize::from(choice);
    let json = match at / COLLECTIONS.len() % 2 {
        0 => serde_json::from_slice::<Json>(data).ok(),
        _ => made(data, FIELDS[at % COLLECTIONS.len()]).ok(),
    };
    let name = COLLECTIONS[at % COLLECTIONS.len()];
    if let Some(json) = json {
        WORLD.with(|world| world.get_or_init(World::new).ask(name, &json));
    }
}

fn made(data: &[u8], fields: &[Field]) -> arbitrary::Result<Json> {
    let mut data = Unstructured::new(data);
    let minus = if data.arbitrary()? { "-" } else { "" };
    let [first, second] = [data.choose(fields)?.0, data.choose(fields)?.0];
    let order = if first == second { String::new() } else { format!("{minus}{first},{second}") };
    Ok(json!([crate::made::filter(&mut data, fields)?, order]))
}

impl World {
    fn new() -> Self {
        let schema = Arc::new(Schema::from_json(&schema()).expect("it is a schema"));
        let objects = objects(&schema);
        let sqlite = SqliteBackend::open_in_memory(SqliteConfig::default()).expect("it opens");
        let backends: [Box<dyn Backend>; 2] =
            [Box::new(MemoryBackend::default()), Box::new(sqlite)];
        for backend in &backends {
            ask(&**backend, Operation::Prepare(schema.clone()));
            for (name, object) in &objects {
                ask(&**backend, Operation::Write(Batch::new().create(*name, object.clone())));
            }
        }
        Self { schema, objects, backends }
    }

    fn ask(&self, name: &'static str, json: &Json) {
        let collection = self.schema.collection(name).expect("it is there");
        let (filter, order) = match json {
            Json::Array(both) if both.len() == 2 => (&both[0], Some(&both[1])),
            filter => (filter, None),
        };
        let Ok(filter) = Filter::from_json(filter, collection) else { return };
        let filter = with_common_letters(filter);
        let printed = filter.to_json();
        let again = Filter::from_json(&printed, collection)
            .unwrap_or_else(|error| panic!("cannot read what it printed: {error}\n{printed}"));
        assert_eq!(again, filter, "{printed}");
        let Some(Ok(order)) =
            order.map_or(Some(Ok(Vec::new())), |order| Some(Order::from_json(order, collection)))
        else {
            return;
        };
        self.find(Find { order, ..Find::new(name, filter) }, collection);
    }

    /// Every backend finds what matches, sorted.
    fn find(&self, find: Find, collection: &Collection) {
        let mut operation = Operation::Find(find);
        if whether::operation(&mut operation, &self.schema).is_err() {
            // A value that cannot be held, such as an int beyond the type of its field.
            return;
        }
        let Operation::Find(find) = &operation else { return };
        let mut expected: Vec<&Object> = self
            .objects
            .iter()
            .filter(|(name, object)| {
                **name == *find.collection && matches(&find.filter, object, collection)
            })
            .map(|(_, object)| object)
            .collect();
        let negated = find.filter.clone().negated();
        for (_, object) in self.objects.iter().filter(|(name, _)| **name == *find.collection) {
            let is_in = expected.contains(&object);
            assert_ne!(matches(&negated, object, collection), is_in, "neither in nor out");
        }
        expected.sort_by(|a, b| compare(&find.order, a, b, collection));
        for backend in &self.backends {
            let found = ask(&**backend, operation.clone()).found().expect("it was asked for");
            let found: Vec<&Object> = found.objects.iter().collect();
            assert_eq!(found, expected, "{} answers {find:?}", backend.name());
        }
    }
}

/// The same filter, without letters in searched words that SQLite's tables may not know yet.
fn with_common_letters(filter: Filter) -> Filter {
    let all = |filters: Vec<Filter>| filters.into_iter().map(with_common_letters).collect();
    let common = |letter: char| if letter < '\u{250}' { letter } else { ' ' };
    match filter {
        Filter::And(filters) => Filter::And(all(filters)),
        Filter::Or(filters) => Filter::Or(all(filters)),
        Filter::Not(filter) => Filter::Not(Box::new(with_common_letters(*filter))),
        Filter::Field(name, Test::Words(words)) => {
            let words = words.iter().map(|word| word.chars().map(common).collect());
            Filter::Field(name, Test::Words(words.collect()))
        }
        other => other,
    }
}

fn ask(backend: &dyn Backend, operation: Operation) -> syncline_core::Outcome {
    pollster::block_on(run(backend, operation.clone()))
        .unwrap_or_else(|error| panic!("{} refuses {operation:?}: {error}", backend.name()))
}

/// A field of every type, every kind of key and index.
pub fn schema() -> Json {
    json!({"version": 1, "collections": {
        "thing": {
            "fields": {
                "flag": {"type": "boolean", "optional": true},
                "raw": {"type": "binary", "optional": true},
                "at": {"type": "datetime", "optional": true},
                "lat": {"type": "float", "optional": true},
                "count": {"type": "int", "optional": true},
                "any": {"type": "json", "optional": true},
                "name": {"type": "string", "optional": true},
                "body": {"type": "text", "optional": true},
                "link": {"type": "url", "optional": true},
                "token": {"type": "random-key", "optional": true},
            },
            "indices": [
                {"field": "name"},
                {"field": ["count", "lat"]},
                {"field": "body", "fullText": true}
            ],
            "relationships": [{"childOf": "counted", "alias": "owner", "optional": true}],
        },
        "pair": {
            "fields": {"a": {"type": "string"}, "b": {"type": "int"}, "c": {"type": "float"}},
            "indices": [{"field": ["a", "b"], "pk": true}],
        },
        "counted": {
            "fields": {"no": {"type": "auto-pk"}, "word": {"type": "string"}},
            "indices": [{"field": "no", "pk": true}],
        },
    }})
}

fn objects(schema: &Schema) -> Vec<(&'static str, Object)> {
    let all = json!({
        "thing": [
            {"id": "a"},
            {"id": "b", "flag": true, "raw": "AP8=", "at": "2026-11-20T12:00:00.000Z", "lat": 1.5,
             "count": 3, "any": {"x": [1, 2.5, null]}, "name": "Vila", "body": "It's easy, 3-fold",
             "link": "https://example.org/", "token": "t", "owner": 1},
            {"id": "c", "flag": false, "raw": "", "at": -1, "lat": 0.0, "count": i64::MIN,
             "any": [], "name": "", "body": "EASY \" AND NOT* öl", "owner": 2},
            {"id": "d", "lat": -1e300, "count": i64::MAX, "any": "text", "name": "vila%_\\",
             "body": "\u{0}a b", "link": "not a link"},
            {"id": "e", "lat": 9007199254740993_i64, "count": 9007199254740993_i64, "any": 0,
             "name": "Vilb", "at": 253402300800000_i64},
        ],
        "pair": [
            {"a": "x", "b": 1, "c": 1.0},
            {"a": "x", "b": 2, "c": 0.5},
            {"a": "", "b": -1, "c": 2.0},
        ],
        "counted": [{"no": 1, "word": "one"}, {"no": 2, "word": "two"}],
    });
    let mut objects = Vec::new();
    for name in COLLECTIONS {
        let collection = schema.collection(name).expect("it is there");
        for json in all[name].as_array().expect("a list") {
            let mut write = Operation::Write(
                Batch::new()
                    .create(name, object_from_json(json, collection).expect("it is an object")),
            );
            whether::operation(&mut write, schema).expect("it can be written");
            let Operation::Write(Batch { mut steps }) = write else { continue };
            if let Some(syncline_core::Step::Create(create)) = steps.pop() {
                objects.push((name, create.object));
            }
        }
    }
    objects
}
