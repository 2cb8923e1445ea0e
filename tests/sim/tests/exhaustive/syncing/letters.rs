//! What can happen in a small world, letter by letter.

use syncline::sync::Stage;
use syncline::{Batch, Filter, Key, Object, SyncOptions};

use super::replica::ITEM;
use crate::law::{Deed, FIELDS, Sets};

/// One thing that happens: who does what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Letter {
    pub replica: usize,
    /// Which of the applications that have the replica open at once.
    pub application: usize,
    pub act: Act,
}

/// What an application does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Writes, all of it in one batch.
    Write(Write),
    /// Syncs.
    Sync(Part),
}

/// What is written: to which objects, and how; on each object one thing.
pub type Write = &'static [(usize, Kind)];

/// What a replica does to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Creates it with both fields.
    Create,
    /// Sets the first field.
    UpdateA,
    /// Sets the second field.
    UpdateB,
    /// Deletes it.
    Delete,
}

/// A sync, or some of its stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// All stages.
    Whole,
    /// All stages, and once more if something was shared: what a replica shared comes back with its next
    /// fetch.
    Settled,
    /// All stages, for one entry: gets the next one, and sends the next own one.
    Single,
    /// Receives and applies, and shares nothing.
    Receive,
    /// Receives, and neither applies nor shares.
    Store,
    /// Applies what was received.
    Apply,
    /// Shares, and receives nothing.
    Share,
}

/// Everything that may happen in the worlds of one enumeration.
#[derive(Clone, Debug)]
pub struct Alphabet {
    /// How many applications have each replica open.
    pub applications: usize,
    /// How many batches are written at most.
    pub writes: usize,
    pub write: &'static [Write],
    pub sync: &'static [Part],
}

/// The four things that can be done to one object.
pub const ONE_OBJECT: &[Write] =
    &[&[(0, Kind::Create)], &[(0, Kind::UpdateA)], &[(0, Kind::UpdateB)], &[(0, Kind::Delete)]];

/// Batches over two objects, and what makes their single objects differ.
pub const TWO_OBJECTS: &[Write] = &[
    &[(0, Kind::Create), (1, Kind::Create)],
    &[(0, Kind::UpdateA), (1, Kind::UpdateA)],
    &[(0, Kind::Delete), (1, Kind::UpdateA)],
    &[(0, Kind::Create), (1, Kind::Delete)],
    &[(1, Kind::Delete)],
];

impl Kind {
    /// The deed, where `number` tells its values from all others.
    fn deed(self, number: i64) -> Deed {
        let (a, b) = (Some(Some(10 * number + 1)), Some(Some(10 * number + 2)));
        match self {
            Self::Create => Deed::Create([a, b]),
            Self::UpdateA => Deed::Update([a, None]),
            Self::UpdateB => Deed::Update([None, b]),
            Self::Delete => Deed::Delete,
        }
    }
}

impl Part {
    /// The options that sync so.
    pub fn options(self) -> SyncOptions {
        let skip = match self {
            Self::Whole | Self::Settled | Self::Single => Vec::new(),
            Self::Receive => vec![Stage::Share],
            Self::Store => vec![Stage::Share, Stage::Integrate],
            Self::Apply => vec![Stage::Receive, Stage::Share],
            Self::Share => vec![Stage::Receive, Stage::Integrate],
        };
        let options = SyncOptions { skip, ..SyncOptions::default() };
        match self {
            Self::Single => SyncOptions {
                upload_entries: 1,
                download_entries: 1,
                single_batch: true,
                ..options
            },
            _ => options,
        }
    }

    /// Whether it has this stage.
    pub fn does(self, stage: Stage) -> bool {
        !self.options().skip.contains(&stage)
    }
}

/// What a replica does that has so many own entries, to which object; no two write the same values.
pub fn deeds(number: usize, own: usize, write: Write) -> Vec<(usize, Deed)> {
    let first = i64::try_from(10 * (number + 1) + own).expect("a small number");
    (first..).zip(write).map(|(value, (object, kind))| (*object, kind.deed(value))).collect()
}

/// The key of an object.
pub fn key(object: usize) -> Key {
    Key::from(["x", "y"][object])
}

/// The batch that does all this.
pub fn batch(deeds: &[(usize, Deed)]) -> Batch {
    deeds.iter().fold(Batch::new(), |batch, (object, deed)| {
        let filter = Filter::Keys(vec![key(*object)]);
        match deed {
            Deed::Create(sets) => {
                let id = key(*object).single().cloned().unwrap_or_default();
                batch.create(ITEM, fields(*sets).with("id", id))
            }
            Deed::Update(sets) => batch.update(ITEM, filter, fields(*sets)),
            Deed::Delete => batch.delete(ITEM, filter),
        }
    })
}

/// The fields that a write sets.
fn fields(sets: Sets) -> Object {
    let set = FIELDS.into_iter().zip(sets).filter_map(|(name, value)| Some((name, value?)));
    set.fold(Object::new(), |object, (name, value)| object.with(name, value))
}
