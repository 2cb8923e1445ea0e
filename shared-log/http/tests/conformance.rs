//! Holds the log of a real hub to the contract of every shared log.

#[path = "common/hub.rs"]
mod hub;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use syncline_conformance::{LogFixture, shared_log_suite};
use syncline_shared_log_http::{Compression, HttpLog, HttpLogConfig};
use tokio::sync::Mutex;

mod as_it_is {
    use super::*;

    shared_log_suite!(
        #[tokio::test]
        open
    );

    async fn open() -> LogFixture {
        fixture(Compression::Never)
    }
}

mod compressed {
    use super::*;

    shared_log_suite!(
        #[tokio::test]
        open
    );

    async fn open() -> LogFixture {
        fixture(Compression::Always)
    }
}

fn fixture(compression: Compression) -> LogFixture {
    let hubs: Arc<Mutex<BTreeMap<usize, String>>> = Arc::default();
    LogFixture::new(move |place, group| {
        let hubs = hubs.clone();
        async move {
            let mut hubs = hubs.lock().await;
            let url = match hubs.entry(place) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(new) => new.insert(hub::serve(Arc::default(), None).await).clone(),
            };
            HttpLog::with(HttpLogConfig { compression, ..HttpLogConfig::new(url, group) })
        }
    })
}
