//! The table that is printed, and the two files: this run, and the run to compare with.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::Result;
use crate::measure::Measurement;
use crate::store::{RAW, RAW_LOG};
use crate::workload::{Aim, Measured, Work, Workload};

/// The ratios of an earlier run, committed so that a change shows.
#[derive(Clone, Debug, Default)]
pub struct Baseline(Map<String, Value>);

impl Baseline {
    /// Reads the committed one; without one there is nothing to compare with.
    ///
    /// # Errors
    ///
    /// If the file is there and not JSON.
    pub fn load() -> Result<Self> {
        match fs::read_to_string(baseline()) {
            Ok(text) => Ok(Self(serde_json::from_str(&text)?)),
            Err(_) => Ok(Self::default()),
        }
    }

    /// How much greater a number is than it was, in percent.
    fn trend(&self, workload: &str, side: &str, now: f64) -> Option<f64> {
        let before = self.0.get(workload)?.get(side)?.as_f64()?;
        Some((now / before - 1.0) * 100.0)
    }
}

/// Prints the names of the columns.
pub fn print_head() {
    println!(
        "{:<13}{:<12}{:>12}{:>9}{:>10}{:>9}  aim",
        "workload", "side", "per second", "to raw", "to + log", "trend"
    );
}

/// Prints one line for each side of a workload.
pub fn print(workload: &Workload, measured: &Measurement, baseline: &Baseline) {
    println!("{}", workload.what);
    for (side, _) in &measured.sides {
        let median = measured.median(side).unwrap_or_default();
        let shown = match (workload.measured, workload.work) {
            (Measured::Time, Work::One(_)) => format!("{:.0}", workload.times as f64 / median),
            (Measured::Time, Work::Two { .. }) => format!("{median:.4} s"),
            (Measured::Size, _) => format!("{median:.0} bytes"),
        };
        let trend = compared(workload, measured, side)
            .and_then(|now| baseline.trend(workload.name, side, now))
            .map_or_else(String::new, |percent| format!("{percent:+.0} %"));
        println!(
            "{:<13}{side:<12}{shown:>12}{:>9}{:>10}{trend:>9}  {}",
            workload.name,
            ratio(measured.ratio(side, RAW)),
            ratio(measured.ratio(side, RAW_LOG)),
            aim(workload, measured, side),
        );
    }
    for (side, remark) in &measured.remarks {
        println!("{:<13}{side:<12}{remark}", "");
    }
}

/// What is compared from run to run: the ratio to the least there is to compare with, or the size. Times
/// alone say more about the machine.
fn compared(workload: &Workload, measured: &Measurement, side: &str) -> Option<f64> {
    match workload.measured {
        Measured::Time => measured.ratio(side, RAW).or_else(|| measured.ratio(side, RAW_LOG)),
        Measured::Size => measured.median(side),
    }
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"))
}

/// The aim, beside the sides it is meant for.
fn aim(workload: &Workload, measured: &Measurement, side: &str) -> String {
    if side == RAW || side == RAW_LOG {
        return String::new();
    }
    let (met, aim) = match workload.aim {
        Aim::AtMost(most, to) => {
            (measured.ratio(side, to) <= Some(most), format!("{most:.2} of {to}"))
        }
        Aim::Seconds(most) => (measured.median(side) < Some(most), format!("under {most} s")),
        Aim::Bytes(most) => (measured.median(side) < Some(most), format!("under {most:.0} bytes")),
    };
    format!("{aim} {}", if met { "(met)" } else { "(missed)" })
}

/// Writes `target/bench.json`, and the baseline if asked to.
///
/// # Errors
///
/// If a file can't be written.
pub fn save(results: &[(Workload, Measurement)], save_baseline: bool) -> Result {
    let mut lines = Vec::new();
    let mut ratios = Baseline::load()?.0;
    for (workload, measured) in results {
        let mut row = Map::new();
        for (side, rounds) in &measured.sides {
            lines.push(json!({
                "workload": workload.name,
                "side": side,
                "times": workload.times,
                "rounds": rounds,
                "median": measured.median(side),
                "to_raw": measured.ratio(side, RAW),
                "to_raw_log": measured.ratio(side, RAW_LOG),
            }));
            if let Some(now) = compared(workload, measured, side) {
                row.insert((*side).to_owned(), json!((now * 1_000.0).round() / 1_000.0));
            }
        }
        if !row.is_empty() {
            ratios.insert(workload.name.to_owned(), Value::Object(row));
        }
    }
    let written = target().join("bench.json");
    fs::write(&written, serde_json::to_string_pretty(&json!({ "results": lines }))? + "\n")?;
    println!("\nwritten: {}", written.display());
    if save_baseline {
        fs::write(baseline(), serde_json::to_string_pretty(&ratios)? + "\n")?;
        println!("written: {}", baseline().display());
    }
    Ok(())
}

/// Where what is made goes: the disk that the project lies on, not one in memory.
pub fn target() -> PathBuf {
    // A benchmark lies in `target/<profile>/deps`.
    let own = std::env::current_exe().unwrap_or_default();
    own.ancestors().nth(3).unwrap_or(Path::new(".")).to_owned()
}

fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baseline.json")
}
