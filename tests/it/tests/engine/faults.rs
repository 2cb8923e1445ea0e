//! Storage and log fail at every single call, before or after its effect; the process dies or goes on.

use std::sync::Arc;

use syncline::client::Origin;
use syncline::shared_log::memory::MemoryLog;
use syncline::{Batch, Error, ErrorKind, Filter, Object, Operation, SyncOptions, do_sync, run};
use syncline_it::faults::{Fragile, FragileLog, Fuse};
use syncline_it::{Replica, Store, law, schema, storage};

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

/// What fails, and how.
#[derive(Clone, Copy, Debug)]
struct Fault {
    at: i64,
    after: bool,
    /// The process dies, and the database is opened again.
    dies: bool,
    /// The log fails instead of the storage.
    log: bool,
}

/// What the replica does; each step is tried again until it is done.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write,
    Sync,
    Edit,
    Adopt,
    Remove,
}

const STEPS: [Step; 8] = [
    Step::Write,
    Step::Sync,
    Step::Edit,
    Step::Adopt,
    Step::Sync,
    Step::Edit,
    Step::Remove,
    Step::Sync,
];

fn small() -> SyncOptions {
    SyncOptions { upload_entries: 1, download_entries: 2, ..SyncOptions::default() }
}

async fn try_step(replica: &Replica, log: &FragileLog, step: Step) -> Result<(), Error> {
    let users = replica.manager.collection("user")?;
    match step {
        Step::Write => {
            let batch = replica.manager.batch().create("user", user("a", "A"));
            match batch.create("user", user("b", "B")).run().await {
                // The attempt before had its effect.
                Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
                other => other.map(drop),
            }
        }
        Step::Sync => do_sync(&replica.log, log, &small()).await.map(drop),
        Step::Edit => {
            let both = Filter::is_in("id", ["a", "shared"]);
            users.update(both, Object::new().with("nick", "N")).await.map(drop)
        }
        Step::Adopt => replica.log.adopt("user", Origin::Unknown).await.map(drop),
        Step::Remove => users.delete(Filter::key("b")).await.map(drop),
    }
}

/// Tells the story with one fault; says whether it came to it.
async fn story(store: Store, fault: Fault) -> bool {
    let log = MemoryLog::new("test".parse().expect("a group"));
    let other = Replica::new(store, 2).await;
    let _ = other.create("user", user("shared", "S")).await;
    for number in 0..3 {
        let _ = other.create("note", Object::new().with("id", format!("n{number}"))).await;
    }
    let _ = other.sync_with(&log, &small()).await;
    let (inner, fuse, log_fuse) = (storage(store), Fuse::new(), Fuse::new());
    let fragile = Arc::new(Fragile { inner: inner.clone(), fuse: fuse.clone() });
    let remote = FragileLog { inner: Arc::new(log.clone()), fuse: log_fuse.clone() };
    let open = || Replica::open(fragile.clone(), 1, schema(), |config| config);
    let mut replica = open().await.expect("it opens");
    let old = Batch::new().create("user", user("old", "O"));
    let _ = run(inner.as_ref(), Operation::Write(old)).await.expect("it writes");
    let lit = if fault.log { &log_fuse } else { &fuse };
    lit.light(fault.at, fault.after, fault.dies);
    let mut failed = false;
    for step in STEPS {
        while let Err(error) = try_step(&replica, &remote, step).await {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{step:?} {fault:?}: {error}");
            assert!(!failed, "it fails once: {step:?} {fault:?} {error}");
            failed = true;
            let _ = (fuse.put_out(), log_fuse.put_out());
            if fault.dies {
                replica = open().await.expect("it opens again");
            }
            law_but_for_old(&replica, step).await;
        }
        let _ = other.update("user", Filter::key("a"), Object::new().with("age", 1)).await;
        let _ = other.sync_with(&log, &small()).await;
    }
    let blew = lit.put_out();
    for replica in [&replica, &other, &replica] {
        let _ = replica.sync(&log).await;
    }
    let expected = [
        user("a", "A").with("nick", "N").with("age", 1),
        user("old", "O"),
        user("shared", "S").with("nick", "N"),
    ];
    assert_eq!(replica.all("user").await, expected, "{fault:?}");
    law::check_equal(&[replica, other]).await;
    blew
}

/// Until the old row is adopted, the law does not know it.
async fn law_but_for_old(replica: &Replica, step: Step) {
    let mut seen = law::seen(replica).await;
    let lawful = law::rows(&law::applied(replica).await);
    if matches!(step, Step::Write | Step::Sync | Step::Edit | Step::Adopt) {
        seen.retain(|id, _| lawful.contains_key(id) || id.1 != syncline::Key::from("old"));
    }
    assert_eq!(seen, lawful);
}

fn everywhere(store: Store, log: bool, dies: bool) {
    for after in [false, true] {
        let mut at = 0;
        while pollster::block_on(story(store, Fault { at, after, dies, log })) {
            at += 1;
        }
        assert!(at > 5, "the story is longer than that");
    }
}

#[test]
fn storage_that_fails_once_at_any_call_costs_nothing() {
    everywhere(Store::Memory, false, false);
}

#[test]
fn a_process_that_dies_at_any_call_of_its_storage_goes_on_where_it_was() {
    everywhere(Store::Memory, false, true);
}

#[test]
fn a_shared_log_that_fails_once_at_any_call_costs_nothing() {
    everywhere(Store::Memory, true, false);
    everywhere(Store::Sqlite, true, false);
}

#[test]
fn a_process_that_dies_at_any_call_of_its_log_goes_on_where_it_was() {
    everywhere(Store::Memory, true, true);
    everywhere(Store::Sqlite, true, true);
}

#[test]
fn a_page_that_could_not_be_stored_is_fetched_again() {
    pollster::block_on(async {
        let log = MemoryLog::new("test".parse().expect("a group"));
        let other = Replica::new(Store::Memory, 2).await;
        let _ = other.create("user", user("shared", "S")).await;
        let _ = other.sync(&log).await;
        let mut at = 0;
        loop {
            let fuse = Fuse::new();
            let fragile = Arc::new(Fragile { inner: storage(Store::Memory), fuse: fuse.clone() });
            let two =
                Replica::open(fragile, 3 + at, schema(), |config| config).await.expect("opens");
            fuse.light(at.cast_signed(), false, false);
            let _ = do_sync(&two.log, &log, &SyncOptions::default()).await;
            let blew = fuse.put_out();
            let _ = two.sync(&log).await;
            assert_eq!(two.all("user").await, [user("shared", "S")], "failed at call {at}");
            if !blew {
                break;
            }
            at += 1;
        }
        assert!(at > 2);
    });
}
