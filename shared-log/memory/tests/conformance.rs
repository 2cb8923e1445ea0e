//! Holds the memory log to the contract of every shared log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use syncline_conformance::{LogFixture, shared_log_suite};
use syncline_shared_log_memory::MemoryLog;

shared_log_suite!(
    #[pollster::test]
    open
);

async fn open() -> LogFixture {
    let places: Arc<Mutex<BTreeMap<usize, MemoryLog>>> = Arc::default();
    LogFixture::new(move |place, group| {
        let mut places = places.lock().expect("nobody fails in here");
        let log = places
            .entry(place)
            .or_insert_with(|| MemoryLog::new(group).named(&format!("place {place}")))
            .clone();
        async move { Ok(log) }
    })
}
