//! Members of a group, as JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use syncline_core::id::{hex, unhex};
use syncline_core::log::{LaneHash, Peer, Tip, VersionVector};
use syncline_core::value::json_text;
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

impl PeersJson {
    /// Reads an answer, if it is one. It is what `Deserialize` does too, in less code for browsers to load.
    pub fn read(body: &[u8]) -> Option<Self> {
        let json: Json = json_text::read(body).ok()?;
        let peers = json.get("peers")?.as_array()?.iter().map(PeerJson::of);
        Some(Self { peers: peers.collect::<Option<_>>()? })
    }
}

impl PeerJson {
    fn of(json: &Json) -> Option<Self> {
        let tips =
            |name| json.get(name)?.as_array()?.iter().map(TipJson::of).collect::<Option<_>>();
        Some(Self {
            replica: json.get("replica")?.as_str()?.to_owned(),
            heads: tips("heads")?,
            acknowledged: tips("acknowledged")?,
        })
    }
}

impl TipJson {
    fn of(json: &Json) -> Option<Self> {
        Some(Self {
            replica: json.get("replica")?.as_str()?.to_owned(),
            seq: json.get("seq")?.as_u64()?,
            hash: json.get("hash")?.as_str()?.to_owned(),
        })
    }
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
