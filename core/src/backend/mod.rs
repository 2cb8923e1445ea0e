//! The contract of storage, and the one door to it.

mod capability;

use std::fmt::Debug;
use std::future::ready;

use async_trait::async_trait;

pub use capability::Capability;

use crate::{BoxFuture, MaybeSend, MaybeSync, Operation, Outcome, Result};

/// A place to keep objects.
///
/// This is the contract for those who *write* a backend, kept as small as it can be. Those who
/// *use* one go through [`StorageManager`](crate::StorageManager), which adds the conveniences.
///
/// # Contract
///
/// - [`execute`](Backend::execute) answers each operation with the [`Outcome`] of the same name.
/// - [`Operation::Prepare`] comes before anything else; it may come again with another schema, and
///   keeps what is stored.
/// - A [`Batch`](crate::Batch) is applied in the order of its steps, wholly or not at all, and is
///   durable when the answer is there. A backend without
///   [`atomic_batch`](Capability::atomic_batch) only ever sees batches of one step.
/// - A create whose key is taken is a [`Conflict`](crate::ErrorKind::Conflict); so is a guard that
///   does not hold, and the error [names](crate::Error::guard) it.
/// - A find answers with one page, sorted as asked and then by primary key, and with where to go on.
/// - Null is not stored: a field set to null is emptied, and a find leaves out fields that hold null.
/// - Operations beyond the declared [`Capability`] never arrive: [`run`] refuses them first. What
///   arrives has been checked against the schema.
///
/// The suite in `tests/conformance` holds every backend to this list. A backend without its line
/// in that suite is not finished.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Backend: Debug + MaybeSend + MaybeSync {
    /// The name that errors and logs use, such as `"sqlite"`.
    fn name(&self) -> &'static str;

    /// What this backend does beyond the minimum. It never changes while the handle lives.
    fn capability(&self) -> Capability;

    /// Carries out one operation.
    ///
    /// # Errors
    ///
    /// - [`Conflict`](crate::ErrorKind::Conflict) if a create meets a taken key or a guard fails.
    /// - [`Unavailable`](crate::ErrorKind::Unavailable) if the storage is busy or out of reach.
    /// - [`Full`](crate::ErrorKind::Full) if there is no room; nothing was written.
    async fn execute(&self, operation: Operation) -> Result<Outcome>;
}

/// Carries out `operation` on `backend` if its capability allows it.
///
/// The only way operations reach a backend, from the write path and the sync path alike.
///
/// # Errors
///
/// [`Unsupported`](crate::ErrorKind::Unsupported) without asking the backend, or whatever the
/// backend reports.
pub fn run(backend: &dyn Backend, operation: Operation) -> BoxFuture<'_, Result<Outcome>> {
    match backend.capability().allow(&operation) {
        Ok(()) => backend.execute(operation),
        Err(error) => Box::pin(ready(Err(error.with("backend", backend.name())))),
    }
}
