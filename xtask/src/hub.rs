//! A hub that runs while something is tested against it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::metadata::root;
use crate::step::{Result, cargo};

/// A hub that listens on this machine alone, until this is dropped.
pub(crate) struct Hub {
    child: Child,
    /// Where it is reached.
    pub(crate) address: String,
    log: PathBuf,
}

impl Hub {
    /// Builds the command.
    pub(crate) fn build() -> Result {
        cargo(&["build", "--package", "syncline-cli", "--features", "hub", "--locked"])
    }

    /// Starts a hub with an empty store in an empty folder; the command is built.
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Result<Self> {
        let log = folder.join("log");
        let file = fs::File::create(&log).map_err(|why| format!("no log: {why}"))?;
        let mut command = syncline();
        command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--rate", "0", "--store"]);
        command.arg(folder.join("hub.db")).args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn();
        let child = child.map_err(|why| format!("the hub could not be started: {why}"))?;
        let mut hub = Self { child, address: String::new(), log };
        let mut line = String::new();
        let says = hub.child.stdout.take().ok_or("the hub has no output")?;
        BufReader::new(says).read_line(&mut line).map_err(|why| format!("no word: {why}"))?;
        let says: Value = serde_json::from_str(&line)
            .map_err(|why| format!("the hub did not say where it listens: {line}{why}"))?;
        hub.address = says["listening"][0].as_str().unwrap_or_default().to_owned();
        Ok(hub)
    }

    /// Holds if it still runs.
    pub(crate) fn survived(&mut self) -> Result {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(format!("the hub did not survive; {:?} tells why", self.log)),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command, as it was built for tests.
pub(crate) fn syncline() -> Command {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut command = Command::new(target.join("debug").join("syncline"));
    command.current_dir(root());
    command
}

/// An empty folder of this name below `target`.
pub(crate) fn empty_folder(name: &str) -> Result<PathBuf> {
    let folder = root().join("target").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|why| format!("cannot make {folder:?}: {why}"))?;
    Ok(folder)
}
