//! Canonical bytes: what decodes encodes to the same bytes again.

use std::fmt::Debug;

use syncline_core::log::{Context, Entry, VersionVector};
use syncline_core::merge::{Author, History};
use syncline_core::value::canonical::{
    Reader, put_key, put_number, put_object, put_signed, put_value,
};
use syncline_core::{Group, ReplicaId, Result, Stamp};

/// How many things there are to choose from.
pub const CHOICES: u8 = 11;

/// Reads the bytes as one of the things that have a canonical form.
pub fn check(data: &[u8]) {
    let Some((choice, data)) = crate::choice(data) else { return };
    match choice % CHOICES {
        0 => same(data, |reader| reader.value(), |out, value| put_value(out, value)),
        1 => same(data, |reader| reader.key(), |out, key| put_key(out, key)),
        2 => same(data, |reader| reader.object(), |out, object| put_object(out, object)),
        3 => same(data, |reader| Entry::read(7, reader), |out, entry| entry.put(out)),
        4 => same(data, |reader| Context::read(reader), |out, context| context.put(out)),
        5 => same(data, |reader| Author::read(reader), |out, author| author.put(out)),
        6 => same(data, |reader| reader.number(), |out, number| put_number(out, *number)),
        7 => same(data, |reader| reader.signed(), |out, number| put_signed(out, *number)),
        8 => vector(data),
        9 => history(data),
        _ => text(data),
    }
}

/// What is read from the front is written as the bytes that were read, and reads back equal.
fn same<T: Debug + PartialEq>(
    data: &[u8],
    read: impl Fn(&mut Reader<'_>) -> Result<T>,
    put: impl Fn(&mut Vec<u8>, &T),
) {
    let mut reader = Reader::new(data);
    let Ok(thing) = read(&mut reader) else { return };
    let used = &data[..data.len() - reader.left()];
    let mut written = Vec::new();
    put(&mut written, &thing);
    assert_eq!(written, used, "a second spelling of {thing:?}");
    let again = read(&mut Reader::new(&written)).expect("what was written can be read");
    assert_eq!(again, thing);
}

fn vector(data: &[u8]) {
    let Ok(vector) = VersionVector::from_bytes(data) else { return };
    assert_eq!(vector.to_bytes(), data);
    assert_eq!(VersionVector::new(vector.tips.iter().copied()), vector);
}

/// The bytes are an object, which is the row, and a history.
fn history(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(mut row) = reader.object() else { return };
    // Storage gives back no nulls.
    row.retain(|_, value| !value.is_null());
    let bytes = &data[data.len() - reader.left()..];
    let _ = History::greatest_in(bytes);
    let _ = History::speaks_of_life(bytes);
    let _ = History::from_bytes_before(bytes, Some(&row), |name| name.len() > 1);
    let _ = History::from_bytes(bytes, None);
    let Ok(Some(history)) = History::from_bytes(bytes, Some(&row)) else { return };
    let _ = (history.object(), history.exists(), history.fields().count());
    if History::needs_row(bytes) {
        assert_eq!(history.to_bytes(Some(&row)), bytes, "{history:?}");
    } else {
        assert_eq!(history.to_bytes(None), bytes, "{history:?}");
        assert_eq!(History::greatest_in(bytes).expect("it was read just now"), history.greatest());
    }
    // The short form and the long one say the same.
    let short = history.to_bytes(Some(&row));
    let again = History::from_bytes(&short, Some(&row)).expect("what was written can be read");
    assert_eq!(again.expect("the row is unchanged"), history);
}

/// Names of groups, ids of replicas, stamps.
fn text(data: &[u8]) {
    if let Some(bits) = data.first_chunk() {
        let bits = u64::from_be_bytes(*bits);
        if let Ok(stamp) = Stamp::from_bits(bits) {
            assert_eq!(stamp.bits(), bits);
            assert!(stamp.next() > stamp || stamp.next() == stamp);
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(group) = text.parse::<Group>() {
        assert_eq!(group.as_str(), text);
    }
    if let Ok(replica) = text.parse::<ReplicaId>() {
        assert_eq!(replica.to_string(), text.to_lowercase());
    }
}
