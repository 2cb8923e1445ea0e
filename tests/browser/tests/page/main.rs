//! What Syncline promises, in a page of a browser.

#![cfg(target_family = "wasm")]

mod dropped;
mod hub;
mod support;
mod synced;
mod trace;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
