//! `cargo xtask openapi`: asks a running hub whatever its description allows, and what it does not.
//!
//! What asks is schemathesis, a program in Python, in an environment of its own below `target`. It fails where
//! the hub answers 5xx, or otherwise than `docs/openapi.yaml` says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::machine::debian_packages;
use crate::metadata::root;
use crate::step::{Result, cargo, output, run, succeeds};

/// How long it asks if nothing is said.
const SECONDS: u32 = 300;

/// How long it asks among the tests.
const SECONDS_OF_A_TEST: u32 = 75;

/// What it is asked with, its version included.
const REQUIREMENTS: &str = "xtask/openapi/requirements.txt";

/// Asks as long as the words say: `[--seconds N]`.
pub(crate) fn openapi(words: &[&str]) -> Result {
    match words {
        [] => ask(SECONDS),
        ["--seconds", number] => {
            ask(number.parse().map_err(|_| format!("`{number}` is no number"))?)
        }
        other => Err(format!("`{}` is not understood; `--seconds N` is", other.join(" "))),
    }
}

/// Asks for a short while.
pub(crate) fn openapi_shortly() -> Result {
    ask(SECONDS_OF_A_TEST)
}

fn ask(seconds: u32) -> Result {
    let tester = tester()?;
    cargo(&["build", "--package", "syncline-cli", "--features", "hub", "--locked"])?;
    let folder = folder().join("hub");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|why| format!("cannot make {folder:?}: {why}"))?;
    let token = token(&folder)?;
    let mut hub = Hub::start(&folder)?;
    let asked = run(Command::new(tester)
        .args(["--config-file", "xtask/openapi/schemathesis.toml", "run", "docs/openapi.yaml"])
        .args(["--url", &hub.address, "--max-time", &seconds.to_string()])
        .envs([("PYTHONPATH", "xtask/openapi"), ("SCHEMATHESIS_HOOKS", "hooks")])
        .envs([("SYNCLINE_TOKEN", token.as_str()), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("HYPOTHESIS_STORAGE_DIRECTORY", self::folder().join("hypothesis")));
    match hub.child.try_wait() {
        Ok(None) => asked,
        _ => Err(format!("the hub did not survive; {:?} tells why", folder.join("log"))),
    }
}

/// A hub that listens on this machine alone, until this is dropped.
struct Hub {
    child: Child,
    address: String,
}

impl Hub {
    fn start(folder: &Path) -> Result<Self> {
        let log = fs::File::create(folder.join("log")).map_err(|why| format!("no log: {why}"))?;
        let mut command = syncline();
        command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--rate", "0"]);
        command
            .args(["--wrong-tokens", "0", "--store"])
            .arg(folder.join("hub.db"))
            .arg("--tokens")
            .arg(folder.join("tokens"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn();
        let child = child.map_err(|why| format!("the hub could not be started: {why}"))?;
        let mut hub = Self { child, address: String::new() };
        let mut line = String::new();
        let says = hub.child.stdout.take().ok_or("the hub has no output")?;
        BufReader::new(says).read_line(&mut line).map_err(|why| format!("no word: {why}"))?;
        let says: Value = serde_json::from_str(&line)
            .map_err(|why| format!("the hub did not say where it listens: {line}{why}"))?;
        hub.address = says["listening"][0].as_str().unwrap_or_default().to_owned();
        Ok(hub)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A token that may do everything.
fn token(folder: &Path) -> Result<String> {
    let mut command = syncline();
    command.args(["--json", "token", "new", "tester", "--for", "*", "--scope", "admin", "--file"]);
    let says = output(command.arg(folder.join("tokens")))?;
    let says: Value =
        serde_json::from_str(&says).map_err(|why| format!("no token in {says}: {why}"))?;
    says["token"].as_str().map(str::to_owned).ok_or_else(|| format!("no token in {says}"))
}

fn syncline() -> Command {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut command = Command::new(target.join("debug").join("syncline"));
    command.current_dir(root());
    command
}

/// The program that asks; it is installed if it is not there in this version.
fn tester() -> Result<PathBuf> {
    let environment = folder().join("python");
    let tester = environment.join("bin").join("schemathesis");
    let wanted = fs::read_to_string(root().join(REQUIREMENTS)).map_err(|why| why.to_string())?;
    let mark = environment.join("installed");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(tester);
    }
    if !succeeds("python3", &["-c", "import ensurepip, venv"]) {
        debian_packages(&["python3", "python3-venv"])?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(environment.join("bin").join("python")).args(install).arg(REQUIREMENTS))?;
    fs::write(&mark, wanted).map_err(|why| format!("cannot write {mark:?}: {why}"))?;
    Ok(tester)
}

fn folder() -> PathBuf {
    root().join("target").join("openapi")
}
