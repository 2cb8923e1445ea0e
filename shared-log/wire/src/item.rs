//! Items: the five verbs of classic sync services, for thin clients in any language.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syncline_core::id::hex;

use crate::lease::LeaseRequest;
use crate::object::objects;

/// Something that a client keeps at the hub. The hub does not look into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one of its kind.
    pub key: String,
    /// Its contents: any text. Clients may encrypt it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// When it was changed, in milliseconds since 1970, by the client's clock: the newer one wins.
    pub timestamp: i64,
    /// Whether it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// Items to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The epoch they are based on.
    pub epoch: u64,
    /// At most [`MOST`].
    #[serde(deserialize_with = "objects")]
    pub items: Vec<Item>,
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// The group's epoch.
    pub epoch: u64,
    /// The group's newest server number.
    pub number: u64,
    /// What became of each item, in their order.
    pub outcomes: Vec<UploadOutcome>,
}

/// What became of one uploaded item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadOutcome {
    /// It is kept now.
    Stored,
    /// Exactly this was kept already.
    Known,
    /// What is kept is newer, or equally new and greater by its digest.
    Older,
}

/// Asks for what changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Behind this server number; 0 for everything.
    #[serde(default)]
    pub after: u64,
    /// At most so many, and never more than [`MOST`].
    #[serde(default)]
    pub limit: Option<u64>,
    /// Whether deleted items come too.
    #[serde(default)]
    pub include_deleted: bool,
    /// The epoch that `after` belongs to; another one than the group's is refused.
    #[serde(default)]
    pub epoch: Option<u64>,
}

/// What changed, by rising server number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downloaded {
    /// The group's epoch.
    pub epoch: u64,
    /// Ask behind this number next time.
    pub number: u64,
    /// Whether there is more now.
    pub more: bool,
    /// The items, each with its server number.
    pub items: Vec<NumberedItem>,
}

/// An item at its server number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedItem {
    /// The number that its last change got.
    pub number: u64,
    /// The item.
    #[serde(flatten)]
    pub item: Item,
}

/// Asks how what a client has differs from what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What the client has, at most [`MOST`] in one question: sorted by type and key if the question is
    /// about a range.
    #[serde(deserialize_with = "objects")]
    pub items: Vec<Known>,
    /// Only what lies behind this type and key is compared, so that a long list can be asked in parts.
    #[serde(default)]
    pub after: Option<(String, String)>,
    /// Only what lies up to this type and key.
    #[serde(default)]
    pub up_to: Option<(String, String)>,
}

/// An item as a client knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one of its kind.
    pub key: String,
    /// When it was changed.
    pub timestamp: i64,
    /// Its [`digest`], if the client wants equal times to be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// How a client's list differs, seen from the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The group's epoch.
    pub epoch: u64,
    /// The client has them, the hub lacks them: upload them.
    pub missing: Vec<ItemId>,
    /// The hub's is newer: download them.
    pub newer: Vec<ItemId>,
    /// The hub's is older: upload them.
    pub older: Vec<ItemId>,
    /// Deleted at the hub, later than the client's.
    pub deleted: Vec<ItemId>,
    /// Equally old with another digest.
    pub differs: Vec<ItemId>,
    /// The hub has them, the client did not list them.
    pub unlisted: Vec<ItemId>,
    /// Where the comparison ended for want of room: ask again behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_after: Option<(String, String)>,
}

/// Which item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemId {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one of its kind.
    pub key: String,
}

/// Replaces everything as the next epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flush {
    /// The epoch that is replaced: the group's own, or it is refused.
    pub epoch: u64,
    /// What is kept from now on.
    #[serde(deserialize_with = "objects")]
    pub items: Vec<Item>,
}

/// Makes an old epoch's items those of the next epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The epoch that is replaced: the group's own, or it is refused.
    pub epoch: u64,
}

/// Which epoch a group is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// The epoch.
    pub epoch: u64,
    /// The group's newest server number.
    pub number: u64,
}

/// The epochs that can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// The group's epoch.
    pub epoch: u64,
    /// Old ones, and until when each is kept, in milliseconds since 1970.
    pub old: Vec<OldEpoch>,
}

/// An epoch that can be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldEpoch {
    /// The epoch.
    pub epoch: u64,
    /// How many items it has.
    pub items: u64,
    /// Until when it is kept, in milliseconds since 1970.
    pub kept_until: i64,
}

/// What an item was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemHistory {
    /// Replaced values, newest first.
    pub replaced: Vec<Item>,
}

/// Asks for an item, so that nobody else changes it meanwhile: a lease by the name of its type and key. With
/// a token and 0 milliseconds it is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Which item. It need not exist.
    #[serde(flatten)]
    pub item: ItemId,
    /// Who asks, and for how long.
    #[serde(flatten)]
    pub lease: LeaseRequest,
}

impl ItemId {
    /// The name of the lease that locks this item: its type and key with a `/` between them.
    pub fn lease_name(&self) -> String {
        // Only what would make two items share a name is escaped.
        let kind = self.kind.replace('%', "%25").replace('/', "%2F");
        format!("{kind}/{}", self.key)
    }
}

/// The most items in one request or answer.
pub const MOST: usize = 10_000;

/// An item's digest: SHA-256 over its data and whether it is deleted, as 64 hexadecimal digits. Of two
/// items that are equally old, the one with the greater digest is kept.
pub fn digest(item: &Item) -> String {
    let mut hash = Sha256::new();
    hash.update([u8::from(item.deleted), u8::from(item.data.is_some())]);
    hash.update(item.data.as_deref().unwrap_or_default());
    hex(&hash.finalize())
}
