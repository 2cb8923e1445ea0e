//! What is done to this repository rather than with it.
//!
//! `cargo xtask test` passes everything that must pass and installs what it misses; it is what the
//! builder runs, and nothing else.

// A command speaks to the person at the terminal.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod browser;
mod fuzz;
mod hub;
mod machine;
mod metadata;
mod npm;
mod openapi;
mod order;
mod short_names;
mod step;
mod test;
mod wasm;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  test          everything that must pass, in the order in which it usually fails
  test --fast   the same without the browser's target, the documentation, the benchmarks, OpenAPI and the fuzzing
  sim           lives through simulated worlds: --seeds 10000, or --seed 7 --trace
  wasm          only what a browser needs: compiles for it, and tests in headless Chromium
  npm           builds the package for browsers, in wasm/dist, and its tarball
  npm --test    builds it and tests it, in Node and in headless Chromium
  npm --bench [rounds]
                measures it in headless Chromium, beside raw IndexedDB and Dexie
  fuzz [--seconds N] [target…]
                hostile bytes for each target, 10 seconds if nothing is said; needs the nightly compiler
  openapi [--seconds N]
                asks a hub whatever docs/openapi.yaml allows and what it does not, 5 minutes if nothing is said
  fmt           formats every crate";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => test::test(test::Extent::Everything),
        ["test", "--fast"] => test::test(test::Extent::Fast),
        ["wasm"] => test::test(test::Extent::Wasm),
        ["npm"] => npm::npm(),
        ["npm", "--test"] => npm::test(),
        ["npm", "--bench", rounds @ ..] => npm::bench(rounds),
        ["sim", arguments @ ..] => test::simulate(arguments),
        ["fuzz", words @ ..] => fuzz::fuzz(words),
        ["openapi", words @ ..] => openapi::openapi(words),
        ["fmt"] => step::cargo(&["fmt", "--all"]),
        ["help" | "--help" | "-h"] | [] => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no `cargo xtask {}`\n\n{HELP}", other.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask: {why}");
            ExitCode::FAILURE
        }
    }
}
