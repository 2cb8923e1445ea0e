//! How much is asked of SQLite and of the shared log: the whole table in one place.

use std::sync::Arc;

use syncline::backend::sqlite::{Counters, SqliteBackend, SqliteConfig};
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::Stage;
use syncline::{Filter, Object, SyncOptions};
use syncline_it::{Replica, Store, schema};

/// What each thing may cost: statements, writing transactions, requests to the shared log.
const COSTS: &[(&str, u64, u64, u64)] = &[
    ("create", 3, 1, 0),
    ("update by key", 3, 1, 0),
    ("find by key", 1, 0, 0),
    ("delete by key", 3, 1, 0),
    ("create 100 in a batch", 201, 1, 0),
    ("share what was written", 12, 2, 2),
    ("sync right after sharing", 9, 1, 2),
    ("sync with nothing to do", 7, 0, 1),
    ("share 1", 12, 2, 2),
    ("receive 1", 16, 2, 2),
    ("receive 100", 214, 2, 2),
    ("only receive 1", 11, 2, 2),
    ("only integrate 1", 21, 2, 0),
    ("only share 1", 7, 1, 1),
    ("only clean up", 5, 0, 0),
];

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

/// Counts what is asked for from one reading to the next.
struct Meter {
    backend: SqliteBackend,
    log: MemoryLog,
    before: (Counters, u64),
    read: Vec<(&'static str, u64, u64, u64)>,
}

impl Meter {
    fn start(&mut self) {
        self.before = (self.backend.counters(), self.log.requests().total());
    }

    fn note(&mut self, what: &'static str) {
        let (now, requests) = (self.backend.counters(), self.log.requests().total());
        let (then, asked) = self.before;
        let statements = now.statements - then.statements;
        let transactions = now.transactions - then.transactions;
        self.read.push((what, statements, transactions, requests - asked));
        self.start();
    }
}

async fn create_many(replica: &Replica, name: &str, count: u64) {
    let fill = |batch: syncline::manager::BatchBuilder, number| {
        batch.create("user", user(&format!("{name}{number:03}"), "x"))
    };
    let batch = (0..count).fold(replica.manager.batch(), fill);
    let _ = batch.run().await.expect("it writes");
}

async fn measure() -> Vec<(&'static str, u64, u64, u64)> {
    let backend = SqliteBackend::open_in_memory(SqliteConfig::default()).expect("SQLite opens");
    let log = MemoryLog::new("test".parse().expect("a group"));
    let opened = Replica::open(Arc::new(backend.clone()), 1, schema(), |config| config).await;
    let one = opened.expect("it opens");
    let two = Replica::new(Store::Memory, 2).await;
    for replica in [&one, &two, &one, &two] {
        let _ = replica.create("note", Object::new()).await;
        let _ = replica.sync(&log).await;
    }
    for replica in [&one, &two, &one, &two] {
        let _ = replica.sync(&log).await;
    }
    let before = (backend.counters(), 0);
    let mut meter = Meter { backend, log: log.clone(), before, read: Vec::new() };
    // What a sync brought is said once, with the next write.
    let _ = one.create("note", Object::new().with("id", "first")).await;
    meter.start();
    let users = one.manager.collection("user").expect("there are users");
    let _ = one.create("user", user("a", "A")).await;
    meter.note("create");
    let _ = one.update("user", Filter::key("a"), Object::new().with("age", 1)).await;
    meter.note("update by key");
    let _ = users.find_by_key("a").await.expect("it reads");
    meter.note("find by key");
    let _ = one.delete("user", Filter::key("a")).await;
    meter.note("delete by key");
    create_many(&one, "many", 100).await;
    meter.note("create 100 in a batch");
    let _ = one.sync(&log).await;
    meter.note("share what was written");
    let _ = one.sync(&log).await;
    meter.note("sync right after sharing");
    let _ = one.sync(&log).await;
    meter.note("sync with nothing to do");
    let _ = one.create("user", user("b", "B")).await;
    meter.start();
    let _ = one.sync(&log).await;
    meter.note("share 1");
    for replica in [&one, &two, &one, &two, &one] {
        let _ = replica.sync(&log).await;
    }
    // What is written is folded with the first receive.
    let _ = two.create("note", Object::new()).await;
    for replica in [&two, &one, &two, &one] {
        let _ = replica.sync(&log).await;
    }
    for (what, name, count) in [("receive 1", "t", 1), ("receive 100", "h", 100)] {
        create_many(&two, name, count).await;
        let _ = two.sync(&log).await;
        meter.start();
        let _ = one.sync(&log).await;
        meter.note(what);
    }
    // Each stage alone, with one entry of the other's to take and one of its own to give.
    create_many(&two, "s", 1).await;
    let _ = two.sync(&log).await;
    create_many(&one, "o", 1).await;
    for (what, stage) in [
        ("only receive 1", Stage::Receive),
        ("only integrate 1", Stage::Integrate),
        ("only share 1", Stage::Share),
        ("only clean up", Stage::CleanUp),
    ] {
        let all = [Stage::Receive, Stage::Share, Stage::Integrate, Stage::CleanUp];
        let skip = all.into_iter().filter(|other| *other != stage).collect();
        meter.start();
        let _ = one.sync_with(&log, &SyncOptions { skip, ..SyncOptions::default() }).await;
        meter.note(what);
    }
    meter.read
}

#[test]
fn nothing_costs_more_statements_transactions_or_requests_than_it_should() {
    let read = pollster::block_on(measure());
    // Less is good news too: put the new numbers into the table.
    let table: Vec<String> = read.iter().map(|line| format!("    {line:?},")).collect();
    assert_eq!(read, COSTS, "\n{}\n", table.join("\n"));
}
