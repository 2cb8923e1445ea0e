//! The words, contracts and pure logic of Syncline.
//!
//! Modules in reading order: values, schema and queries say *what*; operations say what can be asked;
//! the backend is asked; the manager asks; the log records and sync exchanges.

pub mod backend;
#[cfg(not(syncline_bugs))]
mod bug;
#[cfg(syncline_bugs)]
pub mod bug;
pub mod change;
pub mod client;
pub mod clock;
mod error;
pub mod id;
pub mod log;
pub mod manager;
mod maybe_send;
pub mod merge;
pub mod middleware;
pub mod operation;
pub mod query;
pub mod schema;
pub mod sorted;
pub mod sync;
pub mod timer;
pub mod value;

pub use async_trait::async_trait;

pub use backend::{Backend, Capability, run};
pub use client::{ClientLog, ClientLogConfig};
pub use clock::{Clock, Random, Stamp};
pub use error::{Error, ErrorKind, Result};
pub use id::{Group, ReplicaId};
pub use log::SharedLog;
pub use manager::{CollectionHandle, IntoFilter, LiveQuery, StorageManager, TypedCollection};
pub use maybe_send::{BoxFuture, MaybeSend, MaybeSync};
pub use middleware::{Context, Middleware, Next};
pub use operation::{Batch, Condition, Guard, Nested, Operation, Outcome, Step, StepOutcome};
pub use query::{Continuation, Direction, Filter, Find, Page};
pub use schema::{Collection, Field, FieldType, Registry, Schema};
pub use sync::{SyncOptions, SyncReport, do_sync};
pub use timer::Timer;
pub use value::{Key, Name, Object, Value};
