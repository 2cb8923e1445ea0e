//! An open database, and how it is opened.

use js_sys::{Array, JsString};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::config::IndexedDbConfig;
use crate::error::{IndexedDbError, Result};
use crate::glue;
use crate::transaction::Transaction;

/// An open database; it is closed when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    db: JsValue,
}

impl Connection {
    pub(crate) fn db(&self) -> &JsValue {
        &self.db
    }

    /// Whether it was closed: another tab wanted to change the database, or the browser did it.
    pub(crate) fn is_gone(&self) -> bool {
        glue::is_gone(&self.db)
    }

    /// Closes it; whoever needs it again opens another.
    pub(crate) fn close(&self) {
        glue::close(&self.db);
    }

    /// The version, which rises with every change of stores and indexes.
    pub(crate) fn version(&self) -> f64 {
        glue::version(&self.db)
    }

    /// The names of the stores.
    pub(crate) fn stores(&self) -> Vec<String> {
        strings(&glue::store_names(&self.db))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// A database that is being opened. Dropped, it is not changed, and closed as soon as it is open.
pub(crate) struct Opening {
    js: glue::Opening,
    name: String,
}

impl Opening {
    /// Begins to open a database: in this version, or as it is.
    pub(crate) async fn begin(config: &IndexedDbConfig, version: Option<f64>) -> Result<Self> {
        if !glue::has_indexed_db() {
            let told = "this environment has no global `indexedDB`".to_owned();
            return Err(IndexedDbError::Missing { told });
        }
        let told = |thrown: JsValue| IndexedDbError::from_opening(&thrown, &config.name);
        let js =
            glue::Opening::new(&config.name, version, config.patience_millis()).map_err(told)?;
        let opening = Self { js, name: config.name.clone() };
        JsFuture::from(opening.js.begun()).await.map_err(told)?;
        Ok(opening)
    }

    /// The transaction in which the database has to be changed now, if it has to.
    pub(crate) fn upgrade(&self) -> Option<Transaction> {
        self.js.upgrade().map(Transaction::changing)
    }

    /// Whether there was no such database before.
    pub(crate) fn is_new(&self) -> bool {
        self.js.old_version() == Some(0.0)
    }

    /// Waits until it is open.
    pub(crate) async fn finish(self) -> Result<Connection> {
        let finished = JsFuture::from(self.js.finished()).await;
        finished.map_err(|thrown| IndexedDbError::from_opening(&thrown, &self.name))?;
        Ok(Connection { db: self.js.take() })
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.js.abandon();
    }
}

/// A list of texts.
pub(crate) fn strings(list: &Array) -> Vec<String> {
    list.iter().filter_map(|text| text.dyn_into::<JsString>().ok()).map(String::from).collect()
}
