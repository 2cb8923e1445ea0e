//! The IndexedDB backend keeps every promise of a backend, in a browser: as it is and declaring nothing.

#![cfg(target_family = "wasm")]

mod common;

use common::config;
use syncline_backend_indexeddb::IndexedDbBackend;
use syncline_conformance::{Fixture, Modest, backend_suite, manager_suite};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

async fn backend() -> IndexedDbBackend {
    IndexedDbBackend::open(config()).await.expect("there is an IndexedDB")
}

mod as_it_is {
    use super::*;

    backend_suite!(
        #[wasm_bindgen_test]
        open
    );

    #[wasm_bindgen_test]
    async fn agrees_with_the_model() {
        syncline_conformance::agrees_with_model(open, 100).await;
    }

    async fn open() -> Fixture {
        let config = config();
        let again = move || IndexedDbBackend::open(config.clone());
        Fixture::opening(again).await.expect("there is an IndexedDB")
    }
}

mod declaring_nothing {
    use super::*;

    backend_suite!(
        #[wasm_bindgen_test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(Modest(backend().await))
    }
}

mod managed {
    use super::*;

    manager_suite!(
        #[wasm_bindgen_test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(backend().await)
    }
}

mod managed_declaring_nothing {
    use super::*;

    manager_suite!(
        #[wasm_bindgen_test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(Modest(backend().await))
    }
}
