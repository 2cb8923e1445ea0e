//! The activities: what comes before each, and what is done in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline::sync::{Stage as Part, SyncStatus, status};
use syncline::{Batch, ErrorKind, Filter, Key, Object, Operation, SyncOptions, do_sync, run};

use super::act::in_pieces_of;
use super::stage::{MAIN, Stage, schema};
use super::{Act, Edit};
use crate::faults::{FragileLog, Fuse, copy};
use crate::{Replica, law};

/// What is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A database is made, written to, and synced for the first time.
    Begin,
    /// Writes: of one object, of several collections, of many objects.
    Write,
    /// Syncs with work both ways: conflicts, batches that are cut or half there, what has to park, and values
    /// that lost.
    Sync,
    /// A database is opened under a newer schema, its data are brought up to it, what was parked is applied.
    Migrate,
    /// Rows that were there before get into the log, some under new keys.
    Adopt,
    /// A database that was copied takes a new replica id.
    Renew,
    /// What everybody has is cleaned away.
    CleanUp,
}

fn user(id: &str, name: &str) -> Edit {
    Edit::Create("user", Object::new().with("id", id).with("name", name))
}

fn note(id: &str) -> Edit {
    Edit::Create("note", Object::new().with("id", id).with("text", "text"))
}

fn nick(id: &str, nick: &str) -> Edit {
    Edit::update("user", id, Object::new().with("nick", nick))
}

fn keys(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

impl Activity {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Begin,
        Self::Write,
        Self::Sync,
        Self::Migrate,
        Self::Adopt,
        Self::Renew,
        Self::CleanUp,
    ];

    /// The schema version of the replica that is interrupted.
    pub(super) fn version(self) -> u32 {
        if self == Self::Migrate { 2 } else { 1 }
    }

    /// The schema version that all have in the end.
    pub(super) fn newest_version(self) -> u32 {
        self.others().iter().map(|(_, version)| *version).max().unwrap_or(1)
    }

    /// Who else takes part, under which version of the schema.
    pub(super) fn others(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::Begin | Self::Write | Self::Adopt | Self::CleanUp => &[("two", 1)],
            Self::Sync | Self::Migrate => &[("two", 1), ("three", 2)],
            Self::Renew => &[("twin", 1), ("two", 1)],
        }
    }

    /// A user whom the others change meanwhile.
    pub(super) fn shared_user(self) -> &'static str {
        match self {
            Self::Adopt => "old2",
            Self::Begin => "there",
            _ => "a",
        }
    }

    /// Into what pieces a sync is cut.
    pub(super) fn piece(self) -> u64 {
        if self == Self::CleanUp { 7 } else { 2 }
    }

    /// Whether all entries are kept, so that what was applied can be told from them.
    pub(super) fn keeps_entries(self) -> bool {
        self != Self::CleanUp
    }

    /// Rows that lie there without an entry, until they are adopted.
    pub(super) fn raw_rows(self) -> Vec<(&'static str, Key)> {
        let Self::Adopt = self else { return Vec::new() };
        let users = ["old1", "old2", "old3"].map(|id| ("user", Key::from(id)));
        let pages = ["p1", "p2", "p3"].map(|id| ("page", Key::from(id)));
        let books = [1, 2].map(|id| ("book", Key::from(syncline::Value::Int(id))));
        users.into_iter().chain(pages).chain(books).collect()
    }

    /// What is done and interrupted; the database is opened first.
    pub fn acts(self) -> Vec<Act> {
        let sync = Act::Sync(self.piece());
        let old = || Object::new().with("name", "Old");
        match self {
            Self::Begin => vec![Act::Write(vec![user("a", "A"), note("n1")]), sync],
            Self::Write => {
                let many = Filter::is_in("id", ["a", "b", "c", "d", "nobody"]);
                let age = Object::new().with("age", 5).with("nick", syncline::Value::Null);
                let there = keys(&["a", "b", "c", "d"]);
                vec![
                    Act::Write(vec![note("w1")]),
                    Act::Write(vec![nick("b", "B")]),
                    Act::Write(vec![
                        user("w", "W"),
                        note("w2"),
                        Edit::Update("user", Filter::prefix("id", "w"), keys(&["w"]), age.clone()),
                        Edit::delete("note", "n1"),
                    ]),
                    Act::Write(vec![Edit::Update("user", many, there, age)]),
                    Act::Write(vec![Edit::Delete(
                        "note",
                        Filter::prefix("id", "n"),
                        keys(&["n2", "n3"]),
                    )]),
                ]
            }
            Self::Sync => vec![sync.clone(), Act::Write(vec![nick("b", "again")]), sync],
            Self::Migrate => {
                let there = keys(&["a", "b", "c", "d", "g"]);
                let phone = Object::new().with("phone", "unknown");
                let lacking = Filter::eq("phone", syncline::Value::Null);
                let tag = Object::new().with("id", "own").with("word", "w");
                vec![
                    Act::Write(vec![Edit::Update("user", lacking, there, phone)]),
                    Act::Write(vec![Edit::Create("tag", tag)]),
                    sync,
                ]
            }
            Self::Adopt => {
                let adopted = ["old1", "old2", "old3"];
                let users = adopted.map(|id| Edit::Create("user", old().with("id", id)));
                vec![
                    Act::Adopt("user", users.to_vec()),
                    Act::Adopt("page", pages().to_vec()),
                    Act::AdoptWithNewKeys("book", books_with_new_keys()),
                    Act::Write(vec![nick("old1", "O")]),
                    sync,
                ]
            }
            Self::Renew => vec![
                Act::Write(vec![user("mine", "M"), note("mine")]),
                sync.clone(),
                Act::Write(vec![nick("a", "renewed"), note("renewed")]),
                sync,
            ],
            Self::CleanUp => vec![sync.clone(), Act::Write(vec![nick("a", "clean")]), sync],
        }
    }

    /// Sees that the activity really did what it is there for.
    pub(super) async fn check_sense(
        self,
        before: &SyncStatus,
        main: &Replica,
        heard: &BTreeSet<String>,
    ) {
        let after = status(&main.log).await.expect("a status");
        match self {
            Self::Begin => assert_eq!((before.written, after.pending), (0, 0)),
            Self::Write => assert_eq!(after.written - before.written, 12),
            Self::Sync => {
                assert_eq!(before.discards, 1, "a value that lost waits");
                assert_eq!(after.quarantined.len(), 2, "a batch and an edit are parked");
                let lost = ["user c nick", "user b nick", "note n2 text"];
                for lost in lost {
                    assert!(heard.iter().any(|heard| heard.starts_with(lost)), "{lost}: {heard:?}");
                }
            }
            Self::Migrate => {
                assert_eq!((before.quarantined.len(), after.quarantined.len()), (2, 0));
            }
            Self::Adopt => {
                let entries = law::rows(&law::applied(main).await);
                let has =
                    |collection: &str, key: Key| entries.contains_key(&(collection.into(), key));
                assert!(
                    has("user", "old1".into()) && has("book", syncline::Value::Int(1_000).into())
                );
            }
            Self::Renew => assert_ne!(before.replica, after.replica),
            Self::CleanUp => {
                let kept = law::stored(main, "sync_entry").await.len();
                assert!(kept < 10, "{kept} entries are left");
            }
        }
    }

    /// What comes before; nothing fails in it. Everyone but the one that is interrupted stays open.
    pub(super) async fn prepare(self, stage: &mut Stage) {
        if self == Self::Adopt || self == Self::Begin {
            return without_a_past(stage).await;
        }
        let (one, two) = (stage.open(MAIN, 1).await, stage.open("two", 1).await);
        stage.others.push(two.clone());
        common_past(stage, &one, &two).await;
        match self {
            Self::Begin | Self::Write | Self::Adopt => {}
            Self::Sync => before_syncing(stage, &one, &two).await,
            Self::Migrate => before_migrating(stage, &one).await,
            Self::Renew => before_renewing(stage, one).await,
            Self::CleanUp => before_cleaning(stage, &one, &two).await,
        }
    }
}

