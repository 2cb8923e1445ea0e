//! The stations between a manager and its backend.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::backend::{self, Backend};
use crate::change::{ChangeFeed, ChangeSet};
use crate::schema::{Collection, Schema};
use crate::{BoxFuture, MaybeSend, MaybeSync, Operation, Outcome, Result};

/// A station every operation passes on its way to the backend.
///
/// # Order
///
/// The first middleware added sees an operation first and its outcome last. The order that works is
/// *who names things, who watches things, who records things*: primary keys, then change watch, then
/// the sync log. A manager refuses to be built in another order.
///
/// # Contract
///
/// - Call [`Next::run`] to let the operation through, or not at all to stop it.
/// - Changing the operation is allowed; changing what it *means* to those before you is not.
/// - A middleware imports no other middleware. What two of them share belongs in core.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Middleware: Debug + MaybeSend + MaybeSync {
    /// Handles one operation and returns what the stations before this one will see.
    ///
    /// # Errors
    ///
    /// Its own refusals, and whatever comes from further on.
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome>;

    /// Where in the order this station belongs.
    fn place(&self) -> Place {
        Place::Anywhere
    }

    /// The collections this station keeps for itself; the schema gets them before it is prepared.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with their definitions; the manager is not built then.
    fn collections(&self) -> Result<Vec<Collection>> {
        Ok(Vec::new())
    }

    /// Called once, when the manager is built and storage is prepared.
    ///
    /// # Errors
    ///
    /// Whatever keeps the station from working; the manager is not built then.
    async fn start(&self, setup: &Setup) -> Result<()> {
        let _ = setup;
        Ok(())
    }
}

/// Where in the order of stations a middleware belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Gives names: must come before those that watch or record.
    Names,
    /// Watches: must come before those that record.
    Watches,
    /// Records: must be the last of these three.
    Records,
    /// Does not mind.
    Anywhere,
}

/// What a manager tells its stations when it is built.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The storage.
    pub backend: Arc<dyn Backend>,
    /// The finished schema, the stations' own collections included.
    pub schema: Arc<Schema>,
    /// Where changes are told, whoever makes them.
    pub feed: ChangeFeed,
}

/// What the stations of one operation tell each other.
#[derive(Debug, Default)]
pub struct Context {
    /// Which objects the batch touches, once a station found out. A station that finds out again
    /// replaces it.
    pub changes: Option<ChangeSet>,
}

/// The rest of the way to the backend.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    stations: &'a [Arc<dyn Middleware>],
    backend: &'a dyn Backend,
}

impl<'a> Next<'a> {
    /// The whole way: all stations, then the backend.
    pub fn new(stations: &'a [Arc<dyn Middleware>], backend: &'a dyn Backend) -> Self {
        Self { stations, backend }
    }

    /// Sends the operation on.
    ///
    /// # Errors
    ///
    /// Whatever a later station or the backend reports.
    pub fn run<'b>(
        self,
        operation: Operation,
        context: &'b mut Context,
    ) -> BoxFuture<'b, Result<Outcome>>
    where
        'a: 'b,
    {
        match self.stations.split_first() {
            Some((station, stations)) => {
                station.process(operation, context, Self { stations, ..self })
            }
            None => backend::run(self.backend, operation),
        }
    }
}
