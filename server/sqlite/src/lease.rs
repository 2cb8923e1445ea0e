//! Leases: names that are held for a while.
//!
//! Tokens rise over the whole group, so they rise for each name, also when nothing is left of its last lease.

use rusqlite::{Connection, OptionalExtension, Row};
use syncline_core::Group;
use syncline_server::{LeaseChange, Terms};
use syncline_shared_log_wire::lease::Lease;

use crate::error::{Result, StoreError};
use crate::group::GroupRow;
use crate::job::Weigh;

/// The most names that a group holds at once, so that all of them fit into one answer.
const MOST: i64 = 10_000;

/// How many expired ones each change clears away.
const CLEARED: i64 = 100;

impl Weigh for Lease {
    fn weight(&self) -> usize {
        self.name.len() + self.holder.len()
    }
}

/// Takes, renews or releases a lease.
pub(crate) fn change(
    connection: &Connection,
    group: &Group,
    change: &LeaseChange,
    terms: &Terms,
) -> Result<Lease> {
    let now = terms.now;
    let row = GroupRow::find(connection, group)?.unwrap_or_default();
    match change {
        LeaseChange::Take { name, holder, millis, attempt } => {
            if let Some(held) = held(connection, row.id, name, now)? {
                let is_same = held.holder == *holder && attempt.is_some();
                if is_same && attempt_of(connection, row.id, name)? == *attempt {
                    return Ok(held);
                }
                return Err(StoreError::Held { name: held.name, holder: held.holder });
            }
            if count(connection, row.id, now)? >= MOST {
                return Err(StoreError::TooManyLeases { limit: MOST });
            }
            let mut row = GroupRow::make(connection, group, terms)?;
            clear(connection, row.id, now)?;
            row.lease_token += 1;
            row.save(connection)?;
            let (name, holder) = (name.clone(), holder.clone());
            let lease = Lease {
                name,
                holder,
                token: row.lease_token,
                expires: now.saturating_add(*millis),
            };
            keep(connection, row.id, &lease, attempt.as_deref())?;
            Ok(lease)
        }
        LeaseChange::Renew { name, token, millis } => {
            let held = under(connection, row.id, name, *token, now)?;
            let lease = Lease { expires: now.saturating_add(*millis), ..held };
            let attempt = attempt_of(connection, row.id, name)?;
            keep(connection, row.id, &lease, attempt.as_deref())?;
            Ok(lease)
        }
        LeaseChange::Release { name, token } => {
            let held = under(connection, row.id, name, *token, now)?;
            let mut statement = connection
                .prepare_cached("DELETE FROM hub_lease WHERE group_id = ?1 AND name = ?2")?;
            let _ = statement.execute((row.id, name))?;
            Ok(held)
        }
    }
}

/// All names that are held, sorted.
pub(crate) fn list(connection: &Connection, group: &Group, now: i64) -> Result<Vec<Lease>> {
    let Some(row) = GroupRow::find(connection, group)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT name, holder, token, expires FROM hub_lease \
         WHERE group_id = ?1 AND expires > ?2 ORDER BY name",
    )?;
    let leases = statement.query_map((row.id, now), read)?;
    Ok(leases.collect::<rusqlite::Result<_>>()?)
}

/// The lease of a name, if it has not expired.
fn held(connection: &Connection, group: i64, name: &str, now: i64) -> Result<Option<Lease>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, holder, token, expires FROM hub_lease \
         WHERE group_id = ?1 AND name = ?2 AND expires > ?3",
    )?;
    Ok(statement.query_row((group, name, now), read).optional()?)
}

/// The lease of a name, if it is held under this token.
fn under(connection: &Connection, group: i64, name: &str, token: u64, now: i64) -> Result<Lease> {
    match held(connection, group, name, now)? {
        Some(lease) if lease.token == token => Ok(lease),
        Some(lease) => Err(StoreError::Held { name: lease.name, holder: lease.holder }),
        None => Err(StoreError::NoLease { name: name.to_owned() }),
    }
}

/// What the holder called the attempt with which it took a name.
fn attempt_of(connection: &Connection, group: i64, name: &str) -> Result<Option<String>> {
    let mut statement = connection
        .prepare_cached("SELECT attempt FROM hub_lease WHERE group_id = ?1 AND name = ?2")?;
    Ok(statement.query_row((group, name), |row| row.get(0)).optional()?.flatten())
}

fn keep(connection: &Connection, group: i64, lease: &Lease, attempt: Option<&str>) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO hub_lease (group_id, name, holder, token, expires, attempt) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let token = lease.token.cast_signed();
    let _ =
        statement.execute((group, &lease.name, &lease.holder, token, lease.expires, attempt))?;
    Ok(())
}

fn count(connection: &Connection, group: i64, now: i64) -> Result<i64> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM hub_lease WHERE group_id = ?1 AND expires > ?2")?;
    Ok(statement.query_row((group, now), |row| row.get(0))?)
}

fn clear(connection: &Connection, group: i64, now: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM hub_lease WHERE group_id = ?1 AND name IN \
         (SELECT name FROM hub_lease WHERE group_id = ?1 AND expires <= ?2 LIMIT ?3)",
    )?;
    let _ = statement.execute((group, now, CLEARED))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Lease> {
    let token = row.get::<_, i64>(2)?.cast_unsigned();
    Ok(Lease { name: row.get(0)?, holder: row.get(1)?, token, expires: row.get(3)? })
}
