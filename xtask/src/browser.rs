//! What must work in a browser: compiled for it, and run in headless Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hub::{Hub, empty_folder};
use crate::machine::debian_packages;
use crate::metadata::{packages, root};
use crate::step::{Result, cargo, output, run, succeeds};
use crate::wasm::Toolchain;

/// The crates that must compile for a browser, each alone.
const CRATES: &[&str] = &[
    "syncline-core",
    "syncline-middleware",
    "syncline-backend-memory",
    "syncline-backend-indexeddb",
    "syncline-shared-log-memory",
    "syncline-shared-log-wire",
    "syncline-shared-log-http",
];

/// The features that the facade has in a browser.
const FEATURES: &str =
    "backend-indexeddb,backend-memory,middleware,shared-log-http,shared-log-memory";

/// The crates whose tests run in a browser.
const TESTED: &[&str] = &["syncline-backend-indexeddb", "syncline-browser"];

/// How many hubs the tests need.
const HUBS: usize = 3;

/// How many seconds the tests of one file may take together; a busy machine is slow.
const PATIENCE: &str = "900";

/// Compiles, lints and tests what browsers run.
pub(crate) fn test() -> Result {
    let toolchain = Toolchain::find()?;
    compile(toolchain)?;
    lint(toolchain)?;
    let runner = bindgen("wasm-bindgen-test-runner")?;
    let chromedriver = chromedriver()?;
    Hub::build()?;
    let mut hubs = Vec::new();
    for number in 0..HUBS {
        hubs.push(Hub::start(&empty_folder(&format!("browser/hub {number}"))?, &[])?);
    }
    let addresses: Vec<&str> = hubs.iter().map(|hub| hub.address.as_str()).collect();
    let mut command = toolchain.cargo("test");
    for name in TESTED {
        command.args(["--package", name]);
    }
    let tested = run(command
        .args(["--tests"])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("CHROMEDRIVER", chromedriver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", PATIENCE)
        .env("SYNCLINE_TEST_HUBS", addresses.join(",")));
    hubs.iter_mut().try_for_each(Hub::survived)?;
    tested
}

fn compile(toolchain: Toolchain) -> Result {
    let packages = packages()?;
    let is_here = |name: &&&str| packages.iter().any(|package| package.name == **name);
    let mut command = toolchain.cargo("check");
    for name in CRATES.iter().filter(is_here) {
        command.args(["--package", name]);
    }
    run(&mut command)?;
    let facade = ["--package", "syncline", "--no-default-features", "--features", FEATURES];
    run(toolchain.cargo("check").args(facade))
}

/// Lints what is compiled for browsers only, and its tests.
fn lint(toolchain: Toolchain) -> Result {
    let mut command = toolchain.cargo("clippy");
    for name in TESTED {
        command.args(["--package", name]);
    }
    // Nothing moves between threads there, so what is shared natively is no mistake.
    let allowed = ["-A", "clippy::arc_with_non_send_sync"];
    run(command.args(["--no-deps", "--all-targets", "--", "-D", "warnings"]).args(allowed))
}

/// A program of wasm-bindgen. It must be of the very version that the crates use; if it is not at hand it is
/// installed below `target`.
pub(crate) fn bindgen(program: &str) -> Result<PathBuf> {
    let version = locked_version("wasm-bindgen")?;
    let is_it = |program: &Path| {
        let says = output(Command::new(program).arg("--version"));
        says.is_ok_and(|says| says.split_whitespace().any(|word| word == version))
    };
    let tools = root().join("target").join("tools");
    let own = tools.join("bin").join(program);
    let known = on_path(program).into_iter().chain(own.exists().then(|| own.clone()));
    if let Some(known) = known.into_iter().find(|known| is_it(known)) {
        return Ok(known);
    }
    let tools = tools.to_string_lossy();
    // Not by its own lock file: that names versions which may have been withdrawn since.
    let install = ["install", "wasm-bindgen-cli", "--force", "--version", &version];
    cargo(&[&install[..], &["--root", &tools]].concat())?;
    Ok(own)
}

/// The version of a crate in `Cargo.lock`.
fn locked_version(name: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))
        .map_err(|why| format!("Cargo.lock cannot be read: {why}"))?;
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    let version = version.map(|version| version.trim_end_matches('"').to_owned());
    version.ok_or_else(|| format!("there is no {name} in Cargo.lock"))
}

/// What drives Chromium; both are installed if they are missing.
pub(crate) fn chromedriver() -> Result<PathBuf> {
    let here = || {
        let chromium = succeeds("chromium", &["--version"]);
        on_path("chromedriver").filter(|_| chromium)
    };
    if let Some(driver) = here() {
        return Ok(driver);
    }
    debian_packages(&["chromium", "chromium-driver"])?;
    here().ok_or_else(|| "chromium and chromedriver are not on the PATH".to_owned())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists())
}
