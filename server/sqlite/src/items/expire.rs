//! Clearing away what was kept for a while only.

use rusqlite::{Connection, Params};

use crate::error::Result;
use crate::group::GroupRow;

/// Removes replaced values and old epochs whose time is over, at most so many rows; answers with how many.
///
/// The group's row is left to be saved.
pub(crate) fn expire(
    connection: &Connection,
    row: &mut GroupRow,
    now: i64,
    most: i64,
) -> Result<i64> {
    let (mut removed, bytes) = remove(
        connection,
        "DELETE FROM hub_item_history WHERE id IN (SELECT id FROM hub_item_history \
         WHERE group_id = ?1 AND kept_until <= ?2 LIMIT ?3) RETURNING size",
        (row.id, now, most),
    )?;
    row.bytes = row.bytes.saturating_sub(bytes);
    for epoch in over(connection, row.id, now)? {
        let left = most - removed;
        let (count, bytes) = remove(
            connection,
            "DELETE FROM hub_item WHERE id IN (SELECT id FROM hub_item \
             WHERE group_id = ?1 AND epoch = ?2 LIMIT ?3) RETURNING size",
            (row.id, epoch, left),
        )?;
        row.bytes = row.bytes.saturating_sub(bytes);
        removed += count;
        if count == left {
            break;
        }
        let mut statement = connection
            .prepare_cached("DELETE FROM hub_item_epoch WHERE group_id = ?1 AND epoch = ?2")?;
        removed += statement.execute((row.id, epoch))? as i64;
    }
    Ok(removed)
}

/// Removes rows; answers with how many, and how many bytes they had.
fn remove(connection: &Connection, sql: &str, which: impl Params) -> Result<(i64, u64)> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut sizes = statement.query(which)?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(size) = sizes.next()? {
        count += 1;
        bytes += size.get::<_, i64>(0)?.cast_unsigned();
    }
    Ok((count, bytes))
}

/// Old epochs whose time is over.
fn over(connection: &Connection, group: i64, now: i64) -> Result<Vec<i64>> {
    const MOST: i64 = 100;
    let mut statement = connection.prepare_cached(
        "SELECT epoch FROM hub_item_epoch WHERE group_id = ?1 AND kept_until <= ?2 \
         ORDER BY epoch LIMIT ?3",
    )?;
    let epochs = statement.query_map((group, now, MOST), |row| row.get(0))?;
    Ok(epochs.collect::<rusqlite::Result<_>>()?)
}
