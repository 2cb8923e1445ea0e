//! Cleaning up: whoever removed its entries can go on, whatever it remembers of having shared them.

use std::sync::Arc;

use syncline::log::{Tip, VersionVector};
use syncline::shared_log::memory::MemoryLog;
use syncline::{Filter, Object, ReplicaId, SharedLog, SyncOptions};
use syncline_it::slow::{Moment, Slow};
use syncline_it::{Replica, STORES, Store, law, schema};

fn note(id: impl Into<String>) -> Object {
    Object::new().with("id", id.into())
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

fn eager() -> SyncOptions {
    SyncOptions { clean_up_entries: 1, ..SyncOptions::default() }
}

async fn entries(replica: &Replica) -> usize {
    law::stored(replica, "sync_entry").await.len()
}

#[test]
fn a_sync_that_notes_less_than_another_process_has_shared_and_cleaned_away_is_no_obstacle() {
    for store in STORES {
        pollster::block_on(async {
            let one = Replica::new(store, 1).await;
            let tab = Replica::open(one.backend.clone(), 3, schema(), |config| config).await;
            let (tab, two) = (tab.expect("it opens"), Replica::new(store, 2).await);
            let _ = one.create("note", note("first")).await;
            let log = Arc::new(shared());
            let (inner, others) = (log.clone(), [tab.clone(), two.clone()]);
            let slow = Slow::new(log.clone(), Moment::Appended, async move {
                let [tab, two] = others;
                for number in 0..3 {
                    let _ = tab.create("note", note(format!("later{number}"))).await;
                    let _ = two.create("note", note(format!("two{number}"))).await;
                    for replica in [&tab, &two, &tab] {
                        let _ = replica.sync_with(inner.as_ref(), &eager()).await;
                    }
                }
                assert_eq!(entries(&tab).await, 0, "they cleaned up");
            });
            let _ = one.sync(&slow).await;
            let _ = one.create("note", note("last")).await;
            for replica in [&one, &tab, &two, &one] {
                assert!(replica.sync_with(log.as_ref(), &eager()).await.finished);
            }
            assert_eq!(one.all("note").await.len(), 8);
            assert_eq!(two.all("note").await, one.all("note").await);
        });
    }
}

#[test]
fn of_a_segment_all_entries_are_kept_or_none() {
    pollster::block_on(async {
        let (log, one) = (shared(), Replica::new(Store::Memory, 1).await);
        let two = Replica::new(Store::Memory, 2).await;
        for number in 0..9 {
            let _ = one.create("note", note(format!("n{number}"))).await;
        }
        let small = SyncOptions { upload_entries: 5, ..SyncOptions::default() };
        let _ = one.sync_with(&log, &small).await;
        let _ = two.create("note", note("two")).await;
        for replica in [&two, &one] {
            let _ = replica.sync(&log).await;
        }
        // Somebody has it only up to the middle of a segment, as far as one can tell.
        let (own, other) = (one.log.replica().await.expect("an id"), ReplicaId([7; 16]));
        let known = VersionVector::new([Tip { replica: own, seq: 7, hash: Default::default() }]);
        log.join(other).await.expect("it joins");
        log.acknowledge(other, &known).await.expect("it is noted");
        let _ = one.sync_with(&log, &eager()).await;
        assert_eq!(entries(&one).await, 4, "the second segment is kept");
    });
}

#[test]
fn whoever_only_writes_cleans_up_too_and_still_merges_afterwards() {
    for store in STORES {
        pollster::block_on(async {
            let (log, writer, reader) =
                (shared(), Replica::new(store, 1).await, Replica::new(store, 2).await);
            for number in 0..9 {
                let _ = writer
                    .create(
                        "user",
                        Object::new().with("id", format!("n{number}")).with("name", "x"),
                    )
                    .await;
            }
            for replica in [&writer, &reader, &writer] {
                let _ = replica.sync_with(&log, &eager()).await;
            }
            assert_eq!(entries(&writer).await, 0, "everybody has them");
            // The histories know who wrote what.
            let _ = reader
                .update("user", Filter::key("n1"), Object::new().with("name", "theirs"))
                .await;
            let _ =
                writer.update("user", Filter::key("n1"), Object::new().with("name", "mine")).await;
            for replica in [&writer, &reader, &writer] {
                let _ = replica.sync_with(&log, &eager()).await;
            }
            assert_eq!(writer.all("user").await, reader.all("user").await);
        });
    }
}
