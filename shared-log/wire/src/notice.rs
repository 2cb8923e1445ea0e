//! Live notice: that there is something new, and nothing more.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use syncline_core::value::json_text;

/// A group's log has something new, up to this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The newest number. Numbers are given by the hub and rise with every append.
    pub number: u64,
}

impl Notice {
    /// Reads a notice, if it is one. It is what `Deserialize` does too, in less code for browsers to load.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let json: Json = json_text::read(bytes).ok()?;
        Some(Self { number: json.get("number")?.as_u64()? })
    }
}

/// How long a hub keeps a long poll open at most, in seconds.
pub const LONGEST_POLL: u64 = 60;
