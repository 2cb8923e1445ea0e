//! Keeping items: the newer one wins.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use syncline_core::Group;
use syncline_server::Terms;
use syncline_shared_log_wire::item::{Item, Upload, UploadOutcome, Uploaded, digest};

use super::{check_count, check_epoch, expire, size};
use crate::error::Result;
use crate::group::GroupRow;

/// How many expired rows each change clears away, so that none takes long.
const CLEARED: i64 = 1_000;

pub(super) fn upload(
    connection: &Connection,
    group: &Group,
    mut row: GroupRow,
    ask: &Upload,
    terms: &Terms,
) -> Result<Uploaded> {
    check_count(ask.items.len())?;
    check_epoch(&row, ask.epoch)?;
    let plan = Plan::of(connection, &row, row.epoch, &ask.items)?;
    row.check_quota(terms.quota, plan.bytes)?;
    if !plan.stored.is_empty() {
        if row.id == 0 {
            row = GroupRow::make(connection, group, terms)?;
        }
        plan.carry_out(connection, &mut row, terms)?;
        let _ = expire(connection, &mut row, terms.now, CLEARED)?;
        row.save(connection)?;
    }
    Ok(Uploaded { epoch: row.epoch, number: row.item_number, outcomes: plan.outcomes })
}

/// What an upload will do, found out before anything is written.
pub(super) struct Plan<'a> {
    /// What becomes of each item.
    outcomes: Vec<UploadOutcome>,
    stored: Vec<Stored<'a>>,
    /// How many more bytes there will be, with those that go to the history.
    pub(super) bytes: u64,
}

struct Stored<'a> {
    item: &'a Item,
    digest: String,
    replaces: Option<Kept>,
}

/// An item as it is kept.
#[derive(Clone, Debug)]
struct Kept {
    timestamp: i64,
    deleted: bool,
    digest: String,
    size: u64,
}

impl<'a> Plan<'a> {
    pub(super) fn of(
        connection: &Connection,
        row: &GroupRow,
        epoch: u64,
        items: &'a [Item],
    ) -> Result<Self> {
        let mut plan = Self { outcomes: Vec::new(), stored: Vec::new(), bytes: 0 };
        let mut planned: HashMap<(&str, &str), Kept> = HashMap::new();
        for item in items {
            let id = (item.kind.as_str(), item.key.as_str());
            let kept = match planned.get(&id) {
                Some(kept) => Some(kept.clone()),
                None => kept(connection, row.id, epoch, item)?,
            };
            let digest = digest(item);
            let outcome = match &kept {
                Some(kept) => outcome(kept, item.timestamp, &digest),
                None => UploadOutcome::Stored,
            };
            plan.outcomes.push(outcome);
            if outcome == UploadOutcome::Stored {
                let (timestamp, deleted, size) = (item.timestamp, item.deleted, size(item));
                let new = Kept { timestamp, deleted, digest: digest.clone(), size };
                let _ = planned.insert(id, new);
                plan.bytes += size;
                plan.stored.push(Stored { item, digest, replaces: kept });
            }
        }
        Ok(plan)
    }

    /// Writes it, except for the group's row.
    pub(super) fn carry_out(
        &self,
        connection: &Connection,
        row: &mut GroupRow,
        terms: &Terms,
    ) -> Result<()> {
        let kept_until = terms.now.saturating_add(terms.keep_epochs);
        for stored in &self.stored {
            let live = u64::from(!stored.item.deleted);
            if let Some(replaced) = &stored.replaces {
                to_history(connection, row, stored.item, kept_until)?;
                row.items = row.items.saturating_sub(u64::from(!replaced.deleted));
                row.epoch_bytes = row.epoch_bytes.saturating_sub(replaced.size);
            }
            row.items += live;
            row.item_number += 1;
            let size = size(stored.item);
            row.epoch_bytes += size;
            row.bytes += size;
            row.changed = Some(terms.now);
            store(connection, row, stored, size)?;
        }
        Ok(())
    }
}

/// What becomes of an item beside the one that is kept.
fn outcome(kept: &Kept, timestamp: i64, digest: &str) -> UploadOutcome {
    use std::cmp::Ordering;
    match (timestamp, digest).cmp(&(kept.timestamp, &kept.digest)) {
        Ordering::Less => UploadOutcome::Older,
        Ordering::Equal => UploadOutcome::Known,
        Ordering::Greater => UploadOutcome::Stored,
    }
}

fn kept(connection: &Connection, group: i64, epoch: u64, item: &Item) -> Result<Option<Kept>> {
    let mut statement = connection.prepare_cached(
        "SELECT timestamp, deleted, digest, size FROM hub_item \
         WHERE group_id = ?1 AND epoch = ?2 AND kind = ?3 AND key = ?4",
    )?;
    let kept = statement.query_row((group, epoch.cast_signed(), &item.kind, &item.key), |row| {
        Ok(Kept {
            timestamp: row.get(0)?,
            deleted: row.get(1)?,
            digest: row.get(2)?,
            size: row.get::<_, i64>(3)?.cast_unsigned(),
        })
    });
    Ok(kept.optional()?)
}

fn to_history(connection: &Connection, row: &GroupRow, item: &Item, kept_until: i64) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO hub_item_history \
         (group_id, kind, key, timestamp, deleted, size, kept_until, data) \
         SELECT group_id, kind, key, timestamp, deleted, size, ?5, data FROM hub_item \
         WHERE group_id = ?1 AND epoch = ?2 AND kind = ?3 AND key = ?4",
    )?;
    let _ =
        statement.execute((row.id, row.epoch.cast_signed(), &item.kind, &item.key, kept_until))?;
    Ok(())
}

fn store(connection: &Connection, row: &GroupRow, stored: &Stored<'_>, size: u64) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO hub_item \
         (group_id, epoch, kind, key, number, timestamp, deleted, digest, size, data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (group_id, epoch, kind, key) DO UPDATE SET number = excluded.number, \
         timestamp = excluded.timestamp, deleted = excluded.deleted, digest = excluded.digest, \
         size = excluded.size, data = excluded.data",
    )?;
    let item = stored.item;
    let _ = statement.execute((
        row.id,
        row.epoch.cast_signed(),
        &item.kind,
        &item.key,
        row.item_number.cast_signed(),
        item.timestamp,
        item.deleted,
        &stored.digest,
        size.cast_signed(),
        &item.data,
    ))?;
    Ok(())
}
