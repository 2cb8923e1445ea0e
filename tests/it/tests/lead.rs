//! One tab of several syncs: whoever lost the lead writes nothing any more, wherever it was frozen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use syncline::client::Lead;
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::{SyncEvent, SyncObserver, fingerprint};
use syncline::{
    Backend, Capability, ClientLog, Error, ErrorKind, Filter, Find, Object, Operation, Outcome,
    Result, SharedLog, StorageManager, SyncOptions, SyncReport, async_trait, do_sync, run,
};
use syncline_it::far::Far;
use syncline_it::faults::copy;
use syncline_it::spy::Spy;
use syncline_it::{Replica, Store, law, schema, storage};

/// Storage of a tab that is frozen before one of its batches, until another tab has taken the lead.
#[derive(Debug)]
struct Freezing {
    inner: Arc<dyn Backend>,
    /// How many batches go well before that; far more than there are, if never.
    at: AtomicU64,
    usurper: Mutex<Option<ClientLog>>,
    /// What the database held when the lead was taken.
    held: Mutex<Option<Everything>>,
}

type Everything = BTreeMap<String, Vec<Object>>;

const NEVER: u64 = u64::MAX;

#[async_trait]
impl Backend for Freezing {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        let is_write = matches!(operation, Operation::Write(_));
        let counts = is_write && self.at.load(Ordering::SeqCst) != NEVER;
        if counts && self.at.fetch_sub(1, Ordering::SeqCst) == 0 {
            let usurper = self.usurper.lock().unwrap_or_else(PoisonError::into_inner).take();
            let usurper = usurper.expect("there is somebody to take the lead");
            let _ = usurper.take_lead().await?;
            let held = everything(self.inner.as_ref(), &usurper).await;
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
            self.at.store(NEVER, Ordering::SeqCst);
        }
        self.inner.execute(operation).await
    }
}

/// All rows of all collections, those that Syncline keeps for itself included.
async fn everything(backend: &dyn Backend, log: &ClientLog) -> Everything {
    let mut everything = Everything::new();
    for collection in log.schema().collections() {
        let mut question = Find::new(collection.name().clone(), Filter::All);
        (question.page_objects, question.page_bytes) = (usize::MAX, usize::MAX);
        let found = run(backend, Operation::Find(question)).await.and_then(Outcome::found);
        let _ = everything.insert(collection.name().to_string(), found.expect("it reads").objects);
    }
    everything
}

/// What a sync has to do.
#[derive(Clone, Copy, Debug)]
enum Story {
    /// It receives, shares, merges what conflicts, and cleans up.
    Ordinary,
    /// The database was restored from a backup, and takes a new id.
    Restored,
    /// A row was changed without being logged.
    Unlogged,
}

/// Two tabs with one database, and another device.
struct World {
    frozen: Arc<Freezing>,
    former: Replica,
    taker: Replica,
    peer: Replica,
    log: MemoryLog,
    lead: Lead,
}

#[derive(Debug)]
struct Hearing;

impl SyncObserver for Hearing {
    fn on_event(&self, _: &SyncEvent) {}
}

/// Small pieces, so that there are many batches; with an observer, so that discards are told and forgotten.
fn options(lead: Option<Lead>) -> SyncOptions {
    SyncOptions {
        upload_entries: 2,
        download_entries: 2,
        clean_up_entries: 1,
        observer: Some(Arc::new(Hearing)),
        lead,
        ..SyncOptions::default()
    }
}

async fn sync(replica: &Replica, log: &dyn SharedLog, lead: Option<Lead>) -> Result<SyncReport> {
    do_sync(&replica.log, log, &options(lead)).await
}

fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

