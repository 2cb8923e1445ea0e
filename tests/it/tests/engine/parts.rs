//! Syncs that stop half-way, by wish.

use syncline::shared_log::memory::MemoryLog;
use syncline::{Filter, Object, SyncOptions};
use syncline_it::{Replica, STORES, law};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

#[test]
fn a_batch_whose_parts_arrive_in_syncs_of_their_own_is_applied_whole() {
    for store in STORES {
        pollster::block_on(async {
            let (one, two, log) =
                (Replica::new(store, 1).await, Replica::new(store, 2).await, shared());
            let mut batch = one.manager.batch();
            for number in 0..5 {
                batch = batch.create("user", user(&format!("u{number}"), "x"));
            }
            let _ = batch.run().await.expect("it writes");
            let small =
                SyncOptions { upload_entries: 1, download_entries: 1, ..Default::default() };
            let _ = one.sync_with(&log, &small).await;
            let single = SyncOptions { single_batch: true, ..small };
            for page in 1..=5 {
                let report = two.sync_with(&log, &single).await;
                assert_eq!(report.integrated, if page == 5 { 5 } else { 0 });
                assert_eq!(report.finished, page == 5);
                law::check(&two).await;
            }
            assert_eq!(two.all("user").await.len(), 5);
            let _ = two.update("user", Filter::key("u1"), Object::new().with("name", "y")).await;
            let _ = two.sync(&log).await;
            let _ = one.sync(&log).await;
            law::check_equal(&[one, two]).await;
        });
    }
}
