//! Databases that are copied or restored, and shared logs that are: every branch is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::Stage;
use syncline::{Backend, Filter, Object, SharedLog, SyncOptions};
use syncline_it::faults::{FragileLog, Fuse, copy};
use syncline_it::{Replica, STORES, Store, law, schema};

use crate::random::{Act, act, carry_out};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

async fn open(backend: Arc<dyn Backend>, number: u64) -> Replica {
    Replica::open(backend, number, schema(), |config| config).await.expect("it opens")
}

async fn ids(replica: &Replica) -> Vec<String> {
    let users = replica.all("user").await;
    users.iter().map(|user| user.value("id").as_text().expect("text").to_owned()).collect()
}

/// Syncs until all is quiet. If the end of a batch is lost for good, its beginning waits in the log.
async fn settle(replicas: &[Replica], log: &dyn SharedLog, is_cut_off: bool) {
    for _ in 0..4 {
        for replica in replicas {
            let _ = replica.sync(log).await;
        }
    }
    law::check_equal(replicas).await;
    let mut names = BTreeSet::new();
    for replica in replicas {
        assert!(names.insert(replica.log.replica().await.expect("an id")), "one id each");
        let mut missing = law::shared(log).await;
        for (id, entries) in law::applied(replica).await {
            assert_eq!(law::applied(&replicas[0]).await.get(&id), Some(&entries), "all branches");
            let there = missing.entry(id).or_default();
            entries.keys().for_each(|by| assert!(there.remove(by).is_some(), "the log has it all"));
        }
        missing.retain(|_, entries| !entries.is_empty());
        assert!(is_cut_off || missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn copies_that_all_write_on_lose_nothing_and_take_ids_of_their_own() {
    for (store, synced) in STORES.into_iter().flat_map(|store| [(store, false), (store, true)]) {
        pollster::block_on(async {
            let (log, one) = (shared(), Replica::new(store, 1).await);
            let _ = one.create("user", user("a", "A")).await;
            let _ = one.create("user", user("b", "B")).await;
            if synced {
                let _ = one.sync(&log).await;
                // Not shared yet at the time of the copy: the fork is inside a segment.
                let _ = one.create("user", user("c", "C")).await;
            }
            let two = open(copy(&one, store).await, 11).await;
            let three = open(copy(&one, store).await, 12).await;
            let all = [one, two, three, Replica::new(store, 4).await];
            for (number, replica) in all.iter().take(3).enumerate() {
                let _ = replica.create("user", user(&format!("own{number}"), "x")).await;
                let changed = Object::new().with("age", number as i64);
                let _ = replica.update("user", Filter::key("a"), changed).await;
            }
            settle(&all, &log, false).await;
            let mut expected = vec!["a", "b", "own0", "own1", "own2"];
            if synced {
                expected.insert(2, "c");
            }
            assert_eq!(ids(&all[3]).await, expected);
        });
    }
}

#[test]
fn a_database_that_is_rolled_back_gets_everything_back_and_loses_nothing_new() {
    for (store, writes) in STORES.into_iter().flat_map(|store| [(store, false), (store, true)]) {
        for open_entries in [false, true] {
            pollster::block_on(async {
                let (log, one) = (shared(), Replica::new(store, 1).await);
                let _ = one.create("user", user("a", "A")).await;
                let _ = one.sync(&log).await;
                if open_entries {
                    let _ = one.create("user", user("open", "O")).await;
                }
                let backup = copy(&one, store).await;
                let _ = one.create("user", user("b", "B")).await;
                let _ = one.update("user", Filter::key("a"), Object::new().with("age", 1)).await;
                let _ = one.sync(&log).await;
                let _ = one.create("user", user("lost", "never shared")).await;
                let id = one.log.replica().await.expect("an id");
                drop(one);
                let again = open(backup, 11).await;
                if writes {
                    let _ = again.create("user", user("c", "C")).await;
                }
                let all = [again, Replica::new(store, 2).await];
                settle(&all, &log, false).await;
                assert_ne!(all[0].log.replica().await.expect("an id"), id);
                let mut expected = vec!["a", "b"];
                if writes {
                    expected.push("c");
                }
                if open_entries {
                    expected.push("open");
                }
                assert_eq!(ids(&all[1]).await, expected);
            });
        }
    }
}

#[test]
fn a_log_that_is_restored_from_a_backup_gets_everything_again() {
    pollster::block_on(async {
        for keep in 0..8 {
            let log = shared();
            let mut all = Vec::new();
            for number in 1..=3 {
                let replica = Replica::new(Store::Memory, number).await;
                let _ = replica.create("user", user(&format!("u{number}"), "x")).await;
                let _ = replica.sync(&log).await;
                all.push(replica);
            }
            // One of them was copied, so that there is a lane of an earlier id too.
            let twin = open(copy(&all[0], Store::Memory).await, 11).await;
            let _ = twin.create("user", user("twin", "x")).await;
            let _ = all[0].create("user", user("one", "x")).await;
            all.push(twin);
            settle(&all, &log, false).await;
            let _ = all[1].create("user", user("late", "x")).await;
            log.truncate_to(keep);
            let _ = all[2].create("user", user("later", "x")).await;
            for replica in all.iter().chain(&all) {
                let _ = replica.sync(&log).await;
            }
            all.push(Replica::new(Store::Memory, 5).await);
            settle(&all, &log, false).await;
            let everybody = ["late", "later", "one", "twin", "u1", "u2", "u3"];
            assert_eq!(ids(&all[4]).await, everybody, "{keep} segments were kept");
        }
    });
}

#[test]
fn branches_that_come_to_the_same_entries_in_other_segments_stay_apart() {
    for store in STORES {
        pollster::block_on(async {
            let (log, one) = (shared(), Replica::new(store, 1).await);
            let small = SyncOptions { upload_entries: 1, ..SyncOptions::default() };
            let _ = one.create("user", user("a", "A")).await;
            let two = open(copy(&one, store).await, 11).await;
            let _ = two.create("user", user("two", "x")).await;
            let _ = one.create("user", user("b", "B")).await;
            let three = open(copy(&one, store).await, 12).await;
            let reader = Replica::new(store, 4).await;
            let _ = two.sync_with(&log, &small).await;
            let _ = reader.sync(&log).await;
            let _ = one.sync_with(&log, &small).await;
            let _ = reader.sync(&log).await;
            let blind = SyncOptions { skip: vec![Stage::Receive], ..SyncOptions::default() };
            let _ = three.sync_with(&log, &blind).await;
            assert_eq!(log.segments(), 4, "the same two entries in two segments, and in one");
            let _ = reader.sync(&log).await;
            for (number, replica) in [&one, &two, &three].into_iter().enumerate() {
                let _ = replica.create("user", user(&format!("late{number}"), "x")).await;
            }
            settle(&[one, two, three, reader.clone()], &log, false).await;
            assert_eq!(ids(&reader).await, ["a", "b", "late0", "late1", "late2", "two"]);
        });
    }
}

/// What can happen to databases.
#[derive(Clone, Debug)]
enum Fate {
    Does(Box<Act>),
    IsCopied,
    IsBackedUp,
    IsRestored,
    LogIsRestored(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => act().prop_map(|act| Fate::Does(Box::new(act))),
        1 => Just(Fate::IsCopied),
        1 => Just(Fate::IsBackedUp),
        1 => Just(Fate::IsRestored),
        1 => (0_usize..6).prop_map(Fate::LogIsRestored),
    ]
}

async fn story(fates: Vec<(usize, Fate)>) {
    let log = shared();
    // A sync that went on for ever would run into this.
    let fuse = Fuse::new();
    fuse.light(3_000, false, true);
    let remote = FragileLog { inner: Arc::new(log.clone()), fuse };
    let mut all = vec![Replica::new(Store::Memory, 1).await, Replica::new(Store::Memory, 2).await];
    let (mut backups, mut is_restored) = (Vec::new(), false);
    for (number, (who, fate)) in (100..).zip(fates) {
        let who = who % all.len();
        match fate {
            Fate::Does(act) => carry_out(&all[who], &remote, *act).await,
            Fate::IsCopied if all.len() < 5 => {
                let copied = open(copy(&all[who], Store::Memory).await, number).await;
                all.push(copied);
            }
            Fate::IsBackedUp => backups.push(copy(&all[who], Store::Memory).await),
            Fate::IsRestored => {
                if let Some(backup) = backups.pop() {
                    all[who] = open(backup, number).await;
                }
            }
            // Once: what was passed on for others, and is lost again at once, is not missed.
            Fate::LogIsRestored(lost) if !is_restored => {
                is_restored = true;
                log.truncate_to(log.segments().saturating_sub(lost));
            }
            Fate::IsCopied | Fate::LogIsRestored(_) => {}
        }
        law::check(&all[who]).await;
    }
    // Copies that do not write need no id of their own.
    for (number, replica) in all.iter().enumerate() {
        let _ = replica.create("user", user(&format!("end{number}"), "x")).await;
    }
    settle(&all, &remote, true).await;
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn whatever_is_copied_and_restored_all_agree_in_the_end(
        fates in prop::collection::vec((0_usize..12, fate()), 1..40)
    ) {
        pollster::block_on(story(fates));
    }
}

#[test]
fn a_lane_and_its_branch_may_come_in_one_page_of_a_log_that_lost_something() {
    pollster::block_on(async {
        let log = shared();
        let tiny = SyncOptions { upload_entries: 1, download_entries: 1, ..SyncOptions::default() };
        let one = Replica::new(Store::Memory, 1).await;
        let _ = one.create("user", user("a", "A")).await;
        let two = open(copy(&one, Store::Memory).await, 11).await;
        let _ = two.sync_with(&log, &tiny).await;
        let _ = one.create("user", user("b", "B")).await;
        let _ = one.sync_with(&log, &tiny).await;
        log.truncate_to(0);
        let three = open(copy(&one, Store::Memory).await, 12).await;
        let all = [one, three, two];
        for (number, replica) in all.iter().enumerate() {
            let _ = replica.create("user", user(&format!("end{number}"), "x")).await;
        }
        for replica in &all {
            let report = replica.sync(&log).await;
            assert_eq!(
                report.damaged,
                [],
                "what comes in one page continues what came before in it"
            );
        }
        settle(&all, &log, false).await;
        assert_eq!(ids(&all[2]).await, ["a", "b", "end0", "end1", "end2"]);
    });
}
