//! The least that any sync must do on SQLite: read the log, carry lines of JSON through a file or over HTTP,
//! check and store a clock for each field, and log at the receiver what was received, all in one transaction.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::params;
use serde::Deserialize;

use crate::Result;
use crate::line_server::LineServer;
use crate::raw::{FIELDS, Field, Raw};
use crate::record::Record;
use crate::store::{Durability, Pair, Store};

/// Two databases that are synced by hand.
#[derive(Debug)]
pub struct Floor {
    here: End,
    there: End,
    way: Way,
}

/// One of the databases.
#[derive(Debug)]
struct End {
    raw: Raw,
    /// How far its log was sent.
    sent: i64,
}

/// How lines get from one database to the other.
#[derive(Debug)]
enum Way {
    /// Through a file.
    File(PathBuf),
    /// Through a server that keeps them in a file.
    Server(LineServer),
}

/// A changed field, as its line tells it behind its stamp.
#[derive(Debug, Deserialize)]
struct Change<'a> {
    id: &'a str,
    title: Option<String>,
    priority: Option<i64>,
}

const UNSENT: &str =
    "SELECT seq, op, stamp, entry FROM log WHERE seq > ?1 AND op <> 'received' ORDER BY seq";
const UPSERT: &str = "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
/// Behind every stamp that a record brings.
const FIRST_STAMP: i64 = 1_800_000_000_000;

impl Floor {
    /// Two new databases in this folder.
    ///
    /// # Errors
    ///
    /// Whatever SQLite or the file system reports.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        Self::by(Way::File(folder.join("shared")), folder, durability)
    }

    /// Two new databases in this folder, and a server between them.
    ///
    /// # Errors
    ///
    /// Whatever SQLite, the file system or the network reports.
    pub fn over_http(folder: &Path, durability: Durability) -> Result<Self> {
        let server = LineServer::start(&folder.join("shared"))?;
        Self::by(Way::Server(server), folder, durability)
    }

    fn by(way: Way, folder: &Path, durability: Durability) -> Result<Self> {
        let here = End::open(&folder.join("here"), durability, FIRST_STAMP)?;
        let there = End::open(&folder.join("there"), durability, FIRST_STAMP + 1)?;
        Ok(Self { here, there, way })
    }
}

impl Way {
    /// Brings lines to the other side, as a file or a server would keep them.
    fn carry(&self, lines: String) -> Result<String> {
        match self {
            Self::File(file) => {
                fs::write(file, lines)?;
                fs::File::open(file)?.sync_all()?;
                Ok(fs::read_to_string(file)?)
            }
            Self::Server(server) => {
                server.upload(lines.as_bytes())?;
                server.download()
            }
        }
    }

    fn send(&self, from: &mut End, to: &mut End) -> Result {
        let lines = self.carry(from.unsent()?)?;
        to.raw.together(|raw| lines.lines().try_for_each(|line| apply(raw, line)))
    }
}

impl End {
    fn open(folder: &Path, durability: Durability, stamp: i64) -> Result<Self> {
        fs::create_dir(folder)?;
        let raw = Raw::open(folder, durability, true)?.with_clocks(stamp)?;
        Ok(Self { raw, sent: 0 })
    }

    /// What was written here since this was last asked: a record a line, or a stamp and what was changed.
    fn unsent(&mut self) -> Result<String> {
        let mut lines = String::new();
        let mut statement = self.raw.connection.prepare_cached(UNSENT)?;
        let mut rows = statement.query([self.sent])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(1)?.as_str()? == "update" {
                lines.push_str(&row.get::<_, i64>(2)?.to_string());
                lines.push(' ');
            }
            lines.push_str(row.get_ref(3)?.as_str()?);
            lines.push('\n');
            self.sent = row.get(0)?;
        }
        Ok(lines)
    }
}

fn apply(raw: &Raw, line: &str) -> Result {
    match line.split_once(' ').filter(|_| !line.starts_with('{')) {
        Some((stamp, entry)) => change(raw, stamp.parse()?, entry),
        None => create(raw, line),
    }
}

fn create(raw: &Raw, entry: &str) -> Result {
    let record: Record = serde_json::from_str(entry)?;
    let clock = record.updated.to_be_bytes();
    let is_newer = |known: &Vec<u8>| known.chunks(clock.len()).all(|old| old < &clock[..]);
    if raw.clocks(&record.id)?.as_ref().is_none_or(is_newer) {
        raw.connection.prepare_cached(UPSERT)?.execute(params![
            record.id,
            record.title,
            record.body,
            record.done,
            record.priority,
            record.updated,
            clock.repeat(FIELDS)
        ])?;
    }
    raw.log("received", record.updated, entry)
}

fn change(raw: &Raw, stamp: i64, entry: &str) -> Result {
    let change: Change<'_> = serde_json::from_str(entry)?;
    let mut clocks = raw.clocks(change.id)?.ok_or("the record is there")?;
    let clock = stamp.to_be_bytes();
    let field = if change.title.is_some() { Field::Title } else { Field::Priority };
    if clocks[field.clock()] < clock[..] {
        clocks[field.clock()].copy_from_slice(&clock);
        match &change.title {
            Some(title) => raw.set(change.id, field, title, &clocks)?,
            None => raw.set(change.id, field, &change.priority, &clocks)?,
        }
    }
    raw.log("received", stamp, entry)
}

impl Pair for Floor {
    fn here(&mut self) -> &mut dyn Store {
        &mut self.here.raw
    }

    fn there(&mut self) -> &mut dyn Store {
        &mut self.there.raw
    }

    fn send(&mut self) -> Result {
        self.way.send(&mut self.here, &mut self.there)
    }

    fn exchange(&mut self) -> Result {
        self.way.send(&mut self.here, &mut self.there)?;
        self.way.send(&mut self.there, &mut self.here)
    }
}
