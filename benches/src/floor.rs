//! The least that any sync must do on SQLite: read the log, carry lines of JSON through a file or over HTTP,
//! check and store a clock for each field, and log at the receiver what was received, all in one transaction.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, params};

use crate::Result;
use crate::line_server::LineServer;
use crate::raw::Raw;
use crate::record::Record;
use crate::store::{Durability, Pair, Store};

/// Two databases that are synced by hand.
#[derive(Debug)]
pub struct Floor {
    here: Raw,
    there: Raw,
    way: Way,
}

/// How lines get from one database to the other.
#[derive(Debug)]
enum Way {
    /// Through a file.
    File(PathBuf),
    /// Through a server that keeps them in a file.
    Server(LineServer),
}

const CLOCKS: &str = "ALTER TABLE record ADD COLUMN clocks BLOB";
const KNOWN: &str = "SELECT clocks FROM record WHERE id = ?1";
const UPSERT: &str = "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// How many fields have a clock: all but the key.
const FIELDS: usize = 5;

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
        let [here, there] = ["here", "there"].map(|name| folder.join(name));
        fs::create_dir(&here)?;
        fs::create_dir(&there)?;
        let here = Raw::open(&here, durability, true)?;
        let there = Raw::open(&there, durability, true)?;
        there.connection.execute_batch(CLOCKS)?;
        Ok(Self { here, there, way })
    }

    fn read_log(&self) -> Result<String> {
        let mut lines = String::new();
        let mut statement = self.here.connection.prepare_cached("SELECT entry FROM log")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            lines.push_str(row.get_ref(0)?.as_str()?);
            lines.push('\n');
        }
        Ok(lines)
    }

    /// Brings the lines to the other side, as a file or a server would keep them.
    fn carry(&self, lines: String) -> Result<String> {
        match &self.way {
            Way::File(file) => {
                fs::write(file, lines)?;
                fs::File::open(file)?.sync_all()?;
                Ok(fs::read_to_string(file)?)
            }
            Way::Server(server) => {
                server.upload(lines.as_bytes())?;
                server.download()
            }
        }
    }

    fn apply(&self, entry: &str) -> Result {
        let record: Record = serde_json::from_str(entry)?;
        let known = self
            .there
            .connection
            .prepare_cached(KNOWN)?
            .query_row([&record.id], |row| row.get::<_, Vec<u8>>(0))
            .optional()?;
        let clock = record.updated.to_be_bytes();
        let is_newer = |known: &Vec<u8>| known.chunks(clock.len()).all(|old| old < &clock[..]);
        if known.as_ref().is_none_or(is_newer) {
            self.there.connection.prepare_cached(UPSERT)?.execute(params![
                record.id,
                record.title,
                record.body,
                record.done,
                record.priority,
                record.updated,
                clock.repeat(FIELDS)
            ])?;
        }
        self.there.log("create", record.updated, entry)
    }
}

impl Pair for Floor {
    fn here(&mut self) -> &mut dyn Store {
        &mut self.here
    }

    fn there(&mut self) -> &mut dyn Store {
        &mut self.there
    }

    fn send(&mut self) -> Result {
        let lines = self.carry(self.read_log()?)?;
        self.there.together(|_| lines.lines().try_for_each(|line| self.apply(line)))
    }

    fn exchange(&mut self) -> Result {
        Err("the floor goes one way".into())
    }
}
