//! What storex-sync pins down about its logging middleware and its client log.

use syncline::log::Op;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{Stage, object_log, status};
use syncline::{Clock, Filter, Object, SyncOptions};
use syncline_it::{Replica, STORES, law};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

/// What is logged, in words.
async fn logged(replica: &Replica) -> Vec<String> {
    let all = object_log(&replica.log, None, None).await.expect("it tells");
    let words = all.iter().map(|logged| {
        let (word, fields) = match &logged.write.op {
            Op::Create(fields) => ("create", Some(fields)),
            Op::Update(fields) => ("update", Some(fields)),
            Op::Delete => ("delete", None),
        };
        let fields = fields.into_iter().flat_map(Object::iter);
        let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{word} {} {}", logged.write.key, fields.join(" ")).trim_end().to_owned()
    });
    words.collect()
}

/// What is logged beyond three users.
async fn logged_after<F: Future>(replica: &Replica, act: impl FnOnce(Replica) -> F) -> Vec<String> {
    for (id, age) in [("a", 1), ("b", 1), ("c", 2)] {
        let _ = replica.create("user", user(id, "x").with("age", age)).await;
    }
    let before = logged(replica).await.len();
    let _ = act(replica.clone()).await;
    law::check(replica).await;
    logged(replica).await.split_off(before)
}

macro_rules! logs {
    ($($name:ident: $act:expr => $expected:expr;)+) => {
        $(
            #[test]
            fn $name() {
                for store in STORES {
                    pollster::block_on(async {
                        let replica = Replica::new(store, 1).await;
                        let expected: &[&str] = &$expected;
                        assert_eq!(logged_after(&replica, $act).await, expected);
                    });
                }
            }
        )+
    };
}

logs! {
    a_create_is_logged_without_its_key:
        async |one: Replica| drop(one.create("user", user("d", "D")).await)
        => ["create d name=D"];
    an_update_of_one_field_logs_that_field:
        async |one: Replica| one.update("user", Filter::key("a"), Object::new().with("age", 7)).await
        => ["update a age=7"];
    an_update_of_two_fields_is_one_entry:
        async |one: Replica| {
            let changes = Object::new().with("age", 7).with("nick", "A");
            one.update("user", Filter::key("a"), changes).await
        } => ["update a age=7 nick=A"];
    an_update_of_several_objects_logs_one_entry_each:
        async |one: Replica| {
            one.update("user", Filter::eq("age", 1), Object::new().with("nick", "N")).await
        } => ["update a nick=N", "update b nick=N"];
    a_batch_logs_each_of_its_steps:
        async |one: Replica| {
            let batch = one.manager.batch().create("user", user("d", "D"));
            batch.create("user", user("e", "E")).delete("user", Filter::eq("age", 1)).run().await
        } => ["create d name=D", "create e name=E", "delete a", "delete b"];
    a_delete_by_key_is_one_entry:
        async |one: Replica| one.delete("user", Filter::key("a")).await => ["delete a"];
    a_delete_by_fields_logs_one_entry_for_each_object:
        async |one: Replica| {
            one.delete("user", Filter::eq("age", 1).and(Filter::eq("name", "x"))).await
        } => ["delete a", "delete b"];
    a_delete_that_is_refused_for_its_limit_logs_nothing:
        async |one: Replica| {
            let users = one.manager.collection("user").expect("there are users");
            assert!(users.delete_limited(Filter::eq("age", 1), 1).await.is_err());
        } => [];
    a_write_that_touches_nothing_logs_nothing:
        async |one: Replica| {
            one.update("user", Filter::key("nobody"), Object::new().with("age", 7)).await
                + one.delete("user", Filter::eq("age", 99)).await
        } => [];
    a_write_that_fails_logs_nothing:
        async |one: Replica| {
            let batch = one.manager.batch().create("user", user("d", "D"));
            assert!(batch.create("user", user("a", "again")).run().await.is_err());
        } => [];
}

#[test]
fn while_recording_is_off_nothing_is_logged_and_the_clock_is_not_read() {
    for store in STORES {
        pollster::block_on(async {
            let replica = Replica::new(store, 1).await;
            replica.log.set_enabled(false);
            let before = replica.clock.now_millis();
            let _ = replica.create("user", user("a", "A")).await;
            assert_eq!(replica.clock.now_millis() - before, 1_000, "only this test read it");
            assert_eq!(logged(&replica).await, [""; 0]);
        });
    }
}

#[test]
fn what_is_received_waits_until_it_is_integrated() {
    for store in STORES {
        pollster::block_on(async {
            let (one, two, log) =
                (Replica::new(store, 1).await, Replica::new(store, 2).await, shared());
            let _ = two.create("user", user("own", "own")).await;
            for id in ["a", "b", "c", "d"] {
                let _ = one.create("user", user(id, "x")).await;
            }
            let small =
                SyncOptions { upload_entries: 2, download_entries: 2, ..Default::default() };
            let _ = one.sync_with(&log, &small).await;
            let later = SyncOptions { skip: vec![Stage::Integrate, Stage::Share], ..small.clone() };
            let report = two.sync_with(&log, &later).await;
            assert_eq!((report.received, report.integrated), (4, 0));
            assert_eq!(two.all("user").await, [user("own", "own")]);
            assert_eq!(status(&two.log).await.expect("a status").pending, 1);
            let only = SyncOptions { skip: vec![Stage::Receive, Stage::Share], ..small };
            assert_eq!(two.sync_with(&log, &only).await.integrated, 4);
            assert_eq!(two.all("user").await.len(), 5);
            law::check(&two).await;
        });
    }
}

#[test]
fn what_everybody_has_is_cleaned_away_and_no_answer_changes() {
    pollster::block_on(async {
        let (one, two, log) =
            (Replica::new(STORES[0], 1).await, Replica::new(STORES[1], 2).await, shared());
        for batch in 0..3 {
            let fill = |all: syncline::manager::BatchBuilder, number| {
                all.create("user", user(&format!("u{batch}-{number:03}"), "x"))
            };
            let _ = (0..500).fold(one.manager.batch(), fill).run().await.expect("it writes");
        }
        let _ = two.create("note", Object::new().with("id", "n")).await;
        for _ in 0..3 {
            let _ = two.sync(&log).await;
            let _ = one.sync(&log).await;
        }
        assert!(law::stored(&one, "sync_entry").await.len() < 1_000, "entries are gone");
        // An old edit still loses, a delete still ends what came before.
        one.clock.set(0);
        let _ = one.update("user", Filter::key("u0-001"), Object::new().with("name", "one")).await;
        let _ = two.delete("user", Filter::key("u0-002")).await;
        for replica in [&one, &two, &one] {
            let _ = replica.sync(&log).await;
            assert_eq!(syncline::sync::doctor(&replica.log).await.expect("it sees"), []);
        }
        assert_eq!(one.all("user").await, two.all("user").await);
        // Who comes later gets everything from the log.
        let three = Replica::new(STORES[0], 3).await;
        let _ = three.sync(&log).await;
        assert_eq!(three.all("user").await, one.all("user").await);
        // A log that lost what was cleaned away gets it from who received it, and never garbage.
        log.truncate_to(0);
        for replica in [&one, &two, &three, &one] {
            let _ = syncline::do_sync(&replica.log, &log, &SyncOptions::default()).await;
        }
        let four = Replica::new(STORES[0], 4).await;
        let _ = four.sync(&log).await;
        assert_eq!(four.all("user").await, one.all("user").await);
        assert_eq!(status(&four.log).await.expect("a status").quarantined, []);
    });
}
