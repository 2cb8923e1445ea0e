//! What all entries about one object came to.

use super::{Author, Incoming};
use crate::bug::{self, Bug};
use crate::log::{Op, short_hash};
use crate::sorted::{SortedMap, SortedSet};
use crate::value::canonical::{Reader, put_number, put_object, put_text, put_value};
use crate::{Error, Name, Object, Result, Value};

/// What all entries about one object came to: its greatest delete, every create above it, and the winner
/// of each field above it, even while the object does not exist.
///
/// Folding an entry in never changes a later answer, whatever comes next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    dead: Option<Author>,
    creates: SortedSet<Author>,
    fields: SortedMap<Name, (Author, Value)>,
    /// What a reconciler could not fold; [`FieldLww`](super::FieldLww) keeps nothing.
    pub kept: Vec<Incoming>,
}

/// One entry's effect on a field: what lost, and against whom.
pub(super) struct Lost {
    pub field: Option<Name>,
    pub value: Value,
    pub loser: Author,
    pub winner: Author,
}

/// The object was created once and nothing else happened: storage's row holds the values.
const WHOLE: u8 = 1;
/// Everything is written out.
const FULL: u8 = 2;

impl History {
    /// Folds one entry in; folding it in again changes nothing.
    pub fn add(&mut self, author: Author, op: &Op) {
        let mut ignored = Vec::new();
        self.add_telling(author, op, &mut ignored);
    }

    /// The same, telling which values of other replicas lost.
    pub(super) fn add_telling(&mut self, author: Author, op: &Op, lost: &mut Vec<Lost>) {
        match op {
            Op::Delete => self.delete(author, lost),
            Op::Create(fields) | Op::Update(fields) => {
                if let Some(dead) = self.dead.filter(|dead| *dead >= author) {
                    let value = Value::Null;
                    lost.push(Lost { field: None, value, loser: author, winner: dead });
                    return;
                }
                if bug::is(Bug::DropsEarlyUpdates)
                    && matches!(op, Op::Update(_))
                    && self.creates.is_empty()
                {
                    return;
                }
                if matches!(op, Op::Create(_)) {
                    let _ = self.creates.insert(author);
                }
                for (name, value) in fields.iter() {
                    self.set(author, name, value, lost);
                }
            }
        }
    }

    fn delete(&mut self, author: Author, lost: &mut Vec<Lost>) {
        if self.dead.is_some_and(|dead| dead >= author) {
            return;
        }
        self.dead = Some(author);
        self.creates.retain(|create| *create > author);
        self.fields.retain(|name, (writer, value)| {
            if *writer < author {
                let (field, value) = (Some(name.clone()), std::mem::take(value));
                lost.push(Lost { field, value, loser: *writer, winner: author });
            }
            *writer > author
        });
    }

    fn set(&mut self, author: Author, name: &Name, value: &Value, lost: &mut Vec<Lost>) {
        match self.fields.get_mut(name) {
            None => drop(self.fields.insert(name.clone(), (author, value.clone()))),
            Some((winner, _)) if bug::is(Bug::TieKeepsLocal) && winner.stamp == author.stamp => {}
            Some((winner, held)) if *winner < author => {
                let loser = std::mem::replace(winner, author);
                let old = std::mem::replace(held, value.clone());
                if old != *value {
                    let field = Some(name.clone());
                    lost.push(Lost { field, value: old, loser, winner: author });
                }
            }
            Some((winner, held)) if *winner > author && held != value => {
                let (field, value) = (Some(name.clone()), value.clone());
                lost.push(Lost { field, value, loser: author, winner: *winner });
            }
            Some(_) => {}
        }
    }

