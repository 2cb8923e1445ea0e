//! Lanes: what a shared log holds of a group.

mod append;
mod exchange;
mod fetch;
mod lane;
mod member;

pub(crate) use exchange::{Question, change, look};
pub(crate) use member::peers;
