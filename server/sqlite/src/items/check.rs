//! How a client's list differs: both sides are gone through once, in the order of type and key.

use std::cmp::{Ordering, Reverse};

use rusqlite::{Connection, Rows};
use syncline_server::Terms;
use syncline_shared_log_wire::item::{Check, Checked, ItemId, Known, MOST};

use super::check_count;
use crate::error::Result;
use crate::group::GroupRow;

/// An item as it is kept.
struct Kept {
    id: ItemId,
    timestamp: i64,
    deleted: bool,
    digest: String,
}

pub(super) fn check(
    connection: &Connection,
    row: &GroupRow,
    ask: &Check,
    terms: &Terms,
) -> Result<Checked> {
    check_count(ask.items.len())?;
    let mut listed = within(ask).into_iter().peekable();
    let mut statement = connection.prepare_cached(
        "SELECT kind, key, timestamp, deleted, digest FROM hub_item \
         WHERE group_id = ?1 AND epoch = ?2 AND (kind, key) > (?3, ?4) ORDER BY kind, key",
    )?;
    let (kind, key) = ask.after.clone().unwrap_or_default();
    let mut rows = statement.query((row.id, row.epoch.cast_signed(), kind, key))?;
    let mut kept = next(&mut rows, ask)?;
    let mut found = Found::new(row.epoch, terms.answer_bytes);
    loop {
        let side = match (listed.peek(), &kept) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(known), Some(kept)) => place(known).cmp(&(&kept.id.kind, &kept.id.key)),
        };
        let known = if side == Ordering::Greater { None } else { listed.next() };
        let here = if side == Ordering::Less { None } else { kept.take() };
        if here.is_some() {
            kept = next(&mut rows, ask)?;
        }
        if !found.compare(known, here) {
            break;
        }
    }
    Ok(found.checked)
}

/// What the client lists of the range, sorted; of several entries for one item the newest.
fn within(ask: &Check) -> Vec<&Known> {
    let is_within = |known: &&Known| {
        let after = ask.after.as_ref().is_none_or(|(kind, key)| place(known) > (kind, key));
        after && ask.up_to.as_ref().is_none_or(|(kind, key)| place(known) <= (kind, key))
    };
    let mut listed: Vec<&Known> = ask.items.iter().filter(is_within).collect();
    listed.sort_by_key(|known| (place(known), Reverse(known.timestamp)));
    listed.dedup_by_key(|known| place(known));
    listed
}

fn next(rows: &mut Rows<'_>, ask: &Check) -> Result<Option<Kept>> {
    let Some(row) = rows.next()? else { return Ok(None) };
    let id = ItemId { kind: row.get(0)?, key: row.get(1)? };
    if ask.up_to.as_ref().is_some_and(|(kind, key)| (&id.kind, &id.key) > (kind, key)) {
        return Ok(None);
    }
    let (timestamp, deleted, digest) = (row.get(2)?, row.get(3)?, row.get(4)?);
    Ok(Some(Kept { id, timestamp, deleted, digest }))
}

fn place(known: &Known) -> (&String, &String) {
    (&known.kind, &known.key)
}

/// The answer as it is filled.
struct Found {
    checked: Checked,
    /// The item that was compared last.
    last: Option<ItemId>,
    count: usize,
    bytes: u64,
    most_bytes: u64,
}

impl Found {
    fn new(epoch: u64, most_bytes: u64) -> Self {
        let checked = Checked { epoch, ..Checked::default() };
        Self { checked, last: None, count: 0, bytes: 0, most_bytes }
    }

    /// Compares both sides of one item; false if there is no room to tell how they differ.
    fn compare(&mut self, known: Option<&Known>, kept: Option<Kept>) -> bool {
        let list: Option<List> = match (known, &kept) {
            (Some(known), Some(kept)) => of_both(known, kept),
            (Some(_), None) => Some(|checked| &mut checked.missing),
            (None, Some(kept)) if !kept.deleted => Some(|checked| &mut checked.unlisted),
            (None, _) => None,
        };
        let id = match (known, kept) {
            (_, Some(kept)) => kept.id,
            (Some(known), None) => ItemId { kind: known.kind.clone(), key: known.key.clone() },
            (None, None) => return true,
        };
        if let Some(list) = list {
            self.count += 1;
            self.bytes += (id.kind.len() + id.key.len() + std::mem::size_of::<ItemId>()) as u64;
            let is_full = self.count > MOST || self.bytes > self.most_bytes;
            if let Some(last) = self.last.take_if(|_| is_full && self.count > 1) {
                self.checked.more_after = Some((last.kind, last.key));
                return false;
            }
            list(&mut self.checked).push(id.clone());
        }
        self.last = Some(id);
        true
    }
}

/// One of the answer's lists.
type List = fn(&mut Checked) -> &mut Vec<ItemId>;

fn of_both(known: &Known, kept: &Kept) -> Option<List> {
    match kept.timestamp.cmp(&known.timestamp) {
        Ordering::Greater if kept.deleted => Some(|checked| &mut checked.deleted),
        Ordering::Greater => Some(|checked| &mut checked.newer),
        Ordering::Less => Some(|checked| &mut checked.older),
        Ordering::Equal => {
            let differs = known.digest.as_ref().is_some_and(|digest| *digest != kept.digest);
            if differs { Some(|checked| &mut checked.differs) } else { None }
        }
    }
}
