//! Running one workload on all sides, in turn.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::Result;
use crate::store::{OpenTwo, Pair, Side};
use crate::workload::{Data, Measured, Over, Work, Workload};

/// What one workload measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// For each side, what each round gave: seconds, or bytes for each record.
    pub sides: Vec<(&'static str, Vec<f64>)>,
    /// What sides had to say of the last round.
    pub remarks: Vec<(&'static str, String)>,
}

impl Measurement {
    /// The median of one side.
    pub fn median(&self, side: &str) -> Option<f64> {
        median(self.rounds(side)?.to_vec())
    }

    /// The median, over the rounds, of one side divided by another in the same round.
    pub fn ratio(&self, side: &str, to: &str) -> Option<f64> {
        let pairs = self.rounds(side)?.iter().zip(self.rounds(to)?);
        median(pairs.map(|(side, to)| side / to).collect())
    }

    fn rounds(&self, side: &str) -> Option<&[f64]> {
        let found = self.sides.iter().find(|(name, _)| *name == side);
        found.map(|(_, rounds)| rounds.as_slice())
    }
}

/// Runs a workload so many times on each side.
///
/// # Errors
///
/// Whatever a side reports.
pub fn measure(workload: &Workload, sides: &[Side], rounds: usize) -> Result<Measurement> {
    let data = Data::of(workload);
    // The size is the same every time, and a million records take their time.
    let is_long = workload.measured == Measured::Size || workload.records > 500_000;
    let rounds = if is_long { 1 } else { rounds };
    let able: Vec<&Side> = sides.iter().filter(|side| can(side, workload)).collect();
    let mut measured: Vec<(&'static str, Vec<f64>)> =
        able.iter().map(|side| (side.name, Vec::new())).collect();
    let mut remarks = Vec::new();
    for round in 0..rounds {
        // Whoever goes first meets colder caches, so everyone goes first in turn.
        for turn in 0..able.len() {
            let at = (turn + round) % able.len();
            let (one, remark) = once(workload, able[at], &data)
                .map_err(|error| format!("{} on {}: {error}", workload.name, able[at].name))?;
            measured[at].1.push(one);
            if let Some(remark) = remark.filter(|_| round + 1 == rounds) {
                remarks.push((able[at].name, remark));
            }
        }
    }
    Ok(Measurement { sides: measured, remarks })
}

/// Whether a side takes part: SQLite alone can't sync.
fn can(side: &Side, workload: &Workload) -> bool {
    match workload.work {
        Work::One(_) => true,
        Work::Two { over, .. } => pair_of(side, over).is_some(),
    }
}

fn pair_of(side: &Side, over: Over) -> Option<OpenTwo> {
    match over {
        Over::Folder => side.two,
        Over::Hub => side.hub,
    }
}

fn once(workload: &Workload, side: &Side, data: &Data) -> Result<(f64, Option<String>)> {
    let folder = tempfile::tempdir_in(crate::report::target())?;
    let (seconds, remark) = match workload.work {
        Work::One(work) => {
            let mut store = (side.one)(folder.path(), workload.durability)?;
            if workload.filled {
                store.create_all(&data.records)?;
            }
            let started = Instant::now();
            work(store.as_mut(), data)?;
            (started.elapsed().as_secs_f64(), None)
        }
        Work::Two { over, before, timed } => {
            let open = pair_of(side, over).ok_or("this side can't sync")?;
            let mut pair = open(folder.path(), workload.durability)?;
            pair.here().create_all(&data.records)?;
            before(pair.as_mut(), data)?;
            let _ = pair.remarks();
            let started = Instant::now();
            timed(pair.as_mut())?;
            let seconds = started.elapsed().as_secs_f64();
            let remark = pair.remarks();
            compare(pair.as_mut(), data)?;
            (seconds, remark)
        }
    };
    let measured = match workload.measured {
        Measured::Time => seconds,
        Measured::Size => size(folder.path())? as f64 / workload.records as f64,
    };
    Ok((measured, remark))
}

/// Looks at some records on both databases.
fn compare(pair: &mut dyn Pair, data: &Data) -> Result {
    for chosen in data.chosen.iter().take(100) {
        let here = pair.here().read(&chosen.id)?;
        if here != pair.there().read(&chosen.id)? {
            return Err(format!("{} is not the same on both", chosen.id).into());
        }
    }
    Ok(())
}

fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) { (values[middle - 1] + upper) / 2.0 } else { upper })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OURS, RAW, RAW_LOG, sides};
    use crate::workload::all;

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let sides = vec![("a", vec![1.0, 10.0, 2.0]), ("b", vec![2.0, 20.0, 4.0])];
        let measurement = Measurement { sides, remarks: Vec::new() };
        assert_eq!(measurement.median("a"), Some(2.0));
        assert_eq!(measurement.ratio("b", "a"), Some(2.0));
        assert_eq!(measurement.ratio("c", "a"), None);
    }

    #[test]
    fn every_workload_runs_on_every_side() {
        for workload in all() {
            let small = Workload { records: 300, times: workload.times.min(300), ..workload };
            let measured = measure(&small, &sides(), 1).expect("it runs");
            assert!(measured.median(OURS) > Some(0.0), "{}", small.name);
        }
    }

    #[test]
    fn a_log_takes_room() {
        let workload = all().into_iter().find(|workload| workload.name == "W7 20k");
        let workload = workload.expect("the list has it");
        let small = Workload { records: 1_000, times: 1_000, ..workload };
        let measured = measure(&small, &sides(), 1).expect("it runs");
        assert!(measured.median(RAW_LOG) > measured.median(RAW));
    }
}
