//! Holds the log of a real hub to the contract of every shared log.

#[path = "common/hub.rs"]
mod hub;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use syncline_conformance::{LogFixture, shared_log_suite};
use syncline_server_sqlite::{SqliteStore, SqliteStoreConfig};
use syncline_shared_log_http::{Compression, HttpLog, HttpLogConfig};
use tokio::sync::Mutex;

mod as_it_is {
    use super::*;

    shared_log_suite!(
        #[tokio::test]
        open
    );

    async fn open() -> LogFixture {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let store = move |place| {
            let path = folder.path().join(format!("{place}.db"));
            SqliteStore::open(path, SqliteStoreConfig::default()).expect("it opens")
        };
        fixture(Compression::Never, store)
    }
}

mod compressed {
    use super::*;

    shared_log_suite!(
        #[tokio::test]
        open
    );

    async fn open() -> LogFixture {
        fixture(Compression::Always, |_| hub::store())
    }
}

/// A hub for each place, with a store of its own.
fn fixture(compression: Compression, store: impl Fn(usize) -> SqliteStore + 'static) -> LogFixture {
    let hubs: Arc<Mutex<BTreeMap<usize, String>>> = Arc::default();
    let store = Arc::new(store);
    LogFixture::new(move |place, group| {
        let (hubs, store) = (hubs.clone(), store.clone());
        async move {
            let url = match hubs.lock().await.entry(place) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(hub::serve(store(place), None).await).clone(),
            };
            HttpLog::with(HttpLogConfig { compression, ..HttpLogConfig::new(url, group) })
        }
    })
}
