//! Building for the browser's target, `wasm32-unknown-unknown`.
//!
//! rustup's standard library for that target is the normal way. Where it can't be downloaded,
//! Debian's own packages hold a compiler together with the sources of its standard library, and
//! cargo builds that first.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine::debian_packages;
use crate::metadata::root;
use crate::step::{Result, cargo_command, forget_this_crate, output, succeeds};

const TARGET: &str = "wasm32-unknown-unknown";
const PATIENCE: Duration = Duration::from_secs(30);
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// A cargo that can build for the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Toolchain {
    /// The usual one: rustup brought the target.
    Rustup,
    /// Debian's, which builds the standard library itself.
    Debian,
}

impl Toolchain {
    /// Finds one, or installs one.
    pub(crate) fn find() -> Result<Self> {
        if rustup_has_target() {
            return Ok(Self::Rustup);
        }
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        if add_target() && rustup_has_target() {
            return Ok(Self::Rustup);
        }
        println!("rustup could not bring {TARGET}; taking Debian's compiler");
        debian_packages(&["rustc-web", "cargo-web", "rust-web-src", "lld-19"])?;
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        Err(format!("there is no compiler for {TARGET}: `rustup target add {TARGET}` brings one"))
    }

    /// Cargo with one subcommand for the browser's target, in a target directory of its own: two
    /// compilers in one directory rebuild each other's work.
    pub(crate) fn cargo(self, subcommand: &str) -> Command {
        let mut command = match self {
            Self::Rustup => {
                let mut command = cargo_command();
                command.arg(subcommand);
                command
            }
            Self::Debian => {
                let mut command = Command::new(DEBIAN_CARGO);
                forget_this_crate(&mut command);
                command
                    .args([subcommand, "-Zbuild-std=std,panic_abort"])
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
                    .env_remove("CARGO")
                    .env_remove("RUSTUP_TOOLCHAIN");
                command
            }
        };
        command.args(["--locked", "--target", TARGET]);
        command.env("CARGO_TARGET_DIR", root().join("target").join("wasm"));
        command
    }
}

fn rustup_has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    output(Command::new(rustc).args(arguments))
        .is_ok_and(|directory| Path::new(directory.trim()).is_dir())
}

fn debian_is_complete() -> bool {
    let sources = "lib/rustlib/src/rust/library/std/Cargo.toml";
    Path::new(DEBIAN_CARGO).exists()
        && Path::new(DEBIAN_RUSTC).exists()
        && succeeds("wasm-ld-19", &["--version"])
        && output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
            .is_ok_and(|sysroot| Path::new(sysroot.trim()).join(sources).exists())
}

/// Asks rustup for the target, but not for long: without a way to its server it tries for minutes.
fn add_target() -> bool {
    let rustup = Command::new("rustup")
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    rustup.is_ok_and(|mut child| ended_well(&mut child, PATIENCE))
}

fn ended_well(child: &mut Child, patience: Duration) -> bool {
    let started = Instant::now();
    while started.elapsed() < patience {
        if let Ok(Some(status)) = child.try_wait() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    // It may have ended meanwhile, and then there is nothing to stop.
    let _ = child.kill();
    let _ = child.wait();
    false
}
