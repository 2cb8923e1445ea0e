//! Holds the store to the contract of every shared log, on threads and inline.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use syncline_conformance::LogFixture;
use syncline_server_sqlite::SqliteStore;

use crate::common::Direct;

mod on_threads {
    syncline_conformance::shared_log_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> syncline_conformance::LogFixture {
        super::fixture(super::common::open)
    }
}

mod inline {
    syncline_conformance::shared_log_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> syncline_conformance::LogFixture {
        super::fixture(super::common::open_inline)
    }
}

mod in_memory {
    syncline_conformance::shared_log_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> syncline_conformance::LogFixture {
        super::fixture(|_| super::SqliteStore::open_in_memory().expect("opens"))
    }
}

/// A place for each number: a file of its own.
fn fixture(open: impl Fn(&Path) -> SqliteStore + 'static) -> LogFixture {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let places: Arc<Mutex<BTreeMap<usize, SqliteStore>>> = Arc::default();
    LogFixture::new(move |place, group| {
        let mut places = places.lock().expect("nobody fails in here");
        let path = folder.path().join(place.to_string());
        let store = places.entry(place).or_insert_with(|| open(&path)).clone();
        let log = Direct { store: Arc::new(store), group, name: format!("place {place}") };
        async move { Ok(log) }
    })
}
