//! Batches: each is one transaction. What its steps need to know is read first and together, then the
//! steps are gone through here, and what they come to is written together.

mod at_once;
mod guard;
mod runs;
mod sheet;

use std::collections::HashMap;
use std::rc::Rc;

use syncline_core::operation::Create;
use syncline_core::query::Demands;
use syncline_core::sorted::SortedMap;
use syncline_core::value::{Key, Name};
use syncline_core::{Batch, Collection, Condition, Filter, Object, Step, StepOutcome, Value};
use wasm_bindgen::JsValue;

use crate::error::{IndexedDbError, Result};
use crate::key;
use crate::meta::{self, Fact, META};
use crate::plan::{Access, Along, Plan, Sorted};
use crate::prepare::Store;
use crate::read::count_along;
use crate::scan::{Scan, meets};
use crate::table::Table;
use crate::transaction::{Mode, Transaction};
pub(crate) use at_once::write_at_once;
use sheet::Sheet;

/// A batch in progress.
pub(crate) struct Writing {
    transaction: Transaction,
    sheets: Vec<Sheet>,
    numbers: SortedMap<Name, usize>,
    meta: Option<JsValue>,
    made: HashMap<String, Key>,
    /// The creates whose keys are not known to be free, by their numbers.
    added: Vec<(Name, Key)>,
}

impl Writing {
    /// Begins the transaction of a batch.
    pub(crate) fn begin(store: &Store, batch: &Batch) -> Result<Self> {
        let mut numbers: SortedMap<Name, usize> = SortedMap::new();
        let mut tables = Vec::new();
        for step in &batch.steps {
            let name = step.collection();
            if !numbers.contains_key(name) {
                let _ = numbers.insert(name.clone(), tables.len());
                tables.push(store.table(name)?.clone());
            }
        }
        let counts = tables.iter().any(|table| table.collection.counts_keys());
        let meta = counts.then(|| js_sys::JsString::from(META));
        let names = tables.iter().map(|table| &table.name).chain(&meta);
        let transaction =
            Transaction::begin(&store.connection, names, Mode::Write, store.durability)?;
        let sheet = |table: Rc<Table>| {
            let rows = transaction.store(&table.name)?;
            Ok(Sheet::new(table, rows))
        };
        let sheets = tables.into_iter().map(sheet).collect::<Result<_>>()?;
        let meta = meta.map(|meta| transaction.store(&meta)).transpose()?;
        let (made, added) = (HashMap::new(), Vec::new());
        Ok(Self { transaction, sheets, numbers, meta, made, added })
    }

