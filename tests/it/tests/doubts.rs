//! What each replica may write and both together may not is stored, and listed.

use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{DoubtKind, doubts};
use syncline::{Collection, FieldType, Filter, Object, Registry, Schema};
use syncline_it::{Replica, STORES, storage};

fn schema() -> Schema {
    let user = Collection::define("user").field("email", FieldType::String).unique(["email"]);
    let note = Collection::define("note").optional("text", FieldType::Text).child_of("user");
    Registry::new().collections(1, [user, note]).finish().expect("a schema")
}

fn user(id: &str, email: &str) -> Object {
    Object::new().with("id", id).with("email", email)
}

#[test]
fn what_merging_leaves_doubtful_is_stored_and_listed_on_every_replica() {
    for store in STORES {
        pollster::block_on(async {
            let log = MemoryLog::new("test".parse().expect("a group"));
            let mut replicas = Vec::new();
            for number in 1..=2 {
                let replica = Replica::open(storage(store), number, schema(), |config| config);
                replicas.push(replica.await.expect("opens"));
            }
            let (one, two) = (&replicas[0], &replicas[1]);
            let _ = one.create("user", user("parent", "p@x")).await;
            let _ = one.sync(&log).await;
            let _ = two.sync(&log).await;
            let _ = one.create("user", user("a", "same@x")).await;
            let _ = one.delete("user", Filter::key("parent")).await;
            let _ = two.create("user", user("b", "same@x")).await;
            let child = Object::new().with("id", "n").with("user", "parent");
            let _ = two.create("note", child).await;
            for replica in [one, two, one] {
                let _ = replica.sync(&log).await;
            }
            for replica in &replicas {
                let listed = doubts(&replica.log).await.expect("a list");
                let listed: Vec<_> =
                    listed.iter().map(|doubt| (doubt.kind, doubt.key.to_string())).collect();
                let expected =
                    [(DoubtKind::NoParent, "n".to_owned()), (DoubtKind::NotUnique, "b".to_owned())];
                assert_eq!(listed, expected, "{store:?}");
            }
            let _ = two.update("user", Filter::key("b"), Object::new().with("email", "b@x")).await;
            assert_eq!(doubts(&two.log).await.expect("a list").len(), 1, "and it can be mended");
        });
    }
}
