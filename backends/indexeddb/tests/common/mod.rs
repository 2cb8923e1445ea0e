//! What every test of this backend needs.

use std::cell::Cell;

use syncline_backend_indexeddb::{Durability, IndexedDbConfig};

thread_local! {
    static OPENED: Cell<u32> = const { Cell::new(0) };
}

/// A database that no other test has. Nothing here outlives the browser, so nothing has to survive a power
/// cut.
pub fn config() -> IndexedDbConfig {
    let number = OPENED.with(|opened| opened.replace(opened.get() + 1));
    let name = format!("test {number} {}", js_sys::Math::random());
    IndexedDbConfig { durability: Durability::Relaxed, ..IndexedDbConfig::new(name) }
}
