//! Bodies in bytes: numbers as varints, everything of unknown length behind its length.
//!
//! Each begins with a byte that names what it is, so that one is never taken for another.

use syncline_core::log::{
    After, Append, AppendIf, Cursor, Damage, Exchange, Exchanged, Fetch, Fetched, LaneHash,
    Receipt, Segment, Span, Tip, VersionVector,
};
use syncline_core::value::canonical::{Reader, put_bytes, put_number, put_signed, put_text};
use syncline_core::{Error, ReplicaId, Result};

const EXCHANGE: u8 = b'X';
const EXCHANGED: u8 = b'x';
const SEGMENTS: u8 = b'S';
const VECTOR: u8 = b'V';

/// A segment from this size on is a part of its own.
const WORTH_A_PART: usize = 16 << 10;

/// The body of an exchange.
pub fn write_exchange(exchange: &Exchange) -> Vec<u8> {
    let mut out = vec![EXCHANGE];
    out.extend_from_slice(&exchange.replica.0);
    out.push(u8::from(exchange.join));
    put_option(&mut out, exchange.acknowledge.as_ref(), |out, known| {
        put_bytes(out, &known.to_bytes())
    });
    put_option(&mut out, exchange.fetch.as_ref(), put_fetch);
    put_option(&mut out, exchange.append.as_ref(), put_append);
    out
}

/// Reads the body of an exchange.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](syncline_core::ErrorKind::Corrupt) if it is none, or if a segment's checksum does
/// not hold.
pub fn read_exchange(bytes: &[u8]) -> Result<Exchange> {
    let mut reader = begin(bytes, EXCHANGE)?;
    let replica = ReplicaId(reader.array()?);
    let join = flag(&mut reader)?;
    let acknowledge = option(&mut reader, |reader| VersionVector::from_bytes(reader.bytes()?))?;
    let fetch = option(&mut reader, |reader| read_fetch(reader, replica))?;
    let append = option(&mut reader, read_append)?;
    reader.end()?;
    Ok(Exchange { replica, join, acknowledge, fetch, append })
}

/// The body of the answer to an exchange.
pub fn write_exchanged(exchanged: &Exchanged) -> Vec<u8> {
    let parts = exchanged_parts(exchanged);
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.as_ref().len()).sum());
    parts.iter().for_each(|part| out.extend_from_slice(part.as_ref()));
    out
}

/// A part of a body.
#[derive(Clone, Debug)]
pub enum Part {
    /// A segment where it is, because a copy would be most of the body once more.
    Segment(Segment),
    /// What stands between segments, and small ones.
    Written(Vec<u8>),
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Segment(segment) => segment.bytes(),
            Self::Written(bytes) => bytes,
        }
    }
}

/// The body of the answer to an exchange in parts, none of them empty: one behind the other they are that body.
pub fn exchanged_parts(exchanged: &Exchanged) -> Vec<Part> {
    let (mut parts, mut out) = (Vec::new(), vec![EXCHANGED]);
    out.push(u8::from(exchanged.fetched.is_some()));
    if let Some(fetched) = &exchanged.fetched {
        put_number(&mut out, fetched.segments.len() as u64);
        for segment in &fetched.segments {
            let bytes = segment.bytes();
            put_number(&mut out, bytes.len() as u64);
            if bytes.len() < WORTH_A_PART {
                out.extend_from_slice(bytes);
            } else {
                parts.push(Part::Written(std::mem::take(&mut out)));
                parts.push(Part::Segment(segment.clone()));
            }
        }
        put_behind_segments(&mut out, fetched);
    }
    put_option(&mut out, exchanged.receipts.as_ref(), |out, receipts| {
        put_number(out, receipts.len() as u64);
        out.extend(receipts.iter().map(|receipt| u8::from(*receipt == Receipt::Known)));
    });
    parts.push(Part::Written(out));
    parts
}

/// Reads the body of the answer to an exchange.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](syncline_core::ErrorKind::Corrupt) if it is none, or if a segment's checksum does
/// not hold.
pub fn read_exchanged(bytes: &[u8]) -> Result<Exchanged> {
    let mut reader = begin(bytes, EXCHANGED)?;
    let fetched = option(&mut reader, read_fetched)?;
    let receipts = option(&mut reader, |reader| {
        let mut receipts = Vec::new();
        for _ in 0..reader.count()? {
            receipts.push(if flag(reader)? { Receipt::Known } else { Receipt::Stored });
        }
        Ok(receipts)
    })?;
    reader.end()?;
    Ok(Exchanged { fetched, receipts })
}

/// The body of an append of its own.
pub fn write_segments(segments: &[Segment]) -> Vec<u8> {
    let mut out = vec![SEGMENTS];
    put_segments(&mut out, segments);
    out
}

/// Reads the body of an append of its own.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](syncline_core::ErrorKind::Corrupt) if it is none, or if a segment's checksum does
/// not hold.
pub fn read_segments(bytes: &[u8]) -> Result<Vec<Segment>> {
    let mut reader = begin(bytes, SEGMENTS)?;
    let segments = segments(&mut reader)?;
    reader.end()?;
    Ok(segments)
}

/// The body of an acknowledgement.
pub fn write_vector(known: &VersionVector) -> Vec<u8> {
    let mut out = vec![VECTOR];
    put_bytes(&mut out, &known.to_bytes());
    out
}

