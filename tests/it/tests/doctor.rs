//! The log is checked against the data, and what nobody logged is found.

use syncline::client::Origin;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{Problem, doctor, fingerprint, object_log};
use syncline::{Batch, Filter, Object, Operation, run};
use syncline_it::{Replica, STORES, Store};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

/// Writes past the log, as a tool at the database would.
async fn meddle(replica: &Replica, batch: Batch) {
    let _ = run(replica.backend.as_ref(), Operation::Write(batch)).await.expect("it writes");
}

async fn problems(replica: &Replica) -> Vec<(Problem, String)> {
    let findings = doctor(&replica.log).await.expect("the doctor sees");
    let key = |key: Option<syncline::Key>| key.map(|key| key.to_string()).unwrap_or_default();
    findings.into_iter().map(|finding| (finding.problem, key(finding.key))).collect()
}

/// A replica with three users, whose entries are folded into histories or still are not.
async fn with_users(store: Store, folded: bool) -> (Replica, MemoryLog) {
    let (replica, log) = (Replica::new(store, 1).await, shared());
    for (id, name) in [("a", "Ann"), ("b", "Bob"), ("c", "Cid")] {
        let _ = replica.create("user", user(id, name)).await;
    }
    if folded {
        let other = Replica::new(store, 2).await;
        let _ = other.create("user", user("d", "Dora")).await;
        let _ = other.sync(&log).await;
        let _ = replica.sync(&log).await;
    }
    (replica, log)
}

#[test]
fn a_log_that_saw_everything_is_well() {
    for (store, folded) in STORES.into_iter().flat_map(|store| [(store, false), (store, true)]) {
        pollster::block_on(async {
            let (replica, log) = with_users(store, folded).await;
            let _ = replica.update("user", Filter::key("a"), Object::new().with("age", 3)).await;
            let _ = replica.delete("user", Filter::key("b")).await;
            assert_eq!(problems(&replica).await, []);
            let _ = replica.sync(&log).await;
            assert_eq!(problems(&replica).await, []);
        });
    }
}

#[test]
fn every_kind_of_unlogged_write_is_found() {
    for (store, folded) in STORES.into_iter().flat_map(|store| [(store, false), (store, true)]) {
        pollster::block_on(async {
            let (replica, _log) = with_users(store, folded).await;
            let batch = Batch::new()
                .create("user", user("x", "Xaver"))
                .update("user", Filter::key("a"), Object::new().with("name", "Anna"))
                .delete("user", Filter::key("b"));
            meddle(&replica, batch).await;
            let found = problems(&replica).await;
            let expected = [
                (Problem::UnloggedChange, "a".to_owned()),
                (Problem::UnloggedRow, "x".to_owned()),
                (Problem::UnloggedDelete, "b".to_owned()),
            ];
            assert_eq!(found, expected, "{store:?} folded: {folded}");
        });
    }
}

#[test]
fn what_is_written_while_recording_is_off_is_found_even_behind_a_later_logged_write() {
    for (store, folded) in STORES.into_iter().flat_map(|store| [(store, false), (store, true)]) {
        pollster::block_on(async {
            let (replica, log) = with_users(store, folded).await;
            replica.log.set_enabled(false);
            let _ = replica.update("user", Filter::key("a"), Object::new().with("age", 1)).await;
            replica.log.set_enabled(true);
            let _ = replica.update("user", Filter::key("a"), Object::new().with("nick", "A")).await;
            let _ = replica.update("user", Filter::key("c"), Object::new().with("nick", "C")).await;
            // A field that no entry speaks of is nobody's business; one that has a logged value is.
            replica.log.set_enabled(false);
            let _ =
                replica.update("user", Filter::key("a"), Object::new().with("name", "Eve")).await;
            replica.log.set_enabled(true);
            assert_eq!(problems(&replica).await, [(Problem::UnloggedChange, "a".to_owned())]);
            let _ = replica.sync(&log).await;
            assert_eq!(problems(&replica).await, [(Problem::UnloggedChange, "a".to_owned())]);
        });
    }
}

