//! One database, as JavaScript holds it.

use std::sync::Arc;

use js_sys::Promise;
use syncline::backend::indexeddb::{Durability, IndexedDbBackend, IndexedDbConfig};
use syncline::backend::memory::MemoryBackend;
use syncline::middleware::{CustomPk, SyncLog};
use syncline::value::json_text::written;
use syncline::{Backend, ClientLog, CollectionHandle, Error, ErrorKind, StorageManager};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::failure::{Result, read_json};
use crate::json::object;
use crate::options::{described, number, query, schema};
use crate::packed::{Reader, pack};
use crate::promise::{Answer, promise};
use crate::report;

/// A database.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Database {
    storage: StorageManager,
    log: ClientLog,
    /// Nothing if it is in memory.
    in_browser: Option<IndexedDbBackend>,
}

#[wasm_bindgen]
impl Database {
    /// Opens a database in memory, which ends with it.
    #[wasm_bindgen(unchecked_return_type = "Promise<Database>")]
    pub fn memory(schema: String, group: String) -> Promise {
        promise(async move { Self::in_memory(&schema, &group).await })
    }

    /// Opens a database in IndexedDB, or, if that is allowed, in memory where there is no IndexedDB.
    #[wasm_bindgen(unchecked_return_type = "Promise<Database>")]
    pub fn indexeddb(
        name: String,
        schema: String,
        group: String,
        relaxed: bool,
        fall_back: bool,
    ) -> Promise {
        promise(async move {
            let durability = if relaxed { Durability::Relaxed } else { Durability::Strict };
            let config = IndexedDbConfig { durability, ..IndexedDbConfig::new(name) };
            match IndexedDbBackend::open(config).await {
                Ok(backend) => {
                    Self::over(Arc::new(backend.clone()), Some(backend), &schema, &group).await
                }
                Err(error) if fall_back && is_missing(&error) => {
                    Self::in_memory(&schema, &group).await
                }
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Deletes a database in IndexedDB.
    #[wasm_bindgen(js_name = deleteDatabase, unchecked_return_type = "Promise<void>")]
    pub fn delete_database(name: String) -> Promise {
        promise(
            async move { Ok(IndexedDbBackend::delete_database(&IndexedDbConfig::new(name)).await?) },
        )
    }

    /// Whether other tabs can have this database.
    #[wasm_bindgen(js_name = isShared)]
    pub fn is_shared(&self) -> bool {
        self.in_browser.is_some()
    }

    /// What the browser says of the storage, as JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<string>")]
    pub fn report(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            let Some(backend) = &this.in_browser else {
                return Ok(written(&object!("mode": "memory")));
            };
            Ok(written(&report::storage(&backend.storage().await?)))
        })
    }

    /// Asks the browser to keep the data until the user deletes it.
    #[wasm_bindgen(unchecked_return_type = "Promise<boolean>")]
    pub fn persist(&self) -> Promise {
        let this = self.clone();
        promise(async move {
            match &this.in_browser {
                Some(backend) => Ok(backend.persist().await?),
                None => Ok(false),
            }
        })
    }

    /// What `ts/packed.ts` must know of the schema, as JSON.
    pub fn described(&self) -> String {
        written(&described(self.storage.schema()))
    }

    /// Creates packed objects in one batch and answers with them as they were stored.
    #[wasm_bindgen(unchecked_return_type = "Promise<Uint8Array>")]
    pub fn create(&self, collection: String, objects: Vec<u8>) -> Promise {
        let this = self.clone();
        promise(async move {
            let handle = this.handle(&collection)?;
            let objects = Reader::new(&objects).objects(handle.definition())?;
            Ok(pack(&handle.create_many(objects).await?, handle.definition()))
        })
    }

    /// The packed objects that meet a filter.
    #[wasm_bindgen(unchecked_return_type = "Promise<Uint8Array>")]
    pub fn find(&self, collection: String, filter: String, options: String) -> Promise {
        let this = self.clone();
        promise(async move {
            let handle = this.handle(&collection)?;
            let query = query(&read_json(&filter)?, &read_json(&options)?, &handle)?;
            Ok(pack(&query.all().await?, handle.definition()))
        })
    }

    /// How many objects meet a filter.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn count(&self, collection: String, filter: String) -> Promise {
        let this = self.clone();
        promise(
            async move { Ok(this.handle(&collection)?.count(read_json(&filter)?).await? as f64) },
        )
    }

    /// Sets packed fields of all objects that meet a filter and answers with how many there were.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn update(&self, collection: String, filter: String, changes: Vec<u8>) -> Promise {
        let this = self.clone();
        promise(async move {
            let handle = this.handle(&collection)?;
            let changes = Reader::new(&changes).object(handle.definition())?;
            Ok(handle.update(read_json(&filter)?, changes).await? as f64)
        })
    }

    /// Deletes all objects that meet a filter, unless there are more than `limit`, and answers with how many there
    /// were.
    #[wasm_bindgen(unchecked_return_type = "Promise<number>")]
    pub fn delete(&self, collection: String, filter: String, options: String) -> Promise {
        let this = self.clone();
        promise(async move {
            let (handle, filter) = (this.handle(&collection)?, read_json(&filter)?);
            let deleted = match number(&read_json(&options)?, "limit")? {
                Some(limit) => handle.delete_limited(filter, limit).await?,
                None => handle.delete(filter).await?,
            };
            Ok(deleted as f64)
        })
    }
}

impl Answer for Database {
    fn into_js(self) -> JsValue {
        self.into()
    }
}

impl Database {
    async fn in_memory(schema: &str, group: &str) -> Result<Self> {
        Self::over(Arc::new(MemoryBackend::default()), None, schema, group).await
    }

    async fn over(
        backend: Arc<dyn Backend>,
        in_browser: Option<IndexedDbBackend>,
        schema: &str,
        group: &str,
    ) -> Result<Self> {
        let log = SyncLog::new(group.parse()?);
        let storage = StorageManager::builder(backend)
            .schema(self::schema(&read_json(schema)?)?)
            .with(CustomPk::default())
            .with(log.clone())
            .build()
            .await?;
        let log = log.client()?.clone();
        Ok(Self { storage, log, in_browser })
    }

    pub(crate) fn log(&self) -> &ClientLog {
        &self.log
    }

    pub(crate) fn storage(&self) -> &StorageManager {
        &self.storage
    }

    pub(crate) fn handle(&self, collection: &str) -> Result<CollectionHandle> {
        Ok(self.storage.collection(collection)?)
    }
}

/// Whether there is no IndexedDB that this page may use. Data of a newer format is there, and not to be hidden.
fn is_missing(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported && error.context().all(|(key, _)| key != "format")
}
