//! Several managers on one database, as several processes have them.

use std::sync::Arc;

use syncline::backend::sqlite::{SqliteBackend, SqliteConfig};
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::status;
use syncline::{ErrorKind, Filter, Object, SyncOptions, do_sync};
use syncline_it::{Replica, Store, law, schema};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

fn shared() -> MemoryLog {
    MemoryLog::new("test".parse().expect("a group"))
}

async fn open(path: &std::path::Path, number: u64) -> Replica {
    let backend = SqliteBackend::open(path, SqliteConfig::default()).expect("SQLite opens");
    let opened = Replica::open(Arc::new(backend), number, schema(), |config| config).await;
    opened.expect("it opens")
}

#[test]
fn a_process_that_only_syncs_shares_what_another_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    pollster::block_on(async {
        let path = folder.path().join("app.db");
        let (app, worker, log) = (open(&path, 1).await, open(&path, 2).await, shared());
        let two = Replica::new(Store::Memory, 3).await;
        for round in 0..3 {
            let _ = app.create("user", user(&format!("u{round}"), "x")).await;
            let _ = app.update("user", Filter::All, Object::new().with("age", round)).await;
            assert_eq!(status(&worker.log).await.expect("a status").pending, 2 + round as u64);
            law::check(&worker).await;
            assert_eq!(worker.sync(&log).await.shared, 2 + round as u64);
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await, app.all("user").await);
            let _ = two.create("note", Object::new().with("id", format!("n{round}"))).await;
            let _ = two.sync(&log).await;
            let _ = worker.sync(&log).await;
            assert_eq!(app.all("note").await.len(), round as usize + 1);
        }
        let one = app.log.replica().await.expect("an id");
        assert_eq!(one, worker.log.replica().await.expect("an id"), "one database, one replica");
        law::check_equal(&[app, worker, two]).await;
    });
}

#[test]
fn processes_that_write_and_sync_at_once_lose_nothing_and_skip_no_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.db");
    let log = shared();
    let other = pollster::block_on(Replica::new(Store::Memory, 9));
    let first = pollster::block_on(open(&path, 1));
    std::thread::scope(|scope| {
        for process in 1..=2_u64 {
            let (path, log) = (&path, &log);
            let _ = scope.spawn(move || {
                pollster::block_on(async {
                    let replica = open(path, process).await;
                    for round in 0..20 {
                        let _ =
                            replica.create("user", user(&format!("p{process}-{round}"), "x")).await;
                        let all = Object::new().with("age", round);
                        let _ = replica.update("user", Filter::lt("age", round), all).await;
                        if round % 4 == 0 {
                            let _ = try_sync(&replica, log).await;
                        }
                    }
                });
            });
        }
        for round in 0..10 {
            pollster::block_on(async {
                let _ = other.create("user", user(&format!("other-{round}"), "x")).await;
                let _ = other.sync(&log).await;
            });
        }
    });
    pollster::block_on(async {
        for replica in [&first, &other, &first, &other] {
            let _ = replica.sync(&log).await;
        }
        assert_eq!(first.all("user").await.len(), 50);
        law::check_equal(&[first, other]).await;
    });
}

/// A sync may find the database busy for too long; then it is tried again.
async fn try_sync(replica: &Replica, log: &MemoryLog) {
    for _ in 0..20 {
        match do_sync(&replica.log, log, &SyncOptions::default()).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
    }
}

#[test]
fn writers_of_one_process_and_a_sync_do_not_race() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, log) = (folder.path().join("app.db"), shared());
    let replica = pollster::block_on(open(&path, 1));
    let other = pollster::block_on(Replica::new(Store::Memory, 2));
    std::thread::scope(|scope| {
        for task in 0..3 {
            let replica = &replica;
            let _ = scope.spawn(move || {
                for round in 0..20 {
                    let object = user(&format!("t{task}-{round}"), "x");
                    let _ = pollster::block_on(replica.create("user", object));
                }
            });
        }
        for _ in 0..10 {
            let _ = pollster::block_on(replica.sync(&log));
            let _ = pollster::block_on(other.sync(&log));
        }
    });
    pollster::block_on(async {
        let _ = replica.sync(&log).await;
        let _ = other.sync(&log).await;
        assert_eq!(other.all("user").await.len(), 60);
        assert_eq!(status(&replica.log).await.expect("a status").written, 60);
        law::check_equal(&[replica, other]).await;
    });
}
