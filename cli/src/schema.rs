//! Making databases, bringing them to newer schemas, and taking over what is there.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use syncline::backend::sqlite::SqliteBackend;
use syncline::client::Origin;
use syncline::{Error, Filter, Result, Schema, Value};

use crate::output::{Output, count, io_failed};
use crate::progress::Progress;
use crate::store::{self, Options, Store, random_number};

pub async fn init(options: &Options, output: &Output, db: &Path, schema: &Path) -> Result<()> {
    let wanted = read(schema)?;
    let _ = Schema::from_json(&wanted).map_err(|error| error.with("file", schema.display()))?;
    if db.is_dir() {
        return Err(
            Error::invalid("this is a folder; name a database file").with("path", db.display())
        );
    }
    let is_new = !db.exists();
    let made = {
        let _progress = Progress::endless("preparing");
        make(options, db, &wanted).await
    };
    if made.is_err() && is_new {
        remove(db);
    }
    let Made { store, from, schema } = made?;
    let mut unlogged = Vec::new();
    if from.is_none() && !is_new {
        for collection in schema.own_collections() {
            let name = collection.name();
            let rows = store.manager().collection(name)?.count(Filter::All).await?;
            if rows > 0 {
                unlogged.push(name.to_string());
            }
        }
    }
    let version = schema.version();
    output.result(
        || {
            json!({
                "db": db.display().to_string(),
                "version": version,
                "before": from,
                "to_adopt": unlogged,
            })
        },
        || {
            let db = db.display();
            let mut text = match from {
                None => format!("{db} is ready, with version {version} of the schema"),
                Some(from) if from == version => {
                    format!("{db} was ready, with version {version} of the schema")
                }
                Some(from) => {
                    format!("{db} has gone from version {from} to {version} of the schema")
                }
            };
            if !unlogged.is_empty() {
                let names = unlogged.join(" ");
                text += &format!("\nto sync the rows that were there: syncline adopt {db} {names}");
            }
            text
        },
    )
}

/// A database that was made ready.
struct Made {
    store: Store,
    /// The version it had.
    from: Option<u32>,
    schema: Schema,
}

async fn make(options: &Options, db: &Path, wanted: &Json) -> Result<Made> {
    let backend = SqliteBackend::open(db, options.config.clone())?;
    let stored = backend.stored_schema()?;
    let from = stored.as_ref().map(Schema::version);
    let schema = match &stored {
        None => Schema::from_json(wanted)?,
        Some(stored) => newer(stored, wanted)?,
    };
    let store = Store::start(options, backend, schema.clone()).await?;
    Ok(Made { store, from, schema })
}

/// The wanted schema as what follows the stored one.
fn newer(stored: &Schema, wanted: &Json) -> Result<Schema> {
    let mut wanted = wanted.clone();
    let schema = Schema::from_json(&wanted)?;
    if schema.version() > stored.version() && wanted.get("history").is_none() {
        // The file need not repeat what the database remembers.
        let mut before = stored.to_json();
        let mut history = match before["history"].take() {
            Json::Array(history) => history,
            _ => Vec::new(),
        };
        history.push(json!({"version": before["version"], "collections": before["collections"]}));
        wanted["history"] = history.into();
        return Schema::from_json(&wanted);
    }
    let same = || {
        let (now, then) = (schema.own_collections(), stored.own_collections());
        now.map(|of| of.name()).eq(then.map(|of| of.name()))
            && schema
                .own_collections()
                .all(|of| stored.get(of.name()).is_some_and(|before| before.same_shape(of)))
    };
    if schema.version() == stored.version() {
        return match same() {
            true => Ok(stored.clone()),
            false => Err(Error::invalid(
                "the schema differs from the stored one and has the same version; raise its version",
            )
            .with("version", schema.version())),
        };
    }
    Ok(schema)
}

fn read(path: &Path) -> Result<Json> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| io_failed("the schema cannot be read", path, error))?;
    serde_json::from_str(&text).map_err(|error| {
        Error::invalid("the schema is not JSON").with("path", path.display()).with("reason", error)
    })
}

/// Takes away a database that could not be made, as if nothing had been tried.
fn remove(db: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut path = db.as_os_str().to_owned();
        path.push(end);
        // What is left is an empty file, which does no harm.
        let _ = std::fs::remove_file(PathBuf::from(path));
    }
}

/// What becomes of rows whose keys the database counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Refused,
    CommonOrigin,
    NewKeys,
}

pub async fn adopt(
    options: &Options,
    output: &Output,
    db: &Path,
    collections: &[String],
    counted: Counted,
) -> Result<()> {
    let store = Store::open(options, db).await?;
    let mut names = Vec::new();
    for name in collections {
        names.push(store.collection(name)?.definition().name().clone());
    }
    if names.is_empty() {
        names.extend(store.manager().schema().own_collections().map(|of| of.name().clone()));
    }
    let progress = Progress::endless("adopting");
    let (mut total, mut each) = (0, serde_json::Map::new());
    for name in names {
        progress.tell(format!("adopting {name}"));
        let adopted = adopt_one(&store, &name, counted).await?;
        total += adopted;
        each.insert(name.to_string(), adopted.into());
    }
    drop(progress);
    output.result(
        || json!({"adopted": total, "collections": each}),
        || format!("put {} into the log", count(total, "row")),
    )
}

async fn adopt_one(store: &Store, name: &str, counted: Counted) -> Result<u64> {
    let log = store.log()?;
    let counts = store.manager().schema().collection(name)?.counts_keys();
    match counted {
        Counted::NewKeys if counts => {
            log.adopt_with_new_keys(name, || Value::Int(random_number())).await
        }
        Counted::CommonOrigin => log.adopt(name, Origin::Common).await,
        _ => log.adopt(name, Origin::Unknown).await.map_err(|error| match counts {
            true => error.with("say which", "--common-origin or --new-keys"),
            false => error,
        }),
    }
}

pub fn print(options: &Options, output: &Output, db: &Path) -> Result<()> {
    let (_, schema) = store::existing(options, db)?;
    let json = schema.to_json();
    let pretty = || serde_json::to_string_pretty(&json).unwrap_or_else(|_| json.to_string());
    output.result(|| json.clone(), pretty)
}
