//! The calls to JavaScript; see `glue.js`.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// JavaScript's own words for a value; there are objects that have none.
    #[wasm_bindgen(js_name = String, catch)]
    pub(crate) fn string_of(value: &JsValue) -> Result<String, JsValue>;
}

#[wasm_bindgen(module = "/src/glue.js")]
extern "C" {
    #[wasm_bindgen(js_name = hasIndexedDb)]
    pub(crate) fn has_indexed_db() -> bool;

    #[wasm_bindgen(js_name = isGone)]
    pub(crate) fn is_gone(db: &JsValue) -> bool;

    pub(crate) fn close(db: &JsValue);

    pub(crate) fn version(db: &JsValue) -> f64;

    #[wasm_bindgen(js_name = storeNames)]
    pub(crate) fn store_names(db: &JsValue) -> Array;

    #[wasm_bindgen(js_name = indexNames)]
    pub(crate) fn index_names(store: &JsValue) -> Array;

    #[wasm_bindgen(js_name = indexOf)]
    pub(crate) fn index_of(store: &JsValue, name: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = deleteDatabase)]
    pub(crate) fn delete_database(name: &str, patience: u32) -> Promise;

    pub(crate) fn storage() -> Promise;

    pub(crate) fn persist() -> Promise;

    pub(crate) type Opening;

    #[wasm_bindgen(constructor, catch)]
    pub(crate) fn new(name: &str, version: Option<f64>, patience: u32) -> Result<Opening, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn begun(this: &Opening) -> Promise;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn finished(this: &Opening) -> Promise;

    #[wasm_bindgen(method, getter, js_name = oldVersion)]
    pub(crate) fn old_version(this: &Opening) -> Option<f64>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn upgrade(this: &Opening) -> Option<Transaction>;

    #[wasm_bindgen(method)]
    pub(crate) fn take(this: &Opening) -> JsValue;

    #[wasm_bindgen(method)]
    pub(crate) fn abandon(this: &Opening);

    #[derive(Clone)]
    pub(crate) type Transaction;

    #[wasm_bindgen(static_method_of = Transaction, catch)]
    pub(crate) fn begin(
        db: &JsValue,
        names: &Array,
        mode: &str,
        durability: &str,
    ) -> Result<Transaction, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn ended(this: &Transaction) -> Promise;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn store(this: &Transaction, name: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createStore)]
    pub(crate) fn create_store(this: &Transaction, name: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createIndex)]
    pub(crate) fn create_index(
        this: &Transaction,
        store: &JsValue,
        name: &JsValue,
        several: bool,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn commit(this: &Transaction) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn abort(this: &Transaction);

    #[wasm_bindgen(method, catch)]
    pub(crate) fn get(this: &Transaction, source: &JsValue, key: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn has(this: &Transaction, source: &JsValue, key: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = anyFrom)]
    pub(crate) fn any_from(
        this: &Transaction,
        source: &JsValue,
        from: &[u8],
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn all(
        this: &Transaction,
        source: &JsValue,
        from: &[u8],
        to: Option<&[u8]>,
        count: u32,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn count(
        this: &Transaction,
        source: &JsValue,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn backwards(
        this: &Transaction,
        source: &JsValue,
        from: &[u8],
        to: Option<&[u8]>,
        count: u32,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub(crate) fn answers(this: &Transaction) -> Promise<Uint8Array>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn add(
        this: &Transaction,
        store: &JsValue,
        key: &[u8],
        bytes: &[u8],
        number: u32,
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn put(
        this: &Transaction,
        store: &JsValue,
        key: &[u8],
        bytes: &[u8],
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = addRow)]
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn add_row(
        this: &Transaction,
        store: &JsValue,
        key: &[u8],
        number: u32,
        bytes: &[u8],
        names: &Array,
        places: &[u8],
        ends: &[u32],
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = putRow)]
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn put_row(
        this: &Transaction,
        store: &JsValue,
        key: &[u8],
        bytes: &[u8],
        names: &Array,
        places: &[u8],
        ends: &[u32],
    ) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(crate) fn remove(this: &Transaction, store: &JsValue, key: &[u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeAll)]
    pub(crate) fn remove_all(
        this: &Transaction,
        store: &JsValue,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Result<(), JsValue>;
}
