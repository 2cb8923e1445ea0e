//! The trace that is lived through natively as well.

use std::sync::Arc;

use syncline::backend::memory::MemoryBackend;
use syncline_browser::page::storage;
use syncline_browser::trace::{OUTCOME, lived_through};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn the_trace_comes_to_the_same_in_memory() {
    let both = [0, 1].map(|_| Arc::new(MemoryBackend::default()) as _);
    assert_eq!(lived_through(both).await.expect("it lives"), OUTCOME);
}

#[wasm_bindgen_test]
async fn the_trace_comes_to_the_same_in_indexeddb() {
    let both = [storage().await, storage().await];
    assert_eq!(lived_through(both).await.expect("it lives"), OUTCOME);
}

#[wasm_bindgen_test]
async fn the_trace_comes_to_the_same_in_indexeddb_and_memory() {
    let both = [storage().await, Arc::new(MemoryBackend::default())];
    assert_eq!(lived_through(both).await.expect("it lives"), OUTCOME);
}
