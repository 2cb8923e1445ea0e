//! Ways to a hub that cut, lose and repeat.

use syncline::{ErrorKind, Object, SyncOptions, do_sync};
use syncline_hub::{HubProcess, Proxy, client};
use syncline_it::{Replica, Store, law};

use crate::HUB;

/// What may be told when bytes were lost or said twice on the way.
const EXPLAINED: &[ErrorKind] =
    &[ErrorKind::Unavailable, ErrorKind::Corrupt, ErrorKind::Invalid, ErrorKind::Unsupported];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_on_the_way_all_arrives_once_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 1..=4 {
        let hub = HubProcess::start(HUB, &folder.path().join(format!("{seed}.db")));
        let proxy = Proxy::before(hub.port(), seed).await;
        let replicas = [Replica::new(Store::Sqlite, 1).await, Replica::new(Store::Memory, 2).await];
        let log = client(&proxy.url());
        let mut failed = 0;
        for round in 0..40 {
            for (number, replica) in replicas.iter().enumerate() {
                let id = format!("{number}-{round}");
                let text = "x".repeat(round * 37 % 500);
                let note = Object::new().with("id", id).with("text", text);
                let _ = replica.create("note", note).await;
                match do_sync(&replica.log, &log, &SyncOptions::default()).await {
                    Ok(_) => law::check(replica).await,
                    Err(error) => {
                        failed += 1;
                        assert!(EXPLAINED.contains(&error.kind()), "{error:?}");
                    }
                }
            }
        }
        let mischiefs = proxy.mischiefs();
        assert!(failed > 0 && mischiefs > 5, "{failed} syncs failed, by {mischiefs} mischiefs");
        proxy.become_honest();
        for replica in replicas.iter().cycle().take(6) {
            // Connections from before may still be bad.
            while let Err(error) = do_sync(&replica.log, &log, &SyncOptions::default()).await {
                assert!(EXPLAINED.contains(&error.kind()), "{error:?}");
            }
        }
        law::check_equal(&replicas).await;
        let shared = law::shared(&client(&hub.url())).await;
        assert_eq!(shared, law::applied(&replicas[0]).await);
    }
}