impl World {
    async fn new(store: Store, story: Story) -> Self {
        let log = MemoryLog::new("test".parse().expect("a group"));
        let peer = Replica::new(Store::Memory, 9).await;
        let first = Replica::new(store, 1).await;
        for id in ["a", "b", "c"] {
            let _ = first.create("user", user(id, "first")).await;
        }
        // Theirs comes so that ours is folded in.
        let _ = peer.create("user", user("d", "peer")).await;
        for replica in [&first, &peer, &first] {
            let _ = sync(replica, &log, None).await.expect("it syncs");
        }
        let inner = match story {
            Story::Restored => {
                let backup = copy(&first, store).await;
                let _ = first.create("user", user("lost", "and found")).await;
                let _ = sync(&first, &log, None).await.expect("it syncs");
                backup
            }
            _ => first.backend.clone(),
        };
        if let Story::Unlogged = story {
            let plain = StorageManager::builder(inner.clone()).schema(schema()).build().await;
            let users = plain.expect("it opens").collection("user").expect("users");
            let changed = Object::new().with("nick", "unlogged");
            assert_eq!(users.update(Filter::key("c"), changed).await.expect("updated"), 1);
        }
        let frozen = Arc::new(Freezing {
            inner: inner.clone(),
            at: NEVER.into(),
            usurper: Mutex::default(),
            held: Mutex::default(),
        });
        let open = |backend, number| Replica::open(backend, number, schema(), |config| config);
        let former = open(frozen.clone(), 2).await.expect("it opens");
        let taker = open(inner, 3).await.expect("it opens");

        for (id, age) in [("a", 1), ("b", 2), ("c", 3)] {
            let _ = peer.update("user", Filter::key(id), Object::new().with("age", age)).await;
            // What was changed without being logged, only the peer changes: that is how it is found.
            if !(matches!(story, Story::Unlogged) && id == "c") {
                let ours = Object::new().with("age", age + 10);
                let _ = former.update("user", Filter::key(id), ours).await;
            }
        }
        let _ = peer.create("note", Object::new().with("id", "theirs").with("text", "x")).await;
        let _ = former.create("note", Object::new().with("id", "ours").with("text", "y")).await;
        let _ = sync(&peer, &log, None).await.expect("it syncs");
        let lead = former.log.take_lead().await.expect("nobody minds");
        Self { frozen, former, taker, peer, log, lead }
    }

    async fn everything(&self) -> Everything {
        everything(self.frozen.inner.as_ref(), &self.taker.log).await
    }
}

/// Freezes the leader before each batch of a sync; how many there are.
async fn freeze_before_each(store: Store, story: Story, is_far: bool) -> u64 {
    for at in 0.. {
        let world = World::new(store, story).await;
        *world.frozen.usurper.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(world.taker.log.clone());
        world.frozen.at.store(at, Ordering::SeqCst);
        let far = Far::new(world.log.clone());
        let log: &dyn SharedLog = if is_far { &far } else { &world.log };
        let ended = sync(&world.former, log, Some(world.lead)).await;
        let held = world.frozen.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(held) = held else {
            let _ = ended.expect("nobody took the lead");
            return at;
        };
        let lost = ended.expect_err("the lead is lost");
        assert!(Lead::is_lost(&lost), "{lost}");
        assert_eq!(held, world.everything().await, "batch {at} of {story:?} was written");
        goes_on(&world, log).await;
    }
    unreachable!("a sync has an end")
}

/// The former leader stays stopped, whoever took the lead finishes what it began, and any tab writes.
async fn goes_on(world: &World, log: &dyn SharedLog) {
    let World { former, taker, peer, lead, .. } = world;
    let held = world.everything().await;
    let again = sync(former, log, Some(*lead)).await.expect_err("the lead is lost for good");
    assert!(Lead::is_lost(&again));
    assert_eq!(held, world.everything().await);
    let _ = former.create("note", Object::new().with("id", "late")).await;

    let lead = taker.log.take_lead().await.expect("it can be taken again");
    for _ in 0..2 {
        let _ = sync(taker, log, Some(lead)).await.expect("it syncs");
        let _ = sync(peer, log, None).await.expect("it syncs");
    }
    let (ours, theirs) = (fingerprint(&taker.log).await, fingerprint(&peer.log).await);
    assert_eq!(ours.expect("a print"), theirs.expect("a print"));
    assert_eq!(taker.all("user").await, peer.all("user").await);
    let notes: Vec<_> = peer.all("note").await;
    assert_eq!(notes.len(), 3, "what any tab wrote has arrived: {notes:?}");
}

