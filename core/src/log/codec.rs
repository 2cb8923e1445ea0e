//! How a segment's entries become bytes.

use super::deflate::inflate;
use super::{Entry, json};
use crate::value::canonical::Reader;
use crate::{Error, ErrorKind, Result};

/// How the body of a segment is written; its number stands in the header.
///
/// The lane's running hash goes over the canonical bytes of the entries, whatever the codec, so one
/// lane can be sent in different ways to different places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    /// JSON that people can read.
    Json,
    /// The same, compressed (DEFLATE).
    JsonDeflate,
    /// The canonical bytes, one entry behind the other: the fastest.
    #[default]
    Packed,
    /// The same, compressed (DEFLATE): the smallest.
    PackedDeflate,
}

impl Codec {
    /// All codecs, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Json, Self::JsonDeflate, Self::Packed, Self::PackedDeflate];

    /// The number that stands in headers.
    pub fn number(self) -> u8 {
        match self {
            Self::Json => 1,
            Self::JsonDeflate => 2,
            Self::Packed => 3,
            Self::PackedDeflate => 4,
        }
    }

    /// The codec with this number.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] if this version knows none: a newer one wrote it.
    pub fn from_number(number: u8) -> Result<Self> {
        Self::ALL.into_iter().find(|codec| codec.number() == number).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "a segment has an unknown codec; update")
                .with("codec", number)
        })
    }

    /// Encodes entries whose canonical bytes stand one behind the other.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] if the bytes are not those of entries.
    pub fn encode(self, first: u64, canonical: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Packed => Ok(canonical.to_vec()),
            Self::PackedDeflate => deflate(canonical),
            Self::Json => Ok(json::encode(&read_all(first, canonical)?)),
            Self::JsonDeflate => deflate(&json::encode(&read_all(first, canonical)?)),
        }
    }

    /// Decodes a body: takes each entry with its canonical bytes.
    pub(crate) fn each(
        self,
        first: u64,
        body: &[u8],
        mut take: impl FnMut(Entry, &[u8]),
    ) -> Result<()> {
        match self {
            Self::Packed => each_of(first, body, take),
            Self::PackedDeflate => each_of(first, &inflate(body)?, take),
            Self::Json | Self::JsonDeflate => {
                let mut canonical = Vec::with_capacity(512);
                for entry in self.decode(first, body)? {
                    canonical.clear();
                    entry.put(&mut canonical);
                    take(entry, &canonical);
                }
                Ok(())
            }
        }
    }

    /// Decodes a body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] if the body is not what this codec writes, or unfolds to more than
    /// 256 MiB.
    pub fn decode(self, first: u64, body: &[u8]) -> Result<Vec<Entry>> {
        match self {
            Self::Packed => read_all(first, body),
            Self::PackedDeflate => read_all(first, &inflate(body)?),
            Self::Json => json::decode(first, body),
            Self::JsonDeflate => json::decode(first, &inflate(body)?),
        }
    }
}

fn read_all(first: u64, bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    each_of(first, bytes, |entry, _| entries.push(entry))?;
    Ok(entries)
}

/// Takes each entry of canonical bytes, with its own bytes: an entry has one spelling, so that they need not
/// be written anew to be hashed.
fn each_of(first: u64, bytes: &[u8], mut take: impl FnMut(Entry, &[u8])) -> Result<()> {
    let mut reader = Reader::new(bytes);
    let mut seq = first;
    while reader.left() > 0 {
        let rest = reader.rest();
        let entry = Entry::read(seq, &mut reader)?;
        take(entry, &rest[..rest.len() - reader.left()]);
        seq += 1;
    }
    Ok(())
}

fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    super::deflate::deflate(bytes, &mut out).map(|()| out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Context, Op, Write};
    use crate::{Key, Object, Stamp, Value};

    #[test]
    fn every_codec_gives_back_every_kind_of_entry() {
        let fields = Object::new()
            .with("none", Value::Null)
            .with("yes", true)
            .with("int", i64::MIN)
            .with("float", 0.1 + 0.2)
            .with("text", "é\0\"")
            .with("bytes", vec![0_u8, 255])
            .with("time", Value::Timestamp(-1))
            .with("json", serde_json::json!({"float": 0.1, "b": [null, 1e300]}));
        let entry = |seq, op: Option<Op>| Entry {
            seq,
            stamp: Stamp::at_millis(5).next(),
            more: seq == 1,
            context: (seq == 2).then(Context::default),
            write: op.map(|op| Write {
                schema: 3,
                collection: "c".into(),
                key: Key::compound([Value::from("k"), Value::from(1)]),
                op,
            }),
            extensions: if seq == 3 { vec![(1, vec![2])] } else { Vec::new() },
        };
        let ops =
            [Some(Op::Create(fields.clone())), Some(Op::Update(fields)), Some(Op::Delete), None];
        let entries: Vec<Entry> =
            ops.into_iter().zip(1..).map(|(op, seq)| entry(seq, op)).collect();
        let mut canonical = Vec::new();
        entries.iter().for_each(|entry| entry.put(&mut canonical));
        for codec in Codec::ALL {
            let body = codec.encode(1, &canonical).unwrap();
            assert_eq!(codec.decode(1, &body).unwrap(), entries, "{codec:?}");
            assert_eq!(Codec::from_number(codec.number()).unwrap(), codec);
        }
        assert_eq!(Codec::from_number(9).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
