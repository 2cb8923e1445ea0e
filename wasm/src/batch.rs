//! Batches that JavaScript packed.

use std::sync::Arc;

use js_sys::Promise;
use syncline::manager::BatchBuilder;
use syncline::value::json::key_from_json;
use syncline::{Collection, Condition, Error, Object, StepOutcome};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::database::Database;
use crate::failure::{Result, read_json};
use crate::options::number;
use crate::packed::{Reader, put_length, put_object, put_text, put_value};
use crate::promise::promise;

#[wasm_bindgen]
impl Database {
    /// Writes a packed batch: all of it or nothing.
    ///
    /// It is one step behind the other, until the end. A step is a tag, the name of its collection, and:
    ///
    /// | tag | step | contents |
    /// |---|---|---|
    /// | 0 | create | placeholder (or empty), JSON of what takes the keys of other placeholders, object |
    /// | 1 | update | filter as JSON, object |
    /// | 2 | delete | filter and options as JSON |
    /// | 3 | guard | its name, `looks`, `exists`, `absent` or `unique`, key as JSON, object |
    ///
    /// The answer is packed as well: what each step did (see [`put_outcome`]), and then the objects that were
    /// created under placeholders, each behind its placeholder and the name of its collection.
    #[wasm_bindgen(unchecked_return_type = "Promise<Uint8Array>")]
    pub fn batch(&self, steps: Vec<u8>) -> Promise {
        let this = self.clone();
        promise(async move {
            let mut reader = Reader::new(&steps);
            let (mut batch, mut named) = (this.storage().batch(), Vec::new());
            while !reader.is_at_end() {
                batch = this.step(batch, &mut reader, &mut named)?;
            }
            let report = batch.run().await?;

            let mut answer = Vec::new();
            put_length(&mut answer, report.outcomes().len());
            report.outcomes().iter().for_each(|outcome| put_outcome(&mut answer, outcome));
            put_length(&mut answer, named.len());
            for (placeholder, collection) in named {
                put_text(&mut answer, &placeholder);
                put_text(&mut answer, collection.name());
                put_object(&mut answer, report.object(&placeholder)?, &collection);
            }
            Ok(answer)
        })
    }
}

impl Database {
    fn step(
        &self,
        batch: BatchBuilder,
        reader: &mut Reader<'_>,
        named: &mut Vec<(String, Arc<Collection>)>,
    ) -> Result<BatchBuilder> {
        let (tag, name) = (reader.byte()?, reader.text()?);
        let collection = self.storage().schema().collection(name)?.clone();
        Ok(match tag {
            0 => {
                let (placeholder, replace) = (reader.text()?, read_json(reader.text()?)?);
                let object = reader.object(&collection)?;
                let batch = match placeholder {
                    "" => batch.create(name, object),
                    placeholder => {
                        named.push((placeholder.to_owned(), collection));
                        batch.create_as(placeholder, name, object)
                    }
                };
                let members = replace.as_object().into_iter().flatten();
                members.fold(batch, |batch, (field, placeholder)| {
                    batch.replace(field.as_str(), placeholder.as_str().unwrap_or_default())
                })
            }
            1 => {
                let filter = read_json(reader.text()?)?;
                batch.update(name, filter, reader.object(&collection)?)
            }
            2 => {
                let filter = read_json(reader.text()?)?;
                match number(&read_json(reader.text()?)?, "limit")? {
                    Some(limit) => batch.delete_limited(name, filter, limit),
                    None => batch.delete(name, filter),
                }
            }
            _ => {
                let guard = reader.text()?.to_owned();
                batch.guard(guard, name, condition(reader, &collection)?)
            }
        })
    }
}

fn condition(reader: &mut Reader<'_>, collection: &Collection) -> Result<Condition> {
    let (kind, key) = (reader.text()?, read_json(reader.text()?)?);
    let object: Object = reader.object(collection)?;
    if kind == "unique" {
        return Ok(Condition::Unique(object));
    }
    let key = key_from_json(&key, collection)?;
    match kind {
        "looks" => Ok(Condition::Looks(key, object)),
        "exists" => Ok(Condition::Exists(key)),
        "absent" => Ok(Condition::Absent(key)),
        _ => Err(Error::invalid("there is no such guard").with("guard", kind).into()),
    }
}

/// A tag and its contents: 0 and the key (a number of values, 16 bits, and each value), 1 and how many objects (a
/// float of 64 bits), or 2 for a guard that held.
fn put_outcome(out: &mut Vec<u8>, outcome: &StepOutcome) {
    match outcome {
        StepOutcome::Created(key) => {
            out.push(0);
            out.extend_from_slice(&(key.values().len() as u16).to_le_bytes());
            key.values().iter().for_each(|value| put_value(out, value));
        }
        StepOutcome::Updated(count) | StepOutcome::Deleted(count) => {
            out.push(1);
            out.extend_from_slice(&(*count as f64).to_le_bytes());
        }
        StepOutcome::Held => out.push(2),
    }
}
