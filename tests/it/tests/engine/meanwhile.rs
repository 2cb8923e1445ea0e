//! What another process of the same database does while a sync is under way.

use std::sync::{Arc, Mutex};

use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{Stage, status};
use syncline::{
    Backend, Batch, Capability, ErrorKind, Filter, Object, Operation, Outcome, Result, SyncOptions,
    async_trait, do_sync, run,
};
use syncline_it::faults::{Fragile, Fuse, copy};
use syncline_it::slow::{Moment, Slow};
use syncline_it::{Replica, STORES, law, schema};

/// What the other process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Writes,
    WritesAndSyncs,
}

fn user(id: &str) -> Object {
    Object::new().with("id", id).with("name", "x")
}

#[test]
fn what_another_process_writes_while_a_copy_takes_a_new_id_is_kept() {
    let all = [Meanwhile::Writes, Meanwhile::WritesAndSyncs];
    for (store, does) in STORES.into_iter().flat_map(|store| all.map(|does| (store, does))) {
        for has_open_entries in [false, true] {
            pollster::block_on(async {
                let log = Arc::new(MemoryLog::new("test".parse().expect("a group")));
                let one = Replica::new(store, 1).await;
                let _ = one.create("user", user("a")).await;
                let backend = copy(&one, store).await;
                let open =
                    |number| Replica::open(backend.clone(), number, schema(), |config| config);
                let two = open(2).await.expect("it opens");
                let tab = open(3).await.expect("it opens");
                // The original goes on, so that the copy is a fork.
                let _ = one.create("user", user("original")).await;
                let _ = one.sync(log.as_ref()).await;
                if has_open_entries {
                    let _ = two.create("user", user("open")).await;
                }
                let (inner, other) = (log.clone(), tab.clone());
                let slow = Slow::new(log.clone(), Moment::Fetching, async move {
                    let _ = other.create("user", user("meanwhile")).await;
                    if does == Meanwhile::WritesAndSyncs {
                        let _ = other.sync(inner.as_ref()).await;
                    }
                });
                let _ = two.sync(&slow).await;
                law::check(&two).await;
                for replica in [&two, &tab, &one, &two, &one] {
                    let _ = replica.sync(log.as_ref()).await;
                }
                law::check_equal(&[one.clone(), two, tab]).await;
                let users = one.all("user").await;
                assert_eq!(users.len(), 3 + usize::from(has_open_entries));
            });
        }
    }
}

/// Storage that fails after so many calls: what would go on for ever ends.
fn limited(inner: Arc<dyn Backend>) -> Arc<dyn Backend> {
    let fuse = Fuse::new();
    fuse.light(10_000, false, true);
    Arc::new(Fragile { inner, fuse })
}

#[test]
fn a_share_ends_where_another_process_takes_a_new_id_between_two_of_its_pages() {
    for store in STORES {
        pollster::block_on(async {
            let [log, elsewhere] =
                [(); 2].map(|()| MemoryLog::new("test".parse().expect("a group")));
            let one = Replica::new(store, 1).await;
            let _ = one.create("user", user("a")).await;
            let backend = limited(copy(&one, store).await);
            let open = |number| Replica::open(backend.clone(), number, schema(), |config| config);
            let two = open(2).await.expect("it opens");
            let tab = open(3).await.expect("it opens");
            for id in 0..40 {
                let long = user(&format!("b{id:02}")).with("name", "x".repeat(300_000));
                let _ = two.create("user", long).await;
            }
            // Another log has the lane of the original, so there the copy is seen to be one.
            for id in ["original 1", "original 2"] {
                let _ = one.create("user", user(id)).await;
                let _ = one.sync(&elsewhere).await;
            }
            let (inner, other, there) = (log.clone(), tab.clone(), elsewhere.clone());
            let slow = Slow::new(Arc::new(inner), Moment::Appended, async move {
                let before = other.log.replica().await.expect("an id");
                let _ = other.sync(&there).await;
                assert_ne!(other.log.replica().await.expect("an id"), before, "it took a new id");
            });
            assert!(two.sync(&slow).await.finished);
            law::check(&two).await;
            for log in [&log, &elsewhere] {
                for replica in [&two, &one, &two, &one] {
                    assert!(replica.sync(log).await.finished);
                }
            }
            law::check_equal(&[one.clone(), two, tab]).await;
            assert_eq!(one.all("user").await.len(), 43);
        });
    }
}

#[test]
fn what_is_written_under_a_new_id_that_another_process_took_is_not_cleaned_away() {
    for store in STORES {
        pollster::block_on(async {
            let [log, elsewhere] =
                [(); 2].map(|()| MemoryLog::new("test".parse().expect("a group")));
            let one = Replica::new(store, 1).await;
            let _ = one.create("user", user("a")).await;
            let backend = copy(&one, store).await;
            let open = |number| Replica::open(backend.clone(), number, schema(), |config| config);
            let two = open(2).await.expect("it opens");
            let tab = open(3).await.expect("it opens");
            for id in 0..9 {
                let _ = two.create("user", user(&format!("b{id}"))).await;
            }
            let reader = Replica::new(store, 4).await;
            for replica in [&two, &reader] {
                let _ = replica.sync(&log).await;
            }
            // Another log has the lane of the original, so there the copy is seen to be one.
            for number in 0..4 {
                let _ = one.create("user", user(&format!("original {number}"))).await;
                let _ = one.sync(&elsewhere).await;
            }
            let (other, own, there) = (tab.clone(), two.clone(), elsewhere.clone());
            let slow = Slow::new(Arc::new(log.clone()), Moment::Peers, async move {
                let before = other.log.replica().await.expect("an id");
                let _ = other.sync(&there).await;
                assert_ne!(other.log.replica().await.expect("an id"), before, "it took a new id");
                for id in ["late 1", "late 2"] {
                    let _ = own.create("user", user(id)).await;
                }
                // They are cut, under numbers that everybody has of the old id.
                let _ = other.sync(&there).await;
                let _ = own.create("user", user("late 3")).await;
            });
            let eager = SyncOptions { clean_up_entries: 1, ..SyncOptions::default() };
            let _ = two.sync_with(&slow, &eager).await;
            assert_eq!(law::stored(&two, "sync_entry").await.len(), 3, "the late ones are there");
        });
    }
}

