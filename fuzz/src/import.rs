//! Files of records: nothing but refusals, and a run that was interrupted goes on where it was.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncline_cli::reading::{Format, Place, Record, read};
use syncline_core::value::json::{object_from_json, object_to_json};
use syncline_core::{Collection, Schema};
use tempfile::TempDir;

/// How many places of one file are gone on from.
const PLACES: usize = 8;

struct World {
    folder: TempDir,
    collection: Arc<Collection>,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// Imports the bytes; the first one says how.
pub fn check(data: &[u8]) {
    let Some((choice, data)) = crate::choice(data) else { return };
    let format = match choice % 4 {
        0 => Some(Format::Jsonl),
        1 => Some(Format::Json),
        2 => Some(Format::Csv),
        _ => None,
    };
    WORLD.with(|world| {
        let world = world.get_or_init(World::new);
        let file = world.file(data);
        match format {
            Some(format) => import(&file, format, data.len(), &world.collection),
            None => drop(read(&file, None, Place::default(), &world.collection)),
        }
    });
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir_in(crate::fast_folder()).expect("a temporary folder");
        let schema = Schema::from_json(&crate::filter::schema()).expect("it is a schema");
        let collection = schema.collection("thing").expect("it is there").clone();
        Self { folder, collection }
    }

    fn file(&self, data: &[u8]) -> PathBuf {
        let path = self.folder.path().join("records");
        fs::write(&path, data).expect("it can be written");
        path
    }
}

fn import(file: &Path, format: Format, length: usize, collection: &Collection) {
    let Ok((records, error)) = read(file, Some(format), Place::default(), collection) else {
        return;
    };
    let error = error.map(|error| error.to_string());
    let mut before = Place::default();
    for record in &records {
        let end = record.end;
        assert!(end.bytes > before.bytes && end.lines >= before.lines, "{end:?} after {before:?}");
        assert!(end.bytes <= length as u64, "{end:?} is beyond the end");
        assert!(record.line > before.lines && record.line <= end.lines + 2, "{record:?}");
        before = end;
        holds(record, collection);
    }
    let step = records.len().div_ceil(PLACES).max(1);
    for at in (0..records.len()).step_by(step) {
        let place = records[at].end;
        let (rest, rest_error) = read(file, Some(format), place, collection)
            .unwrap_or_else(|error| panic!("cannot go on at {place:?}: {error}"));
        let told: Vec<String> = records[at + 1..].iter().map(told).collect();
        let again: Vec<String> = rest.iter().map(self::told).collect();
        assert_eq!(again, told, "going on at {place:?}");
        assert_eq!(rest_error.map(|error| error.to_string()), error, "going on at {place:?}");
    }
}

fn told(record: &Record) -> String {
    format!(
        "line {} to {:?}: {}",
        record.line,
        record.end,
        match &record.json {
            Ok(json) => json.to_string(),
            Err(error) => error.to_string(),
        }
    )
}

/// What is read as an object is written and read as the same.
fn holds(record: &Record, collection: &Collection) {
    let Ok(json) = &record.json else { return };
    let Ok(object) = object_from_json(json, collection) else { return };
    let printed = object_to_json(&object);
    let again = object_from_json(&printed, collection).expect("what was written can be read");
    assert_eq!(again, object, "{printed}");
}
