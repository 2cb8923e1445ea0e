//! One replica of a small world: storage that can be copied, and an application that opens it.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, LazyLock};

use syncline::backend::memory::MemoryBackend;
use syncline::change::ChangeFeed;
use syncline::clock::StepClock;
use syncline::log::{Entry, SharedLog};
use syncline::middleware::{Setup, SyncLog};
use syncline::value::canonical::put_object;
use syncline::{
    Batch, ClientLog, ClientLogConfig, Collection, FieldType, Filter, Find, Object, Operation,
    Outcome, Random, Registry, Schema, StorageManager, run,
};

use crate::law::FIELDS;

/// The collection of every small world.
pub const ITEM: &str = "item";

/// The collections of a client log.
const BOOKS: [&str; 10] = [
    "sync_context",
    "sync_cut",
    "sync_discard",
    "sync_entry",
    "sync_head",
    "sync_history",
    "sync_lane",
    "sync_parked",
    "sync_remote",
    "sync_segment",
];

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let [a, b] = FIELDS;
    let item = Collection::define(ITEM).optional(a, FieldType::Int).optional(b, FieldType::Int);
    Arc::new(Registry::new().collections(1, [item]).finish().expect("the schema is sound"))
});

/// Names a replica once; none of a small world ever takes another name.
#[derive(Debug)]
struct Name(u8);

impl Random for Name {
    fn bytes(&self) -> [u8; 16] {
        [self.0; 16]
    }
}

/// The same with the collections of a client log.
static WITH_BOOKS: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let books = ClientLog::collections().expect("they are sound");
    Arc::new(SCHEMA.with_collections(books).expect("they are sound together"))
});

/// An application that has opened its storage.
#[derive(Clone, Debug)]
pub struct Opened {
    pub backend: MemoryBackend,
    pub log: ClientLog,
    /// What it writes through, unless it only syncs.
    manager: Option<StorageManager>,
}

impl Opened {
    /// Opens storage as the replica of this number, whose clock always shows the same.
    pub async fn new(backend: MemoryBackend, number: usize, clock: i64) -> Self {
        let log = SyncLog::with(config(number, clock));
        let manager = StorageManager::builder(Arc::new(backend.clone()))
            .schema(SCHEMA.clone())
            .with(log.clone())
            .build();
        let manager = manager.await.expect("it opens");
        let log = log.client().expect("it is open").clone();
        Self { backend, log, manager: Some(manager) }
    }

    /// Opens storage that was opened before, to sync and not to write: what does not need the manager is
    /// not built, because that takes longer than most syncs.
    pub async fn only_to_sync(backend: MemoryBackend, number: usize, clock: i64) -> Self {
        let (schema, feed) = (WITH_BOOKS.clone(), ChangeFeed::default());
        let setup = Setup { backend: Arc::new(backend.clone()), schema, feed };
        let log = ClientLog::open(&setup, config(number, clock)).await.expect("it opens");
        Self { backend, log, manager: None }
    }

    /// Writes as the application does.
    pub async fn write(&self, batch: Batch) -> syncline::Result<()> {
        let manager = self.manager.as_ref().expect("it was opened to write");
        manager.execute(Operation::Write(batch)).await.map(drop)
    }

    /// All rows, by key.
    pub async fn rows(&self) -> Vec<Object> {
        stored(&self.backend, Find::new(ITEM, Filter::All)).await
    }

    /// All own entries.
    pub async fn entries(&self) -> Vec<Entry> {
        let rows = stored(&self.backend, Find::new("sync_entry", Filter::All)).await;
        let entry = |row: &Object| {
            let seq = row.value("seq").as_int().and_then(|seq| u64::try_from(seq).ok());
            let bytes = row.value("entry").as_bytes().expect("bytes");
            Entry::from_bytes(seq.expect("a number"), bytes).expect("an entry")
        };
        rows.iter().map(entry).collect()
    }
}

fn config(number: usize, clock: i64) -> ClientLogConfig {
    let name = u8::try_from(number + 1).expect("a small number");
    let group = "small".parse().expect("a group");
    ClientLogConfig::new(group, Arc::new(StepClock::new(clock, 0)), Arc::new(Name(name)))
}

/// Everything that storage holds, as one number.
pub async fn digest(backend: &MemoryBackend) -> u128 {
    let mut bytes = Vec::with_capacity(4096);
    for name in [ITEM].into_iter().chain(BOOKS) {
        bytes.push(0xff);
        for row in stored(backend, Find::new(name, Filter::All)).await {
            put_object(&mut bytes, &row);
        }
    }
    digest_of(&bytes)
}

/// Everything that a shared log holds, as one number.
pub async fn digest_of_log(log: &dyn SharedLog) -> u128 {
    let everything = syncline::log::Fetch {
        replica: syncline::ReplicaId([0xee; 16]),
        after: syncline::log::After::Known(syncline::log::VersionVector::default()),
        limit_bytes: usize::MAX,
        limit_entries: u64::MAX,
    };
    let mut bytes = Vec::with_capacity(4096);
    for segment in log.fetch(&everything).await.expect("it answers").segments {
        bytes.extend_from_slice(segment.bytes());
    }
    for peer in log.peers().await.expect("it answers") {
        bytes.extend_from_slice(&peer.replica.0);
        bytes.extend_from_slice(&peer.acknowledged.to_bytes());
    }
    digest_of(&bytes)
}

/// So long that no two states of an enumeration share one by chance.
pub fn digest_of(bytes: &[u8]) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

async fn stored(backend: &MemoryBackend, mut question: Find) -> Vec<Object> {
    question.page_objects = usize::MAX;
    question.page_bytes = usize::MAX;
    let found = run(backend, Operation::Find(question)).await;
    found.and_then(Outcome::found).expect("the collection is there").objects
}