/// Reads the body of an acknowledgement.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](syncline_core::ErrorKind::Corrupt) if it is none.
pub fn read_vector(bytes: &[u8]) -> Result<VersionVector> {
    let mut reader = begin(bytes, VECTOR)?;
    let known = VersionVector::from_bytes(reader.bytes()?)?;
    reader.end()?;
    Ok(known)
}

fn put_fetch(out: &mut Vec<u8>, fetch: &Fetch) {
    match &fetch.after {
        After::Cursor(cursor) => {
            out.push(0);
            put_bytes(out, &cursor.0);
        }
        After::Known(known) => {
            out.push(1);
            put_bytes(out, &known.to_bytes());
        }
    }
    put_number(out, fetch.limit_bytes as u64);
    put_number(out, fetch.limit_entries);
}

fn read_fetch(reader: &mut Reader<'_>, replica: ReplicaId) -> Result<Fetch> {
    let after = match (reader.byte()?, reader.bytes()?) {
        (0, cursor) => After::Cursor(Cursor(cursor.to_vec())),
        (1, known) => After::Known(VersionVector::from_bytes(known)?),
        _ => return Err(unknown()),
    };
    let limit_bytes = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
    Ok(Fetch { replica, after, limit_bytes, limit_entries: reader.number()? })
}

fn put_append(out: &mut Vec<u8>, append: &Append) {
    match &append.only_if {
        AppendIf::Always => out.push(0),
        AppendIf::LaneEndsAt(None) => out.push(1),
        AppendIf::LaneEndsAt(Some(tip)) => {
            out.push(2);
            put_tip(out, tip);
        }
    }
    out.push(u8::from(append.frozen));
    put_segments(out, &append.segments);
}

fn read_append(reader: &mut Reader<'_>) -> Result<Append> {
    let only_if = match reader.byte()? {
        0 => AppendIf::Always,
        1 => AppendIf::LaneEndsAt(None),
        2 => AppendIf::LaneEndsAt(Some(tip(reader)?)),
        _ => return Err(unknown()),
    };
    let frozen = flag(reader)?;
    Ok(Append { segments: segments(reader)?, only_if, frozen })
}

fn put_behind_segments(out: &mut Vec<u8>, fetched: &Fetched) {
    put_bytes(out, &fetched.cursor.0);
    out.push(u8::from(fetched.more));
    put_number(out, fetched.own.len() as u64);
    for tip in &fetched.own {
        put_tip(out, tip);
    }
    put_option(out, fetched.time.as_ref(), |out, time| put_signed(out, *time));
    put_number(out, fetched.damaged.len() as u64);
    for damage in &fetched.damaged {
        put_text(out, &damage.place);
        put_text(out, &damage.reason);
        put_option(out, damage.span.as_ref(), put_span);
    }
}

fn read_fetched(reader: &mut Reader<'_>) -> Result<Fetched> {
    let segments = segments(reader)?;
    let cursor = Cursor(reader.bytes()?.to_vec());
    let more = flag(reader)?;
    let mut own = Vec::new();
    for _ in 0..reader.count()? {
        own.push(tip(reader)?);
    }
    let time = option(reader, Reader::signed)?;
    let mut damaged = Vec::new();
    for _ in 0..reader.count()? {
        let (place, reason) = (reader.text()?.to_owned(), reader.text()?.to_owned());
        damaged.push(Damage { place, reason, span: option(reader, span)? });
    }
    Ok(Fetched { segments, cursor, more, own, time, damaged })
}

fn put_segments(out: &mut Vec<u8>, segments: &[Segment]) {
    put_number(out, segments.len() as u64);
    for segment in segments {
        put_bytes(out, segment.bytes());
    }
}

fn segments(reader: &mut Reader<'_>) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for _ in 0..reader.count()? {
        segments.push(Segment::parse(reader.bytes()?)?);
    }
    Ok(segments)
}

fn put_tip(out: &mut Vec<u8>, tip: &Tip) {
    out.extend_from_slice(&tip.replica.0);
    put_number(out, tip.seq);
    out.extend_from_slice(&tip.hash.0);
}

fn tip(reader: &mut Reader<'_>) -> Result<Tip> {
    let replica = ReplicaId(reader.array()?);
    Ok(Tip { replica, seq: reader.number()?, hash: LaneHash(reader.array()?) })
}

fn put_span(out: &mut Vec<u8>, span: &Span) {
    put_tip(out, &span.root());
    put_tip(out, &span.tip());
}

fn span(reader: &mut Reader<'_>) -> Result<Span> {
    let (root, tip) = (tip(reader)?, tip(reader)?);
    if root.replica != tip.replica || root.seq >= tip.seq {
        return Err(Error::corrupt("a run of a lane ends before it begins"));
    }
    let (before, after) = (root.hash, tip.hash);
    Ok(Span { replica: tip.replica, first: root.seq + 1, last: tip.seq, before, after })
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<&T>, put: impl FnOnce(&mut Vec<u8>, &T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

fn option<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if flag(reader)? { read(reader).map(Some) } else { Ok(None) }
}

fn flag(reader: &mut Reader<'_>) -> Result<bool> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(unknown()),
    }
}

fn begin(bytes: &[u8], what: u8) -> Result<Reader<'_>> {
    let mut reader = Reader::new(bytes);
    if reader.byte()? != what {
        return Err(Error::corrupt("this body is not what its path takes"));
    }
    Ok(reader)
}

fn unknown() -> Error {
    Error::corrupt("a body holds something that this version does not know")
}
