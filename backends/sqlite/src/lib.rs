//! Keeps Syncline's objects in SQLite.
//!
//! Every collection is a table that any SQLite tool can read: a column for each field, an index for
//! each index, nothing packed. What the tables hold is all there is, and an existing database can be
//! adopted as it is.
//!
//! # Tables
//!
//! | field holds | column |
//! |---|---|
//! | text | `TEXT` |
//! | int | `INTEGER` |
//! | float | `REAL` |
//! | boolean | `BOOLEAN`, 0 or 1 |
//! | timestamp | `INTEGER`, milliseconds |
//! | bytes | `BLOB` |
//! | JSON | `TEXT`, without spaces, members sorted by name |
//!
//! Absent and null are both stored as `NULL`. Storage enforces the primary key and nothing else:
//! replicas can write what is valid apart and not together, and merging must be able to store it.
//! Foreign keys of adopted tables are not enforced for the same reason; their other rules (`UNIQUE`,
//! `CHECK`, `NOT NULL`) are SQLite's and refuse what breaks them, so a synced table is better without.
//!
//! Beside the tables there are an index `idx_table(field,…)` for each index, a full-text table
//! `fts_table(field)` with its triggers for each index of words, and `sync_schema`, which tells what the
//! database was prepared for. Only what was made here is ever dropped, and never a table or a column.
//!
//! # Other programs
//!
//! Several processes may use one file, and any SQLite tool may read and write it meanwhile. What such a
//! tool writes is read if it can mean only one thing; else the object is
//! [`Corrupt`](syncline_core::ErrorKind::Corrupt), and the error names table and column. Writes that do
//! not pass through Syncline are not logged, so they are not synced.

mod backend;
mod config;
mod connection;
mod counters;
mod error;
mod inspect;
mod migrate;
mod read;
mod sql;
mod table;
mod value;
mod write;

pub use backend::SqliteBackend;
pub use config::{Blocking, Durability, SqliteConfig};
pub use counters::Counters;
