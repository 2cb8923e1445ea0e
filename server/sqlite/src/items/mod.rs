//! Items: the five verbs of classic sync services.
//!
//! Each item lies in the table under its epoch, so a flush leaves the old ones where they are.

mod check;
mod download;
mod epochs;
mod expire;
mod upload;

use rusqlite::Connection;
use syncline_core::Group;
use syncline_server::{ItemAnswer, ItemRequest, Terms};
use syncline_shared_log_wire::item::{Epoch, Item, MOST};

use crate::error::{Result, StoreError};
use crate::group::GroupRow;
use crate::job::Weigh;

pub(crate) use expire::expire;

impl Weigh for ItemAnswer {
    fn weight(&self) -> usize {
        match self {
            Self::Uploaded(uploaded) => uploaded.outcomes.len(),
            // Others are no answers to changes, or are small.
            _ => 0,
        }
    }
}

/// Whether this asks for a change.
pub(crate) fn changes(ask: &ItemRequest) -> bool {
    matches!(ask, ItemRequest::Upload(_) | ItemRequest::Flush(_) | ItemRequest::Restore(..))
}

/// The bytes that are given.
pub(crate) fn bytes(ask: &ItemRequest) -> usize {
    let items = match ask {
        ItemRequest::Upload(upload) => &upload.items,
        ItemRequest::Flush(flush) => &flush.items,
        _ => return 0,
    };
    items.iter().map(|item| usize::try_from(size(item)).unwrap_or(usize::MAX)).sum()
}

/// Answers; what is refused has changed nothing.
pub(crate) fn answer(
    connection: &Connection,
    group: &Group,
    ask: &ItemRequest,
    terms: &Terms,
) -> Result<ItemAnswer> {
    let row = GroupRow::find(connection, group)?.unwrap_or_default();
    Ok(match ask {
        ItemRequest::Epoch => ItemAnswer::Epoch(epoch(&row)),
        ItemRequest::Upload(ask) => {
            ItemAnswer::Uploaded(upload::upload(connection, group, row, ask, terms)?)
        }
        ItemRequest::Download(ask) => {
            ItemAnswer::Downloaded(download::download(connection, &row, ask, terms)?)
        }
        ItemRequest::Check(ask) => ItemAnswer::Checked(check::check(connection, &row, ask, terms)?),
        ItemRequest::Flush(ask) => {
            ItemAnswer::Epoch(epochs::flush(connection, group, row, ask, terms)?)
        }
        ItemRequest::Epochs => ItemAnswer::Epochs(epochs::list(connection, &row, terms)?),
        ItemRequest::Restore(which, ask) => {
            ItemAnswer::Epoch(epochs::restore(connection, row, *which, ask, terms)?)
        }
        ItemRequest::History(of) => {
            ItemAnswer::History(download::history(connection, &row, of, terms)?)
        }
    })
}

fn epoch(row: &GroupRow) -> Epoch {
    Epoch { epoch: row.epoch, number: row.item_number }
}

/// What a request is based on has to be what is.
fn check_epoch(row: &GroupRow, based_on: u64) -> Result<()> {
    if row.epoch == based_on {
        return Ok(());
    }
    Err(StoreError::OtherEpoch { epoch: row.epoch, based_on })
}

fn check_count(items: usize) -> Result<()> {
    if items <= MOST {
        return Ok(());
    }
    Err(StoreError::TooManyItems { limit: MOST, count: items })
}

/// The bytes that an item counts for: its texts, and about what its place in the tables takes.
fn size(item: &Item) -> u64 {
    const ROW: usize = 128;
    (item.kind.len() + item.key.len() + item.data.as_ref().map_or(0, String::len) + ROW) as u64
}
