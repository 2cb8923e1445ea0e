//! Keeps what a hub holds in one SQLite file: lanes, leases and items of many groups.
//!
//! # How changes become durable
//!
//! One thread writes. It carries out everything that waits in one transaction and answers after its commit, so
//! that many callers share one sync of the disk. Each change is atomic for itself: it is found out whether it
//! is refused before anything of it is written; where the disk fails half-way, all are taken back and done one by
//! one. Numbers are read and given inside the transaction, so several hubs may work on one file.
//!
//! Other threads read beside it, each with a connection of its own, and never hold it up.
//!
//! # Tables
//!
//! | table | holds |
//! |---|---|
//! | `hub_group` | a group: its newest number, the hash of everything up to it, and counts |
//! | `hub_lane`, `hub_head` | where each replica's lane ends: in the first if it has one end, else in the second |
//! | `hub_segment` | the sealed segments, each at a place made of its group and number |
//! | `hub_member` | who joined, and what they acknowledged |
//! | `hub_lease` | names that are held |
//! | `hub_item`, `hub_item_history`, `hub_item_epoch` | items, what they were, and old epochs |
//!
//! Any SQLite tool may read the file meanwhile.

mod config;
mod connection;
mod counters;
mod error;
mod group;
mod inline;
mod items;
mod job;
mod lease;
mod log;
mod queue;
mod schema;
mod store;
mod threads;

pub use config::{Durability, Mode, SqliteStoreConfig};
pub use counters::Counters;
pub use store::SqliteStore;
