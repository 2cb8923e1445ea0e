//! Entries: one change to one object.

use super::Context;
use crate::value::canonical::{
    Reader, put_bytes, put_key, put_number, put_object_without, put_text, put_value,
};
use crate::{Error, Key, Name, Object, Result, Stamp};

/// One place in a lane: a change to one object, or nothing at all.
///
/// Its identity is `(replica, seq)`; the lane says the replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the lane: 1, 2, 3 and so on.
    pub seq: u64,
    /// When it was written.
    pub stamp: Stamp,
    /// Whether the next entry belongs to the same batch.
    pub more: bool,
    /// What the writer had applied, if that changed since the lane's previous entry: only what changed.
    pub context: Option<Context>,
    /// What was written; nothing where an entry was withheld and only takes its place.
    pub write: Option<Write>,
    /// What later versions add: an id and bytes. Kept as they are.
    pub extensions: Vec<(u64, Vec<u8>)>,
}

/// A change to one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The schema version in which the collection's definition last changed.
    pub schema: u32,
    /// The collection.
    pub collection: Name,
    /// The object.
    pub key: Key,
    /// What happened to it.
    pub op: Op,
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// It was created with these fields, those of the key left out.
    Create(Object),
    /// These fields were set; null means emptied.
    Update(Object),
    /// It was deleted.
    Delete,
}

impl Op {
    /// Whether a field is set.
    pub fn sets(&self, name: &str) -> bool {
        match self {
            Self::Create(fields) | Self::Update(fields) => fields.contains(name),
            Self::Delete => false,
        }
    }
}

const OP: u8 = 0b11;
const MORE: u8 = 1 << 2;
const CONTEXT: u8 = 1 << 3;
const EXTENDED: u8 = 1 << 4;
const COMPOUND: u8 = 1 << 5;
const KNOWN_FLAGS: u8 = OP | MORE | CONTEXT | EXTENDED | COMPOUND;

impl Entry {
    /// Appends the canonical bytes: stamp, flags, context, schema, collection, key, fields, extensions.
    ///
    /// The `seq` is not among them; a lane says it by the order. The stamp is 6 bytes of milliseconds,
    /// highest first, and the counter. The flags hold the operation (0 none, 1 create, 2 update,
    /// 3 delete) in their lowest two bits, then `more`, whether there is a context, whether there are
    /// extensions, and whether the key is compound.
    pub fn put(&self, out: &mut Vec<u8>) {
        self.put_without(out, &[]);
    }

    /// Appends the canonical bytes as if the fields of these names were not written: those of the key,
    /// which the key says already.
    pub(crate) fn put_without(&self, out: &mut Vec<u8>, left_out: &[Name]) {
        out.extend_from_slice(&self.stamp.millis().to_be_bytes()[2..]);
        put_number(out, self.stamp.counter().into());
        out.push(self.flags());
        if let Some(context) = &self.context {
            context.put(out);
        }
        if let Some(write) = &self.write {
            write.put_without(out, left_out);
        }
        if !self.extensions.is_empty() {
            put_number(out, self.extensions.len() as u64);
            for (id, bytes) in &self.extensions {
                put_number(out, *id);
                put_bytes(out, bytes);
            }
        }
    }

    /// The canonical bytes, as a new vector.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.put(&mut out);
        out
    }

    /// Reads one entry from canonical bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of an entry.
    pub fn read(seq: u64, reader: &mut Reader<'_>) -> Result<Self> {
        let stamp = Self::read_stamp(seq, reader)?;
        let flags = reader.byte()?;
        if flags & !KNOWN_FLAGS != 0 {
            return Err(Error::corrupt("an entry has unknown flags").with("seq", seq));
        }
        let context = (flags & CONTEXT != 0).then(|| Context::read(reader)).transpose()?;
        let write = Write::read(flags, reader)?;
        let mut extensions = Vec::new();
        if flags & EXTENDED != 0 {
            for _ in 0..reader.count()? {
                extensions.push((reader.number()?, reader.bytes()?.to_vec()));
            }
            if extensions.is_empty() {
                return Err(Error::corrupt("an entry announces extensions and has none"));
            }
        }
        Ok(Self { seq, stamp, more: flags & MORE != 0, context, write, extensions })
    }

    /// Reads the stamp that canonical bytes begin with, and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if there is no valid stamp.
    pub fn read_stamp(seq: u64, reader: &mut Reader<'_>) -> Result<Stamp> {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(reader.take(6)?);
        let counter = reader.number()?;
        if counter > 0xffff || u64::from_be_bytes(millis) >= 1 << 47 {
            return Err(Error::corrupt("an entry has an invalid stamp").with("seq", seq));
        }
        Stamp::from_bits(u64::from_be_bytes(millis) << 16 | counter)
    }

    /// Reads one entry that fills all the bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of one entry.
    pub fn from_bytes(seq: u64, bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let entry = Self::read(seq, &mut reader)?;
        reader.end()?;
        Ok(entry)
    }

    fn flags(&self) -> u8 {
        let (op, compound) = match &self.write {
            None => (0, false),
            Some(write) => (write.op.number(), write.key.single().is_none()),
        };
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        op | flag(self.more, MORE)
            | flag(self.context.is_some(), CONTEXT)
            | flag(!self.extensions.is_empty(), EXTENDED)
            | flag(compound, COMPOUND)
    }
}

