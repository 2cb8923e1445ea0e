//! Records: what stands between two places of a file.

use std::io::{BufRead, Read};

use csv::ByteRecord;
use serde_json::Value as Json;
use syncline::{Collection, Error, Result};

use super::cells::Cells;
use super::list::List;
use super::source::{BOM, Input, Source};
use crate::args::Format;

/// A place in a file, behind a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How many bytes are before it.
    pub bytes: u64,
    /// How many line ends are before it.
    pub lines: u64,
}

/// One record.
#[derive(Debug)]
pub struct Record {
    /// The line it begins in, from 1.
    pub line: u64,
    /// The place behind it.
    pub end: Place,
    /// What it says, or why it cannot be understood.
    pub json: Result<Json>,
}

/// The records of a file from some place on.
pub enum Records {
    Lines { input: Input, at: Place, source: Source },
    List(List),
    Csv(Box<Csv>),
}

impl Records {
    /// The records behind a place, whose input begins there.
    pub fn new(
        source: &Source,
        input: Input,
        format: Format,
        at: Place,
        collection: &Collection,
    ) -> Result<Self> {
        Ok(match format {
            Format::Jsonl => Self::Lines { input, at, source: source.clone() },
            Format::Json => Self::List(List::new(source.clone(), input, at)),
            Format::Csv => Self::Csv(Box::new(Csv::new(source, input, at, collection)?)),
        })
    }

    /// The next record. An error means that what follows cannot be told apart.
    pub fn next(&mut self) -> Result<Option<Record>> {
        match self {
            Self::Lines { input, at, source } => {
                next_line(input, at).map_err(|error| source.failed(error))
            }
            Self::List(list) => list.next(),
            Self::Csv(csv) => csv.next(),
        }
    }
}

fn next_line(input: &mut Input, at: &mut Place) -> std::io::Result<Option<Record>> {
    let mut text = Vec::new();
    loop {
        text.clear();
        let length = input.read_until(b'\n', &mut text)?;
        if length == 0 {
            return Ok(None);
        }
        let first = at.bytes == 0;
        at.bytes += length as u64;
        at.lines += u64::from(text.ends_with(b"\n"));
        let line = at.lines + u64::from(!text.ends_with(b"\n"));
        let text = if first { text.strip_prefix(BOM).unwrap_or(&text) } else { &text };
        if !text.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some(Record { line, end: *at, json: parse(text) }));
        }
    }
}

/// One JSON text.
pub fn parse(text: &[u8]) -> Result<Json> {
    serde_json::from_slice(text).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        Error::invalid("this is not JSON").with("reason", reason).with("column", error.column())
    })
}

/// Comma-separated values.
pub struct Csv {
    reader: csv::Reader<Input>,
    /// Where the input began.
    begin: Place,
    /// How many empty lines were put before the input.
    added: u64,
    /// Lines end with two characters, between which a place may lie.
    two_ends: bool,
    cells: Cells,
    source: Source,
}

impl Csv {
    fn new(source: &Source, mut input: Input, begin: Place, of: &Collection) -> Result<Self> {
        let (mut first_input, resumed) = match begin.bytes {
            0 => (None, false),
            _ => (Some(source.open(0)?), true),
        };
        let start = first_input.as_mut().unwrap_or(&mut input);
        let text = start.fill_buf().map_err(|error| source.failed(error))?;
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let two_ends = end > 0 && text[end - 1] == b'\r';
        let mut header = ByteRecord::new();
        let (reader, added) = match first_input {
            None => {
                let mut reader = plain(input);
                let _ = reader.read_byte_record(&mut header).map_err(broken)?;
                (reader, 0)
            }
            Some(first_input) => {
                let _ = plain(first_input).read_byte_record(&mut header).map_err(broken)?;
                // The reader takes a mark at its beginning away, but here it is a part of the cell. So
                // it begins with an empty line, which is no record.
                let behind_line: Box<dyn Read> = Box::new(b"\n".chain(input));
                (plain(Input::new(behind_line)), 1)
            }
        };
        debug_assert!(resumed || begin == Place::default());
        let cells = Cells::new(&header, of)?;
        Ok(Self { reader, begin, added, two_ends, cells, source: source.clone() })
    }

    fn next(&mut self) -> Result<Option<Record>> {
        let before = self.place();
        let mut row = ByteRecord::new();
        let is_there =
            self.reader.read_byte_record(&mut row).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) => self.source.failed(error),
                other => {
                    Error::invalid("this is not CSV").with("reason", format_args!("{other:?}"))
                }
            })?;
        if !is_there {
            return Ok(None);
        }
        let between = self.two_ends && before.bytes > 0;
        let line = before.lines + 1 + u64::from(between);
        Ok(Some(Record { line, end: self.place(), json: self.cells.object(&row) }))
    }

    fn place(&self) -> Place {
        let position = self.reader.position();
        let (bytes, lines) = (position.byte(), position.line() - 1);
        Place {
            bytes: self.begin.bytes + bytes.saturating_sub(self.added),
            lines: self.begin.lines + lines.saturating_sub(self.added),
        }
    }
}

fn plain(input: Input) -> csv::Reader<Input> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input)
}

fn broken(error: csv::Error) -> Error {
    Error::invalid("this is not CSV").with("reason", error)
}