    /// The values above the last delete that nothing brings to light: no create stands between the two.
    pub(super) fn hidden(&self) -> impl Iterator<Item = Lost> {
        let born = self.creates.first();
        self.dead.into_iter().flat_map(move |winner| {
            let hidden = move |(loser, value): &&(Author, Value)| {
                born.is_none_or(|born| loser < born) && !value.is_null()
            };
            self.fields.iter().filter(move |(_, held)| hidden(held)).map(
                move |(name, (loser, value))| Lost {
                    field: Some(name.clone()),
                    value: value.clone(),
                    loser: *loser,
                    winner,
                },
            )
        })
    }

    /// The object as the law has it: its fields without those of the key, null left out; nothing if it
    /// does not exist.
    pub fn object(&self) -> Option<Object> {
        let greatest = bug::is(Bug::GreatestCreate);
        let born = if greatest { self.creates.last()? } else { self.creates.first()? };
        let visible = self.fields.iter().filter(|(_, (author, _))| author >= born);
        let there = visible.filter(|(_, (_, value))| !value.is_null());
        // They are sorted: none has to look for its place.
        let fields: Vec<_> =
            there.map(|(name, (_, value))| (name.clone(), value.clone())).collect();
        Some(Object::from(fields))
    }

    /// Whether the object exists.
    pub fn exists(&self) -> bool {
        !self.creates.is_empty()
    }

    /// Whether the object was ever deleted.
    pub fn was_deleted(&self) -> bool {
        self.dead.is_some()
    }

    /// Every field that an entry above the last delete set, be it visible or not.
    pub fn fields(&self) -> impl Iterator<Item = &Name> {
        self.fields.keys()
    }

    /// The greatest stamp that was ever applied to the object.
    pub fn greatest(&self) -> Option<Author> {
        let fields = self.fields.values().map(|(author, _)| *author);
        let kept = self.kept.iter().map(|entry| entry.author);
        fields.chain(kept).chain(self.creates.last().copied()).chain(self.dead).max()
    }

    /// Everyone who is named in this history.
    pub fn authors(&self) -> impl Iterator<Item = Author> {
        let fields = self.fields.values().map(|(author, _)| *author);
        self.dead.into_iter().chain(self.creates.iter().copied()).chain(fields)
    }

    /// The bytes to store beside a row that looks so, its key left out.
    ///
    /// An object that was created once, and whose row holds just what the create said, needs no values:
    /// they are in the row, and eight bytes of hash tell whether the row was changed behind our back.
    pub fn to_bytes(&self, row: Option<&Object>) -> Vec<u8> {
        if let (Some(author), Some(row)) = (self.only_create(), row)
            && self.holds_exactly(row)
        {
            return Self::of_create(author, row);
        }
        let mut out = Vec::with_capacity(512);
        out.push(FULL);
        self.put_full(&mut out);
        out
    }

