//! One function for each promise that a manager keeps over any backend.
//!
//! Every case gets a [`Fixture`](crate::Fixture) whose storage is empty, and builds its manager itself.
//! The cases are those by which storex holds its backends together, in our words.

mod custom;
mod reading;
mod relations;
mod support;
mod writing;

pub use custom::*;
pub use reading::*;
pub use relations::*;
pub use writing::*;

/// The text of the files above, for the check that no case is unlisted.
#[cfg(test)]
pub(crate) const FILES: [&str; 4] = [
    include_str!("custom.rs"),
    include_str!("reading.rs"),
    include_str!("relations.rs"),
    include_str!("writing.rs"),
];
