//! `cargo xtask npm`: the package for browsers, from the crate in `wasm/` and the TypeScript beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::{bindgen, chromedriver};
use crate::hub::{Hub, syncline};
use crate::machine::debian_packages;
use crate::metadata::root;
use crate::order::named_by_likeness;
use crate::short_names::shortened;
use crate::step::{Result, cargo, output, output_bytes, run, succeeds};
use crate::wasm::{SMALL_TARGET, Toolchain};

/// The most bytes that a page loads, each file compressed with `gzip -9`.
const MOST_BYTES: usize = 364_000;

/// Builds the package into `wasm/dist`, and `wasm/syncline-….tgz` of it.
pub(crate) fn npm() -> Result {
    build()?;
    for license in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let _ = fs::copy(root().join(license), folder().join(license))
            .map_err(|why| format!("cannot copy {license}: {why}"))?;
    }
    run(Command::new("npm").args(["pack", "./wasm", "--silent", "--pack-destination", "wasm"]))
}

/// Builds the package, and tests it in Node and in headless Chromium.
pub(crate) fn test() -> Result {
    build()?;
    lint()?;
    Hub::build()?;
    // Chromium comes with it.
    let _ = chromedriver()?;
    run(tool("tsc").args(["--project", "wasm/tests"]))?;
    test_in(&folder().join("dist-tests"))?;
    example()
}

/// Builds the example on the package, and tests it as a hub serves it.
fn example() -> Result {
    let at = "examples/web";
    packages(at)?;
    run(program(at, "tsc").args(["--project", at]))?;
    run(program(at, "vite").args(["build", "--logLevel", "warn", at]))?;
    run(program(at, "tsc").arg("--project").arg(format!("{at}/tests")))?;
    // Beside it are the parts of the package's tests that it uses.
    test_in(&root().join(at).join("dist-tests").join(at).join("tests"))
}

/// Runs the compiled tests of a folder; the command is built.
fn test_in(folder: &Path) -> Result {
    let tests = fs::read_dir(folder).map_err(|why| format!("cannot list {folder:?}: {why}"))?;
    let tests = tests.flatten().map(|file| file.path());
    let tests = tests.filter(|file| file.to_string_lossy().ends_with(".test.js"));
    let command = syncline();
    run(Command::new("node").arg("--test").args(tests).env("SYNCLINE", command.get_program()))
}

/// Measures the package in headless Chromium, beside raw IndexedDB and Dexie in the same page.
pub(crate) fn bench(rounds: &[&str]) -> Result {
    build()?;
    cargo(&["build", "--release", "--package", "syncline-cli", "--features", "hub", "--locked"])?;
    let _ = chromedriver()?;
    let folder = root().join("benches/web");
    run(Command::new("npm").arg("--prefix").arg(&folder).args(["ci", "--no-audit", "--no-fund"]))?;
    let hub = root().join("target/release/syncline");
    run(Command::new("node").arg(folder.join("run.js")).args(rounds).env("SYNCLINE", hub))
}

/// Builds the package into `wasm/dist`.
pub(crate) fn build() -> Result {
    packages("wasm")?;
    let module = module()?;
    let dist = folder().join("dist");
    let _ = fs::remove_dir_all(&dist);
    let out = dist.join("wasm");
    run(Command::new(bindgen("wasm-bindgen")?)
        .args([
            "--target",
            "web",
            "--omit-default-module-path",
            "--out-name",
            "syncline",
            "--out-dir",
        ])
        .arg(&out)
        .arg(module))?;
    shrink(&out.join("syncline_bg.wasm"))?;
    run(tool("tsc").args(["--project", "wasm"]))?;
    bundle(&dist)?;
    size(&dist)
}

/// Makes all JavaScript one file, without what nobody reads; behind it are the entries for pages and for Node. The
/// types stay as they are.
fn bundle(dist: &Path) -> Result {
    let small = dist.join("small");
    let entries = ["index.js", "node.js"].map(|name| dist.join(name));
    run(tool("rolldown")
        .args(entries)
        .args(["--minify", "--platform", "neutral", "--external", "node:fs/promises"])
        .args(["--logLevel", "warn", "--chunkFileNames", "shared.js", "--dir"])
        .arg(&small))?;
    remove(&dist.join("wasm/snippets"), fs::remove_dir_all)?;
    // It tells the long names.
    remove(&dist.join("wasm/syncline_bg.wasm.d.ts"), fs::remove_file)?;
    for file in scripts(dist)?.into_iter().chain(scripts(&dist.join("wasm"))?) {
        remove(&file, fs::remove_file)?;
    }
    for file in scripts(&small)? {
        let to = dist.join(file.file_name().unwrap_or_default());
        fs::rename(&file, to).map_err(|why| format!("cannot move {file:?}: {why}"))?;
    }
    remove(&small, fs::remove_dir)
}