    /// The bytes to store beside a row that a single create made, and that holds just what it said.
    pub(crate) fn of_create(author: Author, row: &Object) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        out.push(WHOLE);
        author.put(&mut out);
        out.extend_from_slice(&digest(row));
        out
    }

    /// Reads stored bytes; `row` is the row beside them, its key left out.
    ///
    /// `Ok(None)` means that the row was changed by somebody who did not log it, and the values that
    /// the history relies on are gone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a history.
    pub fn from_bytes(bytes: &[u8], row: Option<&Object>) -> Result<Option<Self>> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            WHOLE => {
                let author = Author::read(&mut reader)?;
                let expected: [u8; 8] = reader.array()?;
                reader.end()?;
                let Some(row) = row.filter(|row| digest(row) == expected) else { return Ok(None) };
                let mut history = Self::default();
                history.add(author, &Op::Create(row.clone()));
                Ok(Some(history))
            }
            FULL => {
                let history = Self::read_full(&mut reader)?;
                reader.end()?;
                Ok(Some(history))
            }
            tag => Err(Error::corrupt("a history has an unknown form").with("tag", tag)),
        }
    }

    /// The create that is stored without values, if this is the short form: the greatest stamp can be
    /// read without the row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a history.
    pub fn greatest_in(bytes: &[u8]) -> Result<Option<Author>> {
        let mut reader = Reader::new(bytes);
        match reader.byte()? {
            WHOLE => Author::read(&mut reader).map(Some),
            FULL => Self::read_full(&mut reader).map(|history| history.greatest()),
            tag => Err(Error::corrupt("a history has an unknown form").with("tag", tag)),
        }
    }

    /// Reads stored bytes beside a row that own entries have changed since: `touched` says in which fields.
    /// The short form then leaves those fields out; the entries that touched them are folded in next.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a history.
    pub fn from_bytes_before(
        bytes: &[u8],
        row: Option<&Object>,
        touched: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        if let Some(history) = Self::from_bytes(bytes, row)? {
            return Ok(history);
        }
        let mut reader = Reader::new(bytes);
        let _whole = reader.byte()?;
        let mut untouched = row.cloned().unwrap_or_default();
        untouched.retain(|name, _| !touched(name));
        let mut history = Self::default();
        history.add(Author::read(&mut reader)?, &Op::Create(untouched));
        Ok(history)
    }

    /// Whether stored bytes know of a create or a delete, and not of edits alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a history.
    pub fn speaks_of_life(bytes: &[u8]) -> Result<bool> {
        if Self::needs_row(bytes) {
            return Ok(true);
        }
        let history = Self::from_bytes(bytes, None)?;
        // What another reconciler keeps is known to it alone.
        let knows =
            |history: Self| history.exists() || history.was_deleted() || !history.kept.is_empty();
        Ok(history.is_some_and(knows))
    }

    /// Whether stored bytes leave the values to the row.
    pub fn needs_row(bytes: &[u8]) -> bool {
        bytes.first() == Some(&WHOLE)
    }

    fn only_create(&self) -> Option<Author> {
        let mut creates = self.creates.iter();
        let (only, None) = (creates.next()?, creates.next()) else { return None };
        let theirs = self.fields.values().all(|(author, value)| author == only && !value.is_null());
        (theirs && self.dead.is_none() && self.kept.is_empty()).then_some(*only)
    }

    fn holds_exactly(&self, row: &Object) -> bool {
        row.len() == self.fields.len()
            && row
                .iter()
                .zip(&self.fields)
                .all(|((name, value), (own, (_, held)))| name == own && value == held)
    }

    fn put_full(&self, out: &mut Vec<u8>) {
        put_number(out, self.dead.iter().count() as u64);
        self.dead.iter().for_each(|author| author.put(out));
        let most = if bug::is(Bug::FoldingForgetsCreates) { 1 } else { usize::MAX };
        put_number(out, self.creates.iter().take(most).count() as u64);
        self.creates.iter().take(most).for_each(|author| author.put(out));
        // Most objects have one or two writers.
        let mut writers: Vec<Author> = Vec::with_capacity(4);
        for (author, _) in self.fields.values() {
            if let Err(at) = writers.binary_search(author) {
                writers.insert(at, *author);
            }
        }
        put_number(out, writers.len() as u64);
        for writer in writers {
            writer.put(out);
            let theirs = || self.fields.iter().filter(|(_, (author, _))| *author == writer);
            put_number(out, theirs().count() as u64);
            for (name, (_, value)) in theirs() {
                put_text(out, name);
                put_value(out, value);
            }
        }
        put_number(out, self.kept.len() as u64);
        for Incoming { author, op } in &self.kept {
            author.put(out);
            let (tag, fields) = match op {
                Op::Create(fields) => (1, Some(fields)),
                Op::Update(fields) => (2, Some(fields)),
                Op::Delete => (3, None),
            };
            out.push(tag);
            fields.iter().for_each(|fields| put_object(out, fields));
        }
    }

    fn read_full(reader: &mut Reader<'_>) -> Result<Self> {
        let unsorted = || Error::corrupt("a history is not sorted");
        let mut history = Self::default();
        match reader.count()? {
            0 => {}
            1 => history.dead = Some(Author::read(reader)?),
            _ => return Err(Error::corrupt("a history has more than one greatest delete")),
        }
        for _ in 0..reader.count()? {
            let create = Author::read(reader)?;
            if history.creates.last().is_some_and(|last| *last >= create) {
                return Err(unsorted());
            }
            let _ = history.creates.insert(create);
        }
        let mut last_writer = None;
        for _ in 0..reader.count()? {
            let writer = Author::read(reader)?;
            if last_writer.is_some_and(|last| last >= writer) {
                return Err(unsorted());
            }
            last_writer = Some(writer);
            history.read_fields(writer, reader)?;
        }
        for _ in 0..reader.count()? {
            let author = Author::read(reader)?;
            let op = match reader.byte()? {
                1 => Op::Create(reader.object()?),
                2 => Op::Update(reader.object()?),
                3 => Op::Delete,
                tag => {
                    return Err(
                        Error::corrupt("a history keeps an unknown operation").with("tag", tag)
                    );
                }
            };
            history.kept.push(Incoming { author, op });
        }
        Ok(history)
    }

    /// What one writer won.
    fn read_fields(&mut self, writer: Author, reader: &mut Reader<'_>) -> Result<()> {
        let count = reader.count()?;
        let mut last: Option<&str> = None;
        for _ in 0..count {
            let name = reader.text()?;
            let is_new = self.fields.insert(Name::from(name), (writer, reader.value()?)).is_none();
            if !is_new || last.is_some_and(|last| last >= name) {
                return Err(Error::corrupt("a history names fields twice, or not in order"));
            }
            last = Some(name);
        }
        if count == 0 {
            return Err(Error::corrupt("a history names a writer of nothing"));
        }
        Ok(())
    }
}

