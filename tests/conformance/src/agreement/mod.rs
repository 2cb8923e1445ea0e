//! Random histories of operations, answered by a backend and by the obvious, slow model alike.

mod dice;
mod history;
mod model;

use std::sync::Arc;

use syncline_core::{Batch, ErrorKind, Operation, Result, Schema};

use crate::Fixture;
use model::{Answer, Model};

/// How many operations a history has.
const LENGTH: usize = 60;

/// The backend answers random histories like a list that is filtered and sorted anew each time.
///
/// Each history is made from its number alone, so a failure can be repeated; what is told is the
/// shortest part of it that still fails. Operations that the backend does not declare must be refused.
///
/// # Panics
///
/// If the backend disagrees with the model.
pub async fn agrees_with_model(open: impl AsyncFn() -> Fixture, histories: u64) {
    for seed in 1..=histories {
        let mut history = history::random(seed, LENGTH);
        let Some(mut failure) = first_difference(&open().await, &history).await else { continue };
        let mut at = 0;
        while let Some(shorter) = without_part(&history, at) {
            match first_difference(&open().await, &shorter).await {
                Some(still) => (history, failure) = (shorter, still),
                None => at += 1,
            }
        }
        let told: Vec<String> = history.iter().map(|operation| format!("{operation:?}")).collect();
        panic!("history {seed}: {failure}\nat the end of:\n{}", told.join("\n"));
    }
}

/// The schema of random histories: keys of one field, of several, and of numbers; every type of value.
pub fn history_schema() -> Arc<Schema> {
    history::schema()
}

/// The random batches of this number: always the same, everywhere.
pub fn history_of_batches(seed: u64, length: usize) -> Vec<Batch> {
    history::random_batches(seed, length)
}

/// The history without one operation, or without one step of a batch; parts are numbered from the end.
fn without_part(history: &[Operation], mut part: usize) -> Option<Vec<Operation>> {
    for at in (0..history.len()).rev() {
        let mut shorter = history.to_vec();
        if part == 0 {
            let _ = shorter.remove(at);
            return Some(shorter);
        }
        part -= 1;
        let Operation::Write(batch) = &mut shorter[at] else { continue };
        if part < batch.steps.len() {
            let _ = batch.steps.remove(part);
            return Some(shorter);
        }
        part -= batch.steps.len();
    }
    None
}

/// Where the backend and the model part, told in words.
async fn first_difference(fixture: &Fixture, history: &[Operation]) -> Option<String> {
    let schema = history::schema();
    if let Err(error) = fixture.prepare(&schema).await {
        return Some(error.to_string());
    }
    let mut model = Model::new(&schema);
    for operation in history {
        let answer = ask(fixture, operation).await;
        let expected = match fixture.capability().allow(operation) {
            Ok(()) => model.answer(operation),
            Err(_) => Err((ErrorKind::Unsupported, None)),
        };
        if answer != expected {
            return Some(format!("{operation:?}\nanswers {answer:?}\ninstead {expected:?}"));
        }
    }
    None
}

async fn ask(fixture: &Fixture, operation: &Operation) -> Answer {
    let answer: Result<model::Found> = async {
        Ok(match operation {
            Operation::Find(find) => model::Found::Objects(fixture.find(find.clone()).await?),
            other => model::Found::Outcome(fixture.run(other.clone()).await?),
        })
    }
    .await;
    answer.map_err(|error| (error.kind(), error.guard().map(ToOwned::to_owned)))
}