fn remove(path: &Path, by: fn(PathBuf) -> std::io::Result<()>) -> Result {
    by(path.to_owned()).map_err(|why| format!("cannot remove {path:?}: {why}"))
}

/// The JavaScript of a folder.
fn scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder).map_err(|why| format!("cannot list {folder:?}: {why}"))?;
    let files = files.flatten().map(|file| file.path());
    Ok(files.filter(|file| file.extension().is_some_and(|ending| ending == "js")).collect())
}

/// The crate as WebAssembly, as the compiler made it.
fn module() -> Result<PathBuf> {
    let build = ["--package", "syncline-wasm", "--profile", "wasm"];
    run(Toolchain::find_with_sources()?.cargo_for_size("build").args(build))?;
    Ok(root().join(SMALL_TARGET).join("wasm32-unknown-unknown/wasm/syncline_wasm.wasm"))
}

fn shrink(module: &Path) -> Result {
    let optimise = |passes: &[&str]| {
        let mut command = tool("wasm-opt");
        command.args(FEATURES).args(passes).arg(module).arg("-o").arg(module);
        command
    };
    run(&mut optimise(OPTIMISE))?;
    let bytes = fs::read(module).map_err(|why| format!("cannot read {module:?}: {why}"))?;
    write(module, named_by_likeness(&bytes)?)?;
    let names = output(&mut optimise(REORDER))?;
    let glue = module.with_file_name("syncline.js");
    let text = fs::read_to_string(&glue).map_err(|why| format!("cannot read {glue:?}: {why}"))?;
    write(&glue, shortened(&text, &names)?)
}

fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result {
    fs::write(path, contents).map_err(|why| format!("cannot write {path:?}: {why}"))
}

/// What compilers for the browser's target use nowadays, and every browser of the last years knows.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-multivalue",
];

/// Taking the control flow apart first, and going over everything twice, finds more.
const OPTIMISE: &[&str] = &[
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
];
/// It prints which names it gives.
const REORDER: &[&str] = &[
    "--minify-imports-and-exports-and-modules",
    "--reorder-functions-by-name",
    "--optimize-stack-ir",
    "--strip-debug",
];

/// Fails if a page would have to load more than it should.
fn size(dist: &Path) -> Result {
    let mut files = vec![dist.join("wasm/syncline_bg.wasm")];
    files.extend(scripts(dist)?);
    // Node's.
    files.retain(|file| !file.ends_with("node.js"));
    let mut all = 0;
    for file in files {
        let bytes = output_bytes(Command::new("gzip").args(["-9", "-c"]).arg(&file))?.len();
        let name = file.strip_prefix(dist).unwrap_or(&file);
        println!("{bytes:>9} bytes  {}", name.display());
        all += bytes;
    }
    println!("{all:>9} bytes  in all, of {MOST_BYTES}");
    if all > MOST_BYTES {
        return Err(format!("the package has {all} bytes, compressed; {MOST_BYTES} are allowed"));
    }
    Ok(())
}

/// What nobody but a browser compiles.
fn lint() -> Result {
    let clippy = ["--package", "syncline-wasm", "--no-deps", "--", "-D", "warnings"];
    // Nothing moves between threads there, so what is shared natively is no mistake.
    let allowed = ["-A", "clippy::arc_with_non_send_sync"];
    run(Toolchain::find()?.cargo("clippy").args(clippy).args(allowed))
}

/// What the lock of a folder names, unless it is there.
fn packages(folder: &str) -> Result {
    if !succeeds("npm", &["--version"]) {
        debian_packages(&["nodejs", "npm"])?;
    }
    let at = root().join(folder);
    let changed = |file: &str| fs::metadata(at.join(file)).and_then(|of| of.modified()).ok();
    let (wanted, there) =
        (changed("package-lock.json"), changed("node_modules/.package-lock.json"));
    if there.is_some() && there >= wanted {
        return Ok(());
    }
    let install = ["--prefix", folder, "ci", "--no-audit", "--no-fund"];
    run(Command::new("npm").args(install))
}

/// A program of one of the package's packages.
pub(crate) fn tool(name: &str) -> Command {
    program("wasm", name)
}

/// A program of one of a folder's packages.
fn program(folder: &str, name: &str) -> Command {
    Command::new(root().join(folder).join("node_modules/.bin").join(name))
}

fn folder() -> PathBuf {
    root().join("wasm")
}
