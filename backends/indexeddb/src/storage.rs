//! What the browser promises for the data of a page.

use js_sys::Array;
use wasm_bindgen_futures::JsFuture;

use crate::error::Result;
use crate::glue;

/// How safe data is from the browser itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StorageMode {
    /// Only the user deletes it.
    Persistent,
    /// The browser may delete it where room is short.
    BestEffort,
}

/// What the browser says of its storage.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct StorageReport {
    /// How safe the data is.
    pub mode: StorageMode,
    /// How many bytes the page's origin uses, about, if the browser says so.
    pub usage: Option<u64>,
    /// How many bytes it may use, if the browser says so.
    pub quota: Option<u64>,
}

/// Asks the browser.
pub(crate) async fn report() -> Result<StorageReport> {
    let parts = Array::from(&JsFuture::from(glue::storage()).await?);
    let mode = match parts.get(0).is_truthy() {
        true => StorageMode::Persistent,
        false => StorageMode::BestEffort,
    };
    // Sizes are whole and below 2^53.
    let bytes = |at: u32| parts.get(at).as_f64().map(|bytes| bytes as u64);
    Ok(StorageReport { mode, usage: bytes(1), quota: bytes(2) })
}

/// Asks the browser to keep the data until the user deletes it.
pub(crate) async fn persist() -> Result<bool> {
    Ok(JsFuture::from(glue::persist()).await?.is_truthy())
}
