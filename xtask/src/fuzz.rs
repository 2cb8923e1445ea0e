//! `cargo xtask fuzz`: hostile bytes for a while, on the nightly compiler, which alone can do it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::machine::debian_packages;
use crate::metadata::root;
use crate::step::{Result, cargo, forget_this_crate, run, succeeds};

/// How long each target runs if nothing is said.
const SECONDS: u32 = 10;

/// How long each target runs among the tests.
const SECONDS_OF_A_TEST: u32 = 5;

/// Runs targets as the words say: `[--seconds N] [target…]`.
pub(crate) fn fuzz(words: &[&str]) -> Result {
    let (seconds, names) = match words {
        ["--seconds", number, names @ ..] => {
            let seconds = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            (seconds, names)
        }
        names => (SECONDS, names),
    };
    let all = targets()?;
    if let Some(name) = names.iter().find(|name| !all.iter().any(|target| target == *name)) {
        return Err(format!("there is no target `{name}`; there are {}", all.join(", ")));
    }
    if !nightly_is_here() {
        return Err("fuzzing needs the nightly compiler: `rustup toolchain install nightly`".into());
    }
    tools()?;
    let wanted = |target: &&String| names.is_empty() || names.contains(&target.as_str());
    run_targets(all.iter().filter(wanted), seconds, &[])
}

/// All targets for a short while; where that is not possible it is said and not done.
pub(crate) fn fuzz_shortly() -> Result {
    if !nightly_is_here() {
        println!(
            "SKIPPED: fuzzing needs the nightly compiler (`rustup toolchain install nightly`)"
        );
        return Ok(());
    }
    if let Err(why) = tools() {
        println!("SKIPPED: fuzzing needs cargo-fuzz and a C++ compiler: {why}");
        return Ok(());
    }
    // The same inputs each time, so that tests do not fail by chance: chance belongs to long runs.
    run_targets(targets()?.iter(), SECONDS_OF_A_TEST, &["-seed=1"])
}

fn run_targets<'a>(
    targets: impl Iterator<Item = &'a String>,
    seconds: u32,
    more: &[&str],
) -> Result {
    run(nightly_cargo().args(["fuzz", "build"]))?;
    for target in targets {
        // What a run finds to be new is kept for the next one, where git does not see it.
        let found = folder().join("target").join("found").join(target);
        fs::create_dir_all(&found).map_err(|why| format!("cannot make {found:?}: {why}"))?;
        let mut command = nightly_cargo();
        command.args(["fuzz", "run", target]).arg(&found).arg(folder().join("corpus").join(target));
        command.arg("--").arg(format!("-max_total_time={seconds}"));
        run(command.args(["-timeout=60", "-print_final_stats=1", "-verbosity=0"]).args(more))
            .map_err(|why| format!("{why}; fuzz/README.md says what to do with a finding"))?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

/// Every file in `fuzz_targets` is one.
fn targets() -> Result<Vec<String>> {
    let files = fs::read_dir(folder().join("fuzz_targets"))
        .map_err(|why| format!("the fuzz targets cannot be listed: {why}"))?;
    let name = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = files.flatten().filter_map(|file| name(file.path())).collect();
    names.sort_unstable();
    Ok(names)
}

fn nightly_is_here() -> bool {
    succeeds("rustup", &["run", "nightly", "cargo", "--version"])
}

/// Installs what is missing, once nightly is there.
fn tools() -> Result {
    if !succeeds("c++", &["--version"]) {
        debian_packages(&["g++"])?;
    }
    if succeeds("cargo-fuzz", &["--version"]) {
        return Ok(());
    }
    cargo(&["install", "cargo-fuzz", "--locked"])
}

fn nightly_cargo() -> Command {
    let mut command = Command::new("rustup");
    forget_this_crate(&mut command);
    command.args(["run", "nightly", "cargo"]);
    command
}
