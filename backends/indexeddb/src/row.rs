//! How objects lie in IndexedDB: packed into bytes, one object a row, or many in a run.

use syncline_core::value::canonical::{self, Reader};
use syncline_core::value::{Name, Object};
use syncline_core::{Collection, Result, Value};

/// The most objects of one run.
const RUN_OBJECTS: usize = 128;

/// About the most bytes of one run.
const RUN_BYTES: usize = 32 << 10;

/// The bytes of one object.
pub(crate) fn pack(object: &Object) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    canonical::put_object(&mut out, object);
    out
}

/// An object again. Names that the collection has are not copied.
pub(crate) fn unpack(bytes: &[u8], collection: &Collection) -> Result<Object> {
    let mut reader = Reader::new(bytes);
    let object = read(&mut reader, collection)?;
    reader.end()?;
    Ok(object)
}

fn read(reader: &mut Reader<'_>, collection: &Collection) -> Result<Object> {
    let count = reader.count()?;
    let mut fields: Vec<(Name, Value)> = Vec::with_capacity(count);
    for _ in 0..count {
        let name = reader.text()?;
        let known = collection.field(name).map(|field| field.name.clone());
        fields.push((known.unwrap_or_else(|| Name::from(name)), reader.value()?));
    }
    Ok(Object::from(fields))
}

/// Objects whose keys are whole numbers one behind the other, cut into runs: the last key of each, and
/// its bytes.
pub(crate) fn pack_runs(objects: &[(i64, Object)]) -> Vec<(i64, Vec<u8>)> {
    let mut runs = Vec::new();
    let mut open = Run::default();
    for (key, object) in objects {
        let packed = pack(object);
        let joins = open.last.checked_add(1) == Some(*key);
        let fits = open.count < RUN_OBJECTS && open.bytes.len() + packed.len() <= RUN_BYTES;
        if open.count > 0 && !(joins && fits) {
            runs.push(std::mem::take(&mut open).close());
        }
        open.last = *key;
        open.count += 1;
        canonical::put_bytes(&mut open.bytes, &packed);
    }
    if open.count > 0 {
        runs.push(open.close());
    }
    runs
}

#[derive(Default)]
struct Run {
    last: i64,
    count: usize,
    bytes: Vec<u8>,
}

impl Run {
    fn close(self) -> (i64, Vec<u8>) {
        let mut out = Vec::with_capacity(self.bytes.len() + 4);
        canonical::put_number(&mut out, self.count as u64);
        out.extend(self.bytes);
        (self.last, out)
    }
}

/// The objects of a run, with their keys.
pub(crate) fn unpack_run(bytes: &[u8], collection: &Collection) -> Result<Vec<(i64, Object)>> {
    let mut reader = Reader::new(bytes);
    let count = reader.count()?;
    let mut objects = Vec::with_capacity(count);
    for _ in 0..count {
        let object = unpack(reader.bytes()?, collection)?;
        let key = collection.key().first().and_then(|field| object.value(field).as_int());
        let key = key.ok_or_else(|| {
            syncline_core::Error::corrupt("an object of a run has no whole number as its key")
                .with("collection", collection.name())
        })?;
        objects.push((key, object));
    }
    reader.end()?;
    Ok(objects)
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use syncline_core::{FieldType, Registry};

    use super::*;

    #[test]
    fn runs_break_at_gaps_and_when_they_are_full() {
        let entry = Collection::define("entry")
            .field("seq", FieldType::Int)
            .optional("text", FieldType::Text)
            .key(["seq"]);
        let schema = Registry::new().collections(1, [entry]).finish().expect("it is sound");
        let collection = schema.collection("entry").expect("it is defined");
        let object =
            |key: i64, text: &str| (key, Object::new().with("seq", key).with("text", text));
        let long = "x".repeat(RUN_BYTES);
        let mut objects = vec![object(i64::MIN, ""), object(3, ""), object(4, &long)];
        objects.extend((5..5 + RUN_OBJECTS as i64).map(|key| object(key, "y")));
        objects.extend([object(i64::MAX - 1, ""), object(i64::MAX, "z")]);

        let runs = pack_runs(&objects);
        let lasts: Vec<i64> = runs.iter().map(|(last, _)| *last).collect();
        let full = 4 + RUN_OBJECTS as i64;
        assert_eq!(lasts, [i64::MIN, 3, 4, full, i64::MAX]);
        let read: Vec<(i64, Object)> = runs
            .iter()
            .flat_map(|(_, bytes)| unpack_run(bytes, collection).expect("it was packed"))
            .collect();
        assert_eq!(read, objects);
    }
}
