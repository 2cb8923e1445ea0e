//! Syncline in a web page: what lies below the TypeScript of the npm package `syncline`.
//!
//! Everything here is thin: it turns what comes over from JavaScript into calls of Syncline, and what comes back
//! into what JavaScript reads. Objects travel packed, everything else as JSON. The face that applications see
//! is in `ts/`.

#![cfg(target_family = "wasm")]

mod batch;
mod database;
mod failure;
mod json;
mod options;
mod packed;
mod promise;
mod report;
mod sync;
mod watch;
