//! Cases of storex-sync that stand nowhere else.

use std::sync::Arc;

use syncline::client::LogHook;
use syncline::log::{Op, Write};
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::object_log;
use syncline::{Collection, FieldType, Filter, Key, Object, Registry, Value};
use syncline_it::{Replica, STORES, storage};

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

/// Leaves updates unlogged.
#[derive(Debug)]
struct NoUpdates;

impl LogHook for NoUpdates {
    fn log(&self, write: &mut Write) -> bool {
        !matches!(write.op, Op::Update(_))
    }
}

#[test]
fn a_hook_that_drops_updates_leaves_them_unlogged_and_stored() {
    for store in STORES {
        pollster::block_on(async {
            let replica = Replica::open(storage(store), 1, syncline_it::schema(), |mut config| {
                config.hook = Some(Arc::new(NoUpdates));
                config
            });
            let replica = replica.await.expect("it opens");
            let _ = replica.create("user", Object::new().with("id", "a").with("name", "A")).await;
            let age = Object::new().with("age", 7);
            assert_eq!(replica.update("user", Filter::key("a"), age).await, 1);
            let logged = object_log(&replica.log, None, None).await.expect("it tells");
            assert_eq!(logged.len(), 1, "only the create");
            assert_eq!(replica.all("user").await[0].value("age"), &Value::Int(7));
        });
    }
}

#[test]
fn objects_with_compound_keys_are_edited_and_deleted_elsewhere_too() {
    let schema = || {
        let entry = Collection::define("entry")
            .field("list", FieldType::String)
            .field("place", FieldType::Int)
            .optional("text", FieldType::String)
            .key(["list", "place"]);
        Registry::new().collections(1, [entry]).finish().expect("a schema")
    };
    let key = |place: i32| Key::compound([Value::from("list-one"), Value::from(place)]);
    for store in STORES {
        pollster::block_on(async {
            let log = shared();
            let one = Replica::open(storage(store), 1, schema(), |config| config).await;
            let two = Replica::open(storage(store), 2, schema(), |config| config).await;
            let (one, two) = (one.expect("it opens"), two.expect("it opens"));
            for place in 1..=3 {
                let entry = Object::new().with("list", "list-one").with("place", place);
                let _ = one.create("entry", entry).await;
            }
            let _ = one.sync(&log).await;
            let _ = two.sync(&log).await;
            let text = Object::new().with("text", "edited");
            assert_eq!(two.update("entry", Filter::key(key(2)), text).await, 1);
            assert_eq!(one.delete("entry", Filter::key(key(3))).await, 1);
            for replica in [&one, &two, &one] {
                let _ = replica.sync(&log).await;
            }
            let left = |place: i32| Object::new().with("list", "list-one").with("place", place);
            let expected = [left(1), left(2).with("text", "edited")];
            assert_eq!(one.all("entry").await, expected);
            assert_eq!(two.all("entry").await, expected);
        });
    }
}

#[test]
fn a_text_of_80_000_letters_arrives_whole() {
    for store in STORES {
        pollster::block_on(async {
            let (one, two, log) =
                (Replica::new(store, 1).await, Replica::new(store, 2).await, shared());
            let text = "0123456789".repeat(8_000);
            let note = Object::new().with("id", "long").with("text", text.as_str());
            let _ = one.create("note", note.clone()).await;
            let _ = one.sync(&log).await;
            let _ = two.sync(&log).await;
            assert_eq!(two.all("note").await, [note]);
        });
    }
}
