//! Imports: many records a batch, and how far it got in each of them.

mod cells;
mod checkpoint;
mod list;
pub(crate) mod records;
pub(crate) mod source;
mod steps;

use std::path::Path;

use serde_json::{Value as Json, json};
use syncline::value::json::object_from_json;
use syncline::{CollectionHandle, Error, ErrorKind, Object, Result};

use crate::args;
use crate::output::{Output, count};
use crate::progress::Progress;
use crate::store::{Options, Store};
use checkpoint::{Checkpoint, Known, is_overtaken};
use records::{Place, Records};
use source::{Prefix, Source};
pub use steps::Steps;

/// How many records one batch has at most: enough that a commit costs little for each.
const BATCH_RECORDS: usize = 2_000;

/// About how many bytes of a file one batch takes at most.
const BATCH_BYTES: u64 = 1 << 20;

/// How many bad records are told one by one.
const TOLD: usize = 1_000;

/// What an import did.
#[derive(Debug, Default)]
pub struct Report {
    pub imported: u64,
    /// How many records were imported by earlier runs.
    pub before: u64,
    pub skipped: u64,
    /// The first bad records, by line.
    pub bad: Vec<(u64, String)>,
    /// The file was imported whole before.
    pub already: bool,
}

pub async fn import(options: &Options, output: &Output, asked: &args::Import) -> Result<()> {
    let store = Store::open(options, &asked.db).await?;
    let report = run(&store, asked).await?;
    for (line, message) in &report.bad {
        output.remark(&format!("line {line} was skipped: {message}"));
    }
    output.result(|| to_json(&report, &asked.collection), || to_text(&report, &asked.file))
}

/// Imports into a database that is open.
pub async fn run(store: &Store, asked: &args::Import) -> Result<Report> {
    let collection = store.collection(&asked.collection)?;
    let source = Source::new(&asked.file)?;
    let mut input = source.open(0)?;
    let format = match asked.format {
        Some(format) => format,
        None => source.format(&mut input)?,
    };
    let mut mark = None;
    let mut report = Report::default();
    if let Some(start) = source.prefix()? {
        let what = (asked.collection.as_str(), format);
        match Checkpoint::find(store.manager(), what, &start, asked.again).await? {
            Known::Done(records) => {
                report.before = records;
                report.already = true;
                return Ok(report);
            }
            Known::From(known) => {
                let (checkpoint, prefix) = *known;
                report.before = checkpoint.records;
                input = source.open(checkpoint.place.bytes)?;
                mark = Some(Mark { checkpoint, prefix });
            }
        }
    }
    let size = mark.as_ref().map(|mark| mark.prefix.size);
    let progress = match size {
        Some(size) => Progress::of_bytes(size, &asked.collection),
        None => Progress::endless(&asked.collection),
    };
    let skip_bad = asked.skip_bad;
    let mut importer =
        Importer { store, collection, source, format, skip_bad, mark, report, progress };
    while importer.pass(input).await? == Pass::Overtaken {
        input = importer.catch_up().await?;
    }
    Ok(importer.report)
}

/// How far the file is imported.
#[derive(Debug)]
struct Mark {
    checkpoint: Checkpoint,
    prefix: Prefix,
}

struct Importer<'a> {
    store: &'a Store,
    collection: CollectionHandle,
    source: Source,
    format: args::Format,
    skip_bad: bool,
    /// Nothing for stdin.
    mark: Option<Mark>,
    report: Report,
    progress: Progress,
}

/// A record that can be written.
struct Item {
    line: u64,
    end: Place,
    object: Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Done,
    /// Another process imports the same and is ahead.
    Overtaken,
}

