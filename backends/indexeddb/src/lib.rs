//! Keeps Syncline's objects in a browser, in IndexedDB: in windows and in workers.
//!
//! Elsewhere this crate is empty; Node, for one, has no IndexedDB.
//!
//! # Layout
//!
//! Each collection is an object store of its name. A row's key is the object's primary key, as bytes that
//! sort as the values do: numbers keep all 64 bits, texts sort letter by letter. A row is the object in
//! Syncline's canonical bytes; where the collection has indexes it is `{ v: bytes, … }` with one more
//! property for each of them: the values of its fields and then the primary key, again as bytes. So no two
//! objects are at one place of an index, and a page goes on behind any of them. An index of words has such a
//! place for each word. Names tell the fields: `country`, `countryǀname`, and `titleǀ` for words.
//!
//! Plain JavaScript objects would be nicer to look at in a browser's tools. But they hold no whole number
//! beyond 2^53, tell no timestamp from a number, and come into wasm field by field; packed rows are written
//! about a fifth faster and read as fast.
//!
//! Collections whose key is one whole number and that have no index, as the client log is, hold *runs*
//! instead: objects with one key after the other share a row, under the last key. IndexedDB takes about as
//! long for a row whatever is in it, so a bulk write with its log costs hardly more than one without.
//!
//! The store `$meta` holds the format's number, what each collection's primary key is, and the highest key
//! of collections whose keys are counted.
//!
//! # Several tabs
//!
//! Any number of tabs and workers may use one database. Who has to change its stores or indexes asks the
//! others to let go; they do at once, and open it again when they next need it. Indexes that another
//! version of the application added are kept up by everybody.

#[cfg(any(test, target_family = "wasm"))]
mod key;
#[cfg(any(test, target_family = "wasm"))]
mod plan;
#[cfg(any(test, target_family = "wasm"))]
mod row;

#[cfg(target_family = "wasm")]
mod backend;
#[cfg(target_family = "wasm")]
mod config;
#[cfg(target_family = "wasm")]
mod connection;
#[cfg(target_family = "wasm")]
mod error;
#[cfg(target_family = "wasm")]
mod glue;
#[cfg(target_family = "wasm")]
mod meta;
#[cfg(target_family = "wasm")]
mod prepare;
#[cfg(target_family = "wasm")]
mod read;
#[cfg(target_family = "wasm")]
mod scan;
#[cfg(target_family = "wasm")]
mod storage;
#[cfg(target_family = "wasm")]
mod table;
#[cfg(target_family = "wasm")]
mod transaction;
#[cfg(target_family = "wasm")]
mod write;

#[cfg(target_family = "wasm")]
pub use backend::IndexedDbBackend;
#[cfg(target_family = "wasm")]
pub use config::{Durability, IndexedDbConfig};
#[cfg(target_family = "wasm")]
pub use storage::{StorageMode, StorageReport};
