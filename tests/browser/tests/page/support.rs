//! What several tests say.

use syncline::shared_log::memory::MemoryLog;
use syncline::{Collection, FieldType, Filter, Object, Registry, Schema};
use syncline_browser::{Replica, page};

/// Users with an index, and notes.
pub(crate) fn schema() -> Schema {
    let user = Collection::define("user")
        .field("name", FieldType::String)
        .optional("age", FieldType::Int)
        .optional("joined", FieldType::Datetime)
        .index(["name"]);
    let note = Collection::define("note").optional("text", FieldType::Text);
    Registry::new().collections(1, [user, note]).finish().expect("the schema is sound")
}

/// A replica in a database of its own.
pub(crate) async fn replica(number: u32) -> Replica {
    Replica::open(page::storage().await, number, schema()).await.expect("it opens")
}

/// A log of the replicas' group.
pub(crate) fn log() -> MemoryLog {
    MemoryLog::new("test".parse().expect("it is a name"))
}

/// A user.
pub(crate) fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

/// Users, as many as there are numbers.
pub(crate) fn users(numbers: std::ops::Range<usize>) -> Vec<Object> {
    numbers.map(|number| user(&format!("{number:05}"), &format!("User {number}"))).collect()
}

/// Creates users, all in one batch.
pub(crate) async fn create(replica: &Replica, users: Vec<Object>) {
    let handle = replica.manager.collection("user").expect("there are users");
    let _ = handle.create_many(users).await.expect("they are new");
}

/// Changes one user.
pub(crate) async fn change(replica: &Replica, id: &str, changes: Object) {
    let handle = replica.manager.collection("user").expect("there are users");
    assert_eq!(handle.update(Filter::key(id), changes).await.expect("it is written"), 1);
}
