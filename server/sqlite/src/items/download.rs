//! What changed, and what an item was before: page by page.

use rusqlite::{Connection, Row};
use syncline_server::Terms;
use syncline_shared_log_wire::item::{
    Download, Downloaded, Item, ItemHistory, ItemId, MOST, NumberedItem,
};

use super::{check_epoch, size};
use crate::error::Result;
use crate::group::GroupRow;

pub(super) fn download(
    connection: &Connection,
    row: &GroupRow,
    ask: &Download,
    terms: &Terms,
) -> Result<Downloaded> {
    if let Some(epoch) = ask.epoch {
        check_epoch(row, epoch)?;
    }
    let most = ask.limit.map_or(MOST, |limit| usize::try_from(limit).unwrap_or(MOST));
    let most = most.clamp(1, MOST);
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, data, timestamp, deleted, number FROM hub_item \
         WHERE group_id = ?1 AND epoch = ?2 AND number > ?3 AND (?4 OR NOT deleted) \
         ORDER BY number",
    )?;
    let after = i64::try_from(ask.after).unwrap_or(i64::MAX);
    let mut rows =
        statement.query((row.id, row.epoch.cast_signed(), after, ask.include_deleted))?;
    let (mut items, mut bytes) = (Vec::<NumberedItem>::new(), 0);
    while let Some(found) = rows.next()? {
        if let Some(last) = items.last().filter(|_| items.len() == most) {
            return Ok(Downloaded { epoch: row.epoch, number: last.number, more: true, items });
        }
        let item = read(found)?;
        bytes += size(&item);
        if let Some(last) = items.last().filter(|_| bytes > terms.answer_bytes) {
            return Ok(Downloaded { epoch: row.epoch, number: last.number, more: true, items });
        }
        items.push(NumberedItem { number: found.get::<_, i64>(5)?.cast_unsigned(), item });
    }
    // Who asks behind a number that was never given is told where the numbers are.
    Ok(Downloaded { epoch: row.epoch, number: row.item_number, more: false, items })
}

pub(super) fn history(
    connection: &Connection,
    row: &GroupRow,
    of: &ItemId,
    terms: &Terms,
) -> Result<ItemHistory> {
    // The plus keeps SQLite from going through all that the group ever replaced.
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, data, timestamp, deleted FROM hub_item_history \
         WHERE group_id = ?1 AND kind = ?2 AND key = ?3 AND +kept_until > ?4 ORDER BY id DESC",
    )?;
    let mut rows = statement.query((row.id, &of.kind, &of.key, terms.now))?;
    let (mut replaced, mut bytes) = (Vec::new(), 0);
    while let Some(found) = rows.next()?.filter(|_| replaced.len() < MOST) {
        let item = read(found)?;
        bytes += size(&item);
        if bytes > terms.answer_bytes && !replaced.is_empty() {
            break;
        }
        replaced.push(item);
    }
    Ok(ItemHistory { replaced })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        kind: row.get(0)?,
        key: row.get(1)?,
        data: row.get(2)?,
        timestamp: row.get(3)?,
        deleted: row.get(4)?,
    })
}
