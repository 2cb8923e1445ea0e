//! How far imports got, stored with what they wrote.

use syncline::backend;
use syncline::schema::FieldType;
use syncline::{
    Batch, Collection, Condition, Error, ErrorKind, Filter, Guard, Key, Object, Operation, Result,
    Step, StorageManager, Value,
};

use super::records::Place;
use super::source::Prefix;
use crate::args::Format;

const NAME: &str = "sync_import";

/// What the guard is called that holds if no other process went on with the same import.
const STILL_HERE: &str = "import progress";

/// The collection that the checkpoints are kept in.
pub fn definition() -> Result<Collection> {
    Collection::define(NAME)
        .field("id", FieldType::String)
        .field("collection", FieldType::String)
        .field("format", FieldType::String)
        .field("again", FieldType::Int)
        .field("bytes", FieldType::Int)
        .field("lines", FieldType::Int)
        .field("hash", FieldType::Binary)
        .field("records", FieldType::Int)
        .field("done", FieldType::Boolean)
        .field("stopped", FieldType::Boolean)
        .field("whole", FieldType::Binary)
        .finish_reserved()
}

/// How far one import got.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    id: String,
    collection: String,
    format: &'static str,
    /// The how manieth import of the same file it is.
    again: i64,
    pub place: Place,
    /// Of the file up to here.
    hash: Vec<u8>,
    /// How many records were imported up to here.
    pub records: u64,
    pub done: bool,
    /// A bad record is next, so that a corrected file may go on from here.
    pub stopped: bool,
    /// Of the whole file.
    whole: Vec<u8>,
    /// How the stored row looks; nothing if there is none yet.
    stored: Option<u64>,
    /// The import that stopped at a bad record and that this one goes on from.
    follows: Option<String>,
}

/// What is known of a file.
#[derive(Debug)]
pub enum Known {
    /// It was imported whole.
    Done(u64),
    /// It is to be imported from here on.
    From(Box<(Checkpoint, Prefix)>),
}

impl Checkpoint {
    /// Finds out how far a file was imported before.
    pub async fn find(
        manager: &StorageManager,
        (collection, format): (&str, Format),
        start: &Prefix,
        again: bool,
    ) -> Result<Known> {
        let whole = start.up_to(start.size)?.hash();
        let format = format_name(format);
        let filter = Filter::eq("collection", collection).and(Filter::eq("format", format));
        let mut rows = Vec::new();
        for row in manager.collection(NAME)?.find(filter).await? {
            rows.push(Self::from_row(&row, format)?);
        }
        rows.sort_by_key(|row| row.place.bytes);
        let same = || rows.iter().filter(|row| row.whole == whole);
        if !again && let Some(done) = same().find(|row| row.done) {
            return Ok(Known::Done(done.records));
        }
        let unfinished = |row: &&Self| !row.done && (!again || row.again > 0);
        if let Some(row) = same().find(unfinished) {
            let prefix = start.up_to(row.place.bytes)?;
            return Ok(Known::From(Box::new((row.clone(), prefix))));
        }
        let number = same().map(|row| row.again + 1).max().unwrap_or(0);
        let mut fresh = Self {
            id: format!("{collection}:{format}:{}:{number}", hex(&whole)),
            collection: collection.to_owned(),
            format,
            again: number,
            place: Place::default(),
            hash: start.hash(),
            records: 0,
            done: false,
            stopped: false,
            whole,
            stored: None,
            follows: None,
        };
        // Another file that stopped at a bad record and is the same up to there: this one was corrected.
        let (mut prefix, mut known) = (start.clone(), start.clone());
        for row in rows.iter().filter(|row| row.stopped && row.place.bytes <= start.size) {
            prefix = prefix.up_to(row.place.bytes)?;
            if !again && prefix.hash() == row.hash {
                known = prefix.clone();
                fresh.place = row.place;
                fresh.hash.clone_from(&row.hash);
                fresh.records = row.records;
                fresh.follows = Some(row.id.clone());
            }
        }
        Ok(Known::From(Box::new((fresh, known))))
    }