async fn sync(stage: &Stage, replicas: &[&Replica]) {
    let (log, pieces) = (stage.log(), in_pieces_of(stage.activity.piece()));
    for replica in replicas {
        let _ = replica.sync_with(log.as_ref(), &pieces).await;
    }
}

/// Both wrote and have each other's writes.
async fn common_past(stage: &mut Stage, one: &Replica, two: &Replica) {
    let first = vec![user("a", "A"), user("b", "B"), user("c", "C"), note("n1"), note("n2")];
    stage.write(one, first).await;
    sync(stage, &[one, two]).await;
    stage.write(two, vec![nick("a", "two"), user("d", "D")]).await;
    stage.write(two, vec![note("n3")]).await;
    sync(stage, &[two, one]).await;
}

async fn before_syncing(stage: &mut Stage, one: &Replica, two: &Replica) {
    // One value has lost already, and nobody was told.
    stage.write(two, vec![nick("c", "two")]).await;
    stage.write(one, vec![nick("c", "one")]).await;
    sync(stage, &[two, one]).await;
    newer(stage).await;
    stage.write(two, vec![nick("b", "two")]).await;
    stage.write(two, vec![Edit::delete("note", "n2")]).await;
    stage.write(two, vec![user("e", "E"), note("n4"), nick("c", "cut"), user("f", "F")]).await;
    sync(stage, &[two]).await;
    // Of that last batch, a part is here.
    let log = stage.log();
    let skip = vec![Part::Share, Part::Integrate];
    let half = SyncOptions { skip, single_batch: true, ..in_pieces_of(2) };
    for _ in 0..3 {
        let _ = one.sync_with(log.as_ref(), &half).await;
    }
    stage.write(one, vec![nick("b", "one")]).await;
    let text = Object::new().with("text", "one");
    stage.write(one, vec![Edit::update("note", "n2", text)]).await;
    let many = (0..5).map(|number| note(&format!("m{number}"))).collect();
    stage.write(one, many).await;
}

