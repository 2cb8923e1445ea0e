//! Real hubs and real clients: what is acknowledged stays, whatever happens to the hub and on the way to it.

mod full;
mod killed;
mod lied_to;
mod skewed;
mod together;

/// The program that is the hub.
const HUB: &str = env!("CARGO_BIN_EXE_hub-under-test");
