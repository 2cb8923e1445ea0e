//! Write here, sync, read there; both ways; with conflicts. What storex-sync's integration tests pin down.

use syncline::shared_log::memory::MemoryLog;
use syncline::{Filter, Object, Value, sync};
use syncline_it::{Replica, STORES, Store};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

/// Runs a story on every storage: two replicas, one shared log.
fn on_every_store<F: Future<Output = ()>>(story: impl Fn(Replica, Replica, MemoryLog) -> F) {
    for store in STORES {
        pollster::block_on(async {
            let log = MemoryLog::new("test".parse().expect("a group"));
            story(Replica::new(store, 1).await, Replica::new(store, 2).await, log).await;
        });
    }
}

#[test]
fn what_one_creates_the_other_gets() {
    on_every_store(|one, two, log| async move {
        let joined = Value::Timestamp(1_700_000_000_123);
        let joe = one.create("user", user("joe", "Joe").with("joined", joined)).await;
        let report = one.sync(&log).await;
        assert_eq!((report.shared, report.received, report.finished), (1, 0, true));
        let report = two.sync(&log).await;
        assert_eq!((report.received, report.integrated, report.finished), (1, 1, true));
        assert_eq!(two.all("user").await, [joe]);
    });
}

#[test]
fn a_later_edit_arrives_whether_synced_together_or_apart() {
    on_every_store(|one, two, log| async move {
        let _ = one.create("user", user("joe", "Joe")).await;
        let _ =
            one.update("user", Filter::key("joe"), Object::new().with("name", "Joe Black")).await;
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        assert_eq!(two.all("user").await, [user("joe", "Joe Black")]);
        let _ =
            one.update("user", Filter::key("joe"), Object::new().with("name", "Joe White")).await;
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        assert_eq!(two.all("user").await, [user("joe", "Joe White")]);
    });
}

#[test]
fn a_delete_arrives_be_it_by_key_or_by_filter() {
    on_every_store(|one, two, log| async move {
        for (id, name) in [("a", "Ann"), ("b", "Bob"), ("c", "Cid")] {
            let _ = one.create("user", user(id, name)).await;
        }
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        assert_eq!(one.delete("user", Filter::key("a")).await, 1);
        assert_eq!(one.delete("user", Filter::eq("name", "Bob")).await, 1);
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        assert_eq!(two.all("user").await, [user("c", "Cid")]);
    });
}

#[test]
fn edits_of_different_fields_both_stay_and_of_one_field_the_later_wins() {
    on_every_store(|one, two, log| async move {
        let _ = one.create("user", user("joe", "Joe")).await;
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        let joe = || Filter::key("joe");
        let _ = one.update("user", joe(), Object::new().with("name", "One").with("age", 1)).await;
        two.clock.set(1_900_000_000_000);
        let _ =
            two.update("user", joe(), Object::new().with("name", "Two").with("nick", "T")).await;
        let _ = one.sync(&log).await;
        let report = two.sync(&log).await;
        assert_eq!(report.discarded, 1, "one name lost, and both writers did not know");
        let report = one.sync(&log).await;
        assert_eq!(report.discarded, 1);
        let merged = user("joe", "Two").with("age", 1).with("nick", "T");
        assert_eq!(one.all("user").await, std::slice::from_ref(&merged));
        assert_eq!(two.all("user").await, [merged]);
        let lost = sync::discards(&one.log).await.unwrap();
        assert_eq!(lost[0].lost, Value::from("One"));
        assert!(lost[0].concurrent);
    });
}

#[test]
fn a_delete_against_an_edit_that_did_not_know_it_ends_the_object_and_says_what_was_lost() {
    on_every_store(|one, two, log| async move {
        let _ = one.create("user", user("joe", "Joe")).await;
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        let _ = two.update("user", Filter::key("joe"), Object::new().with("nick", "J")).await;
        one.clock.set(1_900_000_000_000);
        assert_eq!(one.delete("user", Filter::key("joe")).await, 1);
        let _ = one.sync(&log).await;
        let report = two.sync(&log).await;
        assert_eq!(report.discarded, 1, "{:#?}", sync::discards(&two.log).await.unwrap());
        let _ = one.sync(&log).await;
        assert_eq!(one.all("user").await, []);
        assert_eq!(two.all("user").await, []);
    });
}

