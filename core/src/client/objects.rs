//! Entries sorted by the objects that they are about.

use super::{ClientLog, object_id};
use crate::log::Op;
use crate::merge::{Incoming, is_storable};
use crate::{Key, Name};

/// How many objects are looked up at once.
pub(super) const CHUNK: usize = 4_000;

/// Entries, to be sorted by the object they are about.
#[derive(Debug, Default)]
pub(crate) struct Objects(Vec<One>);

/// One entry about one object.
#[derive(Debug)]
pub(super) struct One {
    pub id: Vec<u8>,
    pub collection: Name,
    pub key: Key,
    pub incoming: Incoming,
    /// Whether this database wrote it, so that the row has it already.
    pub is_own: bool,
    /// Whether this is a create that a row can hold as it is, under the usual reconciler.
    pub is_plain: bool,
}

impl One {
    pub fn is_plain_create(&self, log: &ClientLog) -> bool {
        let Op::Create(fields) = &self.incoming.op else { return false };
        let definition = log.schema().get(&self.collection);
        !log.has_reconciler(&self.collection)
            && definition.is_some_and(|collection| is_storable(collection, fields))
    }
}

/// Everything that comes in about one object; never empty.
pub(super) type Group<'a> = &'a [One];

/// Whether what comes in meets entries of other lanes, so that it matters who knew of whom.
pub(super) fn meets(group: Group<'_>, has_history: bool) -> bool {
    let first = group[0].incoming.author.replica;
    has_history || group.iter().any(|one| one.incoming.author.replica != first)
}

impl Objects {
    /// Adds an entry of another replica.
    pub fn add(&mut self, collection: Name, key: Key, incoming: Incoming) {
        self.push(collection, key, incoming, false);
    }

    /// Adds an entry that this database wrote, and that is in no history yet.
    pub fn add_own(&mut self, collection: Name, key: Key, incoming: Incoming) {
        self.push(collection, key, incoming, true);
    }

    fn push(&mut self, collection: Name, key: Key, incoming: Incoming, is_own: bool) {
        let id = object_id(&collection, &key);
        self.0.push(One { id, collection, key, incoming, is_own, is_plain: false });
    }

    /// Adds all of these.
    pub fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Sorted by object, and cut into chunks that hold all of what they hold an object of.
    pub(super) fn chunks(mut self) -> impl Iterator<Item = Vec<One>> {
        self.0.sort_by(|a, b| a.id.cmp(&b.id));
        let mut rest = self.0.into_iter().peekable();
        std::iter::from_fn(move || {
            let mut chunk: Vec<One> = rest.by_ref().take(CHUNK).collect();
            while let Some(last) = chunk.last()
                && let Some(one) = rest.next_if(|one| one.id == last.id)
            {
                chunk.push(one);
            }
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}

pub(super) fn groups(chunk: &[One]) -> impl Iterator<Item = Group<'_>> {
    chunk.chunk_by(|a, b| a.id == b.id)
}

/// How rows and histories are looked at before others' entries are merged into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rows {
    /// An object that somebody created is taken to be new: it has neither. The batch fails if it has one.
    New,
    /// An object without a history is taken to have no row. The batch fails if it has one.
    Write,
    /// Every row is looked at.
    Compare,
}

impl Rows {
    /// How to look again after the batch failed; nothing if there is no closer look.
    pub fn closer(self) -> Option<Self> {
        match self {
            Self::New => Some(Self::Write),
            Self::Write => Some(Self::Compare),
            Self::Compare => None,
        }
    }
}