    /// Applies the batch wholly or not at all.
    pub(crate) async fn carry_out(mut self, batch: Batch) -> Result<Vec<StepOutcome>> {
        self.read_ahead(&batch).await?;
        let mut outcomes = Vec::with_capacity(batch.steps.len());
        for step in batch.steps {
            match self.step(step).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => return Err(self.first_failure(error).await),
            }
        }
        self.end().await?;
        Ok(outcomes)
    }

    fn number(&self, name: &Name) -> Result<usize> {
        let missing = || IndexedDbError::NotPrepared { collection: name.clone() };
        self.numbers.get(name).copied().ok_or_else(missing)
    }

    /// Reads everything that the steps name by its key, in one go.
    async fn read_ahead(&mut self, batch: &Batch) -> Result<()> {
        for step in &batch.steps {
            let sheet = self.number(step.collection())?;
            let sheet = &mut self.sheets[sheet];
            for key in named(step, &sheet.table.collection, sheet.table.runs) {
                sheet.want(key::of_key(&key));
            }
        }
        for sheet in &mut self.sheets {
            sheet.ask(&self.transaction)?;
            if let Some(meta) = self.meta.as_ref().filter(|_| sheet.table.collection.counts_keys())
            {
                let fact = Fact::Highest(sheet.table.collection.name());
                meta::ask(&self.transaction, meta, &fact)?;
            }
        }
        let mut answers = self.transaction.answers().await?;
        for sheet in &mut self.sheets {
            sheet.hear(&mut answers)?;
            if sheet.table.collection.counts_keys() {
                sheet.highest = meta::answer(answers.row())?.as_int().unwrap_or_default();
            }
        }
        for sheet in &mut self.sheets {
            sheet.hear_rest(&self.transaction).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<StepOutcome> {
        let sheet = self.number(step.collection())?;
        match step {
            Step::Create(create) => self.create(sheet, create).map(StepOutcome::Created),
            Step::Update { filter, changes, .. } => {
                self.update(sheet, &filter, &changes).await.map(StepOutcome::Updated)
            }
            Step::Delete { filter, limit, .. } => {
                self.delete(sheet, &filter, limit).await.map(StepOutcome::Deleted)
            }
            Step::Guard(guard) => self.guard(sheet, guard).await.map(|()| StepOutcome::Held),
        }
    }

    fn create(&mut self, sheet: usize, create: Create) -> Result<Key> {
        let Create { collection: name, mut object, placeholder, replace } = create;
        for replace in replace {
            let made = self.made.get(&replace.placeholder).and_then(Key::single);
            let Some(value) = made.cloned() else {
                let placeholder = replace.placeholder;
                return Err(IndexedDbError::NoPlaceholder { collection: name, placeholder });
            };
            let _ = object.set(replace.field, value);
        }
        object.retain(|_, value| !value.is_null());
        let sheet = &mut self.sheets[sheet];
        let key = sheet.claim_key(&mut object)?;
        if !sheet.create(key::of_key(&key), object) {
            return Err(IndexedDbError::Taken { collection: name, key });
        }
        let _ = placeholder.and_then(|placeholder| self.made.insert(placeholder, key.clone()));
        Ok(key)
    }

    async fn update(&mut self, sheet: usize, filter: &Filter, changes: &Object) -> Result<u64> {
        let found = self.found(sheet, filter).await?;
        let count = found.len() as u64;
        for (key, mut object) in found {
            put(&mut object, changes.clone());
            self.sheets[sheet].set(key, Some(object));
        }
        Ok(count)
    }

    async fn delete(&mut self, sheet: usize, filter: &Filter, limit: Option<u64>) -> Result<u64> {
        let too_broad = |collection: &Collection, count: u64| {
            let limit = limit.filter(|limit| count > *limit)?;
            let collection = collection.name().clone();
            Some(IndexedDbError::TooBroad { collection, count, limit })
        };
        if let Some(along) = self.whole_parts(sheet, filter) {
            self.flush()?;
            let Self { transaction, sheets, .. } = self;
            let Sheet { table, rows, .. } = &sheets[sheet];
            let count = count_along(transaction, table, rows, &along).await?;
            if let Some(error) = too_broad(&table.collection, count) {
                return Err(error);
            }
            for span in &along.spans {
                transaction.js().remove_all(rows, &span.from, span.to.as_deref())?;
            }
            sheets[sheet].forget();
            return Ok(count);
        }
        let found = self.found(sheet, filter).await?;
        let count = found.len() as u64;
        if let Some(error) = too_broad(&self.sheets[sheet].table.collection, count) {
            return Err(error);
        }
        for (key, _) in found {
            self.sheets[sheet].set(key, None);
        }
        Ok(count)
    }

    /// The parts of the primary key's order that a filter means, if it means all that lies in them.
    fn whole_parts(&self, sheet: usize, filter: &Filter) -> Option<Along> {
        let table = &self.sheets[sheet].table;
        let plan = Plan::new(filter, Sorted::default(), &table.collection, &table.ways[..1]);
        match plan.access {
            Access::Along(along) if plan.rest.is_empty() && !table.runs => Some(along),
            _ => None,
        }
    }

    /// The objects that meet a filter at this point of the batch, with their keys.
    async fn found(&mut self, sheet: usize, filter: &Filter) -> Result<Vec<(Vec<u8>, Object)>> {
        let table = self.sheets[sheet].table.clone();
        let plan = Plan::new(filter, Sorted::default(), &table.collection, &table.ways);
        let mut found = Vec::new();
        match plan.access {
            Access::Keys(keys) => {
                for key in keys.iter().map(key::of_key) {
                    self.know(sheet, &key).await?;
                    let object = self.sheets[sheet].object(&key);
                    if let Some(object) = object.filter(|object| meets(&plan.rest, object, &table))
                    {
                        found.push((key, object.clone()));
                    }
                }
            }
            Access::Along(along) => {
                self.flush()?;
                let rows = &self.sheets[sheet].rows;
                let mut scan = Scan::new(&self.transaction, &table, rows, along);
                while let Some(objects) = scan.next().await? {
                    let met =
                        objects.into_iter().filter(|object| meets(&plan.rest, object, &table));
                    found.extend(met.map(|object| (table.place(0, &object, None), object)));
                }
                for (key, object) in &found {
                    self.sheets[sheet].learn(key, object);
                }
                self.hear(sheet).await?;
            }
        }
        Ok(found)
    }

    /// Sees to it that what lies under a key is known.
    async fn know(&mut self, sheet_number: usize, key: &[u8]) -> Result<()> {
        if self.sheets[sheet_number].is_added(key) {
            self.flush()?;
        }
        let sheet = &mut self.sheets[sheet_number];
        if sheet.knows(key) {
            return Ok(());
        }
        sheet.want(key.to_vec());
        self.hear(sheet_number).await
    }

    /// Reads what one sheet wants to know.
    async fn hear(&mut self, sheet: usize) -> Result<()> {
        let sheet = &mut self.sheets[sheet];
        if sheet.wants_nothing() {
            return Ok(());
        }
        sheet.ask(&self.transaction)?;
        let mut answers = self.transaction.answers().await?;
        sheet.hear(&mut answers)?;
        sheet.hear_rest(&self.transaction).await
    }

    /// Writes what the steps so far came to.
    fn flush(&mut self) -> Result<()> {
        for sheet in &mut self.sheets {
            sheet.flush(&self.transaction, &mut self.added)?;
        }
        Ok(())
    }

    async fn end(mut self) -> Result<()> {
        self.flush()?;
        for sheet in self.sheets.iter().filter(|sheet| sheet.counted) {
            let Some(meta) = &self.meta else { continue };
            let fact = Fact::Highest(sheet.table.collection.name());
            meta::keep(&self.transaction, meta, &fact, &Value::Int(sheet.highest))?;
        }
        let added = std::mem::take(&mut self.added);
        self.transaction.commit().await.map_err(|error| named_create(error, &added))
    }

    /// What fails first: keys that were taken blindly for free may not be.
    async fn first_failure(mut self, error: IndexedDbError) -> IndexedDbError {
        let is_ours =
            !matches!(error, IndexedDbError::Constraint { .. } | IndexedDbError::Failed { .. });
        if !is_ours {
            return named_create(error, &self.added);
        }
        // Writing them tells: what was written is taken back anyway.
        match self.written().await {
            Err(earlier @ IndexedDbError::Constraint { .. }) => named_create(earlier, &self.added),
            _ => error,
        }
    }

    /// Writes what the steps so far came to, and waits for it.
    async fn written(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(sheet) = self.sheets.first().filter(|_| !self.added.is_empty()) {
            // Answers come in order, so behind this one everything is written.
            self.transaction.js().has(&sheet.rows, &[0])?;
            let _ = self.transaction.answers().await?;
        }
        Ok(())
    }
}

/// The keys that a step names and that are to be looked at; those of new objects only in runs.
fn named(step: &Step, collection: &Collection, runs: bool) -> Vec<Key> {
    match step {
        Step::Create(create) if runs => collection.key_of(&create.object).into_iter().collect(),
        Step::Create(_) => Vec::new(),
        Step::Update { filter, .. } | Step::Delete { filter, .. } => {
            Demands::of(filter).take_keys(collection).unwrap_or_default()
        }
        Step::Guard(guard) => match &guard.condition {
            Condition::Looks(key, _) | Condition::Exists(key) | Condition::Absent(key) => {
                vec![key.clone()]
            }
            Condition::Unique(_) => Vec::new(),
        },
    }
}

/// Says which create failed.
fn named_create(error: IndexedDbError, added: &[(Name, Key)]) -> IndexedDbError {
    let IndexedDbError::Constraint { number } = error else { return error };
    match added.get(number) {
        Some((collection, key)) => {
            IndexedDbError::Taken { collection: collection.clone(), key: key.clone() }
        }
        None => error,
    }
}

/// Sets fields, and empties those set to null.
fn put(object: &mut Object, changes: Object) {
    for (field, value) in changes {
        let _ = match value {
            Value::Null => object.remove(&field),
            value => object.set(field, value),
        };
    }
}
