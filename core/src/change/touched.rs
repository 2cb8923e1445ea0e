//! Which objects were touched, in few bytes: what tabs and processes with one database tell each other.

use super::Change;
use super::live::Trace;
use crate::operation::{Batch, Step};
use crate::schema::{RESERVED, Schema};
use crate::sorted::{SortedMap, SortedSet};
use crate::value::canonical::{Reader, put_key, put_number, put_text};
use crate::value::{Key, Name};
use crate::{Error, ErrorKind, Result};

/// So many keys of one collection are named; where there are more, any of its objects is meant.
const KEYS: usize = 100;

/// So many collections are named; where there are more, all are meant.
const COLLECTIONS: usize = 1_000;

/// The form of the bytes.
const FORM: u8 = 1;

/// Which objects were created, changed or deleted, without what became of them.
///
/// Small however much happened: of a collection with many touched objects it says that any may be meant.
///
/// # Example
///
/// ```
/// use syncline_core::change::Touched;
///
/// let mut touched = Touched::default();
/// touched.add("city", "vila".into());
/// touched.add_all("note");
///
/// let heard = Touched::from_bytes(&touched.to_bytes())?;
/// assert_eq!(heard, touched);
/// assert!(heard.touches("city") && heard.touches("note") && !heard.touches("user"));
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whether any object of any collection is meant.
    everything: bool,
    /// Whether the application wrote some of it, so that there is something to send.
    written: bool,
    /// By collection: the objects, or nothing if any object of it is meant.
    collections: SortedMap<Name, Option<SortedSet<Key>>>,
}

impl Touched {
    /// Any object of any collection: for whoever was not listening for a while.
    pub fn everything() -> Self {
        Self { everything: true, written: true, ..Self::default() }
    }

    /// Adds an object.
    pub fn add(&mut self, collection: impl Into<Name>, key: Key) {
        if let Some(keys) = self.of(collection.into()) {
            let is_full = keys.as_mut().is_some_and(|keys| {
                let _ = keys.insert(key);
                keys.len() > KEYS
            });
            if is_full {
                *keys = None;
            }
        }
    }

    /// Adds all objects of a collection.
    pub fn add_all(&mut self, collection: impl Into<Name>) {
        if let Some(keys) = self.of(collection.into()) {
            *keys = None;
        }
    }

    /// Adds all that another one names.
    pub fn merge(&mut self, other: Self) {
        self.written |= other.written;
        if other.everything {
            self.name_everything();
        }
        for (collection, keys) in other.collections {
            match keys {
                Some(keys) => keys.into_iter().for_each(|key| self.add(collection.clone(), key)),
                None => self.add_all(collection),
            }
        }
    }

    /// Whether no object is meant.
    pub fn is_empty(&self) -> bool {
        !self.everything && !self.written && self.collections.is_empty()
    }

    /// Whether some of it is the application's own writing, which a sync would send.
    pub fn is_written(&self) -> bool {
        self.written
    }

    /// The same, and some of it is the application's own writing.
    #[must_use]
    pub fn and_written(mut self) -> Self {
        self.written = true;
        self
    }

    /// Whether objects of this collection are meant.
    pub fn touches(&self, collection: &str) -> bool {
        self.everything || self.collections.contains_key(collection)
    }

    /// The objects of this collection that are meant, none if it is not touched; nothing if any object of it
    /// may be meant.
    pub fn keys(&self, collection: &str) -> Option<impl Iterator<Item = &Key>> {
        let known = match self.collections.get(collection) {
            _ if self.everything => None,
            Some(keys) => keys.as_ref().map(Some),
            None => Some(None),
        };
        known.map(|keys| keys.into_iter().flatten())
    }

    /// The collections that are touched, by name; nothing if any collection may be.
    pub fn collections(&self) -> Option<impl Iterator<Item = &Name>> {
        (!self.everything).then(|| self.collections.keys())
    }

    /// As bytes, for another tab or process.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flags = u8::from(self.everything) | u8::from(self.written) << 1;
        let mut out = vec![FORM, flags];
        put_number(&mut out, self.collections.len() as u64);
        for (collection, keys) in &self.collections {
            put_text(&mut out, collection);
            // Counted from 1: 0 means that any object is meant.
            put_number(&mut out, keys.as_ref().map_or(0, |keys| keys.len() as u64 + 1));
            keys.iter().flatten().for_each(|key| put_key(&mut out, key));
        }
        out
    }

    /// From such bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if another version of Syncline wrote them, [`ErrorKind::Corrupt`] if none
    /// did. Something was touched all the same: take it for [`everything`](Self::everything).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let form = reader.byte()?;
        let flags = reader.byte()?;
        if form != FORM || flags > 3 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "another version of Syncline tells what it touched; take it for everything",
            )
            .with("form", form));
        }
        let mut touched =
            Self { everything: flags & 1 != 0, written: flags & 2 != 0, ..Self::default() };
        for _ in 0..reader.count()? {
            let collection = Name::from(reader.text()?);
            let Some(keys) = reader.number()?.checked_sub(1) else {
                touched.add_all(collection);
                continue;
            };
            for _ in 0..keys {
                touched.add(collection.clone(), reader.key()?);
            }
        }
        reader.end()?;
        Ok(touched)
    }

    /// What a batch is about to touch, as far as it says so itself. What Syncline keeps for itself is left out.
    pub(super) fn of_batch(batch: &Batch, schema: &Schema) -> Self {
        let mut touched = Self::default();
        for step in &batch.steps {
            let name = step.collection();
            if name.starts_with(RESERVED) || matches!(step, Step::Guard(_)) || touched.is_full(name)
            {
                continue;
            }
            let definition = schema.get(name);
            let keys = definition.and_then(|definition| match step {
                Step::Create(create) => definition.key_of(&create.object).map(|key| vec![key]),
                Step::Update { filter, .. } | Step::Delete { filter, .. } => {
                    definition.keys_in(filter)
                }
                Step::Guard(_) => Some(Vec::new()),
            });
            match keys {
                Some(keys) => keys.into_iter().for_each(|key| touched.add(name.clone(), key)),
                None => touched.add_all(name.clone()),
            }
        }
        touched.written = !touched.collections.is_empty() || touched.everything;
        touched
    }

    /// What a sync changed.
    pub(crate) fn of_changes(changes: &[Change]) -> Self {
        let mut touched = Self::default();
        for change in changes.iter().filter(|change| !change.collection.starts_with(RESERVED)) {
            touched.add(change.collection.clone(), change.key.clone());
        }
        touched
    }

    /// What this says of a collection.
    pub(super) fn trace(&self, collection: &str) -> Trace<'_> {
        match self.collections.get(collection) {
            Some(Some(keys)) => Trace::Touched(keys),
            _ => Trace::Anything,
        }
    }

    fn is_full(&self, collection: &str) -> bool {
        self.everything || matches!(self.collections.get(collection), Some(None))
    }

    fn name_everything(&mut self) {
        self.everything = true;
        self.collections.clear();
    }

    /// What is known of a collection, to be added to; nothing if all collections are meant anyway.
    fn of(&mut self, collection: Name) -> Option<&mut Option<SortedSet<Key>>> {
        if self.collections.len() >= COLLECTIONS && !self.collections.contains_key(&collection) {
            self.name_everything();
        }
        if self.everything {
            return None;
        }
        Some(self.collections.get_or_insert_with(collection, || Some(SortedSet::new())))
    }
}
