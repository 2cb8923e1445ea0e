//! The last station before the backend: fills in what only here is known, guards uniqueness, and tells live
//! queries what was written.

use std::sync::Arc;

use async_trait::async_trait;

use super::unique::{self, Plan};
use crate::change::ChangeFeed;
use crate::middleware::{Context, Middleware, Next};
use crate::operation::{Batch, Operation, Outcome, check};
use crate::schema::Schema;
use crate::{Error, ErrorKind, Result};

/// How often a write is planned anew because the objects it read have changed.
const ATTEMPTS: usize = 8;

/// The fixed station behind all middlewares.
#[derive(Debug)]
pub(super) struct LastStation {
    schema: Arc<Schema>,
    feed: ChangeFeed,
}

impl LastStation {
    pub(super) fn new(schema: Arc<Schema>, feed: ChangeFeed) -> Self {
        Self { schema, feed }
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Middleware for LastStation {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        let Operation::Write(mut batch) = operation else {
            return next.run(operation, context).await;
        };
        batch.resolve_placeholders(&self.schema)?;
        check::keys_present(&batch, &self.schema)?;
        let draft = self.feed.draft(&batch, &self.schema);
        let ended = match unique::concerns(&batch, &self.schema) {
            true => self.write_guarded(batch, context, next).await,
            false => next.run(Operation::Write(batch), context).await,
        };
        draft.end(&ended);
        ended
    }
}

impl LastStation {
    /// Writes a batch together with the guards that keep unique values unique.
    ///
    /// First without reading anything, where that is enough: a guard that fails then may only mean
    /// that an update sets what was there already, which reading tells.
    async fn write_guarded(
        &self,
        mut batch: Batch,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        let mut reads = unique::must_read(&batch, &self.schema)?;
        // Only updates are ever planned anew; large batches are mostly creates.
        let updates = unique::updates(&batch, &self.schema);
        let mut attempt = 1;
        loop {
            let steps = if updates { batch.clone() } else { std::mem::take(&mut batch) };
            let plan = match reads {
                true => Plan::reading(steps, &self.schema, &next).await?,
                false => Plan::quick(steps, &self.schema)?,
            };
            let Plan { batch: guarded, before, own, guards } = plan;
            let error = match next.run(Operation::Write(guarded), context).await {
                Ok(outcome) => {
                    let mut outcomes = outcome.written()?;
                    let _ = outcomes.drain(..before.min(outcomes.len()));
                    outcomes.truncate(own);
                    return Ok(Outcome::Written(outcomes));
                }
                Err(error) => error,
            };
            let taken = guards.iter().find(|guard| error.guard() == Some(&guard.name));
            let moved = error.guard() == Some(unique::STILL_SO);
            match taken {
                Some(_) if updates && !reads => reads = true,
                Some(guard) => return Err(guard.taken(error)),
                None if moved && attempt < ATTEMPTS => attempt += 1,
                None if moved => return Err(busy(error)),
                None => return Err(error),
            }
        }
    }
}

fn busy(error: Error) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "others kept changing the objects whose unique values this write changes; try again",
    )
    .caused_by(error)
}
