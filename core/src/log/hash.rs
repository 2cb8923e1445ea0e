//! The running hash of a lane.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::id::hex;
use crate::{Group, ReplicaId};

/// What a lane holds up to one place, as one hash: the first 16 bytes of SHA-256.
///
/// Each entry's hash goes over the hash before it and the entry's canonical bytes, so two lanes with
/// the same hash at the same place hold the same entries up to there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LaneHash(pub [u8; 16]);

impl LaneHash {
    /// The hash behind one more entry.
    #[must_use]
    pub fn then(&self, entry: &[u8]) -> Self {
        Self(short_hash(&[&self.0, entry]))
    }

    /// Settles ties between entries that differ in nothing else: two branches of one lane.
    pub fn tie(&self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

impl fmt::Display for LaneHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for LaneHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of a lane before its first entry: bound to the group and the replica.
pub fn lane_start(group: &Group, replica: ReplicaId) -> LaneHash {
    LaneHash(short_hash(&[b"syncline lane 1\0", &replica.0, group.as_str().as_bytes()]))
}

/// The first 16 bytes of SHA-256 over the parts, one behind the other.
pub(crate) fn short_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    let full = hasher.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&full[..16]);
    short
}
