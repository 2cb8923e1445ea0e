//! Backend, schema and stations into a manager, with the order of the stations checked.

use std::sync::Arc;

use super::station::LastStation;
use super::{Inner, StorageManager};
use crate::backend::{self, Backend};
use crate::change::ChangeFeed;
use crate::middleware::{Middleware, Place, Setup};
use crate::operation::Operation;
use crate::schema::Schema;
use crate::{Error, Result};

/// Builds a [`StorageManager`].
#[derive(Debug)]
pub struct ManagerBuilder {
    backend: Arc<dyn Backend>,
    schema: Option<Arc<Schema>>,
    stations: Vec<Arc<dyn Middleware>>,
    feed: ChangeFeed,
}

impl ManagerBuilder {
    pub(super) fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend, schema: None, stations: Vec::new(), feed: ChangeFeed::default() }
    }

    /// Says which collections there are.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<Arc<Schema>>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Adds a station behind those that were added before.
    ///
    /// # Example
    ///
    /// Who names things, then who watches things, then who records things:
    ///
    /// ```text
    /// StorageManager::builder(backend)
    ///     .schema(schema)
    ///     .with(CustomPk::default())
    ///     .with(ChangeWatch::new())
    ///     .with(SyncLog::new(…))
    /// ```
    #[must_use]
    pub fn with(self, station: impl Middleware + 'static) -> Self {
        self.with_arc(Arc::new(station))
    }

    /// Adds a station that somebody else holds on to as well.
    #[must_use]
    pub fn with_arc(mut self, station: Arc<dyn Middleware>) -> Self {
        self.stations.push(station);
        self
    }

    /// Tells changes here, where somebody may be listening already.
    #[must_use]
    pub fn feed(mut self, feed: ChangeFeed) -> Self {
        self.feed = feed;
        self
    }

    /// Prepares storage, starts the stations and answers with the manager.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if there is no schema, or the stations
    ///   stand in an order that does not work.
    /// - [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) if the schema or a station needs
    ///   what the backend does not do.
    /// - Whatever keeps storage or a station from getting ready.
    pub async fn build(self) -> Result<StorageManager> {
        let Self { backend, schema, mut stations, feed } = self;
        let schema = schema
            .ok_or_else(|| Error::invalid("a manager needs a schema; give one with `schema`"))?;
        check_order(&stations)?;
        let mut reserved = Vec::new();
        for station in &stations {
            reserved.extend(station.collections()?);
        }
        let schema = match reserved.is_empty() {
            true => schema,
            false => Arc::new(schema.with_collections(reserved)?),
        };

        backend::run(backend.as_ref(), Operation::Prepare(schema.clone())).await?;
        let setup = Setup { backend: backend.clone(), schema: schema.clone(), feed: feed.clone() };
        for station in &stations {
            station.start(&setup).await?;
        }
        stations.push(Arc::new(LastStation::new(schema.clone(), feed.clone())));
        Ok(StorageManager { inner: Arc::new(Inner { backend, schema, stations, feed }) })
    }
}

fn check_order(stations: &[Arc<dyn Middleware>]) -> Result<()> {
    let places: Vec<Place> = stations
        .iter()
        .map(|station| station.place())
        .filter(|place| *place != Place::Anywhere)
        .collect();
    if places.is_sorted() {
        return Ok(());
    }
    let mut right = places.clone();
    right.sort();
    Err(Error::invalid(
        "the middlewares stand in the wrong order; first add who names things (CustomPk), then who \
         watches things (ChangeWatch), then who records things (SyncLog)",
    )
    .with("order", format_args!("{places:?}"))
    .with("right order", format_args!("{right:?}")))
}
