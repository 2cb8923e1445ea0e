//! Objects as bytes, to cross the border to JavaScript: one call for many objects, whatever they hold.
//!
//! Numbers lie lowest byte first. A list is its length (32 bits) and its objects. An object is the number of its
//! fields (16 bits) and then name and value of each. A name is the place of the field among those of its
//! collection (16 bits), or 65535 and a text. A value is a tag and its contents:
//!
//! | tag | value | contents |
//! |---|---|---|
//! | 0 | null | |
//! | 1, 2 | false, true | |
//! | 3 | int | a float of 64 bits, which holds it exactly |
//! | 4 | int | 64 bits |
//! | 5 | float | 64 bits |
//! | 6 | text | length (32 bits), UTF-8 |
//! | 7 | bytes | length (32 bits), bytes |
//! | 8 | timestamp | its milliseconds, as a float of 64 bits |
//! | 9 | JSON | length (32 bits), JSON as text |
//!
//! `ts/packed.ts` is the other side.

use syncline::value::json_text;
use syncline::{Collection, Error, Name, Object, Result, Value};

/// Behind this stands a name as text.
const BY_NAME: u16 = u16::MAX;

/// The greatest whole number that JavaScript's numbers hold exactly, as all below it.
const EXACT: i64 = (1 << 53) - 1;

/// Reads what JavaScript packed.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn objects(&mut self, collection: &Collection) -> Result<Vec<Object>> {
        let count = self.length()?;
        let mut objects = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            objects.push(self.object(collection)?);
        }
        Ok(objects)
    }

    pub fn object(&mut self, collection: &Collection) -> Result<Object> {
        let count = u16::from_le_bytes(self.array()?);
        let mut object = Object::with_capacity(count.into());
        for _ in 0..count {
            let name = self.name(collection)?;
            let value = self.value()?;
            if object.contains(&name) {
                return Err(Error::invalid(
                    "a field stands there twice, once by its alias; drop one",
                )
                .with("field", name)
                .with("collection", collection.name()));
            }
            let _ = object.set(name, value);
        }
        Ok(object)
    }

    fn name(&mut self, collection: &Collection) -> Result<Name> {
        match u16::from_le_bytes(self.array()?) {
            BY_NAME => Ok(self.text()?.into()),
            at => {
                let field = collection.fields().get(usize::from(at)).ok_or_else(misfit)?;
                Ok(field.name.clone())
            }
        }
    }

    fn value(&mut self) -> Result<Value> {
        let [tag] = self.array()?;
        Ok(match tag {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            // JavaScript packs whole numbers so, and only those that are exact.
            3 => Value::Int(self.float()? as i64),
            4 => Value::Int(i64::from_le_bytes(self.array()?)),
            5 => Value::Float(self.float()?),
            6 => Value::Text(self.text()?.to_owned()),
            7 => Value::Bytes(self.bytes()?.to_vec()),
            8 => Value::Timestamp(self.float()? as i64),
            9 => Value::Json(json_text::read(self.bytes()?).map_err(|_| misfit())?),
            _ => return Err(misfit()),
        })
    }

    pub fn byte(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn float(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| misfit())
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(misfit)?;
        self.rest = rest;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(misfit)?;
        self.rest = rest;
        Ok(*taken)
    }
}

fn misfit() -> Error {
    Error::internal("the JavaScript and the WebAssembly of Syncline do not fit; load both anew")
}

/// Packs objects of one collection.
pub(crate) fn pack(objects: &[Object], collection: &Collection) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + objects.len() * 256);
    put_length(&mut out, objects.len());
    objects.iter().for_each(|object| put_object(&mut out, object, collection));
    out
}

/// Packs an object.
pub(crate) fn put_object(out: &mut Vec<u8>, object: &Object, collection: &Collection) {
    out.extend_from_slice(&(object.len() as u16).to_le_bytes());
    // Both are sorted by name.
    let mut fields = collection.fields().iter().enumerate();
    for (name, value) in object.iter() {
        match fields.find(|(_, field)| *field.name >= **name) {
            Some((at, field)) if field.name == *name => {
                out.extend_from_slice(&(at as u16).to_le_bytes());
            }
            _ => {
                out.extend_from_slice(&BY_NAME.to_le_bytes());
                put_text(out, name);
                fields = collection.fields().iter().enumerate();
            }
        }
        put_value(out, value);
    }
}

/// Packs a value.
pub(crate) fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(bool) => out.push(1 + u8::from(*bool)),
        Value::Int(int) if (-EXACT..=EXACT).contains(int) => put_float(out, 3, *int as f64),
        Value::Int(int) => {
            out.push(4);
            out.extend_from_slice(&int.to_le_bytes());
        }
        Value::Float(float) => put_float(out, 5, *float),
        Value::Text(text) => {
            out.push(6);
            put_text(out, text);
        }
        Value::Bytes(bytes) => {
            out.push(7);
            put_bytes(out, bytes);
        }
        // Dates of JavaScript end long before this rounds.
        Value::Timestamp(millis) => put_float(out, 8, *millis as f64),
        Value::Json(json) => {
            out.push(9);
            put_text(out, &json_text::written(json));
        }
    }
}

fn put_float(out: &mut Vec<u8>, tag: u8, float: f64) {
    out.push(tag);
    out.extend_from_slice(&float.to_le_bytes());
}

/// Packs text without a tag.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Packs the length of a list.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u32).to_le_bytes());
}