/// Eight bytes that tell whether a row was changed.
fn digest(row: &Object) -> [u8; 8] {
    let mut bytes = Vec::with_capacity(512);
    put_object(&mut bytes, row);
    let hash = short_hash(&[&bytes]);
    let mut digest = [0; 8];
    digest.copy_from_slice(&hash[..8]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ReplicaId, Stamp};

    fn author(seq: u64) -> Author {
        Author { stamp: Stamp::at_millis(5), replica: ReplicaId([1; 16]), seq, tie: 0 }
    }

    /// The long form: deletes, creates, and fields by writer; nothing is kept.
    fn bytes(dead: &[u64], creates: &[u64], fields: &[(u64, &[&str])]) -> Vec<u8> {
        let mut out = vec![FULL];
        for authors in [dead, creates] {
            put_number(&mut out, authors.len() as u64);
            authors.iter().for_each(|seq| author(*seq).put(&mut out));
        }
        put_number(&mut out, fields.len() as u64);
        for (writer, names) in fields {
            author(*writer).put(&mut out);
            put_number(&mut out, names.len() as u64);
            for name in *names {
                put_text(&mut out, name);
                put_value(&mut out, &Value::Null);
            }
        }
        out.push(0);
        out
    }

    #[test]
    fn only_the_one_spelling_of_a_history_is_read() {
        let good = bytes(&[1], &[2, 3], &[(2, &["a", "c"]), (3, &["b"])]);
        let history = History::from_bytes(&good, None).unwrap().unwrap();
        assert_eq!(history.to_bytes(None), good);
        let bad = [
            bytes(&[1, 2], &[], &[]),
            bytes(&[], &[3, 2], &[]),
            bytes(&[], &[2, 2], &[]),
            bytes(&[], &[], &[(3, &["b"]), (2, &["a"])]),
            bytes(&[], &[], &[(2, &["a"]), (2, &["b"])]),
            bytes(&[], &[], &[(2, &["b", "a"])]),
            bytes(&[], &[], &[(2, &["a"]), (3, &["a"])]),
            bytes(&[], &[], &[(2, &[])]),
        ];
        for (at, bytes) in bad.iter().enumerate() {
            assert!(History::from_bytes(bytes, None).is_err(), "the one at {at}");
        }
    }
}
