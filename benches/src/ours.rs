//! Our side: a typed handle over SQLite, with keys and a log as a synced application has them.

use std::path::Path;
use std::sync::Arc;

use pollster::block_on;
use serde_json::json;
use syncline::backend::sqlite::{Durability as Survives, SqliteBackend, SqliteConfig};
use syncline::middleware::{CustomPk, SyncLog};
use syncline::shared_log::fs::FsLog;
use syncline::sync::{SyncOptions, do_sync};
use syncline::{
    Collection, FieldType, Filter, Object, Registry, SharedLog, StorageManager, TypedCollection,
};

use crate::Result;
use crate::record::Record;
use crate::store::{Durability, Pair, Retitle, Store};

/// A database behind a manager.
///
/// Records bring their keys, the same as on the other sides: keys that rise with time, as the stations
/// would give them, make SQLite faster, and that is not what is compared.
#[derive(Debug)]
pub struct Ours {
    storage: StorageManager,
    records: TypedCollection<Record>,
    log: SyncLog,
}

/// Two databases that sync through a folder.
#[derive(Debug)]
pub struct OurPair {
    here: Ours,
    there: Ours,
    shared: [FsLog; 2],
}

impl Ours {
    /// A new database in this folder.
    ///
    /// # Errors
    ///
    /// Whatever the backend reports.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let durability = match durability {
            Durability::Normal => Survives::Normal,
            Durability::Full => Survives::Full,
        };
        let config = SqliteConfig { durability, ..SqliteConfig::default() };
        let backend = Arc::new(SqliteBackend::open(folder.join("ours.db"), config)?);
        let record = Collection::define("record")
            .field("title", FieldType::String)
            .field("body", FieldType::Text)
            .field("done", FieldType::Boolean)
            .field("priority", FieldType::Int)
            .field("updated", FieldType::Int)
            .index(["priority"]);
        let schema = Registry::new().collections(1, [record]).finish()?;
        let log = SyncLog::new("bench".parse()?);
        let builder = StorageManager::builder(backend)
            .schema(schema)
            .with(CustomPk::default())
            .with(log.clone());
        let storage = block_on(builder.build())?;
        let records = storage.collection("record")?.typed();
        Ok(Self { storage, records, log })
    }

    /// Syncs with a log, to the end.
    ///
    /// # Errors
    ///
    /// Whatever the sync reports.
    pub async fn sync(&self, with: &dyn SharedLog) -> Result {
        let report = do_sync(self.log.client()?, with, &SyncOptions::default()).await?;
        if report.finished { Ok(()) } else { Err("the sync did not finish".into()) }
    }
}

impl OurPair {
    /// Two new databases in this folder.
    ///
    /// # Errors
    ///
    /// Whatever the backend or the file system reports.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let [here, there] = ["here", "there"].map(|name| folder.join(name));
        std::fs::create_dir(&here)?;
        std::fs::create_dir(&there)?;
        let meet = || FsLog::open(folder.join("shared"), "bench".parse()?);
        Ok(Self {
            here: Ours::open(&here, durability)?,
            there: Ours::open(&there, durability)?,
            shared: [meet()?, meet()?],
        })
    }
}

impl Pair for OurPair {
    fn here(&mut self) -> &mut dyn Store {
        &mut self.here
    }

    fn there(&mut self) -> &mut dyn Store {
        &mut self.there
    }

    fn send(&mut self) -> Result {
        block_on(self.here.sync(&self.shared[0]))?;
        block_on(self.there.sync(&self.shared[1]))
    }

    fn exchange(&mut self) -> Result {
        self.send()?;
        block_on(self.here.sync(&self.shared[0]))
    }
}

impl Store for Ours {
    fn create(&mut self, record: &Record) -> Result {
        block_on(self.records.create(record))?;
        Ok(())
    }

    fn create_all(&mut self, records: &[Record]) -> Result {
        // A batch is sent to others whole, so it has a limit.
        for records in records.chunks(100_000) {
            block_on(self.records.create_many(records))?;
        }
        Ok(())
    }

    fn read(&mut self, id: &str) -> Result<u64> {
        let found = block_on(self.records.find_by_key(id))?;
        Ok(found.ok_or("the record is there")?.checksum())
    }

    fn range(&mut self, from: i64, to: i64) -> Result<u64> {
        let filter = Filter::gte("priority", from).and(Filter::lt("priority", to));
        let found = block_on(self.records.find(filter))?;
        Ok(found.iter().map(Record::checksum).fold(0, u64::wrapping_add))
    }

    fn retitle(&mut self, change: &Retitle) -> Result {
        let title = json!({ "title": change.title });
        block_on(self.records.update(Filter::key(change.id.as_str()), &title))?;
        Ok(())
    }

    fn retitle_all(&mut self, changes: &[Retitle]) -> Result {
        let batch = changes.iter().fold(self.storage.batch(), |batch, change| {
            let title = Object::new().with("title", change.title.as_str());
            batch.update("record", Filter::key(change.id.as_str()), title)
        });
        block_on(batch.run())?;
        Ok(())
    }

    fn reprioritize_all(&mut self, changes: &[Retitle], priority: i64) -> Result {
        let batch = changes.iter().fold(self.storage.batch(), |batch, change| {
            let priority = Object::new().with("priority", priority);
            batch.update("record", Filter::key(change.id.as_str()), priority)
        });
        block_on(batch.run())?;
        Ok(())
    }
}
