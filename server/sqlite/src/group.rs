//! A group's row: what is known of it without looking at what it holds.

use rusqlite::{Connection, OptionalExtension, Params, Row};
use syncline_core::Group;
use syncline_core::log::LaneHash;
use syncline_server::{GroupSummary, Terms};

use crate::error::{Result, StoreError};

/// The most bits of a segment's number; the others of its place are the group's row.
const NUMBER_BITS: u32 = 32;

/// A group as its row says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupRow {
    pub(crate) id: i64,
    /// Of the newest segment.
    pub(crate) number: u64,
    /// Over all segments up to it.
    pub(crate) hash: LaneHash,
    pub(crate) segments: u64,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) ahead: u64,
    /// How many items the present epoch has that are not deleted.
    pub(crate) items: u64,
    pub(crate) epoch: u64,
    /// The newest server number of an item.
    pub(crate) item_number: u64,
    /// How many of the bytes are the present epoch's items.
    pub(crate) epoch_bytes: u64,
    pub(crate) lease_token: u64,
    pub(crate) changed: Option<i64>,
}

const COLUMNS: &str = "id, number, hash, segments, entries, bytes, ahead, items, epoch, \
     item_number, epoch_bytes, lease_token, changed";

impl GroupRow {
    /// A group, if it exists.
    pub(crate) fn find(connection: &Connection, group: &Group) -> Result<Option<Self>> {
        let sql = format!("SELECT {COLUMNS} FROM hub_group WHERE name = ?1");
        let mut statement = connection.prepare_cached(&sql)?;
        Ok(statement.query_row([group.as_str()], Self::read).optional()?)
    }

    /// A group, which begins to exist if it does not.
    pub(crate) fn make(connection: &Connection, group: &Group, terms: &Terms) -> Result<Self> {
        if let Some(row) = Self::find(connection, group)? {
            return Ok(row);
        }
        let limit = terms.groups;
        if rows(connection, "SELECT count(*) FROM hub_group", [])? >= limit {
            return Err(StoreError::TooManyGroups { limit });
        }
        let mut statement =
            connection.prepare_cached("INSERT INTO hub_group (name, hash) VALUES (?1, ?2)")?;
        let id = statement.insert((group.as_str(), LaneHash::default().0))?;
        if id >= 1 << (i64::BITS - 1 - NUMBER_BITS) {
            return Err(StoreError::Numbers);
        }
        Ok(Self { id, ..Self::default() })
    }

    /// Keeps what has changed.
    pub(crate) fn save(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached(
            "UPDATE hub_group SET number = ?2, hash = ?3, segments = ?4, entries = ?5, bytes = ?6, \
             ahead = ?7, items = ?8, epoch = ?9, item_number = ?10, epoch_bytes = ?11, \
             lease_token = ?12, changed = ?13 WHERE id = ?1",
        )?;
        let _ = statement.execute((
            self.id,
            self.number.cast_signed(),
            self.hash.0,
            self.segments.cast_signed(),
            self.entries.cast_signed(),
            self.bytes.cast_signed(),
            self.ahead.cast_signed(),
            self.items.cast_signed(),
            self.epoch.cast_signed(),
            self.item_number.cast_signed(),
            self.epoch_bytes.cast_signed(),
            self.lease_token.cast_signed(),
            self.changed,
        ))?;
        Ok(())
    }

    /// Whether so many more bytes keep to the quota.
    pub(crate) fn check_quota(&self, quota: u64, wanted: u64) -> Result<()> {
        if wanted > 0 && self.bytes.saturating_add(wanted) > quota {
            return Err(StoreError::Quota { quota, used: self.bytes, wanted });
        }
        Ok(())
    }

    /// Where a segment of this number is.
    pub(crate) fn place(&self, number: u64) -> Result<i64> {
        if number >> NUMBER_BITS != 0 {
            return Err(StoreError::Numbers);
        }
        Ok(self.id << NUMBER_BITS | number.cast_signed())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok(Self {
            id: row.get(0)?,
            number: number(1)?,
            hash: LaneHash(row.get(2)?),
            segments: number(3)?,
            entries: number(4)?,
            bytes: number(5)?,
            ahead: number(6)?,
            items: number(7)?,
            epoch: number(8)?,
            item_number: number(9)?,
            epoch_bytes: number(10)?,
            lease_token: number(11)?,
            changed: row.get(12)?,
        })
    }
}

/// How many rows this counts.
pub(crate) fn rows(connection: &Connection, sql: &str, of: impl Params) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    let count = statement.query_row(of, |row| row.get::<_, i64>(0))?;
    Ok(count.cast_unsigned())
}

/// The number of the segment at a place.
pub(crate) fn number_at(place: i64) -> u64 {
    place.cast_unsigned() & ((1 << NUMBER_BITS) - 1)
}

/// The newest numbers of these groups; 0 where there is none.
pub(crate) fn newest(connection: &Connection, groups: &[Group]) -> Result<Vec<u64>> {
    let mut statement =
        connection.prepare_cached("SELECT number FROM hub_group WHERE name = ?1")?;
    let mut number = |group: &Group| -> Result<u64> {
        let number = statement.query_row([group.as_str()], |row| row.get::<_, i64>(0));
        Ok(number.optional()?.unwrap_or(0).cast_unsigned())
    };
    groups.iter().map(&mut number).collect()
}

/// All groups, by name.
pub(crate) fn summaries(connection: &Connection) -> Result<Vec<GroupSummary>> {
    let sql = format!("SELECT {COLUMNS}, name FROM hub_group ORDER BY name");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut summaries = Vec::new();
    while let Some(row) = rows.next()? {
        let group = GroupRow::read(row)?;
        summaries.push(GroupSummary {
            group: row.get::<_, String>(13)?.parse()?,
            number: group.number,
            segments: group.segments,
            entries: group.entries,
            bytes: group.bytes,
            ahead: group.ahead,
            items: group.items,
            epoch: group.epoch,
            changed: group.changed,
        });
    }
    Ok(summaries)
}
