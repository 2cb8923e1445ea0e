//! Small batches of guards and creates, which is what an application's own writes mostly are: asked and
//! written at once.
//!
//! The writes go out before the answers are there, and the transaction commits when those are as expected.
//! That saves going to and fro once more, which is about a seventh of the time such a write takes. If
//! anything is not as expected the transaction is taken back, and the batch goes the ordinary way, which
//! says what is wrong.

use std::collections::HashSet;

use syncline_core::sorted::SortedMap;
use syncline_core::value::Key;
use syncline_core::{Batch, Condition, Object, Step, StepOutcome};

use super::Writing;
use super::guard::is_met;
use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::prepare::Store;
use crate::row;
use crate::scan;

/// With more steps than this, one more way to and fro is no matter.
const FEW: usize = 16;

/// Applies a batch, if it is of this kind and everything is as expected.
pub(crate) async fn write_at_once(
    store: &Store,
    batch: &Batch,
) -> Result<Option<Vec<StepOutcome>>> {
    if batch.steps.len() > FEW || !batch.steps.iter().all(|step| is_simple(step, store)) {
        return Ok(None);
    }
    let writing = Writing::begin(store, batch)?;
    let Some(expected) = Expected::of(&writing, batch)? else { return Ok(None) };
    match expected.write(writing).await {
        Ok(true) => Ok(Some(batch.steps.iter().map(|step| outcome(&expected, step)).collect())),
        Ok(false) | Err(IndexedDbError::Constraint { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_simple(step: &Step, store: &Store) -> bool {
    let counts = |name| store.table(name).is_ok_and(|table| table.collection.counts_keys());
    match step {
        Step::Create(create) => {
            create.replace.is_empty() && create.placeholder.is_none() && !counts(&create.collection)
        }
        Step::Guard(guard) => !matches!(guard.condition, Condition::Unique(_)),
        Step::Update { .. } | Step::Delete { .. } => false,
    }
}

fn outcome(expected: &Expected<'_>, step: &Step) -> StepOutcome {
    let created = expected.created.iter().find(|created| std::ptr::eq(created.step, step));
    created.map_or(StepOutcome::Held, |created| StepOutcome::Created(created.key.clone()))
}

/// What is written, and what has to hold for that.
struct Expected<'a> {
    created: Vec<Created<'a>>,
    guards: Vec<(usize, Vec<u8>, &'a Condition)>,
    /// The numbers under which objects are appended to collections that lie in runs.
    appended: SortedMap<usize, Vec<(i64, Object)>>,
}

/// A new object.
struct Created<'a> {
    step: &'a Step,
    sheet: usize,
    key: Key,
    bytes: Vec<u8>,
    object: Object,
}

impl Created<'_> {
    fn place(&self) -> (usize, &Vec<u8>) {
        (self.sheet, &self.bytes)
    }
}

impl<'a> Expected<'a> {
    /// Nothing if a step depends on another, or on more than its key.
    fn of(writing: &Writing, batch: &'a Batch) -> Result<Option<Self>> {
        let mut expected =
            Self { created: Vec::new(), guards: Vec::new(), appended: SortedMap::new() };
        for step in &batch.steps {
            let sheet = writing.number(step.collection())?;
            let table = &writing.sheets[sheet].table;
            match step {
                Step::Create(create) => {
                    let mut object = create.object.clone();
                    object.retain(|_, value| !value.is_null());
                    let key = table.collection.key_of(&object);
                    let Some(key) = key else { return Ok(None) };
                    let bytes = key::of_key(&key);
                    if table.runs && !expected.append(sheet, &bytes, &object) {
                        return Ok(None);
                    }
                    expected.created.push(Created { step, sheet, key, bytes, object });
                }
                Step::Guard(guard) => match &guard.condition {
                    Condition::Looks(key, _) | Condition::Exists(key) | Condition::Absent(key) => {
                        expected.guards.push((sheet, key::of_key(key), &guard.condition));
                    }
                    Condition::Unique(_) => return Ok(None),
                },
                Step::Update { .. } | Step::Delete { .. } => return Ok(None),
            }
        }
        let mut new = HashSet::new();
        let each_once = expected.created.iter().all(|created| new.insert(created.place()));
        let guarded =
            expected.guards.iter().any(|(sheet, bytes, _)| new.contains(&(*sheet, bytes)));
        Ok((each_once && !guarded).then_some(expected))
    }

    /// Takes an object to the end of a collection in runs, if its key is the next.
    fn append(&mut self, sheet: usize, bytes: &[u8], object: &Object) -> bool {
        let Some(number) = key::number(bytes) else { return false };
        let appended = self.appended.get_or_default(sheet);
        let follows = appended.last().is_none_or(|(last, _)| last.checked_add(1) == Some(number));
        appended.push((number, object.clone()));
        follows
    }

    /// Asks, writes, and commits if everything is as expected.
    async fn write(&self, writing: Writing) -> Result<bool> {
        let Writing { transaction, sheets, .. } = writing;
        for (sheet, bytes, _) in &self.guards {
            let sheet = &sheets[*sheet];
            scan::ask_for(&transaction, &sheet.table, &sheet.rows, bytes)?;
        }
        for (sheet, appended) in &self.appended {
            if let Some((first, _)) = appended.first() {
                let from = key::of_key(&Key::from(*first));
                transaction.js().any_from(&sheets[*sheet].rows, &from)?;
            }
        }
        self.put(&transaction, &sheets)?;
        let mut answers = transaction.answers().await?;
        for (sheet, bytes, condition) in &self.guards {
            let found = scan::found(&mut answers, &sheets[*sheet].table, bytes)?;
            if !is_met(condition, found.as_ref()) {
                return Ok(false);
            }
        }
        for _ in &self.appended {
            if answers.row().is_some() {
                return Ok(false);
            }
        }
        transaction.commit().await?;
        Ok(true)
    }

    fn put(
        &self,
        transaction: &crate::transaction::Transaction,
        sheets: &[super::Sheet],
    ) -> Result<()> {
        for (number, created) in self.created.iter().enumerate() {
            let sheet = &sheets[created.sheet];
            if !sheet.table.runs {
                let (table, rows, bytes) = (&sheet.table, &sheet.rows, &created.bytes);
                let number = Some(number);
                super::sheet::write(transaction, table, rows, bytes, &created.object, number)?;
            }
        }
        for (sheet, appended) in &self.appended {
            for (last, run) in row::pack_runs(appended) {
                let last = key::of_key(&Key::from(last));
                transaction.js().put(&sheets[*sheet].rows, &last, &run)?;
            }
        }
        Ok(())
    }
}
