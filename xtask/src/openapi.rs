//! `cargo xtask openapi`: asks a running hub whatever its description allows, and what it does not.
//!
//! What asks is schemathesis, a program in Python, in an environment of its own below `target`. It fails where
//! the hub answers 5xx, or otherwise than `docs/openapi.yaml` says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::hub::{Hub, empty_folder, syncline};
use crate::machine::debian_packages;
use crate::metadata::root;
use crate::step::{Result, output, run, succeeds};

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
    Hub::build()?;
    let folder = empty_folder("openapi/hub")?;
    let token = token(&folder)?;
    let tokens = folder.join("tokens");
    let mut hub =
        Hub::start(&folder, &["--wrong-tokens", "0", "--tokens", &tokens.to_string_lossy()])?;
    let asked = run(Command::new(tester)
        .args(["--config-file", "xtask/openapi/schemathesis.toml", "run", "docs/openapi.yaml"])
        .args(["--url", &hub.address, "--max-time", &seconds.to_string()])
        .envs([("PYTHONPATH", "xtask/openapi"), ("SCHEMATHESIS_HOOKS", "hooks")])
        .envs([("SYNCLINE_TOKEN", token.as_str()), ("PYTHONDONTWRITEBYTECODE", "1")])
        .env("HYPOTHESIS_STORAGE_DIRECTORY", self::folder().join("hypothesis")));
    hub.survived()?;
    asked
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
