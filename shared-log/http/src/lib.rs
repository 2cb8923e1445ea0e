//! Replicas meet at a hub, over HTTP: natively and in a browser.
//!
//! One failed request is no failed sync: what is safe is tried again, within limits. One request is the only way in
//! which an answer is lost: every request may be repeated, and a repeated one has no further effect.
//! Credentials are asked for at the moment of sending; they appear in no error and in no log.

mod address;
mod admin;
mod answer;
mod caller;
#[cfg(not(target_family = "wasm"))]
mod client;
mod config;
mod credentials;
mod error;
#[cfg(target_family = "wasm")]
mod fetch;
mod listen;
mod log;
mod names;
mod seen;
#[cfg(any(target_family = "wasm", test))]
pub mod small_http;
mod sse;
mod system;
mod transport;

/// Where there is one, the browser itself is the client.
#[cfg(target_family = "wasm")]
use fetch as client;
#[cfg(not(target_family = "wasm"))]
pub use http;
#[cfg(target_family = "wasm")]
pub use small_http as http;

pub use admin::HubClient;
pub use config::{Compression, HttpLogConfig, Retry, Timeouts};
pub use credentials::{Credentials, FixedToken, NoToken, TokenFrom};
pub use log::HttpLog;
pub use system::SystemTimer;
pub use transport::{Chunks, Fault, FaultKind, Transport, Whole};

/// What travels between a client and a hub.
pub use syncline_shared_log_wire as wire;
