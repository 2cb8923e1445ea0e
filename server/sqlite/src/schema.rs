//! The tables, and which version of them a file has.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};

/// The version of the tables that this crate makes and reads.
const VERSION: i64 = STEPS.len() as i64;

/// Says to whom a file belongs: `SYNH`.
const APPLICATION: i64 = 0x5359_4e48;

/// What makes each version of the one before it.
const STEPS: [&str; 2] = [TABLES, REPEATS];

/// What tells a repeated request from another one.
const REPEATS: &str = "
    ALTER TABLE hub_lease ADD COLUMN attempt TEXT;
    CREATE TABLE hub_item_made (
        group_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
        request BLOB NOT NULL);
";

/// A segment's place is its group's row and its number in one, so that a group lies together in the file and
/// in the order of its numbers without an index. Bytes come last: who looks at a row only does not read them.
const TABLES: &str = "
    CREATE TABLE hub_state (id INTEGER PRIMARY KEY, checks INTEGER NOT NULL);
    INSERT INTO hub_state VALUES (1, 0);
    CREATE TABLE hub_group (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
        number INTEGER NOT NULL DEFAULT 0, hash BLOB NOT NULL,
        segments INTEGER NOT NULL DEFAULT 0, entries INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0, ahead INTEGER NOT NULL DEFAULT 0,
        items INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0,
        item_number INTEGER NOT NULL DEFAULT 0, epoch_bytes INTEGER NOT NULL DEFAULT 0,
        lease_token INTEGER NOT NULL DEFAULT 0, changed INTEGER);
    CREATE TABLE hub_lane (
        id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, replica BLOB NOT NULL,
        is_plain INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        UNIQUE (group_id, replica));
    CREATE TABLE hub_head (
        lane INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (lane, seq, hash)) WITHOUT ROWID;
    CREATE TABLE hub_segment (
        place INTEGER PRIMARY KEY, lane INTEGER NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL,
        running BLOB NOT NULL, size INTEGER NOT NULL, bytes BLOB NOT NULL);
    CREATE INDEX hub_segment_after ON hub_segment (lane, last, after);
    CREATE INDEX hub_segment_before ON hub_segment (lane, first, before);
    CREATE TABLE hub_member (
        group_id INTEGER NOT NULL, replica BLOB NOT NULL, acknowledged BLOB,
        PRIMARY KEY (group_id, replica)) WITHOUT ROWID;
    CREATE TABLE hub_lease (
        group_id INTEGER NOT NULL, name TEXT NOT NULL, holder TEXT NOT NULL,
        token INTEGER NOT NULL, expires INTEGER NOT NULL,
        PRIMARY KEY (group_id, name)) WITHOUT ROWID;
    CREATE INDEX hub_lease_expires ON hub_lease (group_id, expires);
    CREATE TABLE hub_item (
        id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, epoch INTEGER NOT NULL,
        kind TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
        timestamp INTEGER NOT NULL, deleted INTEGER NOT NULL, digest TEXT NOT NULL,
        size INTEGER NOT NULL, data TEXT,
        UNIQUE (group_id, epoch, kind, key));
    CREATE INDEX hub_item_number ON hub_item (group_id, epoch, number);
    CREATE TABLE hub_item_history (
        id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
        timestamp INTEGER NOT NULL, deleted INTEGER NOT NULL, size INTEGER NOT NULL,
        kept_until INTEGER NOT NULL, data TEXT);
    CREATE INDEX hub_item_history_of ON hub_item_history (group_id, kind, key);
    CREATE INDEX hub_item_history_until ON hub_item_history (group_id, kept_until);
    CREATE TABLE hub_item_epoch (
        group_id INTEGER NOT NULL, epoch INTEGER NOT NULL, items INTEGER NOT NULL,
        bytes INTEGER NOT NULL, kept_until INTEGER NOT NULL,
        PRIMARY KEY (group_id, epoch)) WITHOUT ROWID;
";

/// Makes the tables in a new file, adds what one of an earlier version lacks, and checks that it is ours and not
/// from the future.
pub(crate) fn prepare(connection: &mut Connection) -> Result<()> {
    if version(connection)? == Some(VERSION) {
        return Ok(());
    }
    // Several hubs may open a new file at once: who comes second finds the tables made.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?.unwrap_or(0);
    let done = usize::try_from(found).unwrap_or(STEPS.len());
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// The version of the tables; nothing if the file is new.
fn version(connection: &Connection) -> Result<Option<i64>> {
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let (application, found) = (ask("PRAGMA application_id")?, ask("PRAGMA user_version")?);
    if application == APPLICATION {
        return match found {
            1..=VERSION => Ok(Some(found)),
            _ => Err(StoreError::Newer { found, known: VERSION }),
        };
    }
    if application != 0 || found != 0 || ask("SELECT count(*) FROM sqlite_schema")? > 0 {
        return Err(StoreError::Foreign { application });
    }
    Ok(None)
}
