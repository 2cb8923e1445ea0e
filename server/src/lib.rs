//! The hub: a server that keeps the shared logs of many groups, as a library.

pub mod auth;
mod config;
mod hub;
mod store;

pub use config::HubConfig;
pub use hub::Hub;
pub use store::{Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms};
