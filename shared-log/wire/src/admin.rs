//! What an operator is told, as JSON.

use serde::{Deserialize, Serialize};

use crate::TipJson;
use crate::lease::Lease;

/// How a hub is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubStatus {
    /// The hub's version.
    pub version: String,
    /// The versions of the protocol that it speaks.
    pub protocols: Vec<u32>,
    /// What time it is, in milliseconds since 1970.
    pub now: i64,
    /// When it started, in milliseconds since 1970.
    pub started: i64,
    /// Whether it can read and write now, and is not about to stop.
    pub ready: bool,
    /// What was counted.
    pub totals: Totals,
    /// What went wrong lately, newest first.
    pub errors: Vec<RecentError>,
}

/// What a hub counted: requests since it started, contents as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Requests that were answered.
    pub requests: u64,
    /// Those of them that were refused or failed.
    pub refused: u64,
    /// Bytes of their bodies.
    pub received: u64,
    /// Bytes of the answers' bodies, as far as they are known before they are sent.
    pub sent: u64,
    /// Clients that wait for notices now.
    pub subscribers: u64,
    /// Connections that are open now; 0 if the application serves the hub itself.
    pub connections: u64,
    /// Groups.
    pub groups: u64,
    /// Their segments.
    pub segments: u64,
    /// The entries of these.
    pub entries: u64,
    /// Their items.
    pub items: u64,
    /// The bytes of all of them.
    pub bytes: u64,
}

/// Something that went wrong; the same again counts up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentError {
    /// When it last did, in milliseconds since 1970.
    pub at: i64,
    /// How often.
    pub count: u64,
    /// Where: a route, or `store`.
    pub place: String,
    /// The HTTP status; none for what the store reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The kind of error.
    pub kind: String,
    /// What the store said of it, without anything that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which group it was about, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Who asked, if it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// A page of groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupsJson {
    /// By name.
    pub groups: Vec<GroupJson>,
    /// There are more behind this name: ask again with it as `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<String>,
}

/// What a group has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupJson {
    /// Which group.
    pub group: String,
    /// Its newest number.
    pub number: u64,
    /// How many segments it has.
    pub segments: u64,
    /// How many entries they have.
    pub entries: u64,
    /// How many bytes they and its items have.
    pub bytes: u64,
    /// How many segments bear stamps that were from the future when they came: somebody's clock is wrong.
    pub ahead: u64,
    /// How many items it has that are not deleted.
    pub items: u64,
    /// The epoch of its items.
    pub epoch: u64,
    /// When something last came, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<i64>,
}

/// A group, with everyone in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDetail {
    /// What it has.
    #[serde(flatten)]
    pub group: GroupJson,
    /// Its members, by replica.
    pub members: Vec<MemberJson>,
    /// The leases that have not expired, by name.
    pub leases: Vec<Lease>,
    /// What went wrong lately in this group, newest first.
    pub errors: Vec<RecentError>,
}

/// A member of a group, and how far it is behind the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberJson {
    /// Who: 32 hexadecimal digits.
    pub replica: String,
    /// How far the hub holds its lane: one place for each branch.
    pub heads: Vec<TipJson>,
    /// What it said that it has durably received.
    pub acknowledged: Vec<TipJson>,
    /// How many entries of the others' lanes it has not acknowledged.
    pub behind: u64,
    /// In how many lanes these are.
    pub behind_lanes: u64,
}
