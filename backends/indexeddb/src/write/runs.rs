//! What a batch knows of runs: to change one object, its whole run is written anew.

use syncline_core::Object;
use syncline_core::sorted::{SortedMap, SortedSet};
use wasm_bindgen::JsValue;

use super::sheet::number_key;
use crate::error::Result;
use crate::key;
use crate::row;
use crate::table::Table;
use crate::transaction::{Answers, Transaction};

/// The runs that were read, each under its last key.
#[derive(Debug, Default)]
pub(super) struct Runs {
    known: SortedMap<i64, Vec<(i64, Object)>>,
    /// Keys one behind the other that were asked for: the first and the last.
    asked: Vec<(i64, i64)>,
    /// Where to read on, and up to where.
    open: Vec<(i64, i64)>,
}

impl Runs {
    /// Asks for the runs with these keys: for those of keys one behind the other, for the first.
    pub(super) fn ask(
        &mut self,
        transaction: &Transaction,
        rows: &JsValue,
        wanted: &[Vec<u8>],
    ) -> Result<()> {
        for number in wanted.iter().filter_map(|key| key::number(key)) {
            match self.asked.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                _ => self.asked.push((number, number)),
            }
        }
        for (first, _) in &self.asked {
            transaction.js().all(rows, &number_key(*first), None, 1)?;
        }
        Ok(())
    }

    /// Takes the answers.
    pub(super) fn hear(&mut self, answers: &mut Answers, table: &Table) -> Result<()> {
        for (_, last) in std::mem::take(&mut self.asked) {
            let Some(end) = self.keep(answers.row(), table)? else { continue };
            if let Some(next) = end.checked_add(1).filter(|next| *next <= last) {
                self.open.push((next, last));
            }
        }
        Ok(())
    }

    /// Reads on.
    pub(super) async fn hear_rest(
        &mut self,
        transaction: &Transaction,
        rows: &JsValue,
        table: &Table,
    ) -> Result<()> {
        while let Some((next, last)) = self.open.pop() {
            transaction.js().all(rows, &number_key(next), None, 1)?;
            let mut answers = transaction.answers().await?;
            let Some(end) = self.keep(answers.row(), table)? else { continue };
            if let Some(next) = end.checked_add(1).filter(|next| *next <= last) {
                self.open.push((next, last));
            }
        }
        Ok(())
    }

    /// Takes note of a run, and says where it ends.
    fn keep(&mut self, row: Option<&[u8]>, table: &Table) -> Result<Option<i64>> {
        let Some(row) = row else { return Ok(None) };
        let run = row::unpack_run(row, &table.collection);
        let run = run.map_err(|source| table.broken(source))?;
        let Some((end, _)) = run.last() else { return Ok(None) };
        let end = *end;
        let _ = self.known.insert(end, run);
        Ok(Some(end))
    }

    /// The object under a key, among the runs that were read.
    pub(super) fn object(&self, key: &[u8]) -> Option<&Object> {
        let number = key::number(key)?;
        let (_, run) = self.known.from(&number)?;
        let at = run.binary_search_by_key(&number, |(key, _)| *key).ok()?;
        Some(&run[at].1)
    }

    /// Writes objects that changed, are new or are gone.
    pub(super) fn write(
        &mut self,
        transaction: &Transaction,
        rows: &JsValue,
        changed: Vec<(Vec<u8>, Option<Object>)>,
    ) -> Result<()> {
        let mut objects: SortedMap<i64, Object> = SortedMap::new();
        let mut old = SortedSet::new();
        let numbered = changed.iter().filter_map(|(key, now)| Some((key::number(key)?, now)));
        for (number, _) in numbered.clone() {
            let around = self.known.from(&number);
            let touched =
                around.filter(|(_, run)| run.first().is_some_and(|(first, _)| *first <= number));
            if let Some((end, _)) = touched {
                let _ = old.insert(*end);
            }
        }
        for end in &old {
            objects.extend(self.known.remove(end).into_iter().flatten());
        }
        for (number, now) in numbered {
            let _ = match now {
                Some(object) => objects.insert(number, object.clone()),
                None => objects.remove(&number),
            };
        }
        let objects: Vec<(i64, Object)> = objects.into_iter().collect();
        let runs = row::pack_runs(&objects);
        let ends: SortedSet<i64> = runs.iter().map(|(end, _)| *end).collect();
        for end in old.iter().filter(|end| !ends.contains(*end)) {
            transaction.js().remove(rows, &number_key(*end))?;
        }
        for (end, bytes) in &runs {
            transaction.js().put(rows, &number_key(*end), bytes)?;
        }
        self.note(objects, &ends);
        Ok(())
    }

    fn note(&mut self, objects: Vec<(i64, Object)>, ends: &SortedSet<i64>) {
        let mut run = Vec::new();
        for (number, object) in objects {
            run.push((number, object));
            if ends.contains(&number) {
                let _ = self.known.insert(number, std::mem::take(&mut run));
            }
        }
    }
}
