//! The contract of a shared log: the place where replicas meet.

use std::fmt::Debug;

use async_trait::async_trait;

use super::exchange::{self, Exchange, Exchanged};
use super::{LaneHash, Segment, Span};
use crate::value::canonical::{Reader, put_number};
use crate::{Error, MaybeSend, MaybeSync, ReplicaId, Result};

/// A place where the replicas of one group exchange segments.
///
/// # Contract
///
/// - Segments of another group are [`Denied`](crate::ErrorKind::Denied).
/// - [`append`](Self::append) is idempotent by [`Span`] and durable when it returns. A segment is taken if
///   it begins a lane or continues one that is held; the same place with another hash is a branch, held
///   beside the first and never instead of it. One that continues nothing held is refused as
///   [`Rejoin`](crate::ErrorKind::Rejoin): append what comes before it again.
/// - [`fetch`](Self::fetch) answers with segments that the caller may lack, its own lane included, each
///   continuing a lane that the caller knows or that an earlier segment of the answer brings. It answers
///   with at least one if there is any. Delivering one twice is allowed, leaving one out is not.
/// - A cursor is issued by the log and only understood by it. No clock is a cursor. A numbered cursor
///   that the log does not know (it was restored, or compacted beyond it) is
///   [`Rejoin`](crate::ErrorKind::Rejoin), never an empty page.
/// - [`acknowledge`](Self::acknowledge) and [`join`](Self::join) may be repeated.
///
/// The suite in `tests/conformance` holds every log to this list.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait SharedLog: Debug + MaybeSend + MaybeSync {
    /// The name under which a database keeps what it knows of this log: the same place, the same name.
    fn name(&self) -> String;

    /// Makes the replica known to the group.
    ///
    /// # Errors
    ///
    /// Like every method: [`Denied`](crate::ErrorKind::Denied) without the right to,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the log is out of reach,
    /// [`Full`](crate::ErrorKind::Full) if it has no room.
    async fn join(&self, replica: ReplicaId) -> Result<()>;

    /// Stores segments, in order; durable when it returns. One receipt for each.
    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>>;

    /// Answers with segments that the caller may lack.
    async fn fetch(&self, request: &Fetch) -> Result<Fetched>;

    /// Says what this replica has durably received: for each lane a contiguous prefix, never a maximum.
    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()>;

    /// Who is in the group, how far their lanes go, and what they acknowledged.
    async fn peers(&self) -> Result<Vec<Peer>>;

    /// Whether a round trip is so dear that several questions should travel in one, and that what can wait
    /// for the next one waits. Then [`exchange`](Self::exchange) is one round trip.
    fn is_far(&self) -> bool {
        false
    }

    /// Answers several questions, as if they came one after another.
    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        exchange::one_by_one(self, request).await
    }
}

/// What became of one appended segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored now.
    Stored,
    /// It was there already.
    Known,
}

/// A place in a lane: up to here, with this content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tip {
    /// Whose lane.
    pub replica: ReplicaId,
    /// Up to this `seq`.
    pub seq: u64,
    /// The lane's running hash there.
    pub hash: LaneHash,
}

/// What is known: for each lane, the place up to which everything is. A lane that was forked has
/// several places, one for each branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionVector {
    /// The places, sorted.
    pub tips: Vec<Tip>,
}

impl VersionVector {
    /// The vector of these places.
    pub fn new(tips: impl IntoIterator<Item = Tip>) -> Self {
        let mut tips: Vec<Tip> = tips.into_iter().collect();
        tips.sort_unstable();
        tips.dedup();
        Self { tips }
    }

    /// The places in one replica's lane.
    pub fn of(&self, replica: ReplicaId) -> impl Iterator<Item = &Tip> {
        self.tips.iter().filter(move |tip| tip.replica == replica)
    }

    /// The bytes: the number of places, then replica, `seq` and hash of each.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.tips.len() * 36 + 4);
        put_number(&mut out, self.tips.len() as u64);
        for tip in &self.tips {
            out.extend_from_slice(&tip.replica.0);
            put_number(&mut out, tip.seq);
            out.extend_from_slice(&tip.hash.0);
        }
        out
    }

    /// Reads such bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if they are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let mut tips = Vec::new();
        for _ in 0..reader.count()? {
            let replica = ReplicaId(reader.array()?);
            let (seq, hash) = (reader.number()?, LaneHash(reader.array()?));
            let tip = Tip { replica, seq, hash };
            if tips.last().is_some_and(|last| *last >= tip) {
                return Err(Error::corrupt("a version vector is not sorted"));
            }
            tips.push(tip);
        }
        reader.end()?;
        Ok(Self { tips })
    }
}

/// An opaque place in a shared log, issued by that log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

/// Where a fetch goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Behind the place that the log issued.
    Cursor(Cursor),
    /// Behind what the caller knows; a first fetch knows nothing.
    Known(VersionVector),
}

/// A question for segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Who asks.
    pub replica: ReplicaId,
    /// From where.
    pub after: After,
    /// At most about this many bytes of segments; one segment comes in any case.
    pub limit_bytes: usize,
    /// At most this many entries; one segment comes in any case.
    pub limit_entries: u64,
}

/// An answer with segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The segments, each continuing a lane.
    pub segments: Vec<Segment>,
    /// The place behind them.
    pub cursor: Cursor,
    /// Whether there is more to fetch now.
    pub more: bool,
    /// How far the log holds the caller's own lane without a gap: one place for each branch.
    pub own: Vec<Tip>,
    /// What time it is, in milliseconds since 1970, if the log knows.
    pub time: Option<i64>,
    /// What is there but has not arrived: that lane waits.
    pub damaged: Vec<Damage>,
}

/// Bytes of a lane that are there and fail their checksum, or are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where they are, as the log names it, such as a file's path.
    pub place: String,
    /// What is wrong with them.
    pub reason: String,
    /// Which run of which lane they should be, if that can be told.
    pub span: Option<Span>,
}

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who.
    pub replica: ReplicaId,
    /// How far the log holds its lane: one place for each branch.
    pub heads: Vec<Tip>,
    /// What it said that it has durably received.
    pub acknowledged: VersionVector,
}