/// Somebody with a newer schema writes what has to park elsewhere, alone and in batches.
async fn newer(stage: &mut Stage) {
    let three = stage.open("three", 2).await;
    stage.others.push(three.clone());
    sync(stage, &[&three]).await;
    let tag = |id: &str| Edit::Create("tag", Object::new().with("id", id).with("word", "w"));
    stage.write(&three, vec![tag("t1"), note("n5")]).await;
    let phone = Object::new().with("phone", "123");
    stage.write(&three, vec![Edit::update("user", "a", phone)]).await;
    stage.write(&three, vec![note("n6")]).await;
    sync(stage, &[&three]).await;
}

async fn before_migrating(stage: &mut Stage, one: &Replica) {
    newer(stage).await;
    stage.write(one, vec![nick("b", "cut")]).await;
    sync(stage, &[one]).await;
    stage.write(one, vec![nick("c", "not cut")]).await;
    stage.write(one, vec![user("g", "G"), note("n7")]).await;
}

async fn before_renewing(stage: &mut Stage, one: Replica) {
    // Not shared yet at the time of the copy: the fork is inside a segment.
    stage.write(&one, vec![note("both")]).await;
    let twin = match stage.place.copy_file(MAIN, "twin") {
        true => {
            drop(one);
            stage.open("twin", 1).await
        }
        false => {
            let copied = copy(&one, stage.place.store()).await;
            stage.place.hold(MAIN, copied);
            stage.place.hold("twin", one.backend.clone());
            one
        }
    };
    stage.write(&twin, vec![user("theirs", "T"), note("theirs")]).await;
    sync(stage, &[&twin]).await;
    stage.others.insert(0, twin);
}

async fn before_cleaning(stage: &mut Stage, one: &Replica, two: &Replica) {
    let many = (0..20).map(|number| note(&format!("many{number}"))).collect();
    stage.write(one, many).await;
    // It is shared, and the process dies before it notes that.
    let fuse = Fuse::new();
    fuse.light(0, true, true);
    let log = FragileLog { inner: stage.log(), fuse };
    let skip = vec![Part::Receive, Part::CleanUp];
    let share = SyncOptions { skip, ..in_pieces_of(stage.activity.piece()) };
    let failed = do_sync(&one.log, &log, &share).await.expect_err("its append fails");
    assert_eq!(failed.kind(), ErrorKind::Unavailable);
    // Own entries are folded, and so can go, once something from elsewhere is applied.
    sync(stage, &[two]).await;
    stage.write(two, vec![note("seen")]).await;
    sync(stage, &[two]).await;
}

fn pages() -> [Edit; 3] {
    let page = |(id, book): (&str, i64)| {
        let object = Object::new().with("id", id).with("text", "x").with("book", book);
        Edit::Create("page", object)
    };
    [("p1", 1), ("p2", 2), ("p3", 1)].map(page)
}

/// The books under new keys, and then the pages that refer to them.
fn books_with_new_keys() -> Vec<Edit> {
    let book = |(id, title): (i64, &str)| {
        Edit::Create("book", Object::new().with("id", id).with("title", title))
    };
    let moved =
        |(page, book): (&str, i64)| Edit::update("page", page, Object::new().with("book", book));
    let books = [(1_000, "first"), (1_001, "second")].map(book);
    let pages = [("p1", 1_000), ("p2", 1_001), ("p3", 1_000)].map(moved);
    books.into_iter().chain(pages).collect()
}

/// Somebody else has synced; the database of the one that is interrupted was never synced, or is not there.
async fn without_a_past(stage: &mut Stage) {
    let two = stage.open("two", 1).await;
    stage.others.push(two.clone());
    let there = stage.activity.shared_user();
    stage.write(&two, vec![user(there, "Two"), user("new", "New")]).await;
    sync(stage, &[&two]).await;
    if stage.activity == Activity::Adopt {
        rows_without_entries(stage).await;
    }
}

/// One of the users is known elsewhere too.
async fn rows_without_entries(stage: &Stage) {
    let one = stage.place.open(MAIN).expect("it opens");
    let prepared = run(one.as_ref(), Operation::Prepare(Arc::new(schema(1)))).await;
    let _ = prepared.expect("it prepares");
    let mut rows = Batch::new();
    for id in ["old1", "old2", "old3"] {
        rows = rows.create("user", Object::new().with("id", id).with("name", "Old"));
    }
    for title in ["first", "second"] {
        rows = rows.create("book", Object::new().with("title", title));
    }
    for page in pages() {
        let Edit::Create(collection, object) = page else { continue };
        rows = rows.create(collection, object);
    }
    let _ = run(one.as_ref(), Operation::Write(rows)).await.expect("it writes");
}
