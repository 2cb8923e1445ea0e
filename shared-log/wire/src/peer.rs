//! Members of a group, as JSON.

use serde::{Deserialize, Serialize};
use syncline_core::id::{hex, unhex};
use syncline_core::log::{LaneHash, Peer, Tip, VersionVector};
use syncline_core::{Error, Result};

/// The answer to a question for members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeersJson {
    /// All of them.
    pub peers: Vec<PeerJson>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerJson {
    /// Who: 32 hexadecimal digits.
    pub replica: String,
    /// How far the log holds its lane.
    pub heads: Vec<TipJson>,
    /// What it has durably received.
    pub acknowledged: Vec<TipJson>,
}

/// A place in a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TipJson {
    /// Whose lane.
    pub replica: String,
    /// Up to this entry.
    pub seq: u64,
    /// The lane's running hash there: 32 hexadecimal digits.
    pub hash: String,
}

impl From<&Tip> for TipJson {
    fn from(tip: &Tip) -> Self {
        Self { replica: tip.replica.to_string(), seq: tip.seq, hash: hex(&tip.hash.0) }
    }
}

impl TryFrom<&TipJson> for Tip {
    type Error = Error;

    fn try_from(json: &TipJson) -> Result<Self> {
        let hash = unhex(&json.hash).and_then(|bytes| bytes.try_into().ok()).map(LaneHash);
        let hash = hash.ok_or_else(|| Error::corrupt("a lane's hash is 32 hexadecimal digits"))?;
        Ok(Self { replica: json.replica.parse()?, seq: json.seq, hash })
    }
}

impl From<&Peer> for PeerJson {
    fn from(peer: &Peer) -> Self {
        Self {
            replica: peer.replica.to_string(),
            heads: peer.heads.iter().map(TipJson::from).collect(),
            acknowledged: peer.acknowledged.tips.iter().map(TipJson::from).collect(),
        }
    }
}

impl TryFrom<&PeerJson> for Peer {
    type Error = Error;

    fn try_from(json: &PeerJson) -> Result<Self> {
        let tips = |tips: &[TipJson]| tips.iter().map(Tip::try_from).collect::<Result<Vec<_>>>();
        Ok(Self {
            replica: json.replica.parse()?,
            heads: tips(&json.heads)?,
            acknowledged: VersionVector::new(tips(&json.acknowledged)?),
        })
    }
}
