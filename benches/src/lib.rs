//! The same work done by Syncline and by nothing but SQLite, side by side.
//!
//! Each workload runs several times, and in each round every side runs once, so that whatever else
//! the machine does hits all of them alike. Times drift between machines and days; the ratio to
//! SQLite alone, measured in the same round, does not, and is what the report is about.
//!
//! ```text
//! cargo bench                       every workload
//! cargo bench -- W1 W3s             these workloads
//! cargo bench -- --rounds 9 W2      more rounds
//! cargo bench -- --save-baseline    and keep the ratios in `benches/baseline.json`
//! cargo bench --features hub        also through a hub, which is a process of its own
//! cargo bench --features hub -- crowd    many clients at one hub, and nothing else
//! ```

// A benchmark speaks to the person at the terminal.
#![allow(clippy::print_stdout)]

#[cfg(feature = "hub")]
pub mod crowd;
pub mod floor;
#[cfg(feature = "hub")]
pub mod hub;
mod line_server;
pub mod measure;
pub mod options;
pub mod ours;
pub mod raw;
pub mod record;
pub mod report;
pub mod store;
pub mod workload;

use std::error::Error;

/// What everything here returns: a benchmark has nobody to branch on an error.
pub type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Runs the workloads that the arguments ask for, prints the report and writes it down.
///
/// # Errors
///
/// Whatever keeps a workload from running; never a workload that is slow.
pub fn run(arguments: impl Iterator<Item = String>) -> Result {
    #[cfg(feature = "hub")]
    let arguments = match hub::serve_if_asked(arguments)? {
        Some(arguments) => arguments,
        None => return Ok(()),
    };
    let options = options::Options::parse(arguments)?;
    #[cfg(feature = "hub")]
    if options.names == ["crowd"] {
        return crowd::run();
    }
    let mut results = Vec::new();
    let baseline = report::Baseline::load()?;
    report::print_head();
    for workload in workload::all().into_iter().filter(|workload| options.wants(workload.name)) {
        let result = measure::measure(&workload, &store::sides(), options.rounds)?;
        report::print(&workload, &result, &baseline);
        results.push((workload, result));
    }
    report::save(&results, options.save_baseline)
}
