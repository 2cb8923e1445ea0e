//! Connections: how they are set up, and transactions.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::config::{Durability, SqliteStoreConfig};
use crate::error::{Result, StoreError};
use crate::schema;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Writer,
    Reader,
}

/// Statements kept ready, for each connection.
const STATEMENTS: usize = 128;

/// A write-ahead log is moved into the file once it has so many pages: 16 MB.
const LOG_PAGES: u32 = 4_096;

/// One that grew beyond that is cut back to this.
const LOG_BYTES: u32 = 32 << 20;

/// Opens a file, or memory if there is no path.
pub(crate) fn open(
    path: Option<&Path>,
    config: &SqliteStoreConfig,
    role: Role,
) -> Result<Connection> {
    let Some(path) = path else {
        let mut connection = Connection::open_in_memory()?;
        set_up(&connection, config)?;
        schema::prepare(&mut connection)?;
        return Ok(connection);
    };
    let open = || -> Result<Connection> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if role == Role::Writer {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let mut connection = Connection::open_with_flags(path, flags)?;
        set_up(&connection, config)?;
        match role {
            Role::Writer => {
                keep_log(&connection, config)?;
                schema::prepare(&mut connection)?;
            }
            Role::Reader => connection.pragma_update(None, "query_only", true)?,
        }
        Ok(connection)
    };
    open().map_err(|error| match error {
        StoreError::Driver(source) => StoreError::Open { path: path.to_owned(), source },
        other => other,
    })
}

/// Begins a change. The right to write is taken at the start, so one that has begun never meets another writer
/// half-way. SQLite waits for that right up to the busy timeout.
pub(crate) fn begin(connection: &Connection) -> Result<()> {
    plain(connection, "BEGIN IMMEDIATE")
}

pub(crate) fn commit(connection: &Connection) -> Result<()> {
    plain(connection, "COMMIT")
}

/// Leaves no transaction open. Some failures, such as a full disk, end it by themselves.
pub(crate) fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // If this fails as well, the next beginning fails and says why.
        let _ = plain(connection, "ROLLBACK");
    }
}

/// Reads what is there at one moment, whatever is written meanwhile.
pub(crate) fn read<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    plain(connection, "BEGIN")?;
    let done = work(connection);
    roll_back(connection);
    done
}

/// Moves what the write-ahead log holds into the file, as far as nobody reads it.
pub(crate) fn checkpoint(connection: &Connection) -> Result<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

fn plain(connection: &Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}

pub(crate) fn set_up(connection: &Connection, config: &SqliteStoreConfig) -> Result<()> {
    connection.busy_timeout(config.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    // Plans do not depend on what is bound, so no statement is prepared anew when a value changes.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let kibibytes = i64::try_from(config.cache_bytes / 1024).unwrap_or(i64::MAX);
    connection.pragma_update(None, "cache_size", -kibibytes)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

fn keep_log(connection: &Connection, config: &SqliteStoreConfig) -> Result<()> {
    let journal = use_log(connection, config.busy_timeout)?;
    if !journal.eq_ignore_ascii_case("wal") {
        return Err(StoreError::NoLog { journal });
    }
    let synchronous = match config.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    Ok(())
}

/// Two processes that open a new file at once get in each other's way here, and SQLite does not wait by itself
/// where waiting could be in vain.
fn use_log(connection: &Connection, timeout: Duration) -> Result<String> {
    let start = Instant::now();
    loop {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
            .map_err(StoreError::from);
        match mode {
            Err(error) if error.is_busy() && start.elapsed() < timeout => {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
}