    /// The same import, as far as another process took it meanwhile.
    pub async fn reload(&self, manager: &StorageManager) -> Result<Self> {
        let row = manager.collection(NAME)?.find_by_key(self.id.as_str()).await?;
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::Conflict, "the notes on this import vanished; run it again")
        })?;
        Self::from_row(&row, self.format)
    }

    /// The checkpoint behind some more records.
    pub fn moved(&self, place: Place, prefix: &Prefix, records: u64, done: bool) -> Self {
        let mut next = self.clone();
        next.place = place;
        next.hash = prefix.hash();
        next.records += records;
        next.done = done;
        next.stopped = false;
        next
    }

    /// The same place, with a bad record behind it.
    pub fn stopped(&self) -> Self {
        Self { stopped: true, ..self.clone() }
    }

    /// Steps that store the checkpoint, unless another process stored one meanwhile.
    pub fn steps(&self) -> Vec<Step> {
        let row = self.to_row();
        let Some(stored) = self.stored else {
            let batch = Batch::new().create(NAME, row);
            return match &self.follows {
                None => batch.steps,
                Some(id) => {
                    let [before, after] = [true, false].map(|is| Object::new().with("stopped", is));
                    change(batch, id, before, after)
                }
            };
        };
        let changes = row.into_iter().filter(|(name, _)| **name != *"id").collect();
        change(Batch::new(), &self.id, Object::new().with("bytes", int(stored)), changes)
    }

    /// Stores the checkpoint alone.
    pub async fn store(&self, manager: &StorageManager) -> Result<()> {
        let write = Operation::Write(Batch { steps: self.steps() });
        backend::run(manager.backend().as_ref(), write).await.map(drop)
    }

    /// Notes that the steps were written.
    pub fn stored(mut self) -> Self {
        self.stored = Some(self.place.bytes);
        self.follows = None;
        self
    }

    fn to_row(&self) -> Object {
        Object::new()
            .with("id", self.id.as_str())
            .with("collection", self.collection.as_str())
            .with("format", self.format)
            .with("again", self.again)
            .with("bytes", int(self.place.bytes))
            .with("lines", int(self.place.lines))
            .with("hash", self.hash.clone())
            .with("records", int(self.records))
            .with("done", self.done)
            .with("stopped", self.stopped)
            .with("whole", self.whole.clone())
    }

    fn from_row(row: &Object, format: &'static str) -> Result<Self> {
        let broken = || Error::corrupt("the notes on an import are broken");
        let text = |name| row.value(name).as_text().map(str::to_owned).ok_or_else(broken);
        let bytes = |name| row.value(name).as_bytes().map(<[u8]>::to_vec).ok_or_else(broken);
        let number = |name| {
            row.value(name).as_int().and_then(|int| u64::try_from(int).ok()).ok_or_else(broken)
        };
        let place = Place { bytes: number("bytes")?, lines: number("lines")? };
        Ok(Self {
            id: text("id")?,
            collection: text("collection")?,
            format,
            again: row.value("again").as_int().ok_or_else(broken)?,
            place,
            hash: bytes("hash")?,
            records: number("records")?,
            done: row.value("done").as_bool().ok_or_else(broken)?,
            stopped: row.value("stopped").as_bool().unwrap_or_default(),
            follows: None,
            whole: bytes("whole")?,
            stored: Some(place.bytes),
        })
    }
}

/// Adds steps that change a row, if it still looks so.
fn change(batch: Batch, id: &str, looks: Object, changes: Object) -> Vec<Step> {
    let key = Key::from(id);
    let condition = Condition::Looks(key.clone(), looks);
    let guard = Guard { name: STILL_HERE.into(), collection: NAME.into(), condition };
    batch.step(Step::Guard(guard)).update(NAME, Filter::key(key), changes).steps
}

/// Whether a write failed because another process goes on with the same import.
pub fn is_overtaken(error: &Error) -> bool {
    let is_ours = error.context().any(|(key, value)| key == "collection" && value == NAME);
    error.kind() == ErrorKind::Conflict && (error.guard() == Some(STILL_HERE) || is_ours)
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Jsonl => "jsonl",
        Format::Json => "json",
        Format::Csv => "csv",
    }
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
