//! The memory backend keeps every promise of a backend, as it is and declaring nothing.

use syncline_backend_memory::MemoryBackend;
use syncline_conformance::{Fixture, Modest, Partly, backend_suite, manager_suite};
use syncline_core::Backend;

mod as_it_is {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    #[pollster::test]
    async fn agrees_with_the_model() {
        syncline_conformance::agrees_with_model(open, 500).await;
    }

    async fn open() -> Fixture {
        let memory = MemoryBackend::default();
        let again = move || {
            let memory = memory.clone();
            async move { Ok(memory) }
        };
        Fixture::opening(again).await.expect("memory is always there")
    }
}

mod declaring_nothing {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    #[pollster::test]
    async fn agrees_with_the_model() {
        syncline_conformance::agrees_with_model(open, 100).await;
    }

    async fn open() -> Fixture {
        Fixture::new(Modest(MemoryBackend::default()))
    }
}

/// Like a database whose transactions have to be set up first.
mod all_but_batches {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        let memory = MemoryBackend::default();
        let mut can = memory.capability();
        can.atomic_batch = false;
        Fixture::new(Partly(memory, can))
    }
}

mod managed {
    use super::*;

    manager_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(MemoryBackend::default())
    }
}

mod managed_declaring_nothing {
    use super::*;

    manager_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(Modest(MemoryBackend::default()))
    }
}

/// What is not declared is only seen to be refused, so the reference must declare all there is.
#[test]
fn the_reference_declares_everything() {
    let declared = format!("{:?}", MemoryBackend::default().capability());
    assert!(declared.contains("true") && !declared.contains("false"), "{declared}");
}