#[test]
fn a_fold_that_misses_entries_says_so_and_ends() {
    for store in STORES {
        pollster::block_on(async {
            let log = MemoryLog::new("test".parse().expect("a group"));
            let one = Replica::new(store, 1).await;
            let _ = one.create("user", user("a")).await;
            // Cut and shared, and not folded yet.
            let _ = one.sync(&log).await;
            assert_eq!(law::stored(&one, "sync_entry").await.len(), 1);
            let batch = Batch::new().delete("sync_entry", Filter::All);
            let _ = run(one.backend.as_ref(), Operation::Write(batch)).await.expect("it writes");
            let two = Replica::new(store, 2).await;
            let _ = two.create("user", user("b")).await;
            let _ = two.sync(&log).await;
            let open = Replica::open(limited(one.backend.clone()), 1, schema(), |config| config);
            let again = open.await.expect("it opens");
            let outcome = do_sync(&again.log, &log, &SyncOptions::default()).await;
            let error = outcome.expect_err("entries are missing");
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("restore the database"), "{error}");
        });
    }
}

/// Storage in which another process does something right before a collection is looked up.
#[derive(Debug)]
struct Shared {
    inner: Arc<dyn Backend>,
    before: &'static str,
    other: Mutex<Option<(Replica, Does)>>,
}

/// What that is.
#[derive(Debug)]
enum Does {
    Edit,
    Sync(MemoryLog),
}

#[async_trait]
impl Backend for Shared {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        let looks_up =
            matches!(&operation, Operation::Find(find) if &*find.collection == self.before);
        let other = self.other.lock().expect("one thread").take_if(|_| looks_up);
        match other {
            Some((other, Does::Edit)) => {
                let nick = Object::new().with("nick", "theirs");
                let _ = other.update("user", Filter::key("a"), nick).await;
            }
            Some((other, Does::Sync(log))) => {
                let eager = SyncOptions { clean_up_entries: 1, ..SyncOptions::default() };
                let _ = other.sync_with(&log, &eager).await;
            }
            None => {}
        }
        self.inner.execute(operation).await
    }
}

#[test]
fn what_another_process_writes_while_something_is_merged_is_not_taken_for_unlogged() {
    for store in STORES {
        pollster::block_on(async {
            let log = MemoryLog::new("test".parse().expect("a group"));
            let (tab, two) = (Replica::new(store, 1).await, Replica::new(store, 2).await);
            let _ = tab.create("user", user("a")).await;
            for replica in [&tab, &two] {
                let _ = replica.sync(&log).await;
            }
            // Applied, so that the user's history is stored, and leaves the values to the row.
            let _ = two.create("user", user("b")).await;
            let _ = two.sync(&log).await;
            let _ = tab.sync(&log).await;
            let _ = two.update("user", Filter::key("a"), Object::new().with("age", 1)).await;
            let _ = two.sync(&log).await;
            let other = Mutex::new(Some((tab.clone(), Does::Edit)));
            let inner = tab.backend.clone();
            let shared = Arc::new(Shared { inner, before: "user", other });
            let one = Replica::open(shared, 3, schema(), |config| config).await.expect("it opens");
            let _ = one.sync(&log).await;
            assert_eq!(one.all("user").await[0], user("a").with("age", 1).with("nick", "theirs"));
            assert_eq!(status(&one.log).await.expect("a status").written, 2, "logged once");
            law::check(&one).await;
            for replica in [&two, &one] {
                let _ = replica.sync(&log).await;
            }
            law::check_equal(&[one, two, tab]).await;
        });
    }
}

#[test]
fn what_another_process_applies_and_cleans_away_while_a_sync_begins_is_not_missed() {
    for store in STORES {
        for before in ["sync_remote", "sync_lane", "sync_head", "sync_segment"] {
            pollster::block_on(async {
                let log = MemoryLog::new("test".parse().expect("a group"));
                let (tab, two) = (Replica::new(store, 1).await, Replica::new(store, 2).await);
                for id in ["a", "b", "c"] {
                    let _ = tab.create("user", user(id)).await;
                }
                for replica in [&tab, &two] {
                    let _ = replica.sync(&log).await;
                }
                let _ = two.create("user", user("theirs")).await;
                let _ = two.sync(&log).await;
                // Received, and not applied yet.
                let skip = vec![Stage::Integrate];
                let _ = tab.sync_with(&log, &SyncOptions { skip, ..SyncOptions::default() }).await;
                let inner = tab.backend.clone();
                let other = Mutex::new(None);
                let shared = Arc::new(Shared { inner, before, other });
                let one = Replica::open(shared.clone(), 3, schema(), |config| config).await;
                let one = one.expect("it opens");
                let does = Does::Sync(log.clone());
                *shared.other.lock().expect("one thread") = Some((tab.clone(), does));
                assert!(one.sync(&log).await.finished);
                assert!(shared.other.lock().expect("one thread").is_none(), "it came to it");
                assert_eq!(law::stored(&one, "sync_entry").await.len(), 0, "it was cleaned away");
                assert_eq!(one.all("user").await, two.all("user").await);
                for replica in [&two, &one, &tab] {
                    assert!(replica.sync(&log).await.finished);
                }
            });
        }
    }
}
