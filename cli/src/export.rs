//! Exports: all objects of a collection, in a file that other programs read.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value as Json, json};
use syncline::value::json::object_to_json;
use syncline::{Collection, CollectionHandle, Error, Filter, Result};

use crate::args::Format;
use crate::output::{Output, count, io_failed, stdout_failed};
use crate::progress::Progress;
use crate::store::{Options, Store};

pub async fn export(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    file: Option<&Path>,
    format: Option<Format>,
) -> Result<()> {
    let store = Store::open_to_read(options, db).await?;
    let collection = store.collection(collection)?;
    let by_name = file.and_then(Path::extension).and_then(|end| end.to_str());
    let format = format.unwrap_or(match by_name {
        Some("csv") => Format::Csv,
        Some("json") => Format::Json,
        _ => Format::Jsonl,
    });
    let Some(path) = file else {
        let mut stdout = BufWriter::new(io::stdout());
        let _ = write_all(&mut stdout, &collection, format, stdout_failed).await?;
        return stdout.flush().map_err(stdout_failed);
    };
    let failed = |error| io_failed("the file cannot be written", path, error);
    if path.is_dir() {
        return Err(Error::invalid("this is a folder; name a file").with("path", path.display()));
    }
    // Under another name until it is whole, so that half an export is never taken for one.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let draft =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let mut out = BufWriter::with_capacity(1 << 16, draft);
    let written = write_all(&mut out, &collection, format, failed).await?;
    let draft = out.into_inner().map_err(|error| failed(error.into_error()))?;
    draft.as_file().sync_all().map_err(failed)?;
    let _ = draft.persist(path).map_err(|error| failed(error.error))?;
    output.result(
        || json!({"exported": written, "file": path.display().to_string()}),
        || format!("exported {} to {}", count(written, "object"), path.display()),
    )
}

async fn write_all(
    out: &mut impl Write,
    collection: &CollectionHandle,
    format: Format,
    failed: impl Fn(io::Error) -> Error,
) -> Result<u64> {
    let definition = collection.definition();
    let progress = Progress::endless(definition.name());
    let mut found = collection.query(Filter::All).stream()?;
    let mut written = 0;
    if format == Format::Csv {
        let names = definition.fields().iter().map(|field| Json::from(&*field.name));
        row(out, names).map_err(&failed)?;
    }
    while let Some(object) = found.next().await {
        let object = object_to_json(&object?);
        match format {
            Format::Jsonl => writeln!(out, "{object}"),
            Format::Json if written == 0 => write!(out, "[{object}"),
            Format::Json => write!(out, ",\n{object}"),
            Format::Csv => row(out, cells(definition, object)),
        }
        .map_err(&failed)?;
        written += 1;
        if written % 1_000 == 0 {
            progress.tell(format!("{} written", count(written, "object")));
        }
    }
    if format == Format::Json {
        let end = if written == 0 { "[]" } else { "]" };
        writeln!(out, "{end}").map_err(&failed)?;
    }
    Ok(written)
}

fn cells(definition: &Collection, mut object: Json) -> impl Iterator<Item = Json> {
    definition
        .fields()
        .iter()
        .map(move |field| object.get_mut(&*field.name).map(Json::take).unwrap_or_default())
}

fn row(out: &mut impl Write, cells: impl Iterator<Item = Json>) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let cells = cells.map(|cell| match cell {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    });
    writer.write_record(cells)?;
    let text = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&text)
}
