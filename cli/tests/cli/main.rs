//! The command as people run it: the built program, its output, its exit codes.

mod commands;
mod crash;
mod disk;
mod harness;
#[cfg(feature = "hub")]
mod hub;
mod import;
mod many;
mod story;
mod wrong;
