//! What every side of the comparison can do, and which sides there are.

use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::ours::Ours;
use crate::raw::Raw;
use crate::record::Record;

/// What is safe when a write returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Survives the process (`synchronous=NORMAL` with a write-ahead log).
    Normal,
    /// Survives a power cut as well (`synchronous=FULL`).
    Full,
}

/// A new title for one record.
#[derive(Clone, Debug, Serialize)]
pub struct Retitle {
    /// The record.
    pub id: String,
    /// Its new title.
    pub title: String,
}

/// One database on one side of the comparison.
pub trait Store {
    /// Creates one record, durable when it returns.
    ///
    /// # Errors
    ///
    /// Whatever the storage reports, here and below.
    fn create(&mut self, record: &Record) -> Result;

    /// Creates all records in one transaction.
    fn create_all(&mut self, records: &[Record]) -> Result;

    /// Reads all fields of one record and sums them up.
    fn read(&mut self, id: &str) -> Result<u64>;

    /// Reads the records whose priority lies in `from..to` and sums each up.
    fn range(&mut self, from: i64, to: i64) -> Result<u64>;

    /// Sets one title, durable when it returns.
    fn retitle(&mut self, change: &Retitle) -> Result;

    /// Sets all titles in one transaction.
    fn retitle_all(&mut self, changes: &[Retitle]) -> Result;
}

/// One side of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// What the report calls it.
    pub name: &'static str,
    /// Opens a new database in an empty folder. Dropping the store closes the database.
    pub open: fn(&Path, Durability) -> Result<Box<dyn Store>>,
}

/// SQLite and nothing else.
pub const RAW: &str = "raw";
/// SQLite with a row of log in the same transaction: what must be done to sync later.
pub const RAW_LOG: &str = "raw + log";
/// A synced application's storage.
pub const OURS: &str = "syncline";

/// All sides, the ones to compare with first.
pub fn sides() -> Vec<Side> {
    vec![
        Side {
            name: RAW,
            open: |folder, durability| Ok(Box::new(Raw::open(folder, durability, false)?)),
        },
        Side {
            name: RAW_LOG,
            open: |folder, durability| Ok(Box::new(Raw::open(folder, durability, true)?)),
        },
        Side {
            name: OURS,
            open: |folder, durability| Ok(Box::new(Ours::open(folder, durability)?)),
        },
    ]
}
