//! The canonical encoding: one sequence of bytes for one value, whatever wrote it.
//!
//! Hashes and fingerprints go over these bytes, and the client log stores them. Numbers without a
//! sign are LEB128 (seven bits a byte, lowest first, never longer than needed), signed ones are
//! zigzagged first. A value is a tag byte and its contents:
//!
//! | tag | value | contents |
//! |---|---|---|
//! | 0 | null | |
//! | 1, 2 | false, true | |
//! | 3 | int | zigzag |
//! | 4 | float | 8 bytes, IEEE 754, highest first; -0.0 is written as 0.0 |
//! | 5 | text | length, UTF-8 |
//! | 6 | bytes | length, bytes |
//! | 7 | timestamp | zigzag milliseconds |
//! | 8 | JSON | length, JSON text without spaces, members sorted by name |
//! | 9 | text that is a UUID in its usual form (lower-case, four hyphens) | its 16 bytes |
//!
//! An object is the number of its fields and then name and value of each, sorted by name; a key is
//! the number of its values and then each value.

use super::json_text;
use super::{Key, Name, Object, Value};
use crate::{Error, Result};

/// Appends a number without a sign.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends bytes behind their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends text behind its length in bytes.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// Appends a value.
pub fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(bool) => out.push(1 + u8::from(*bool)),
        Value::Int(int) => {
            out.push(3);
            put_signed(out, *int);
        }
        Value::Float(float) => {
            out.push(4);
            // Adding 0.0 turns -0.0 into 0.0 and leaves the rest alone.
            out.extend_from_slice(&(float + 0.0).to_bits().to_be_bytes());
        }
        Value::Text(text) => match uuid_bytes(text) {
            // Most keys are UUIDs, and every entry holds one: 17 bytes instead of 38.
            Some(uuid) => {
                out.push(9);
                out.extend_from_slice(&uuid);
            }
            None => {
                out.push(5);
                put_text(out, text);
            }
        },
        Value::Bytes(bytes) => {
            out.push(6);
            put_bytes(out, bytes);
        }
        Value::Timestamp(millis) => {
            out.push(7);
            put_signed(out, *millis);
        }
        Value::Json(json) => {
            out.push(8);
            put_text(out, &json_text(json));
        }
    }
}

/// Appends an object.
pub fn put_object(out: &mut Vec<u8>, object: &Object) {
    put_number(out, object.len() as u64);
    for (name, value) in object.iter() {
        put_text(out, name);
        put_value(out, value);
    }
}

/// Appends an object as if the fields of these names were not there.
pub(crate) fn put_object_without(out: &mut Vec<u8>, object: &Object, left_out: &[Name]) {
    if left_out.is_empty() {
        return put_object(out, object);
    }
    let kept = || object.iter().filter(|(name, _)| !left_out.contains(name));
    put_number(out, kept().count() as u64);
    for (name, value) in kept() {
        put_text(out, name);
        put_value(out, value);
    }
}

/// Appends a key.
pub fn put_key(out: &mut Vec<u8>, key: &Key) {
    put_number(out, key.values().len() as u64);
    for value in key.values() {
        put_value(out, value);
    }
}

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The bytes of a UUID, if the text is one in its usual form.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 || HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    let mut at = 0;
    for byte in &mut bytes {
        if HYPHENS.contains(&at) {
            at += 1;
        }
        *byte = digit(text[at])? << 4 | digit(text[at + 1])?;
        at += 2;
    }
    Some(bytes)
}

/// A UUID in its usual form.
fn uuid_text(bytes: &[u8; 16]) -> String {
    let hex = crate::id::hex(bytes);
    let mut text = String::with_capacity(36);
    let mut from = 0;
    for (before, at) in HYPHENS.into_iter().enumerate() {
        text.push_str(&hex[from..at - before]);
        text.push('-');
        from = at - before;
    }
    text.push_str(&hex[from..]);
    text
}

/// JSON text without spaces, members sorted by name at every depth.
pub fn json_text(json: &serde_json::Value) -> String {
    let mut out = String::new();
    write_json(&mut out, json);
    out
}

fn write_json(out: &mut String, json: &serde_json::Value) {
    match json {
        serde_json::Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_json(out, item);
            }
            out.push(']');
        }
        serde_json::Value::Object(members) => {
            // Sorted here, because a feature of serde_json may keep another order.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (position, (name, item)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                json_text::put_text(out, name);
                out.push(':');
                write_json(out, item);
            }
            out.push('}');
        }
        scalar => json_text::put_scalar(out, scalar),
    }
}

/// Reads canonical bytes from front to back; refuses whatever another spelling exists for.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Names that were read: objects that come one behind the other mostly have the same fields in the same
    /// order, and a name that is known need not be made again.
    names: Vec<Name>,
    /// Where among them the next one is looked for first.
    next_name: usize,
}

