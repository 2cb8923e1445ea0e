#![doc = include_str!("../README.md")]

mod app;
mod check;
mod dice;
mod disk;
pub mod folder;
mod hub;
mod ledger;
mod link;
mod notes;
mod place;
#[cfg(feature = "hub")]
mod router;
mod tasks;
mod time;
mod trace;
mod world;

pub use app::{App, User};
pub use check::{Broken, Invariant};
pub use dice::Dice;
pub use disk::Store;
pub use notes::Notes;
pub use place::Meeting;
pub use syncline_conformance::law;
pub use world::{Fault, Summary, Violation, World, world};
