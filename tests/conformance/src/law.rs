//! The law of merging as a naive model: written from its wording, without anything of the engine's merging.

use std::collections::BTreeMap;

use syncline_core::log::Op;
use syncline_core::merge::Author;
use syncline_core::{Key, Name, Object};

/// An object's name: its collection and its key.
pub type ObjectId = (Name, Key);

/// Rows by object, the key's fields left out.
pub type Rows = BTreeMap<ObjectId, Object>;

/// Entries by the object they are about.
pub type Entries = BTreeMap<ObjectId, BTreeMap<Author, Op>>;

/// What the law says of one object.
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
/// use syncline_conformance::law;
/// use syncline_core::log::Op;
/// use syncline_core::merge::Author;
/// use syncline_core::{Object, Stamp};
///
/// let at = |millis| Author { stamp: Stamp::at_millis(millis), ..Author::default() };
/// let title = |text: &str| Object::new().with("title", text);
/// let mut entries = BTreeMap::new();
/// entries.insert(at(2), Op::Update(title("late")));
/// assert_eq!(law::object(&entries), None, "an update waits for its create");
/// entries.insert(at(1), Op::Create(title("early")));
/// assert_eq!(law::object(&entries), Some(title("late")));
/// ```
pub fn object(entries: &BTreeMap<Author, Op>) -> Option<Object> {
    let dead = entries.iter().filter(|(_, op)| matches!(op, Op::Delete)).map(|(by, _)| *by).max();
    let creates = entries.iter().filter(|(_, op)| matches!(op, Op::Create(_))).map(|(by, _)| *by);
    let born = creates.filter(|by| dead.is_none_or(|dead| *by > dead)).min()?;
    let winners = winners(entries);
    let lives = winners.into_iter().filter(|(_, (by, _))| *by >= born);
    let fields = lives.map(|(name, (_, fields))| (name.clone(), fields.value(name).clone()));
    Some(fields.filter(|(_, value)| !value.is_null()).collect())
}

/// The greatest entry that sets each field, with the fields that it sets.
pub fn winners(entries: &BTreeMap<Author, Op>) -> BTreeMap<&Name, (Author, &Object)> {
    let mut winners = BTreeMap::new();
    for (by, op) in entries {
        if let Op::Create(fields) | Op::Update(fields) = op {
            winners.extend(fields.iter().map(|(name, _)| (name, (*by, fields))));
        }
    }
    winners
}

/// What the law says of all objects.
pub fn rows(entries: &Entries) -> Rows {
    let there = entries.iter().filter_map(|(id, entries)| Some((id.clone(), object(entries)?)));
    there.collect()
}
