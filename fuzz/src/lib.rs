//! Hostile bytes for everything that reads what others wrote: README.md says what each target holds to.
//!
//! The targets themselves are one line each in `fuzz_targets/`; what they check is here.

pub mod body;
pub mod entry;
pub mod filter;
pub mod folder;
pub mod import;
mod made;
pub mod schema;
pub mod seeds;
pub mod segment;

use std::path::PathBuf;

use syncline_core::Group;

/// The group that everything is of.
pub fn family() -> Group {
    "family".parse().expect("a valid name")
}

/// Where files cost least: memory, where there is such a place.
fn fast_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// The first byte chooses what is tried with the others.
fn choice(data: &[u8]) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (*first, rest))
}
