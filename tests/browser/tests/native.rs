//! The trace, where there is no browser.

#![cfg(not(target_family = "wasm"))]

use std::sync::Arc;

use syncline::Backend;
use syncline::backend::memory::MemoryBackend;
use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline_browser::trace::{OUTCOME, lived_through};

#[pollster::test]
async fn the_trace_comes_to_the_same_in_memory() {
    let storage = || Arc::new(MemoryBackend::default()) as Arc<dyn Backend>;
    assert_eq!(lived_through([storage(), storage()]).await.expect("it lives"), OUTCOME);
}

#[pollster::test]
async fn the_trace_comes_to_the_same_in_sqlite() {
    let storage = || -> Arc<dyn Backend> {
        Arc::new(SqliteBackend::open_in_memory(SqliteConfig::default()).expect("it opens"))
    };
    assert_eq!(lived_through([storage(), storage()]).await.expect("it lives"), OUTCOME);
}
