//! One function for each promise of [`SharedLog`](syncline_core::SharedLog), in files by verb.
//!
//! Every case gets a [`LogFixture`](crate::LogFixture) whose places are empty. Cases use cursors where
//! storex used times: what matters is when the log took something, never when it was written.

mod append;
mod branch;
mod cursor;
mod exchange;
mod fetch;
mod page;
mod peers;
mod support;

pub use append::*;
pub use branch::*;
pub use cursor::*;
pub use exchange::*;
pub use fetch::*;
pub use page::*;
pub use peers::*;

#[cfg(test)]
pub(crate) const FILES: &[&str] = &[
    include_str!("append.rs"),
    include_str!("branch.rs"),
    include_str!("cursor.rs"),
    include_str!("exchange.rs"),
    include_str!("fetch.rs"),
    include_str!("page.rs"),
    include_str!("peers.rs"),
];
