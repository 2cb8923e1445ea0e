//! Leases: a name that one holder has for a while, with a number that fences off earlier holders.

use serde::{Deserialize, Serialize};

/// Asks for a name, or to keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// Who asks, in words of the application's own, such as a device's name.
    pub holder: String,
    /// For how many milliseconds from now.
    pub millis: u64,
    /// The token of the lease to renew; none to take the name anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// What the holder calls this attempt to take it: 1 to 64 letters, digits, `-` and `_`. Repeated under
    /// the same name while it is held, it is answered with the same lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// A name that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What is held: any text, such as a collection and a key.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Greater than that of every earlier holder of this name: storage that remembers the greatest one it
    /// saw can refuse those who only believe that they still hold it.
    pub token: u64,
    /// Until when, in milliseconds since 1970, by the hub's clock.
    pub expires: i64,
}

/// All names of a group that are held now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leases {
    /// By name.
    pub leases: Vec<Lease>,
}
