//! Epochs: replacing everything, and going back.

use rusqlite::{Connection, OptionalExtension};
use syncline_core::Group;
use syncline_core::log::LaneHash;
use syncline_server::Terms;
use syncline_shared_log_wire::item::{Epoch, Epochs, Flush, OldEpoch, Restore, digest};

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
    let request = named_flush(ask);
    if let Some(made) = made(connection, &row, ask.epoch, request)? {
        return Ok(made);
    }
    check_epoch(&row, ask.epoch)?;
    let plan = Plan::of(connection, &row, row.epoch + 1, &ask.items)?;
    row.check_quota(terms.quota, plan.bytes)?;
    if row.id == 0 {
        row = GroupRow::make(connection, group, terms)?;
    }
    begin_next(connection, &mut row, terms)?;
    plan.carry_out(connection, &mut row, terms)?;
    row.save(connection)?;
    keep_made(connection, &row, request)
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
    let request = named_restore(which, ask);
    if let Some(made) = made(connection, &row, ask.epoch, request)? {
        return Ok(made);
    }
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
    copy(connection, &mut row, old)?;
    row.items = items;
    row.epoch_bytes = bytes;
    row.bytes += bytes;
    row.save(connection)?;
    keep_made(connection, &row, request)
}

/// Copies an old epoch's items into the present one, in their order.
///
/// One by one: SQLite would first lay all rows that it copies within a table aside, in memory.
fn copy(connection: &Connection, row: &mut GroupRow, old: i64) -> Result<()> {
    const PAGE: usize = 1_000;
    let mut page = connection.prepare_cached(
        "SELECT id, number FROM hub_item WHERE group_id = ?1 AND epoch = ?2 AND number > ?3 \
         ORDER BY number LIMIT ?4",
    )?;
    let mut copy = connection.prepare_cached(
        "INSERT INTO hub_item \
         (group_id, epoch, kind, key, number, timestamp, deleted, digest, size, data) \
         SELECT group_id, ?2, kind, key, ?3, timestamp, deleted, digest, size, data \
         FROM hub_item WHERE id = ?1",
    )?;
    let mut after = 0_i64;
    loop {
        let of_page = page.query_map((row.id, old, after, PAGE as i64), |item| {
            Ok((item.get::<_, i64>(0)?, item.get::<_, i64>(1)?))
        })?;
        let of_page = of_page.collect::<rusqlite::Result<Vec<_>>>()?;
        for (id, number) in &of_page {
            row.item_number += 1;
            let _ = copy.execute((id, row.epoch.cast_signed(), row.item_number.cast_signed()))?;
            after = *number;
        }
        if of_page.len() < PAGE {
            return Ok(());
        }
    }
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

/// Names a flush by all that it says: whoever says the same of the same epoch wants the same.
fn named_flush(ask: &Flush) -> LaneHash {
    let begin = LaneHash::default().then(b"flush").then(&ask.epoch.to_be_bytes());
    ask.items.iter().fold(begin, |before, item| {
        let mut bytes = Vec::with_capacity(item.kind.len() + item.key.len() + 96);
        for text in [&item.kind, &item.key] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&item.timestamp.to_be_bytes());
        bytes.extend_from_slice(digest(item).as_bytes());
        before.then(&bytes)
    })
}

fn named_restore(which: u64, ask: &Restore) -> LaneHash {
    let begin = LaneHash::default().then(b"restore").then(&ask.epoch.to_be_bytes());
    begin.then(&which.to_be_bytes())
}

/// What the request that made the present epoch was answered, if this is the same one again.
fn made(
    connection: &Connection,
    row: &GroupRow,
    based_on: u64,
    request: LaneHash,
) -> Result<Option<Epoch>> {
    if row.epoch != based_on.saturating_add(1) {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT number FROM hub_item_made WHERE group_id = ?1 AND epoch = ?2 AND request = ?3",
    )?;
    let of = (row.id, row.epoch.cast_signed(), request.0);
    let number = statement.query_row(of, |row| row.get::<_, i64>(0)).optional()?;
    Ok(number.map(|number| Epoch { epoch: row.epoch, number: number.cast_unsigned() }))
}

/// Notes which request made the present epoch; answers it.
fn keep_made(connection: &Connection, row: &GroupRow, request: LaneHash) -> Result<Epoch> {
    let mut statement = connection
        .prepare_cached("INSERT OR REPLACE INTO hub_item_made VALUES (?1, ?2, ?3, ?4)")?;
    let (number, at) = (row.item_number.cast_signed(), row.epoch.cast_signed());
    let _ = statement.execute((row.id, at, number, request.0))?;
    Ok(epoch(row))
}
