//! The hub: a server that keeps the shared logs of many groups, as a library.

mod store;

pub use store::{Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms};