impl Op {
    /// What the flags of an entry say of it; nothing is 0.
    fn number(&self) -> u8 {
        match self {
            Self::Create(_) => 1,
            Self::Update(_) => 2,
            Self::Delete => 3,
        }
    }
}

impl Write {
    /// Appends the canonical bytes as if the fields of these names were not there.
    fn put_without(&self, out: &mut Vec<u8>, left_out: &[Name]) {
        put_number(out, self.schema.into());
        put_text(out, &self.collection);
        // Most keys have one field: no count for those.
        match self.key.single() {
            Some(value) => put_value(out, value),
            None => put_key(out, &self.key),
        }
        if let Op::Create(fields) | Op::Update(fields) = &self.op {
            put_object_without(out, fields, left_out);
        }
    }

    fn read(flags: u8, reader: &mut Reader<'_>) -> Result<Option<Self>> {
        if flags & OP == 0 {
            return match flags & COMPOUND {
                0 => Ok(None),
                _ => Err(Error::corrupt("an entry without a write announces a compound key")),
            };
        }
        let schema = u32::try_from(reader.number()?)
            .map_err(|_| Error::corrupt("a schema version is out of range"))?;
        let collection = reader.name()?;
        let key = if flags & COMPOUND == 0 { reader.value()?.into() } else { reader.key()? };
        if key.values().len() == 1 && flags & COMPOUND != 0 {
            return Err(Error::corrupt("a key of one field is written as a compound one"));
        }
        let op = match flags & OP {
            1 => Op::Create(reader.object()?),
            2 => Op::Update(reader.object()?),
            _ => Op::Delete,
        };
        Ok(Some(Self { schema, collection, key, op }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    fn entry(write: Option<Write>) -> Entry {
        let stamp = Stamp::at_millis(1_700_000_000_000).next();
        Entry { seq: 7, stamp, more: true, context: None, write, extensions: Vec::new() }
    }

    fn write(key: impl Into<Key>, op: Op) -> Option<Write> {
        Some(Write { schema: 1, collection: "city".into(), key: key.into(), op })
    }

    #[test]
    fn the_test_vectors_of_format_1_hold() {
        let fields = Object::new().with("name", "Vila").with("lat", Value::Null);
        let vectors = [
            (entry(None), "018bcfe56800 01 04"),
            (entry(write("a", Op::Delete)), "018bcfe56800 01 07 01 0463697479 050161"),
            (
                entry(write(1, Op::Create(fields))),
                "018bcfe56800 01 05 01 0463697479 0302 02 036c617400 046e616d65050456696c61",
            ),
        ];
        for (entry, expected) in vectors {
            let bytes = entry.to_bytes();
            assert_eq!(crate::id::hex(&bytes), expected.replace(' ', ""), "{entry:?}");
            assert_eq!(Entry::from_bytes(7, &bytes).unwrap(), entry);
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        let flags_and_rest = [
            ("24", "an entry that writes nothing has no key"),
            ("1400", "no extensions are not announced"),
            ("27 01 0463697479 01 050161", "one value is no compound key"),
            ("44", "an unknown flag"),
        ];
        for (rest, why) in flags_and_rest {
            let bytes = format!("018bcfe5680001{rest}").replace(' ', "");
            let bytes = crate::id::unhex(&bytes).unwrap();
            assert!(Entry::from_bytes(7, &bytes).is_err(), "{why}");
        }
    }

    #[test]
    fn compound_keys_contexts_and_extensions_survive() {
        let key = Key::compound([Value::from("a"), Value::from(3)]);
        let mut full = entry(write(key, Op::Update(Object::new())));
        full.extensions = vec![(9, vec![1, 2])];
        full.context = Some(Context::default());
        assert_eq!(Entry::from_bytes(7, &full.to_bytes()).unwrap(), full);
    }
}
