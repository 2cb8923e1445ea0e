//! Several questions to a shared log in one: what an ordinary sync needs, in one round trip.

use super::{Fetch, Fetched, Receipt, Segment, SharedLog, Tip, VersionVector};
use crate::{ReplicaId, Result};

/// Several questions to a shared log in one.
///
/// They are answered in the order of the fields; what is fetched was there before what is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Who asks.
    pub replica: ReplicaId,
    /// Whether to make the replica known first.
    pub join: bool,
    /// What the replica has durably received, if the log should know.
    pub acknowledge: Option<VersionVector>,
    /// What to fetch.
    pub fetch: Option<Fetch>,
    /// What to append.
    pub append: Option<Append>,
}

impl Exchange {
    /// Asks nothing yet.
    pub fn of(replica: ReplicaId) -> Self {
        Self { replica, join: false, acknowledge: None, fetch: None, append: None }
    }
}

/// Segments to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// In their order.
    pub segments: Vec<Segment>,
    /// What has to hold.
    pub only_if: AppendIf,
    /// Whether the segments were cut before this log's time was known, or for another log: then they cannot
    /// be stamped anew, and a log that refuses stamps from the future takes these all the same.
    pub frozen: bool,
}

/// What has to hold for an append to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendIf {
    /// Nothing: it is done in any case.
    Always,
    /// The caller's own lane ends here, and nowhere else; nowhere at all if there is no place. So nobody
    /// appends to a lane of which the log holds more than the caller knows.
    LaneEndsAt(Option<Tip>),
}

impl AppendIf {
    /// Whether it holds, for a lane that ends at these places.
    pub fn holds(&self, ends: &[Tip]) -> bool {
        match self {
            Self::Always => true,
            Self::LaneEndsAt(end) => ends == end.as_slice(),
        }
    }
}

/// The answers to an [`Exchange`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchanged {
    /// What was fetched, if that was asked. Its cursor may lie behind what was appended just now.
    pub fetched: Option<Fetched>,
    /// What became of each segment; nothing if none were given, or if [`Append::only_if`] did not hold.
    pub receipts: Option<Vec<Receipt>>,
}

/// Asks a log one question after another.
pub(super) async fn one_by_one<L: SharedLog + ?Sized>(
    log: &L,
    request: &Exchange,
) -> Result<Exchanged> {
    if request.join {
        log.join(request.replica).await?;
    }
    if let Some(known) = &request.acknowledge {
        log.acknowledge(request.replica, known).await?;
    }
    let mut exchanged = Exchanged::default();
    if let Some(fetch) = &request.fetch {
        exchanged.fetched = Some(log.fetch(fetch).await?);
    }
    if let Some(append) = &request.append {
        let does = match append.only_if {
            AppendIf::Always => true,
            AppendIf::LaneEndsAt(_) => {
                let own = match &exchanged.fetched {
                    Some(fetched) => fetched.own.clone(),
                    None => heads(log, request.replica).await?,
                };
                append.only_if.holds(&own)
            }
        };
        if does {
            exchanged.receipts = Some(log.append(&append.segments).await?);
        }
    }
    Ok(exchanged)
}

async fn heads<L: SharedLog + ?Sized>(log: &L, replica: ReplicaId) -> Result<Vec<Tip>> {
    let peers = log.peers().await?;
    Ok(peers
        .into_iter()
        .find(|peer| peer.replica == replica)
        .map(|peer| peer.heads)
        .unwrap_or_default())
}
