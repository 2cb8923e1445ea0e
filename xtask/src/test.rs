//! `cargo xtask test`: the steps, in the order in which they usually fail.

use crate::browser;
use crate::fuzz::fuzz_shortly;
use crate::machine;
use crate::metadata::packages;
use crate::npm;
use crate::openapi::openapi_shortly;
use crate::step::{Result, Step, cargo, cargo_command, run, run_all};

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Everything,
    /// What a change breaks most often.
    Fast,
    /// Only what a browser needs.
    Wasm,
}

/// Tests the repository.
pub(crate) fn test(extent: Extent) -> Result {
    let always = [
        Step { name: "machine", work: machine::prepare },
        Step { name: "format", work: format },
        Step { name: "clippy", work: clippy },
        Step { name: "tests", work: tests },
        Step { name: "simulator", work: simulator },
        Step { name: "features", work: features },
    ];
    let slow = [
        Step { name: "documentation", work: documentation },
        Step { name: "browser", work: browser::test },
        Step { name: "npm package", work: npm::test },
        Step { name: "benchmarks build", work: benchmarks },
        Step { name: "demo", work: demo },
        Step { name: "openapi", work: openapi_shortly },
        Step { name: "fuzz", work: fuzz_shortly },
    ];
    let steps: Vec<Step> = match extent {
        Extent::Everything => always.into_iter().chain(slow).collect(),
        Extent::Fast => always.into(),
        Extent::Wasm => vec![Step { name: "browser", work: browser::test }],
    };
    run_all(&steps)
}

fn format() -> Result {
    cargo(&["fmt", "--all", "--check"])
        .map_err(|why| format!("{why}; `cargo fmt --all` puts it right"))
}

fn clippy() -> Result {
    let all = ["clippy", "--workspace", "--all-targets", "--all-features", "--locked"];
    cargo(&[&all[..], &["--", "-D", "warnings"]].concat())
}

fn tests() -> Result {
    let all = ["test", "--workspace", "--exclude", "syncline-sim", "--all-features", "--locked"];
    cargo(&all)
}

/// The simulator and its tests, built to be fast: worlds are many.
fn simulator() -> Result {
    cargo(&["test", "--release", "--package", "syncline-sim", "--locked"])?;
    simulate(&["--seeds", "1000"])?;
    deliberate_bugs()
}

/// The simulator finds every mistake that it is made to look for. Compiled apart, with the mistakes in.
fn deliberate_bugs() -> Result {
    let test = ["test", "--release", "--locked", "--package", "syncline-sim", "--test", "bugs"];
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    run(cargo_command()
        .args(test)
        .args(["--no-default-features", "--target-dir", "target/bugs"])
        .env("RUSTFLAGS", format!("{flags} --cfg syncline_bugs")))
}

/// Lives through simulated worlds.
pub(crate) fn simulate(arguments: &[&str]) -> Result {
    let run = ["run", "--release", "--quiet", "--locked", "--package", "syncline-sim"];
    cargo(&[&run[..], &["--features", "command", "--"], arguments].concat())
}

/// Features only add: the facade compiles with none, with each alone, and (in the other steps) with
/// all of them.
fn features() -> Result {
    let alone = ["check", "--package", "syncline", "--locked", "--no-default-features"];
    cargo(&alone)?;
    let packages = packages()?;
    let facade = packages.iter().find(|package| package.name == "syncline");
    for feature in facade.into_iter().flat_map(|facade| &facade.features) {
        cargo(&[&alone[..], &["--features", feature]].concat())?;
    }
    Ok(())
}

fn documentation() -> Result {
    let arguments = ["doc", "--workspace", "--no-deps", "--locked"];
    run(cargo_command().args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
}

fn benchmarks() -> Result {
    let build =
        ["bench", "--package", "syncline-benches", "--all-features", "--no-run", "--locked"];
    cargo(&build)
}

/// The first command of the README, when the command is there.
fn demo() -> Result {
    let command_is_there = packages()?
        .iter()
        .any(|package| package.binaries.iter().any(|binary| binary == "syncline"));
    if command_is_there { cargo(&["run", "--release", "--locked", "--", "demo"]) } else { Ok(()) }
}
