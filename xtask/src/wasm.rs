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
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_PACKAGES: &[&str] =
    &["rustc-web", "cargo-web", "rust-web-clippy", "rust-web-src", "lld-19"];
const BUILD_STD: &str = "-Zbuild-std=std,panic_abort";
/// Where what is compiled for size goes.
pub(crate) const SMALL_TARGET: &str = "target/wasm-small";
/// Panics trap at once, without a message; what is only for debugging is left out, and hashing is a loop. Browsers make
/// loops fast by themselves. Names tell the types, for whoever looks what takes the room.
const SMALL: &str = "-Zunstable-options -Cpanic=immediate-abort -Zfmt-debug=shallow -Zlocation-detail=none \
    -Cllvm-args=-disable-lsr -Csymbol-mangling-version=v0 --cfg=sha2_backend=\"soft\" \
    --cfg=sha2_backend_soft=\"compact\"";

/// A cargo that can build for the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Toolchain {
    /// The usual one: rustup brought the target.
    Rustup,
    /// The usual one, with the sources of its standard library: it builds that itself.
    RustupSources,
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
        debian_packages(DEBIAN_PACKAGES)?;
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        Err(format!("there is no compiler for {TARGET}: `rustup target add {TARGET}` brings one"))
    }

    /// Finds one that builds the standard library itself, or installs one.
    pub(crate) fn find_with_sources() -> Result<Self> {
        if rustup_has_target() && rustup_has_sources() {
            return Ok(Self::RustupSources);
        }
        if debian_is_complete() {
            return Ok(Self::Debian);
        }
        if rustup_has_target() && rustup(&["component", "add", "rust-src"]) && rustup_has_sources()
        {
            return Ok(Self::RustupSources);
        }
        debian_packages(DEBIAN_PACKAGES)?;
        match debian_is_complete() {
            true => Ok(Self::Debian),
            false => Err(
                "there are no sources of the standard library: `rustup component add rust-src` \
                          brings them"
                    .to_owned(),
            ),
        }
    }

    /// Cargo that compiles as little as possible, the standard library included: what browsers load. It
    /// prints nothing where it panics, and debug output names types only.
    pub(crate) fn cargo_for_size(self, subcommand: &str) -> Command {
        let mut command = self.cargo(subcommand);
        command
            .arg("-Zbuild-std-features=optimize_for_size")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", SMALL)
            .env("CARGO_TARGET_DIR", root().join(SMALL_TARGET));
        command
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
            Self::RustupSources => {
                let mut command = cargo_command();
                command.args([subcommand, BUILD_STD]).env("RUSTC_BOOTSTRAP", "1");
                command
            }
            Self::Debian => {
                // Cargo would look for clippy among rustup's programs first, whose sources are missing.
                let is_clippy = subcommand == "clippy";
                let mut command =
                    Command::new(if is_clippy { DEBIAN_CLIPPY } else { DEBIAN_CARGO });
                forget_this_crate(&mut command);
                command
                    .args([subcommand, BUILD_STD])
                    .env("CARGO", DEBIAN_CARGO)
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
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

fn rustup_has_sources() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    output(Command::new(rustc).args(["--print", "sysroot"]))
        .is_ok_and(|sysroot| Path::new(sysroot.trim()).join(SOURCES).exists())
}

const SOURCES: &str = "lib/rustlib/src/rust/library/std/Cargo.toml";

fn debian_is_complete() -> bool {
    [DEBIAN_CARGO, DEBIAN_CLIPPY, DEBIAN_RUSTC].iter().all(|file| Path::new(file).exists())
        && succeeds("wasm-ld-19", &["--version"])
        && output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
            .is_ok_and(|sysroot| Path::new(sysroot.trim()).join(SOURCES).exists())
}

/// Asks rustup for the target.
fn add_target() -> bool {
    rustup(&["target", "add", TARGET])
}

/// Asks rustup for something, but not for long: without a way to its server it tries for minutes.
fn rustup(arguments: &[&str]) -> bool {
    let rustup = Command::new("rustup")
        .args(arguments)
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
