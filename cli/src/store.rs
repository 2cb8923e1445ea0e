//! Opening databases.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use syncline::backend::sqlite::{self, SqliteBackend, SqliteConfig};
use syncline::middleware::{CustomPk, KeySource, SyncLog, SystemRandom, UuidV7};
use syncline::schema::Primitive;
use syncline::value::json::object_from_json;
use syncline::{
    ClientLog, Collection, CollectionHandle, Error, ErrorKind, Filter, Group, Object, Random,
    Result, Schema, StorageManager, Value,
};

use crate::args::{Cli, Durability};
use crate::import::Steps;

/// What each connection keeps in memory of what it read: keys that rise with time, as the command gives them,
/// need no more.
const CACHE: usize = 16 << 20;

/// What holds for all commands.
#[derive(Clone, Debug)]
pub struct Options {
    pub group: Group,
    pub config: SqliteConfig,
}

impl Options {
    pub fn new(cli: &Cli) -> Result<Self> {
        let durability = match cli.durability {
            Durability::Full => sqlite::Durability::Full,
            Durability::Normal => sqlite::Durability::Normal,
        };
        let config = SqliteConfig { durability, cache_bytes: CACHE, ..SqliteConfig::default() };
        Ok(Self { group: cli.group.parse()?, config })
    }
}

/// A database that is open, with its log.
#[derive(Debug)]
pub struct Store {
    manager: StorageManager,
    log: SyncLog,
    /// Steps that the next write takes along.
    pub steps: Steps,
}

impl Store {
    /// Opens a database that was initialised.
    pub async fn open(options: &Options, path: &Path) -> Result<Self> {
        let (backend, schema) = existing(options, path)?;
        Self::start(options, backend, schema).await
    }

    /// Opens a database that was initialised, whoever's it is, to read its objects.
    pub async fn open_to_read(options: &Options, path: &Path) -> Result<Self> {
        let (backend, schema) = existing(options, path)?;
        let builder = StorageManager::builder(Arc::new(backend)).schema(schema);
        let (log, steps) = (SyncLog::new(options.group.clone()), Steps::default());
        Ok(Self { manager: builder.build().await?, log, steps })
    }

    /// Opens a database under this schema, whatever state it is in.
    pub async fn start(options: &Options, backend: SqliteBackend, schema: Schema) -> Result<Self> {
        let (log, steps) = (SyncLog::new(options.group.clone()), Steps::default());
        let manager = StorageManager::builder(Arc::new(backend))
            .schema(schema)
            .with(CustomPk::new(Keys))
            .with(steps.clone())
            .with(log.clone())
            .build()
            .await
            .map_err(with_way_out)?;
        Ok(Self { manager, log, steps })
    }

    pub fn manager(&self) -> &StorageManager {
        &self.manager
    }

    pub fn log(&self) -> Result<&ClientLog> {
        self.log.client()
    }

    pub fn collection(&self, name: &str) -> Result<CollectionHandle> {
        let own = || self.manager.schema().own_collections();
        if !own().any(|collection| **collection.name() == *name) {
            let known: Vec<&str> = own().map(|collection| &**collection.name()).collect();
            return Err(Error::invalid("there is no such collection; name one of those there are")
                .with("collection", name)
                .with("there are", known.join(", ")));
        }
        self.manager.collection(name)
    }
}

/// Makes keys of the type that a collection has: UUIDs, or where numbers are wanted, random ones that no
/// other replica picks.
#[derive(Clone, Copy, Debug)]
pub struct Keys;

impl KeySource for Keys {
    fn fresh(&self, collection: &Collection) -> Value {
        match collection.key_primitives().next() {
            Some(Primitive::Int) => Value::Int(random_number()),
            Some(Primitive::Bytes) => Value::Bytes(SystemRandom.bytes().to_vec()),
            _ => UuidV7.fresh(collection),
        }
    }
}

/// A positive number of 62 bits: also the greatest of them leaves room to count on.
pub fn random_number() -> i64 {
    let bytes = SystemRandom.bytes();
    let number = bytes[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    i64::try_from(number >> 2).unwrap_or(i64::MAX)
}

/// The database in this file and its schema; never makes one.
pub fn existing(options: &Options, path: &Path) -> Result<(SqliteBackend, Schema)> {
    let not_there = |message: &'static str| {
        Error::new(ErrorKind::NotFound, message)
            .with("path", path.display())
            .with("make one with", format_args!("syncline init {} --schema FILE", path.display()))
    };
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => {
            let message = "this is a folder; name a database file";
            return Err(Error::invalid(message).with("path", path.display()));
        }
        Ok(about) if about.len() == 0 => {
            return Err(not_there("the file is empty and no database yet"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(not_there("there is no database here"));
        }
        Err(error) => {
            return Err(crate::output::io_failed("the database cannot be reached", path, error));
        }
    }
    let backend = SqliteBackend::open(path, options.config.clone())?;
    match backend.stored_schema()? {
        Some(schema) => Ok((backend, schema)),
        None => Err(not_there("the database was not initialised for Syncline")),
    }
}

fn with_way_out(error: Error) -> Error {
    let group = error.context().find(|(key, _)| *key == "group").map(|(_, group)| group.to_owned());
    match group {
        Some(group) if error.kind() == ErrorKind::Denied => {
            error.with("name it with", format_args!("--group '{group}'"))
        }
        _ => error,
    }
}

/// An argument in JSON.
pub fn parse(text: &str, what: &'static str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| {
        Error::invalid("this is not JSON; put it in single quotes, and names in double quotes")
            .with("argument", what)
            .with("reason", error)
            .with("got", text)
    })
}

/// An argument that is a filter.
pub fn filter(text: &str, collection: &CollectionHandle) -> Result<Filter> {
    Filter::from_json(&parse(text, "filter")?, collection.definition())
}

/// An argument that is an object or a part of one.
pub fn object(text: &str, what: &'static str, collection: &CollectionHandle) -> Result<Object> {
    object_from_json(&parse(text, what)?, collection.definition())
}
