//! Live notice: that there is something new, and nothing more.

use serde::{Deserialize, Serialize};

/// A group's log has something new, up to this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The newest number. Numbers are given by the hub and rise with every append.
    pub number: u64,
}

/// How long a hub keeps a long poll open at most, in seconds.
pub const LONGEST_POLL: u64 = 60;