impl Importer<'_> {
    /// Imports what is behind the mark.
    async fn pass(&mut self, input: source::Input) -> Result<Pass> {
        let definition = self.collection.definition().clone();
        let begin = self.mark.as_ref().map(|mark| mark.checkpoint.place).unwrap_or_default();
        let mut records = Records::new(&self.source, input, self.format, begin, &definition)
            .map_err(|error| self.told(error))?;
        let (mut items, mut from, mut end) = (Vec::new(), begin, begin);
        loop {
            let record = match records.next() {
                Ok(Some(record)) => record,
                Ok(None) => break,
                Err(error) => return self.stop(&items, error).await,
            };
            if items.len() >= BATCH_RECORDS || end.bytes - from.bytes >= BATCH_BYTES {
                if self.write(&items, false).await? == Pass::Overtaken {
                    return Ok(Pass::Overtaken);
                }
                items.clear();
                from = end;
                self.progress.set(end.bytes);
            }
            end = record.end;
            match record.json.and_then(|json| object_from_json(&json, &definition)) {
                Ok(object) => items.push(Item { line: record.line, end, object }),
                Err(error) if self.skip_bad => self.skip(record.line, &error),
                Err(error) => return self.stop(&items, error.with("line", record.line)).await,
            }
        }
        match self.write(&items, true).await? {
            Pass::Done => self.finish(end).await,
            Pass::Overtaken => Ok(Pass::Overtaken),
        }
    }

    /// Ends at a bad record: what was good before it is kept, and the place is marked.
    async fn stop(&mut self, items: &[Item], error: Error) -> Result<Pass> {
        match self.write(items, false).await? {
            Pass::Done => Err(self.stopped(error).await),
            Pass::Overtaken => Ok(Pass::Overtaken),
        }
    }

    async fn stopped(&mut self, error: Error) -> Error {
        if let Some(mark) = self.mark.as_ref().filter(|mark| mark.checkpoint.place.bytes > 0) {
            // If this fails, the same file goes on here all the same.
            let _ = mark.checkpoint.stopped().store(self.store.manager()).await;
        }
        self.told(error)
    }

    /// Writes records. Where storage refuses some, halves are tried until the bad ones stand alone.
    async fn write(&mut self, items: &[Item], is_last: bool) -> Result<Pass> {
        let Some(last) = items.last() else { return Ok(Pass::Done) };
        let error = match self.write_all(items, last.end, is_last).await {
            Ok(()) => return Ok(Pass::Done),
            Err(error) => error,
        };
        if is_overtaken(&error) {
            return Ok(Pass::Overtaken);
        }
        if !matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid) {
            return Err(self.told(error));
        }
        if let [bad] = items {
            if !self.skip_bad {
                return Err(self.stopped(error.with("line", bad.line)).await);
            }
            self.skip(bad.line, &error);
            return Ok(Pass::Done);
        }
        let (first, second) = items.split_at(items.len() / 2);
        if Box::pin(self.write(first, false)).await? == Pass::Overtaken {
            return Ok(Pass::Overtaken);
        }
        Box::pin(self.write(second, is_last)).await
    }

    async fn write_all(&mut self, items: &[Item], end: Place, is_last: bool) -> Result<()> {
        let next = match &self.mark {
            None => None,
            Some(mark) => {
                let prefix = mark.prefix.up_to(end.bytes)?;
                let number = items.len() as u64;
                let checkpoint = mark.checkpoint.moved(end, &prefix, number, is_last);
                self.store.steps.add_to_next(checkpoint.steps());
                Some(Mark { checkpoint, prefix })
            }
        };
        let name = self.collection.definition().name();
        let batch = items.iter().fold(self.store.manager().batch(), |batch, item| {
            batch.create(name.clone(), item.object.clone())
        });
        let written = batch.run().await;
        // A batch that was refused on the way must not leave its steps to another one.
        self.store.steps.add_to_next(Vec::new());
        let _ = written?;
        self.report.imported += items.len() as u64;
        self.mark = next
            .map(|Mark { checkpoint, prefix }| Mark { checkpoint: checkpoint.stored(), prefix });
        Ok(())
    }

    /// Notes that all is imported, if the last batch could not.
    async fn finish(&mut self, end: Place) -> Result<Pass> {
        let Some(mark) = self.mark.as_ref().filter(|mark| !mark.checkpoint.done) else {
            return Ok(Pass::Done);
        };
        let prefix = mark.prefix.up_to(end.bytes)?;
        let last = mark.checkpoint.moved(end, &prefix, 0, true);
        match last.store(self.store.manager()).await {
            Ok(()) => Ok(Pass::Done),
            Err(error) if is_overtaken(&error) => Ok(Pass::Overtaken),
            Err(error) => Err(self.told(error)),
        }
    }

    /// Goes on where the other process is.
    async fn catch_up(&mut self) -> Result<source::Input> {
        let Some(mark) = &self.mark else {
            return Err(Error::internal("an import of stdin was overtaken"));
        };
        let checkpoint = mark.checkpoint.reload(self.store.manager()).await?;
        let place = checkpoint.place.bytes;
        let prefix = mark.prefix.up_to(place)?;
        self.mark = Some(Mark { checkpoint, prefix });
        self.source.open(place)
    }

    fn skip(&mut self, line: u64, error: &Error) {
        self.report.skipped += 1;
        if self.report.bad.len() < TOLD {
            self.report.bad.push((line, error.to_string()));
        }
    }

    /// Tells with an error what is imported nevertheless, and how to go on.
    fn told(&self, error: Error) -> Error {
        let done = self.report.imported + self.report.before;
        let error = error.with("file", self.source.name()).with("imported", done);
        match &self.mark {
            None => error.with("note", "stdin can't be resumed"),
            Some(_) => error.with("then", "run the same command again; it goes on behind these"),
        }
    }
}

fn to_json(report: &Report, collection: &str) -> Json {
    let bad = report.bad.iter();
    let bad: Json = bad.map(|(line, message)| json!({"line": line, "message": message})).collect();
    json!({
        "collection": collection,
        "imported": report.imported,
        "before": report.before,
        "skipped": report.skipped,
        "bad": bad,
        "already": report.already,
    })
}

fn to_text(report: &Report, file: &Path) -> String {
    if report.already {
        return format!(
            "{} was imported before ({}); nothing to do. To import it once more: --again",
            file.display(),
            count(report.before, "record")
        );
    }
    let mut text = format!("imported {}", count(report.imported, "record"));
    if report.before > 0 {
        text += &format!(", {} before", count(report.before, "record"));
    }
    if report.skipped > 0 {
        text += &format!(", skipped {}", count(report.skipped, "bad record"));
    }
    text
}