#[pollster::test]
async fn whoever_lost_the_lead_writes_nothing_wherever_it_was_frozen() {
    for (store, is_far) in [(Store::Memory, false), (Store::Memory, true), (Store::Sqlite, false)] {
        let batches = freeze_before_each(store, Story::Ordinary, is_far).await;
        assert!(batches >= 6, "a sync has batches to be frozen before: {batches}");
    }
}

#[pollster::test]
async fn a_restored_database_is_not_renewed_by_whoever_lost_the_lead() {
    assert!(freeze_before_each(Store::Memory, Story::Restored, false).await >= 6);
}

#[pollster::test]
async fn unlogged_rows_are_not_recorded_by_whoever_lost_the_lead() {
    assert!(freeze_before_each(Store::Memory, Story::Unlogged, false).await >= 6);
}

#[pollster::test]
async fn a_sync_that_has_nothing_to_write_notices_all_the_same() {
    let spy = Spy::on(storage(Store::Memory));
    let former = Replica::open(spy.clone(), 1, schema(), |config| config).await.expect("it opens");
    let log = MemoryLog::new("test".parse().expect("a group"));
    let mut quiet = SyncOptions::default();
    for _ in 0..2 {
        let _ = former.sync_with(&log, &quiet).await;
    }
    quiet.lead = Some(former.log.take_lead().await.expect("it can be taken"));
    let _ = spy.writes();
    let _ = former.sync_with(&log, &quiet).await;
    assert_eq!(spy.writes(), 0, "there is nothing to write");

    let open = Replica::open(spy.clone(), 2, schema(), |config| config);
    let lead = open.await.expect("it opens").log.take_lead().await.expect("it can be taken");
    assert!(Some(lead.number()) > quiet.lead.map(|lead| lead.number()));
    let error = do_sync(&former.log, &log, &quiet).await.expect_err("it is lost");
    assert_eq!((error.kind(), error.guard()), (ErrorKind::Conflict, Some(Lead::GUARD)));
    assert!(Lead::is_lost(&error));
    let _ = former.sync(&log).await;
}

#[pollster::test]
async fn of_many_who_take_the_lead_at_once_each_gets_a_number_of_its_own() {
    let backend = storage(Store::Sqlite);
    let open = |number| Replica::open(backend.clone(), number, schema(), |config| config);
    let (one, two) = (open(1).await.expect("it opens"), open(2).await.expect("it opens"));
    let take = |log: ClientLog| {
        std::thread::spawn(move || {
            let taken = (0..20).map(|_| pollster::block_on(log.take_lead()));
            taken.collect::<std::result::Result<Vec<Lead>, Error>>().expect("it can be taken")
        })
    };
    let both = [take(one.log.clone()), take(two.log.clone())];
    let mut numbers: Vec<u64> = Vec::new();
    for taken in both {
        numbers.extend(taken.join().expect("it ends well").iter().map(Lead::number));
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
}

#[pollster::test]
async fn taking_the_lead_disturbs_nobody_who_writes() {
    let one = Replica::new(Store::Memory, 1).await;
    let open = Replica::open(one.backend.clone(), 2, schema(), |config| config);
    let two = open.await.expect("it opens");
    for round in 0..3 {
        let _ = one.create("note", Object::new().with("id", format!("n{round}"))).await;
        let _ = two.log.take_lead().await.expect("it can be taken");
    }
    assert_eq!(one.all("note").await.len(), 3);
    law::check(&one).await;
}
