//! Connections: how they are set up, and transactions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, OpenFlags};

use crate::config::{Durability, SqliteConfig};
use crate::counters::Tally;
use crate::error::{Result, SqliteError};

/// One connection, which counts what it is asked.
#[derive(Debug)]
pub(crate) struct Db {
    connection: Connection,
    tally: Arc<Tally>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

/// Statements kept ready, for each connection.
const STATEMENTS: usize = 256;

/// A write-ahead log that one large write made is cut back to this once it is no longer needed.
const LOG_BYTES: u32 = 16 << 20;

impl Db {
    /// Opens a file, or memory if there is no path.
    pub(crate) fn open(
        path: Option<&Path>,
        config: &SqliteConfig,
        role: Role,
        tally: Arc<Tally>,
    ) -> Result<Self> {
        let Some(path) = path else {
            let connection = Connection::open_in_memory()?;
            set_up(&connection, config)?;
            return Ok(Self { connection, tally });
        };
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if role == Role::Writer {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let open = || -> Result<Connection> {
            let connection = Connection::open_with_flags(path, flags)?;
            set_up(&connection, config)?;
            match role {
                Role::Writer => keep_log(&connection, config, path)?,
                Role::Reader => connection.pragma_update(None, "query_only", true)?,
            }
            Ok(connection)
        };
        let connection = open().map_err(|error| match error {
            SqliteError::Driver(source) => SqliteError::Open { path: path.to_owned(), source },
            other => other,
        })?;
        Ok(Self { connection, tally })
    }

    /// A statement, ready to be bound and run once.
    pub(crate) fn statement(&self, sql: &str) -> Result<CachedStatement<'_>> {
        self.tally.statement();
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Counts one more run of a statement that is at hand.
    pub(crate) fn count_statement(&self) {
        self.tally.statement();
    }

    /// Counts a transaction of one statement, which needs no beginning and no end.
    pub(crate) fn count_transaction(&self) {
        self.tally.transaction();
    }

    /// Runs a statement that is not worth keeping.
    pub(crate) fn run(&self, sql: &str) -> Result<()> {
        self.tally.statement();
        Ok(self.connection.execute_batch(sql)?)
    }

    /// The connection itself, to ask what needs no statement.
    pub(crate) fn raw(&self) -> &Connection {
        &self.connection
    }

    /// Does `work` in one transaction: all of it, or nothing if it fails.
    ///
    /// The right to write is taken at the start, so a transaction that has begun never meets another
    /// writer half-way. SQLite waits for that right up to the busy timeout.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.tally.transaction();
        self.plain("BEGIN IMMEDIATE")?;
        let done = work().and_then(|answer| self.plain("COMMIT").map(|()| answer));
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    /// Leaves no transaction open. Some failures, such as a full disk, end it by themselves.
    pub(crate) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // If this fails as well, the next use of the connection finds the transaction still open
            // and tries again.
            let _ = self.plain("ROLLBACK");
        }
    }

    fn plain(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Moves what the write-ahead log holds into the database and empties it.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let busy: i64 =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        Err(rusqlite::Error::SqliteFailure(code, None).into())
    }
}

fn set_up(connection: &Connection, config: &SqliteConfig) -> Result<()> {
    connection.busy_timeout(config.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise a column that another program dropped would be read as the text of its name.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Plans do not depend on what is bound, so no statement is prepared anew when a value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let kibibytes = i64::try_from(config.cache_bytes / 1024).unwrap_or(i64::MAX);
    connection.pragma_update(None, "cache_size", -kibibytes)?;
    // What merging brings is stored, whether or not what it refers to is there yet.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    rusqlite::vtab::array::load_module(connection)?;
    Ok(())
}

fn keep_log(connection: &Connection, config: &SqliteConfig, path: &Path) -> Result<()> {
    let mode = use_log(connection, config)?;
    if !mode.eq_ignore_ascii_case("wal") {
        let problem = "the database cannot have a write-ahead log here; put it on a local disk";
        return Err(syncline_core::Error::new(syncline_core::ErrorKind::Unsupported, problem)
            .with("path", path.display())
            .with("journal", mode)
            .into());
    }
    let synchronous = match config.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    Ok(())
}

/// Two processes that open a new database at once get in each other's way here, and SQLite does not
/// wait by itself where waiting could be in vain.
fn use_log(connection: &Connection, config: &SqliteConfig) -> Result<String> {
    let start = Instant::now();
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
            .map_err(SqliteError::from);
        match mode {
            Err(error) if error.is_busy() && start.elapsed() < config.busy_timeout => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(db: &Db, pragma: &str) -> String {
        let value = db.connection.pragma_query_value(None, pragma, |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(int) => int.to_string(),
                other => other.as_str()?.to_owned(),
            })
        });
        value.expect("a pragma that is there")
    }

    #[test]
    fn a_commit_is_synced_to_the_disk_unless_less_was_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        for (durability, synchronous) in [(Durability::Full, "2"), (Durability::Normal, "1")] {
            let config = SqliteConfig { durability, ..SqliteConfig::default() };
            let path = folder.path().join(synchronous);
            let db = Db::open(Some(&path), &config, Role::Writer, Arc::default()).expect("opens");
            assert_eq!(ask(&db, "synchronous"), synchronous);
            assert_eq!(ask(&db, "journal_mode"), "wal");
            assert_eq!(ask(&db, "cache_size"), "-65536");
            assert_eq!(ask(&db, "foreign_keys"), "0");
        }
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data.db");
        let open = |role| Db::open(Some(&path), &SqliteConfig::default(), role, Arc::default());
        let _writer = open(Role::Writer).expect("opens");
        let reader = open(Role::Reader).expect("opens");
        assert!(reader.run("CREATE TABLE a (b)").is_err());
    }
}
