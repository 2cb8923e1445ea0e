//! Processes under `strace`, which kills them at a system call before it takes effect, or lets it fail.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The system calls that change something on a disk; those with a mark are not everywhere.
const DURABLE: &str = "?pwrite64,?pwritev,?pwritev2,write,fdatasync,fsync,?ftruncate,fallocate,?unlink,\
                       ?unlinkat,?rename,?renameat,?renameat2,?link,linkat,?mkdir,?mkdirat,openat";

/// A system call in the run of a process: which, and the how manieth of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Its name.
    pub call: String,
    /// Counted from 1, over all calls of this name.
    pub number: u64,
    /// What it was asked, for people.
    pub line: String,
}

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The process is killed before the call takes effect.
    Kill,
    /// The call fails, once.
    Error(&'static str),
    /// The call fails, and every later one of its name.
    ErrorFrom(&'static str),
}

/// Whether processes can be traced here.
///
/// # Errors
///
/// Why not.
pub fn is_possible() -> Result<(), String> {
    let point = Point { call: "exit_group".to_owned(), number: 1, line: String::new() };
    let mut command = under(&point, Injection::Kill, OsStr::new("true"));
    let output = command.output().map_err(|error| format!("strace cannot be started: {error}"))?;
    if was_killed(&output) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("strace cannot kill a process at a call: {} ({})", said.trim(), output.status))
}

/// Runs a command to its end and answers with every durable system call that is about a folder.
pub fn list(command: &Command, folder: &Path, listing: &Path) -> (Vec<Point>, Output) {
    let mut traced = Command::new("strace");
    let _ = traced.args(["-f", "-qq", "-y", "-s", "0", "-e", "signal=none", "-e"]);
    let _ = traced.arg(format!("trace={DURABLE}")).arg("-o").arg(listing);
    let output = with(&mut traced, command).output().expect("strace is there");
    let text = std::fs::read_to_string(listing).expect("strace wrote its listing");
    (points(&text, &folder.display().to_string()), output)
}

/// A command as it is run under `strace`, with something happening at a point.
pub fn at(point: &Point, injection: Injection, command: &Command) -> Command {
    let mut traced = under(point, injection, command.get_program());
    copy_arguments(&mut traced, command);
    traced
}

/// Whether a process ended by being killed.
pub fn was_killed(output: &Output) -> bool {
    output.status.signal() == Some(9) || output.status.code() == Some(128 + 9)
}

fn under(point: &Point, injection: Injection, program: &OsStr) -> Command {
    let Point { call, number, .. } = point;
    let what = match injection {
        Injection::Kill => format!("signal=SIGKILL:when={number}"),
        Injection::Error(error) => format!("error={error}:when={number}"),
        Injection::ErrorFrom(error) => format!("error={error}:when={number}+"),
    };
    let mut traced = Command::new("strace");
    let _ = traced.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none"]);
    let _ = traced.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{what}")]);
    let _ = traced.arg(program).stdin(Stdio::null());
    traced
}

fn with<'a>(traced: &'a mut Command, command: &Command) -> &'a mut Command {
    let _ = traced.arg(command.get_program()).stdin(Stdio::null());
    copy_arguments(traced, command);
    traced
}

fn copy_arguments(traced: &mut Command, command: &Command) {
    let _ = traced.args(command.get_args());
    for (name, value) in command.get_envs() {
        let _ = value.map(|value| traced.env(name, value));
    }
}

/// The calls of a listing that change something in a folder. `strace` counts for each thread.
fn points(listing: &str, folder: &str) -> Vec<Point> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut points = Vec::new();
    for line in listing.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, asked)) = rest.trim_start().split_once('(') else { continue };
        let number = counts.entry((thread, call)).or_default();
        *number += 1;
        let opens_only = call == "openat" && !asked.contains("O_CREAT");
        if asked.contains(folder) && !opens_only {
            let line = rest.trim_start().replace(folder, "");
            points.push(Point { call: call.to_owned(), number: *number, line });
        }
    }
    points
}
