//! Segments: a run of one lane, sealed as one unit.

use std::sync::Arc;

use super::{LaneHash, Tip, short_hash};
use crate::value::canonical::{Reader, put_bytes, put_number, put_text};
use crate::{Error, Group, ReplicaId, Result, Stamp};

/// The newest format of segments that this version writes and reads.
pub const FORMAT: u8 = 1;

const CHECKSUM: usize = 16;

/// The most extensions of a header. Empty ones take sixteen times as much memory as they have bytes, so that
/// their number must not be left to whoever sends a segment.
const MOST_EXTENSIONS: usize = 1_000;

/// What a segment says of itself, in clear.
///
/// Every format keeps this layout, so that a reader can keep and pass on what it does not understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// How the body is written.
    pub format: u8,
    /// Whose data this is.
    pub group: Group,
    /// How often the group started over.
    pub group_epoch: u64,
    /// Which run of which lane.
    pub span: Span,
    /// How many entries the body holds.
    pub entries: u64,
    /// The greatest stamp among them.
    pub greatest: Stamp,
    /// The key the body is encrypted with; 0 means not encrypted.
    pub key_epoch: u64,
    /// How the entries are encoded: a [`Codec`](super::Codec)'s number.
    pub codec: u8,
    /// What later versions add.
    pub extensions: Vec<Extension>,
}

/// A run of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Whose lane.
    pub replica: ReplicaId,
    /// The first `seq`.
    pub first: u64,
    /// The last `seq`.
    pub last: u64,
    /// The lane's running hash before the first entry.
    pub before: LaneHash,
    /// The lane's running hash behind the last entry.
    pub after: LaneHash,
}

impl Span {
    /// The place behind the last entry.
    pub fn tip(&self) -> Tip {
        Tip { replica: self.replica, seq: self.last, hash: self.after }
    }

    /// The place before the first entry.
    pub fn root(&self) -> Tip {
        Tip { replica: self.replica, seq: self.first.saturating_sub(1), hash: self.before }
    }

    /// What makes a segment this one, as bytes: logs that number their segments hash what they hold over these.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.replica.0.to_vec();
        put_number(&mut bytes, self.first);
        put_number(&mut bytes, self.last);
        bytes.extend_from_slice(&self.before.0);
        bytes.extend_from_slice(&self.after.0);
        bytes
    }
}

/// What a later version adds to a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Which addition this is; an odd number is critical: who does not know it must not read the body.
    pub id: u64,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Extension {
    /// Whether a reader that does not know this must not read the body.
    pub fn is_critical(&self) -> bool {
        self.id % 2 == 1
    }
}

/// A sealed run of one lane: a header in clear, a body, and a checksum over both.
///
/// Cheap to copy. Bytes that fail their checksum never become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    header: Header,
    bytes: Arc<[u8]>,
    body: (usize, usize),
}

impl Segment {
    /// What the sealed bytes of every format begin with.
    pub const MAGIC: [u8; 4] = *b"SYNL";

    /// Seals a body behind its header.
    pub fn seal(header: Header, body: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(body.len() + 256);
        bytes.extend_from_slice(&Self::MAGIC);
        bytes.push(header.format);
        put_header(&mut bytes, &header);
        put_number(&mut bytes, body.len() as u64);
        let start = bytes.len();
        bytes.extend_from_slice(body);
        let end = bytes.len();
        let checksum = short_hash(&[&bytes]);
        bytes.extend_from_slice(&checksum);
        Self { header, bytes: bytes.into(), body: (start, end) }
    }

    /// Reads sealed bytes and verifies their checksum.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are not those of a whole
    /// segment: they have not arrived.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self> {
        let bytes = bytes.into();
        let damaged = |message| Error::corrupt(message).with("bytes", bytes.len());
        let Some(end) =
            bytes.len().checked_sub(CHECKSUM).filter(|_| bytes.starts_with(&Self::MAGIC))
        else {
            return Err(damaged("this is not a segment"));
        };
        let Some(contents) = bytes.get(Self::MAGIC.len()..end) else {
            return Err(damaged("this is not a segment"));
        };
        if short_hash(&[&bytes[..end]]) != bytes[end..] {
            return Err(damaged("a segment's checksum does not hold"));
        }
        let mut reader = Reader::new(contents);
        let header = read_header(&mut reader)?;
        let length = reader.count()?;
        if length != reader.left() {
            return Err(damaged("a segment's body has another length than its header says"));
        }
        Ok(Self { header, body: (end - length, end), bytes })
    }

    /// What the segment says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Which run of which lane this is.
    pub fn span(&self) -> &Span {
        &self.header.span
    }

    /// The encoded entries.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body.0..self.body.1]
    }

    /// The sealed bytes, as they are stored and sent.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }
}