#[test]
fn rows_that_were_there_before_are_adopted_once_and_lose_against_any_edit() {
    for store in STORES {
        pollster::block_on(async {
            let (replica, log) = with_users(store, false).await;
            meddle(&replica, Batch::new().create("user", user("x", "Xaver"))).await;
            assert_eq!(replica.log.adopt("user", Origin::Unknown).await.expect("it adopts"), 1);
            assert_eq!(replica.log.adopt("user", Origin::Unknown).await.expect("it adopts"), 0);
            assert_eq!(problems(&replica).await, []);
            let other = Replica::new(store, 2).await;
            let _ = other.create("user", user("x", "Xena")).await;
            let _ = other.sync(&log).await;
            let _ = replica.sync(&log).await;
            let _ = other.sync(&log).await;
            assert_eq!(other.all("user").await.last(), Some(&user("x", "Xena")));
            let prints = (fingerprint(&replica.log).await, fingerprint(&other.log).await);
            assert_eq!(prints.0.expect("a print"), prints.1.expect("a print"));
        });
    }
}

#[test]
fn an_unlogged_change_is_logged_before_a_merge_would_lose_it() {
    for store in STORES {
        pollster::block_on(async {
            let (replica, log) = with_users(store, true).await;
            let other = Replica::new(store, 3).await;
            let _ = other.sync(&log).await;
            let edit = Batch::new().update("user", Filter::key("a"), Object::new().with("age", 7));
            meddle(&replica, edit).await;
            let _ = other.update("user", Filter::key("a"), Object::new().with("nick", "A")).await;
            let _ = other.sync(&log).await;
            let _ = replica.sync(&log).await;
            let _ = other.sync(&log).await;
            let merged = user("a", "Ann").with("age", 7).with("nick", "A");
            assert_eq!(replica.all("user").await[0], merged);
            assert_eq!(other.all("user").await[0], merged);
            assert_eq!(problems(&replica).await, []);
        });
    }
}

#[test]
fn the_log_tells_what_happened_to_an_object_and_who_did_it() {
    pollster::block_on(async {
        let (replica, log) = with_users(Store::Sqlite, true).await;
        let other = Replica::new(Store::Memory, 3).await;
        let _ = other.sync(&log).await;
        let _ = other.update("user", Filter::key("a"), Object::new().with("age", 7)).await;
        let _ = other.sync(&log).await;
        let _ = replica.sync(&log).await;
        let logged = object_log(&replica.log, Some(&"user".into()), Some(&"a".into())).await;
        let logged = logged.expect("it tells");
        assert_eq!(logged.len(), 2);
        assert_eq!((logged[0].own, logged[1].own), (true, false));
    });
}

#[test]
fn rows_with_counted_keys_are_refused_unless_told_where_they_come_from_or_given_new_ones() {
    use syncline::{Collection, ErrorKind, FieldType, Registry, Value};
    let schema = || {
        let user = Collection::define("user")
            .field("id", FieldType::AutoPk)
            .field("name", FieldType::String);
        let note = Collection::define("note").field("text", FieldType::String).child_of("user");
        Registry::new().collections(1, [user, note]).finish().expect("a schema")
    };
    for store in STORES {
        pollster::block_on(async {
            let backend = syncline_it::storage(store);
            let replica =
                Replica::open(backend, 1, schema(), |config| config).await.expect("opens");
            let note = |id: &str, user: i64| {
                Object::new().with("id", id).with("text", "x").with("user", user)
            };
            let rows = Batch::new()
                .create("user", Object::new().with("name", "Ann"))
                .create("user", Object::new().with("name", "Bob"))
                .create("note", note("a", 1))
                .create("note", note("b", 2));
            meddle(&replica, rows).await;
            let refused = replica.log.adopt("user", Origin::Unknown).await.expect_err("refused");
            assert_eq!(refused.kind(), ErrorKind::Invalid);
            assert_eq!(replica.log.adopt("note", Origin::Unknown).await.expect("adopts"), 2);

            let next = std::sync::atomic::AtomicI64::new(1_000);
            let fresh = || Value::Int(next.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            assert_eq!(replica.log.adopt_with_new_keys("user", fresh).await.expect("adopts"), 2);
            assert_eq!(replica.log.adopt_with_new_keys("user", fresh).await.expect("adopts"), 0);
            assert_eq!(problems(&replica).await, []);

            let log = shared();
            let other = Replica::open(syncline_it::storage(store), 2, schema(), |config| config);
            let other = other.await.expect("opens");
            let _ = replica.sync(&log).await;
            let _ = other.sync(&log).await;
            assert_eq!(other.all("user").await, replica.all("user").await);
            let notes = other.all("note").await;
            let users: Vec<&Value> = notes.iter().map(|note| note.value("user")).collect();
            assert_eq!(users, [&Value::Int(1_000), &Value::Int(1_001)]);
        });
    }
}
