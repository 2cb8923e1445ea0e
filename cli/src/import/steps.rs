//! Steps that an import adds to its batches, so that what it wrote and how far it is are stored together.

use std::sync::{Arc, Mutex, PoisonError};

use syncline::middleware::{Context, Middleware, Next};
use syncline::{Batch, Collection, Operation, Outcome, Result, Step, async_trait};

use super::checkpoint;

/// Adds steps to the next batch that is written. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Steps(Arc<Mutex<Vec<Step>>>);

impl Steps {
    /// The next batch begins with these steps; what it is answered leaves them out.
    pub fn add_to_next(&self, steps: Vec<Step>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = steps;
    }

    fn take(&self) -> Vec<Step> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Middleware for Steps {
    async fn process(
        &self,
        operation: Operation,
        context: &mut Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        let Operation::Write(batch) = operation else {
            return next.run(operation, context).await;
        };
        // In front, so that a batch which another import wrote already fails by these and not by the
        // keys of its objects.
        let mut steps = self.take();
        let added = steps.len();
        steps.extend(batch.steps);
        let mut outcomes = next.run(Operation::Write(Batch { steps }), context).await?.written()?;
        let _ = outcomes.drain(..added.min(outcomes.len()));
        Ok(Outcome::Written(outcomes))
    }

    fn collections(&self) -> Result<Vec<Collection>> {
        Ok(vec![checkpoint::definition()?])
    }
}
