//! Hubs that say what a test wants.
// Each test uses a part of it.
#![allow(dead_code, unused_imports)]

pub mod play;
pub mod script;

use std::time::Duration;

use std::sync::Arc;
use syncline_core::log::{After, Exchange, Fetch, VersionVector};
use syncline_core::timer::HandTimer;
use syncline_core::{Error, ErrorKind, Group, Random, ReplicaId};
use syncline_shared_log_http::{Compression, HttpLog, HttpLogConfig};
use syncline_shared_log_wire::{PROBLEM, Problem};

pub use play::{Act, Play};
pub use script::{Script, reply};

pub const REPLICA: ReplicaId = ReplicaId([7; 16]);

pub fn family() -> Group {
    "family".parse().expect("a valid name")
}

/// Always as much as can be.
#[derive(Debug)]
pub struct Most;

impl Random for Most {
    fn bytes(&self) -> [u8; 16] {
        [255; 16]
    }
}

/// The usual settings, with waits between tries that do not take time, and always as long as can be.
pub fn config(url: &str) -> (HttpLogConfig, HandTimer) {
    let timer = HandTimer::skipping(Duration::from_secs(29));
    let mut config = HttpLogConfig::new(url, family());
    config.timer = Arc::new(timer.clone());
    config.random = Arc::new(Most);
    (config, timer)
}

/// The waits between tries.
pub fn waits(timer: &HandTimer) -> Vec<Duration> {
    let is_wait = |wait: &Duration| *wait < Duration::from_secs(30);
    timer.slept().into_iter().filter(is_wait).collect()
}

/// A question for everything.
pub fn everything() -> Fetch {
    let after = After::Known(VersionVector::default());
    Fetch { replica: REPLICA, after, limit_bytes: 1 << 20, limit_entries: 1_000 }
}

pub fn exchange() -> Exchange {
    Exchange { fetch: Some(everything()), ..Exchange::of(REPLICA) }
}

/// An error and all that caused it, as somebody would print it.
pub fn told(error: &Error) -> String {
    let mut words = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    words
}
