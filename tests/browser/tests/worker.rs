//! The same in a dedicated worker, where applications that compute much keep their data.

#![cfg(target_family = "wasm")]

use std::sync::Arc;

use syncline::backend::memory::MemoryBackend;
use syncline_browser::page::storage;
use syncline_browser::trace::{OUTCOME, lived_through};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
async fn the_trace_comes_to_the_same_in_a_worker() {
    let both = [storage().await, Arc::new(MemoryBackend::default())];
    assert_eq!(lived_through(both).await.expect("it lives"), OUTCOME);
}