#[test]
fn an_edit_of_what_its_writer_had_seen_takes_nothing_from_anybody() {
    on_every_store(|one, two, log| async move {
        for id in ["ann", "bob"] {
            let _ = one.create("user", user(id, id).with("age", 1)).await;
        }
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        // What two has seen is said with its first edit, and not again with the next.
        for id in ["bob", "ann"] {
            let _ = two.update("user", Filter::key(id), Object::new().with("name", "two")).await;
            let _ = two.sync(&log).await;
            assert_eq!(one.sync(&log).await.discarded, 0, "{id}");
        }
        // The next edit comes together with one that says something new.
        let _ = two.update("user", Filter::key("ann"), Object::new().with("age", 2)).await;
        let _ = one.create("user", user("cid", "Cid")).await;
        let _ = one.sync(&log).await;
        let _ = two.sync(&log).await;
        let _ = two.update("user", Filter::key("cid"), Object::new().with("age", 2)).await;
        let _ = two.sync(&log).await;
        let report = one.sync(&log).await;
        assert_eq!((report.received, report.discarded), (2, 0));
    });
}

#[test]
fn syncing_again_does_nothing_again() {
    on_every_store(|one, two, log| async move {
        let _ = one.create("user", user("joe", "Joe")).await;
        for _ in 0..3 {
            let _ = one.sync(&log).await;
        }
        assert_eq!(log.segments(), 1, "nothing is shared twice");
        let first = two.sync(&log).await;
        let again = two.sync(&log).await;
        assert_eq!((first.received, again.received), (1, 0));
        assert_eq!(two.all("user").await.len(), 1);
    });
}

#[test]
fn a_batch_arrives_whole_however_small_segments_and_pages_are() {
    on_every_store(|one, two, log| async move {
        let options = syncline::SyncOptions {
            upload_entries: 2,
            download_entries: 1,
            ..syncline::SyncOptions::default()
        };
        let mut batch = one.manager.batch();
        for number in 0..7 {
            batch = batch.create("user", user(&format!("u{number}"), "x"));
        }
        let _ = batch.run().await.unwrap();
        let _ = one.sync_with(&log, &options).await;
        assert_eq!(log.segments(), 4);
        let report = two.sync_with(&log, &options).await;
        assert_eq!((report.received, report.integrated), (7, 7));
        assert_eq!(two.all("user").await, one.all("user").await);
    });
}

#[test]
fn three_replicas_agree_on_many_edits_in_any_order() {
    pollster::block_on(async {
        let log = MemoryLog::new("test".parse().expect("a group"));
        let mut replicas = Vec::new();
        for (number, store) in [(1, Store::Memory), (2, Store::Sqlite), (3, Store::Memory)] {
            replicas.push(Replica::new(store, number).await);
        }
        for round in 0..20_u64 {
            for (number, replica) in replicas.iter().enumerate() {
                let id = format!("u{}", (round + number as u64) % 5);
                if replica
                    .update(
                        "user",
                        Filter::key(id.as_str()),
                        Object::new().with("age", round as i64),
                    )
                    .await
                    == 0
                {
                    let _ = replica.create("user", user(&id, &format!("{round}"))).await;
                } else if round % 7 == 3 {
                    let _ = replica.delete("user", Filter::key(id.as_str())).await;
                }
                if (round + number as u64).is_multiple_of(3) {
                    let _ = replica.sync(&log).await;
                }
            }
        }
        for _ in 0..2 {
            for replica in &replicas {
                let _ = replica.sync(&log).await;
            }
        }
        let first = replicas[0].all("user").await;
        assert!(!first.is_empty());
        for replica in &replicas {
            assert_eq!(replica.all("user").await, first);
        }
    });
}
