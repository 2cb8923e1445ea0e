//! What a hub needs of the place where it keeps everything.

use std::fmt::Debug;

use async_trait::async_trait;
use syncline_core::log::{Exchange, Exchanged, Peer};
use syncline_core::{Group, Result};
use syncline_shared_log_wire::item::{
    Check, Checked, Download, Downloaded, Epoch, Epochs, Flush, ItemHistory, ItemId, Restore,
    Upload, Uploaded,
};
use syncline_shared_log_wire::lease::Lease;

/// A place where a hub keeps the logs, items and leases of many groups.
///
/// # Contract
///
/// - Groups are isolated: nothing of one is seen or counted in another. A group begins to exist with the
///   first change to it; reading one that does not exist answers as an empty one.
/// - [`exchange`](Self::exchange) keeps the contract of
///   [`SharedLog`](syncline_core::SharedLog): segments get numbers inside the transaction that commits them,
///   and a reader never skips a number that is still uncommitted. A cursor names everything before it, so that
///   a store restored from a backup answers
///   [`Rejoin`](syncline_core::ErrorKind::Rejoin).
/// - What changed is durable when a call returns, also across a power cut. Many calls may share one commit.
/// - Several hubs may work on one store.
/// - A store that has no room answers [`Full`](syncline_core::ErrorKind::Full) and can go on reading.
#[async_trait]
pub trait HubStore: Debug + Send + Sync + 'static {
    /// Answers an exchange: join, acknowledge, fetch, append, in this order and in one transaction.
    ///
    /// # Errors
    ///
    /// Those of a shared log; [`Full`](syncline_core::ErrorKind::Full) if the group's quota is used up. One
    /// that fails has changed nothing.
    async fn exchange(&self, group: &Group, request: Exchange, terms: &Terms) -> Result<Answer>;

    /// The members of a group.
    async fn peers(&self, group: &Group) -> Result<Vec<Peer>>;

    /// The newest number of each of these groups; 0 where nothing was appended yet.
    async fn newest(&self, groups: &[Group]) -> Result<Vec<u64>>;

    /// What an operator sees of every group, by name.
    async fn groups(&self) -> Result<Vec<GroupSummary>>;

    /// Takes, renews or releases a lease; answers with it as it is then, or as it was released.
    ///
    /// # Errors
    ///
    /// [`Conflict`](syncline_core::ErrorKind::Conflict), naming the holder, if somebody else has it or the token
    /// is an old one; [`NotFound`](syncline_core::ErrorKind::NotFound) if there is nothing to release.
    async fn lease(&self, group: &Group, change: LeaseChange, terms: &Terms) -> Result<Lease>;

    /// All leases of a group that have not expired, by name.
    async fn leases(&self, group: &Group, now: i64) -> Result<Vec<Lease>>;

    /// Answers a question about items.
    ///
    /// The flush or the restore that made the present epoch, repeated, is answered as it was the first time.
    ///
    /// # Errors
    ///
    /// [`Conflict`](syncline_core::ErrorKind::Conflict), with the group's epoch as the context `epoch`, if the
    /// request is based on another; [`Invalid`](syncline_core::ErrorKind::Invalid) for too many items.
    async fn items(&self, group: &Group, ask: ItemRequest, terms: &Terms) -> Result<ItemAnswer>;

    /// Whether it can read and write now.
    async fn check(&self) -> Result<()>;

    /// How many commits it has made since it was opened, each of one change or more, if it counts them.
    fn commits(&self) -> Option<u64> {
        None
    }

    /// Ends what was accepted, makes it durable and lets go of the place. Later calls are
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable).
    async fn close(&self) -> Result<()>;
}

/// On which terms a change is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What time it is, in milliseconds since 1970.
    pub now: i64,
    /// The most bytes that the group may use, segments and items together.
    pub quota: u64,
    /// The latest stamp, in milliseconds since 1970, that is taken without being counted as ahead.
    pub latest: i64,
    /// For how many milliseconds old epochs of items are kept.
    pub keep_epochs: i64,
    /// At most about this many bytes of items in an answer, so that one fits in memory; one item comes in any
    /// case.
    pub answer_bytes: u64,
    /// The most groups that there may be: a change that would begin another one is
    /// [`Full`](syncline_core::ErrorKind::Full).
    pub groups: u64,
    /// The most members and the most lanes that a group may have: one more is the same.
    pub replicas: u64,
}

/// The answer to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is told to the client.
    pub exchanged: Exchanged,
    /// The group's newest number now.
    pub number: u64,
    /// Whether the group has something that it did not have before.
    pub is_news: bool,
}

/// What an operator sees of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSummary {
    /// Which group.
    pub group: Group,
    /// Its newest number.
    pub number: u64,
    /// How many segments it has.
    pub segments: u64,
    /// How many entries they have.
    pub entries: u64,
    /// How many bytes they and its items have.
    pub bytes: u64,
    /// How many segments bear stamps that were from the future when they came.
    pub ahead: u64,
    /// How many items it has that are not deleted.
    pub items: u64,
    /// The epoch of its items.
    pub epoch: u64,
    /// When something last came, in milliseconds since 1970.
    pub changed: Option<i64>,
}

/// A change to a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseChange {
    /// Takes a name that is free or has expired.
    ///
    /// While it is held, the same holder's same attempt is answered with the same lease.
    Take {
        /// The name.
        name: String,
        /// Who takes it.
        holder: String,
        /// For how many milliseconds.
        millis: i64,
        /// What the holder calls this attempt, if it wants to repeat it.
        attempt: Option<String>,
    },
    /// Keeps a name for longer.
    Renew {
        /// The name.
        name: String,
        /// The token of the lease.
        token: u64,
        /// For how many milliseconds from now.
        millis: i64,
    },
    /// Gives a name back.
    Release {
        /// The name.
        name: String,
        /// The token of the lease.
        token: u64,
    },
}

/// A question about items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemRequest {
    /// Which epoch it is.
    Epoch,
    /// Keeps items.
    Upload(Upload),
    /// What changed.
    Download(Download),
    /// How a client's list differs.
    Check(Check),
    /// Replaces everything.
    Flush(Flush),
    /// Which epochs can be restored.
    Epochs,
    /// Makes this old epoch the next one.
    Restore(u64, Restore),
    /// What an item was before.
    History(ItemId),
}

/// The answer to a question about items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemAnswer {
    /// To [`ItemRequest::Epoch`], [`Flush`](ItemRequest::Flush) and [`Restore`](ItemRequest::Restore).
    Epoch(Epoch),
    /// To [`ItemRequest::Upload`].
    Uploaded(Uploaded),
    /// To [`ItemRequest::Download`].
    Downloaded(Downloaded),
    /// To [`ItemRequest::Check`].
    Checked(Checked),
    /// To [`ItemRequest::Epochs`].
    Epochs(Epochs),
    /// To [`ItemRequest::History`].
    History(ItemHistory),
}
