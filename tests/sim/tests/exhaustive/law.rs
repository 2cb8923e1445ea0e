//! The law of merging, written down a second time: naive, from its wording, over everything known at once.
//!
//! For each object: `dead` is the greatest of its deletes; `born` the smallest of its creates that is
//! greater than `dead`. It exists if there is a `born`. For each field it holds the value of the greatest
//! create or update that set the field, if that one is not smaller than `born`.

use std::cmp::Ordering;
use std::fmt;

use syncline::merge::Author;

/// The two fields of every small world.
pub const FIELDS: [&str; 2] = ["a", "b"];

/// What a write does to each of the two fields: nothing, or set it; `Some(None)` empties it.
pub type Sets = [Option<Option<i64>>; 2];

/// What happened to an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// It was created with these fields.
    Create(Sets),
    /// These fields were set.
    Update(Sets),
    /// It was deleted.
    Delete,
}

impl Deed {
    /// What it sets; a delete sets nothing.
    pub fn sets(&self) -> Sets {
        match self {
            Self::Create(sets) | Self::Update(sets) => *sets,
            Self::Delete => [None; 2],
        }
    }
}

/// Something that happened to an object, and who did it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Who, and when.
    pub author: Author,
    /// What.
    pub deed: Deed,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Author { stamp, replica, seq, tie } = self.author;
        write!(f, "{stamp} by {}, seq {seq}, tie {tie}: {:?}", replica.0[0], self.deed)
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Delete => "delete",
        })?;
        for (name, value) in FIELDS.into_iter().zip(self.sets()) {
            match value {
                Some(Some(value)) => write!(f, " {name}={value}")?,
                Some(None) => write!(f, " {name}=null")?,
                None => {}
            }
        }
        Ok(())
    }
}

/// An object as the law has it: what its two fields hold.
pub type Held = [Option<i64>; 2];

/// The order of events: by stamp, then by replica, then by `seq`, then by hash.
pub fn order(one: &Author, other: &Author) -> Ordering {
    let by_stamp = one.stamp.bits().cmp(&other.stamp.bits());
    let by_replica = by_stamp.then_with(|| one.replica.0.cmp(&other.replica.0));
    by_replica.then_with(|| one.seq.cmp(&other.seq)).then_with(|| one.tie.cmp(&other.tie))
}

/// A set of events: one bit for each.
pub type Set = u16;

/// The events of a set, each with its place in the list.
pub fn among(events: &[Event], known: Set) -> impl Iterator<Item = (usize, &Event)> {
    events.iter().enumerate().filter(move |(at, _)| known & 1 << at != 0)
}

/// The greatest delete.
pub fn dead(events: &[Event], known: Set) -> Option<Author> {
    let deletes = among(events, known).filter(|(_, event)| event.deed == Deed::Delete);
    deletes.map(|(_, event)| event.author).max_by(order)
}

/// The smallest create behind the greatest delete.
pub fn born(events: &[Event], known: Set) -> Option<Author> {
    let dead = dead(events, known);
    let creates = among(events, known).filter(|(_, event)| matches!(event.deed, Deed::Create(_)));
    let behind = creates
        .map(|(_, event)| event.author)
        .filter(|author| dead.is_none_or(|dead| order(author, &dead).is_gt()));
    behind.min_by(order)
}

/// The greatest write to a field, be it visible or not, and what it set.
pub fn greatest(events: &[Event], known: Set, field: usize) -> Option<(Author, Option<i64>)> {
    let writes = among(events, known)
        .filter_map(|(_, event)| Some((event.author, event.deed.sets()[field]?)));
    writes.max_by(|one, other| order(&one.0, &other.0))
}

/// What the law says of an object, given everything that is known of it.
pub fn object(events: &[Event], known: Set) -> Option<Held> {
    let born = born(events, known)?;
    let visible = |field: usize| {
        let (author, value) = greatest(events, known, field)?;
        value.filter(|_| order(&author, &born).is_ge())
    };
    Some([visible(0), visible(1)])
}
