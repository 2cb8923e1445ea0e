//! The hub: a server that keeps the shared logs of many groups, as a library.

mod admit;
mod api;
mod app;
pub mod auth;
mod body;
mod budget;
mod compress;
mod config;
mod failure;
mod frame;
mod hub;
mod insight;
mod notice;
mod origin;
mod page;
mod rate;
mod record;
mod sent;
mod serve;
mod store;
mod strangers;
mod text;

pub use config::HubConfig;
pub use hub::Hub;
pub use origin::Origins;
pub use serve::Tls;
pub use store::{Answer, GroupSummary, HubStore, ItemAnswer, ItemRequest, LeaseChange, Terms};
