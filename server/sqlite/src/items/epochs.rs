//! Epochs: replacing everything, and going back.

use rusqlite::{Connection, OptionalExtension};
use syncline_core::Group;
use syncline_server::Terms;
use syncline_shared_log_wire::item::{Epoch, Epochs, Flush, OldEpoch, Restore};

use super::upload::Plan;
use super::{check_count, check_epoch, epoch};
use crate::error::{Result, StoreError};
use crate::group::GroupRow;

pub(super) fn flush(
    connection: &Connection,
    group: &Group,
    mut row: GroupRow,
    ask: &Flush,
    terms: &Terms,
) -> Result<Epoch> {
    check_count(ask.items.len())?;
    check_epoch(&row, ask.epoch)?;
    let plan = Plan::of(connection, &row, row.epoch + 1, &ask.items)?;
    row.check_quota(terms.quota, plan.bytes)?;
    if row.id == 0 {
        row = GroupRow::make(connection, group)?;
    }
    begin_next(connection, &mut row, terms)?;
    plan.carry_out(connection, &mut row, terms)?;
    row.save(connection)?;
    Ok(epoch(&row))
}

/// The epochs that can be restored, the newest first.
pub(super) fn list(connection: &Connection, row: &GroupRow, terms: &Terms) -> Result<Epochs> {
    let mut statement = connection.prepare_cached(
        "SELECT epoch, items, kept_until FROM hub_item_epoch \
         WHERE group_id = ?1 AND kept_until > ?2 ORDER BY epoch DESC LIMIT ?3",
    )?;
    let most = syncline_shared_log_wire::item::MOST as i64;
    let old = statement.query_map((row.id, terms.now, most), |row| {
        let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok(OldEpoch { epoch: number(0)?, items: number(1)?, kept_until: row.get(2)? })
    })?;
    Ok(Epochs { epoch: row.epoch, old: old.collect::<rusqlite::Result<_>>()? })
}

pub(super) fn restore(
    connection: &Connection,
    mut row: GroupRow,
    which: u64,
    ask: &Restore,
    terms: &Terms,
) -> Result<Epoch> {
    check_epoch(&row, ask.epoch)?;
    let mut statement = connection.prepare_cached(
        "SELECT items, bytes FROM hub_item_epoch \
         WHERE group_id = ?1 AND epoch = ?2 AND kept_until > ?3",
    )?;
    let old = i64::try_from(which).unwrap_or(-1);
    let found = statement.query_row((row.id, old, terms.now), |row| {
        let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok((number(0)?, number(1)?))
    });
    let (items, bytes) = found.optional()?.ok_or(StoreError::NoEpoch { epoch: which })?;
    row.check_quota(terms.quota, bytes)?;
    begin_next(connection, &mut row, terms)?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO hub_item \
         (group_id, epoch, kind, key, number, timestamp, deleted, digest, size, data) \
         SELECT group_id, ?3, kind, key, ?4 + row_number() OVER (ORDER BY number), \
         timestamp, deleted, digest, size, data \
         FROM hub_item WHERE group_id = ?1 AND epoch = ?2",
    )?;
    let (next, number) = (row.epoch.cast_signed(), row.item_number.cast_signed());
    row.item_number += statement.execute((row.id, old, next, number))? as u64;
    row.items = items;
    row.epoch_bytes = bytes;
    row.bytes += bytes;
    row.save(connection)?;
    Ok(epoch(&row))
}

/// Begins the next epoch, with nothing in it, and keeps the present one for a while.
fn begin_next(connection: &Connection, row: &mut GroupRow, terms: &Terms) -> Result<()> {
    let mut statement =
        connection.prepare_cached("INSERT INTO hub_item_epoch VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let _ = statement.execute((
        row.id,
        row.epoch.cast_signed(),
        row.items.cast_signed(),
        row.epoch_bytes.cast_signed(),
        terms.now.saturating_add(terms.keep_epochs),
    ))?;
    row.epoch += 1;
    row.items = 0;
    row.epoch_bytes = 0;
    row.changed = Some(terms.now);
    Ok(())
}
