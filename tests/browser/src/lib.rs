//! What browsers and everything else must do alike, and what a test in a browser needs.

mod replica;
pub mod trace;

pub use replica::{Replica, START};

/// What only a browser has.
#[cfg(target_family = "wasm")]
pub mod page {
    use std::cell::Cell;
    use std::sync::Arc;

    use syncline::Backend;
    use syncline::backend::indexeddb::{Durability, IndexedDbBackend, IndexedDbConfig};

    thread_local! {
        static NAMED: Cell<u32> = const { Cell::new(0) };
    }

    /// A database that nobody else has. Nothing here outlives the browser, so nothing has to survive a
    /// power cut.
    pub fn config() -> IndexedDbConfig {
        let number = NAMED.with(|named| named.replace(named.get() + 1));
        let name = format!("test {number} {}", js_sys::Math::random());
        IndexedDbConfig { durability: Durability::Relaxed, ..IndexedDbConfig::new(name) }
    }

    /// The database of this configuration.
    ///
    /// # Panics
    ///
    /// If it cannot be opened.
    pub async fn open(config: &IndexedDbConfig) -> Arc<dyn Backend> {
        Arc::new(IndexedDbBackend::open(config.clone()).await.expect("there is an IndexedDB"))
    }

    /// A new database.
    pub async fn storage() -> Arc<dyn Backend> {
        open(&config()).await
    }
}
