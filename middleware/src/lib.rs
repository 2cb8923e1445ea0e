//! The stations of Syncline's write path.
//!
//! Who names things ([`CustomPk`]), who watches things ([`ChangeWatch`]), who records things; they
//! are added to a [`StorageManager`](syncline_core::StorageManager) in this order. None of them
//! knows another.

mod change_watch;
mod custom_pk;
mod sync_log;
mod system;

pub use change_watch::ChangeWatch;
pub use custom_pk::{CustomPk, KeySource, UuidV7};
pub use sync_log::SyncLog;
pub use system::{SystemClock, SystemRandom};
