//! What is told of a write: taken down before, because the write takes the batch; told afterwards.

use super::live::Trace;
use super::{ChangeFeed, Touched};
use crate::operation::{Batch, Outcome, Step, StepOutcome};
use crate::schema::Schema;
use crate::sorted::SortedSet;
use crate::value::Name;
use crate::{ErrorKind, Result};

/// What a write is about to do, as far as somebody wants to hear of it.
///
/// If the write is given up on, it is told as if it had happened: it may have.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    feed: &'a ChangeFeed,
    schema: &'a Schema,
    /// Who listens since later than this is told that anything may have happened.
    moment: u64,
    /// The steps about collections that somebody is interested in, each with its place in the batch.
    steps: Vec<(usize, Step)>,
    touched: Touched,
    is_told: bool,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(feed: &'a ChangeFeed, batch: &Batch, schema: &'a Schema) -> Self {
        let (moment, mut steps, mut touched) = (feed.moment(), Vec::new(), Touched::default());
        if feed.is_listened() {
            let wanted: SortedSet<Name> = feed.interesting();
            let is_wanted =
                |step: &Step| !matches!(step, Step::Guard(_)) && wanted.contains(step.collection());
            let kept = batch.steps.iter().enumerate().filter(|(_, step)| is_wanted(step));
            steps.extend(kept.map(|(place, step)| (place, step.clone())));
            if feed.has_heralds() {
                touched = Touched::of_batch(batch, schema);
            }
        }
        Self { feed, schema, moment, steps, touched, is_told: false }
    }

    /// The write has ended.
    pub(crate) fn end(mut self, ended: &Result<Outcome>) {
        self.is_told = true;
        match ended {
            Ok(Outcome::Written(outcomes)) => self.tell(Some(outcomes)),
            Err(error) if is_unwritten(error.kind()) => {}
            // It may be durable all the same.
            _ => self.tell(None),
        }
    }

    fn tell(&mut self, outcomes: Option<&[StepOutcome]>) {
        // Somebody may have come to listen since.
        if !self.feed.is_listened() {
            return;
        }
        let outcome = |place: usize| outcomes.and_then(|outcomes| outcomes.get(place));
        for (place, step) in &mut self.steps {
            let Step::Create(create) = step else { continue };
            let definition = self.schema.get(&create.collection);
            if let (Some(definition), Some(StepOutcome::Created(key))) =
                (definition, outcome(*place))
            {
                // The backend made this key for this collection: it has as many fields.
                let _ = definition.set_key(&mut create.object, key.clone());
            }
        }
        for (interest, moment) in self.feed.interests() {
            if moment > self.moment {
                interest.hear([Trace::Anything]);
                continue;
            }
            let theirs =
                self.steps.iter().filter(|(_, step)| step.collection() == interest.collection());
            interest.hear(theirs.filter_map(|(place, step)| Trace::of_step(step, outcome(*place))));
        }
        let is_void = |outcome: &StepOutcome| {
            matches!(outcome, StepOutcome::Updated(0) | StepOutcome::Deleted(0) | StepOutcome::Held)
        };
        if !outcomes.is_some_and(|outcomes| outcomes.iter().all(is_void)) {
            self.feed.herald(std::mem::take(&mut self.touched), self.moment);
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell(None);
        }
    }
}

/// Whether an error of this kind says that nothing was written.
fn is_unwritten(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Unsupported
    )
}
