//! What the machine must have, and how it gets it: only what is missing is installed.

use std::process::Command;

use crate::step::{self, Result, run, succeeds};

/// Formatter, linter, and the programs that tests call.
pub(crate) fn prepare() -> Result {
    rust_component("rustfmt", "fmt")?;
    rust_component("clippy", "clippy")?;
    // A test reads a database back with SQLite's own command; another kills processes inside a call.
    let needed = [("sqlite3", "--version"), ("strace", "-V")];
    let missing = needed.iter().filter(|(program, version)| !succeeds(program, &[version]));
    let missing: Vec<&str> = missing.map(|(program, _)| *program).collect();
    if missing.is_empty() { Ok(()) } else { debian_packages(&missing) }
}

fn rust_component(component: &str, subcommand: &str) -> Result {
    let here = step::output(step::cargo_command().args([subcommand, "--version"])).is_ok();
    if here { Ok(()) } else { run(Command::new("rustup").args(["component", "add", component])) }
}

/// Installs packages of Debian or one of its children.
pub(crate) fn debian_packages(names: &[&str]) -> Result {
    if !succeeds("apt-get", &["--version"]) {
        return Err(format!("please install {}; this machine has no apt-get", names.join(", ")));
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-qq").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    apt(&["update"])?;
    let install = ["install", "-y", "--no-install-recommends"];
    apt(&[&install[..], names].concat()).map_err(|why| {
        format!("{why}; please install {} (as root) and try again", names.join(", "))
    })
}
