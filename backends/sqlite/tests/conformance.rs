//! The SQLite backend keeps every promise of a backend: in memory, on disk, and declaring nothing.

use syncline_backend_sqlite::{SqliteBackend, SqliteConfig};
use syncline_conformance::{Fixture, Modest, backend_suite, manager_suite};

fn memory() -> SqliteBackend {
    SqliteBackend::open_in_memory(SqliteConfig::default()).expect("memory is always there")
}

mod in_memory {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    #[pollster::test]
    async fn agrees_with_the_model() {
        syncline_conformance::agrees_with_model(open, 200).await;
    }

    async fn open() -> Fixture {
        Fixture::new(memory())
    }
}

mod on_disk {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        let folder = tempfile::tempdir().expect("a folder");
        // The folder lives as long as what opens the database in it.
        let again = move || {
            let opened =
                SqliteBackend::open(folder.path().join("data.db"), SqliteConfig::default());
            async move { opened }
        };
        Fixture::opening(again).await.expect("the file opens")
    }
}

mod declaring_nothing {
    use super::*;

    backend_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(Modest(memory()))
    }
}

mod managed {
    use super::*;

    manager_suite!(
        #[pollster::test]
        open
    );

    async fn open() -> Fixture {
        Fixture::new(memory())
    }
}
