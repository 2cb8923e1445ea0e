//! How sync stands, in one call.

use crate::client::{ClientLog, DISCARD, ENTRY, PARKED, REMOTE, bytes, find, int, number};
use crate::log::Entry;
use crate::{Filter, Group, ReplicaId, Result};

use super::Remote;

/// How sync stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SyncStatus {
    /// Whose data this is.
    pub group: Group,
    /// Which replica this database is.
    pub replica: ReplicaId,
    /// How many entries this replica has written.
    pub written: u64,
    /// Entries that at least one shared log lacks; all of them while there is no log.
    pub pending: u64,
    /// How old the oldest of those is, in milliseconds.
    pub oldest_pending: Option<i64>,
    /// Batches that wait, because this version or this schema cannot apply them yet: how many, and why.
    pub quarantined: Vec<Quarantined>,
    /// Batches of discarded values that no observer took yet.
    pub discards: u64,
    /// Every shared log this database has synced with.
    pub remotes: Vec<RemoteStatus>,
}

/// A batch that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The lane it came in.
    pub lane: String,
    /// Its first `seq`.
    pub first: u64,
    /// Its last `seq`.
    pub last: u64,
    /// Why it waits.
    pub reason: String,
    /// The collection that is in the way, if one is.
    pub collection: Option<String>,
}

/// How sync with one shared log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteStatus {
    /// The log's name.
    pub name: String,
    /// Own entries that the log lacks.
    pub pending: u64,
    /// When the last sync that had something to do succeeded, in milliseconds since 1970.
    pub last_success: Option<i64>,
    /// What the last sync failed with, and when, if it failed.
    pub last_error: Option<(String, i64)>,
    /// By how many milliseconds the log's time is ahead of this clock, if the log tells it.
    pub clock_offset: Option<i64>,
    /// The other members, and how far they acknowledged this replica's lane when it was last asked.
    pub peers: Vec<(String, u64)>,
}

/// How sync stands: what waits, what went wrong, who else is there.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn status(log: &ClientLog) -> Result<SyncStatus> {
    let head = log.fresh_head().await?;
    let mut remotes = Vec::new();
    for row in log.find_all(find(&REMOTE, Filter::All)).await? {
        let mut remote = Remote::from_row(&row)?;
        let _ = remote.is_for(&head);
        remotes.push(RemoteStatus {
            name: remote.name().to_owned(),
            pending: head.seq - remote.shared.min(head.seq),
            last_success: remote.success,
            last_error: remote.error,
            clock_offset: remote.offset,
            peers: remote.peers.into_iter().collect(),
        });
    }
    let pending = remotes.iter().map(|remote| remote.pending).max().unwrap_or(head.seq);
    let oldest = find(&ENTRY, Filter::gt("seq", int(head.seq - pending))).limit(1);
    let oldest = log.find(oldest).await?.objects;
    let oldest_pending = match oldest.first() {
        Some(row) => {
            let entry = Entry::from_bytes(number(row, "seq")?, bytes(row, "entry")?)?;
            Some((log.now() - entry.stamp.millis()).max(0))
        }
        None => None,
    };
    let mut quarantined = Vec::new();
    for row in log.find_all(find(&PARKED, Filter::All)).await? {
        let text = |field: &str| row.value(field).as_text().map(str::to_owned);
        quarantined.push(Quarantined {
            lane: text("lane").unwrap_or_default(),
            first: number(&row, "first")?,
            last: number(&row, "last")?,
            reason: text("reason").unwrap_or_default(),
            collection: text("collection"),
        });
    }
    Ok(SyncStatus {
        group: head.group.clone(),
        replica: head.replica,
        written: head.seq,
        pending,
        oldest_pending,
        quarantined,
        discards: log.find_all(find(&DISCARD, Filter::All).select(["id"])).await?.len() as u64,
        remotes,
    })
}