fn put_header(out: &mut Vec<u8>, header: &Header) {
    put_text(out, header.group.as_str());
    put_number(out, header.group_epoch);
    out.extend_from_slice(&header.span.replica.0);
    put_number(out, header.span.first);
    put_number(out, header.span.last);
    put_number(out, header.entries);
    out.extend_from_slice(&header.greatest.bits().to_be_bytes());
    out.extend_from_slice(&header.span.before.0);
    out.extend_from_slice(&header.span.after.0);
    put_number(out, header.key_epoch);
    out.push(header.codec);
    put_number(out, header.extensions.len() as u64);
    for extension in &header.extensions {
        put_number(out, extension.id);
        put_bytes(out, &extension.bytes);
    }
}

fn read_header(reader: &mut Reader<'_>) -> Result<Header> {
    let format = reader.byte()?;
    let group = reader
        .text()?
        .parse()
        .map_err(|_| Error::corrupt("a segment's group has no valid name"))?;
    let group_epoch = reader.number()?;
    let replica = ReplicaId(reader.array()?);
    let (first, last, entries) = (reader.number()?, reader.number()?, reader.number()?);
    let greatest = Stamp::from_bits(u64::from_be_bytes(reader.array()?))
        .map_err(|_| Error::corrupt("a segment's greatest stamp is invalid"))?;
    let before = LaneHash(reader.array()?);
    let after = LaneHash(reader.array()?);
    if first == 0 || last < first || last > i64::MAX.cast_unsigned() || entries != last - first + 1
    {
        return Err(Error::corrupt("a segment's first, last and number of entries do not fit"));
    }
    let (key_epoch, codec) = (reader.number()?, reader.byte()?);
    let mut extensions = Vec::new();
    let number = reader.count()?;
    if number > MOST_EXTENSIONS {
        return Err(Error::corrupt("a segment's header has more extensions than any"));
    }
    for _ in 0..number {
        extensions.push(Extension { id: reader.number()?, bytes: reader.bytes()?.to_vec() });
    }
    let span = Span { replica, first, last, before, after };
    Ok(Header { format, group, group_epoch, span, entries, greatest, key_epoch, codec, extensions })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Segment {
        let span = Span {
            replica: ReplicaId([7; 16]),
            first: 3,
            last: 4,
            before: LaneHash([1; 16]),
            after: LaneHash([2; 16]),
        };
        let header = Header {
            format: FORMAT,
            group: "g".parse().unwrap(),
            group_epoch: 0,
            span,
            entries: 2,
            greatest: Stamp::at_millis(5),
            key_epoch: 0,
            codec: 3,
            extensions: vec![Extension { id: 4, bytes: vec![9] }],
        };
        Segment::seal(header, b"body")
    }

    #[test]
    fn sealed_bytes_read_back_the_same() {
        let segment = sample();
        let again = Segment::parse(segment.bytes().clone()).unwrap();
        assert_eq!(again, segment);
        assert_eq!(again.body(), b"body");
    }

    #[test]
    fn a_header_has_no_endless_list_of_extensions() {
        for (number, is_fine) in [(1_000, true), (1_001, false)] {
            let mut header = sample().header().clone();
            header.extensions = vec![Extension { id: 0, bytes: Vec::new() }; number];
            let bytes = Segment::seal(header, b"body").bytes().clone();
            assert_eq!(Segment::parse(bytes).is_ok(), is_fine, "{number}");
        }
    }

    #[test]
    fn one_flipped_bit_or_a_missing_end_has_not_arrived() {
        let bytes = sample().bytes().to_vec();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Segment::parse(flipped).is_err(), "bit of byte {at}");
            assert!(Segment::parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
