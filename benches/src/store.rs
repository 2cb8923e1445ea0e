//! What the sides of the comparison can do, and which sides there are.

use std::path::Path;

use serde::Serialize;

use crate::Result;
use crate::floor::Floor;
use crate::ours::{OurPair, Ours};
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

    /// Sets the priority of all these records in one transaction.
    fn reprioritize_all(&mut self, changes: &[Retitle], priority: i64) -> Result;
}

/// Two databases of one side that sync.
pub trait Pair {
    /// The one that has something to tell.
    fn here(&mut self) -> &mut dyn Store;

    /// The other.
    fn there(&mut self) -> &mut dyn Store;

    /// Brings what is new here to the other.
    ///
    /// # Errors
    ///
    /// Whatever the storage or the folder reports, here and below.
    fn send(&mut self) -> Result;

    /// Brings what is new on either to the other.
    fn exchange(&mut self) -> Result;

    /// What else there is to say of what was done since it was last asked, such as how many requests it took.
    fn remarks(&mut self) -> Option<String> {
        None
    }
}

/// Opens one database in an empty folder; dropping it closes it.
pub type OpenOne = fn(&Path, Durability) -> Result<Box<dyn Store>>;

/// Opens two databases in an empty folder.
pub type OpenTwo = fn(&Path, Durability) -> Result<Box<dyn Pair>>;

/// One side of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// What the report calls it.
    pub name: &'static str,
    /// Opens one database.
    pub one: OpenOne,
    /// Opens two that sync through a folder, where the side can.
    pub two: Option<OpenTwo>,
    /// Opens two that sync through a server, where the side can.
    pub hub: Option<OpenTwo>,
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
            one: |at, safe| Ok(Box::new(Raw::open(at, safe, false)?)),
            two: None,
            hub: None,
        },
        Side {
            name: RAW_LOG,
            one: |at, safe| Ok(Box::new(Raw::open(at, safe, true)?)),
            two: Some(|at, safe| Ok(Box::new(Floor::open(at, safe)?))),
            hub: Some(|at, safe| Ok(Box::new(Floor::over_http(at, safe)?))),
        },
        Side {
            name: OURS,
            one: |at, safe| Ok(Box::new(Ours::open(at, safe)?)),
            two: Some(|at, safe| Ok(Box::new(OurPair::open(at, safe)?))),
            #[cfg(feature = "hub")]
            hub: Some(|at, safe| Ok(Box::new(crate::hub::HubPair::open(at, safe)?))),
            #[cfg(not(feature = "hub"))]
            hub: None,
        },
    ]
}