/// So many names are remembered; the others are made each time.
const NAMES: usize = 64;

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, names: Vec::new(), next_name: 0 }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Takes this many bytes.
    ///
    /// # Errors
    ///
    /// Like every method here: [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) if the bytes are
    /// not there or not canonical.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        if count > self.rest.len() {
            return Err(Error::corrupt("the bytes end too early"));
        }
        let (taken, rest) = self.rest.split_at(count);
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A number without a sign.
    pub fn number(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    break;
                }
                return Ok(number);
            }
        }
        Err(Error::corrupt("a number is longer than it needs to be"))
    }

    /// A number without a sign that counts things still to come, each at least a byte long.
    pub fn count(&mut self) -> Result<usize> {
        let number = self.number()?;
        usize::try_from(number)
            .ok()
            .filter(|count| *count <= self.rest.len())
            .ok_or_else(|| Error::corrupt("a length goes beyond the end"))
    }

    /// A signed number.
    pub fn signed(&mut self) -> Result<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let count = self.count()?;
        self.take(count)
    }

    /// Text behind its length.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Error::corrupt("text is not UTF-8"))
    }

    /// A name, which is text.
    pub fn name(&mut self) -> Result<Name> {
        let text = self.text()?;
        let at = match self.names.get(self.next_name) {
            Some(name) if **name == *text => self.next_name,
            _ => match self.names.iter().position(|name| **name == *text) {
                Some(at) => at,
                None if self.names.len() < NAMES => {
                    self.names.push(text.into());
                    self.names.len() - 1
                }
                None => return Ok(text.into()),
            },
        };
        self.next_name = at + 1;
        Ok(self.names[at].clone())
    }

    /// What is read of these bytes, from here on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// A value.
    pub fn value(&mut self) -> Result<Value> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.signed()?),
            4 => {
                let bits = u64::from_be_bytes(self.array()?);
                let float = f64::from_bits(bits);
                if !float.is_finite() || bits == (-0.0_f64).to_bits() {
                    return Err(Error::corrupt("a number is not finite, or a negative zero"));
                }
                Value::Float(float)
            }
            5 => {
                let text = self.text()?;
                if uuid_bytes(text).is_some() {
                    return Err(Error::corrupt("a UUID is written as ordinary text"));
                }
                Value::Text(text.to_owned())
            }
            6 => Value::Bytes(self.bytes()?.to_vec()),
            7 => Value::Timestamp(self.signed()?),
            8 => {
                let text = self.text()?;
                let json = json_text::read(text.as_bytes())
                    .map_err(|error| Error::corrupt("a JSON value is broken").caused_by(error))?;
                if json_text(&json) != text {
                    return Err(Error::corrupt("a JSON value is not canonical"));
                }
                Value::Json(json)
            }
            9 => Value::Text(uuid_text(&self.array()?)),
            tag => return Err(Error::corrupt("a value has an unknown tag").with("tag", tag)),
        })
    }

    /// An object.
    pub fn object(&mut self) -> Result<Object> {
        let count = self.count()?;
        // The count may lie: no field is shorter than two bytes. One more, for the key that a row gets.
        let mut fields: Vec<(Name, Value)> = Vec::with_capacity(count.min(self.left() / 2) + 1);
        for _ in 0..count {
            let name = self.name()?;
            if fields.last().is_some_and(|(last, _)| *last >= name) {
                return Err(Error::corrupt("fields are not sorted by name"));
            }
            fields.push((name, self.value()?));
        }
        Ok(Object::from(fields))
    }

    /// A key.
    pub fn key(&mut self) -> Result<Key> {
        let count = self.count()?;
        (0..count).map(|_| self.value()).collect::<Result<Vec<_>>>().map(Key::compound)
    }

    /// Holds if everything was read.
    pub fn end(&self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt("there are bytes behind the end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_bytes(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        put_value(&mut out, value);
        out
    }

    #[test]
    fn the_test_vectors_of_format_1_hold() {
        let json = serde_json::json!({"b": [1, 2.5, null], "a": "ü"});
        let uuid = "01890a5d-ac96-774b-bcce-b302099a8057";
        let vectors: [(Value, &str); 14] = [
            (Value::Null, "00"),
            (false.into(), "01"),
            (true.into(), "02"),
            (1.into(), "0302"),
            ((-1).into(), "0301"),
            (i64::MIN.into(), "03ffffffffffffffffff01"),
            (1.5.into(), "043ff8000000000000"),
            ((-0.0).into(), "040000000000000000"),
            ("é1".into(), "0503c3a931"),
            (uuid.into(), "0901890a5dac96774bbcceb302099a8057"),
            (
                uuid.to_uppercase().into(),
                "052430313839304135442d414339362d373734422d424343452d423330323039394138303537",
            ),
            (vec![0, 255].into(), "060200ff"),
            (Value::Timestamp(1_700_000_000_000), "0780a0abfef962"),
            (json.into(), "081b7b2261223a22c3bc222c2262223a5b312c322e352c6e756c6c5d7d"),
        ];
        for (value, expected) in vectors {
            let bytes = value_bytes(&value);
            let expected_length = expected.len() / 2;
            assert_eq!(crate::id::hex(&bytes), expected, "{value:?} ({expected_length} bytes)");
            let mut reader = Reader::new(&bytes);
            assert_eq!(value_bytes(&reader.value().unwrap()), bytes);
            reader.end().unwrap();
        }
    }

    proptest::proptest! {
        #[test]
        fn every_float_inside_json_is_read_as_it_was_written(bits: u64) {
            let float = f64::from_bits(bits);
            proptest::prop_assume!(float.is_finite());
            let bytes = value_bytes(&Value::Json(serde_json::json!([float])));
            proptest::prop_assert_eq!(value_bytes(&Reader::new(&bytes).value().unwrap()), bytes);
        }
    }

    #[test]
    fn a_second_spelling_is_refused() {
        for bytes in ["038000", "048000000000000000", "047ff8000000000000", "0803207b7d", "0a"] {
            let bytes = crate::id::unhex(bytes).unwrap();
            assert!(Reader::new(&bytes).value().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn truncated_bytes_are_refused_not_read_beyond() {
        let object = Object::new().with("a", "text").with("b", 7);
        let mut bytes = Vec::new();
        put_object(&mut bytes, &object);
        for end in 0..bytes.len() {
            assert!(Reader::new(&bytes[..end]).object().is_err());
        }
        assert_eq!(Reader::new(&bytes).object().unwrap(), object);
    }
}
