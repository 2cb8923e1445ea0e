//! Running one command after the other, and telling how it went.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::metadata::root;

/// What goes wrong here is told to a person, who reads it and nothing else.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// One thing that must pass.
pub(crate) struct Step {
    /// What the summary calls it.
    pub name: &'static str,
    /// Does it.
    pub work: fn() -> Result,
}

/// Carries out the steps until one fails, then prints how long each took.
pub(crate) fn run_all(steps: &[Step]) -> Result {
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut done = Ok(());
    for step in steps {
        println!("\n── {} ──", step.name);
        let started = Instant::now();
        done = (step.work)().map_err(|why| format!("`{}` failed: {why}", step.name));
        times.push((step.name, started.elapsed(), done.is_ok()));
        if done.is_err() {
            break;
        }
    }
    summary(&times, steps.len(), begun.elapsed());
    done
}

fn summary(times: &[(&str, Duration, bool)], planned: usize, total: Duration) {
    println!("\n── summary ──");
    for (name, time, passed) in times {
        let mark = if *passed { "passed" } else { "FAILED" };
        println!("{mark}  {:>7.1} s  {name}", time.as_secs_f64());
    }
    if times.len() < planned {
        println!("not reached: {}", planned - times.len());
    }
    println!("{:>15.1} s  in all", total.as_secs_f64());
}

/// Runs a command in the workspace's root, showing its output.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = show(command);
    println!("$ {shown}");
    let status = command
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// The cargo that runs this, as it would be called from a shell.
pub(crate) fn cargo(arguments: &[&str]) -> Result {
    run(cargo_command().args(arguments))
}

/// The cargo that runs this, without what it told us about this crate: build scripts that look at
/// such variables would otherwise be built anew each time.
pub(crate) fn cargo_command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    forget_this_crate(&mut command);
    command
}

/// Removes the variables that cargo sets for the crate it runs.
pub(crate) fn forget_this_crate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let about_us = name.to_string_lossy();
        if about_us.starts_with("CARGO_PKG_") || about_us.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

/// Whether a command can be started and succeeds; its output is not shown.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let bytes = output_bytes(command)?;
    String::from_utf8(bytes).map_err(|_| format!("`{}` did not print text", show(command)))
}

/// What a command writes to its output, be it text or not.
pub(crate) fn output_bytes(command: &mut Command) -> Result<Vec<u8>> {
    let shown = show(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` ended with {}", output.status));
    }
    Ok(output.stdout)
}

fn show(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
