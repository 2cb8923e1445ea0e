//! What a hub says to whoever comes, without a token.

use serde::{Deserialize, Serialize};

/// The answer at [`path::ROOT`](crate::path::ROOT).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The versions of the protocol that the hub speaks.
    pub protocols: Vec<u32>,
    /// What time it is, in milliseconds since 1970.
    pub time: i64,
}
