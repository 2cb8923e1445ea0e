//! The law of merging, and the reconcilers that carry it out.
//!
//! For each object, over all entries known, in any order:
//!
//! - `dead` is the greatest of its deletes; `born` the smallest of its creates greater than `dead`.
//! - It exists if there is a `born`. For each field it holds the value of the greatest create or update
//!   that set the field, if that one is not smaller than `born`.
//!
//! Entries are compared by [`Author`]: stamp, replica, `seq`, and the lane's hash where even those are
//! equal. So the object is a function of the *set* of its entries: order, batching and repetition do not
//! matter. Last-writer-wins per field goes back to Johnson and Thomas, RFC 677 (1975).

mod author;
mod history;
mod lww;

pub use author::Author;
pub use history::History;
pub use lww::FieldLww;
pub(crate) use lww::{create, is_storable, storable};

use std::fmt::Debug;

use crate::log::Op;
use crate::schema::Collection;
use crate::{Key, MaybeSend, MaybeSync, Name, Object, Result, Step, Value};

/// Turns what is known of one object into what has to be written.
///
/// # Contract
///
/// - Pure: no clock, no storage, the same answer for the same question.
/// - The answer is a function of the set of entries that ever came in, whatever their order and however
///   they were cut into calls: replicas that know the same entries must show the same object.
/// - What cannot be folded into a [`History`] goes into [`History::kept`] and comes back next time.
pub trait Reconciler: Debug + MaybeSend + MaybeSync {
    /// The name that schemas and messages use, such as `"field-lww"`.
    fn name(&self) -> &'static str;

    /// Folds the incoming entries into the history and says what the row has to become.
    ///
    /// # Errors
    ///
    /// An error parks the batch that brought the entries; others go on.
    fn reconcile(&self, state: ObjectState<'_>) -> Result<Reconciled>;
}

/// Everything known of one object, and what is new.
#[derive(Debug)]
pub struct ObjectState<'a> {
    /// The definition of its collection.
    pub collection: &'a Collection,
    /// Its key.
    pub key: &'a Key,
    /// What earlier entries came to.
    pub history: History,
    /// The row as it is in storage.
    pub row: Option<&'a Object>,
    /// The entries that are new, in any order.
    pub incoming: &'a [Incoming],
    /// Who knew of what.
    pub witness: &'a dyn Witness,
}

/// One entry about an object, with who wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// Who wrote it, and when.
    pub author: Author,
    /// What was written.
    pub op: Op,
}

/// Tells whether the writer of one entry had applied another entry when it wrote.
pub trait Witness: Debug {
    /// Whether `writer` had applied `other`.
    fn knew(&self, writer: &Author, other: &Author) -> bool;
}

/// What a reconciler answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciled {
    /// The smallest batch that brings the row up to date; empty if it is.
    pub steps: Vec<Step>,
    /// What all entries came to.
    pub history: History,
    /// The values that lost.
    pub discards: Vec<Discard>,
}

/// A value that was written and lost against another replica's write.
#[derive(Clone, Debug, PartialEq)]
pub struct Discard {
    /// The collection.
    pub collection: Name,
    /// The object.
    pub key: Key,
    /// The field; nothing if a whole write was lost to a delete.
    pub field: Option<Name>,
    /// The value that lost.
    pub lost: Value,
    /// Who wrote it.
    pub loser: Author,
    /// Who wrote what stands instead.
    pub winner: Author,
    /// Whether neither writer knew of the other's write.
    pub concurrent: bool,
}
