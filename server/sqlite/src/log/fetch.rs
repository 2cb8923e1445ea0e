//! Pages: what a caller may lack, within its limits, however much a group holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};
use syncline_core::ReplicaId;
use syncline_core::log::{
    After, Cursor, Damage, Fetch, LaneHash, Segment, Span, Tip, VersionVector,
};
use syncline_core::value::canonical::Reader;

use super::append::cursor;
use super::lane::{Lane, seq};
use crate::error::{Result, StoreError};
use crate::group::{GroupRow, number_at};

/// A part of a log, cut out for one answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) segments: Vec<Segment>,
    pub(crate) damaged: Vec<Damage>,
    /// Behind what it holds; none if that is everything.
    pub(crate) ends_at: Option<Cursor>,
}

/// A page as it is filled.
struct Filling<'a> {
    request: &'a Fetch,
    segments: Vec<Segment>,
    damaged: Vec<Damage>,
    bytes: usize,
    entries: u64,
    /// The number of what came last, and the hash of everything up to it.
    last: (u64, LaneHash),
}

const COLUMNS: &str = "place, first, last, size, running, bytes, lane, before, after";

/// What the caller may lack, within its limits.
pub(crate) fn cut(connection: &Connection, row: &GroupRow, request: &Fetch) -> Result<Page> {
    let from = match &request.after {
        After::Cursor(cursor) => number_of(connection, row, cursor)?,
        After::Known(known) if known.tips.is_empty() => 0,
        After::Known(known) => return merge(connection, row, request, known),
    };
    let mut page = Filling::new(request);
    let sql = format!(
        "SELECT {COLUMNS} FROM hub_segment WHERE place > ?1 AND place <= ?2 ORDER BY place"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((row.place(from)?, row.place(row.number)?))?;
    page.last = (from, hash_at(connection, row, from)?);
    while let Some(segment) = rows.next()? {
        if !page.offer(connection, segment)? {
            return Ok(page.end(true));
        }
    }
    Ok(page.end(false))
}

/// The same for a caller who knows something, but not where it was in this log: what it may lack of each lane,
/// in the order of their numbers.
fn merge(
    connection: &Connection,
    row: &GroupRow,
    request: &Fetch,
    known: &VersionVector,
) -> Result<Page> {
    let mut lanes = lacking(connection, row, known)?;
    let mut next = BinaryHeap::new();
    for (at, lane) in lanes.iter_mut().enumerate() {
        next.extend(lane.next(connection)?.map(|place| Reverse((place, at))));
    }
    let mut page = Filling::new(request);
    let sql = format!("SELECT {COLUMNS} FROM hub_segment WHERE place = ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    while let Some(Reverse((place, at))) = next.pop() {
        let is_taken =
            statement.query_row([place], |segment| Ok(page.offer(connection, segment)))??;
        if !is_taken {
            return Ok(page.end(true));
        }
        next.extend(lanes[at].next(connection)?.map(|place| Reverse((place, at))));
    }
    Ok(page.end(false))
}

impl<'a> Filling<'a> {
    fn new(request: &'a Fetch) -> Self {
        let (segments, damaged) = (Vec::new(), Vec::new());
        let last = (0, LaneHash::default());
        Self { request, segments, damaged, bytes: 0, entries: 0, last }
    }

    /// Takes one more; false if there is no room for it.
    fn offer(&mut self, connection: &Connection, row: &Row<'_>) -> Result<bool> {
        let (first, last, size) = (seq(row, 1)?, seq(row, 2)?, seq(row, 3)?);
        self.bytes = self.bytes.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        self.entries = self.entries.saturating_add(last.saturating_sub(first).saturating_add(1));
        let is_too_much =
            self.bytes > self.request.limit_bytes || self.entries > self.request.limit_entries;
        if is_too_much && !self.segments.is_empty() {
            return Ok(false);
        }
        let bytes = row.get_ref(5)?.as_blob().map_err(rusqlite::Error::from)?;
        match Segment::parse(Arc::<[u8]>::from(bytes)) {
            Ok(segment) => self.segments.push(segment),
            // One bad thing never blocks the others.
            Err(error) => self.damaged.push(damage(connection, row, error.message())?),
        }
        self.last = (number_at(row.get(0)?), LaneHash(row.get(4)?));
        Ok(true)
    }

    fn end(self, more: bool) -> Page {
        let ends_at = more.then(|| cursor(self.last.0, self.last.1));
        Page { segments: self.segments, damaged: self.damaged, ends_at }
    }
}

fn damage(connection: &Connection, row: &Row<'_>, reason: &str) -> Result<Damage> {
    let mut statement = connection.prepare_cached("SELECT replica FROM hub_lane WHERE id = ?1")?;
    let lane: i64 = row.get(6)?;
    let replica = statement.query_row([lane], |row| row.get(0)).optional()?.map(ReplicaId);
    let (first, last) = (seq(row, 1)?, seq(row, 2)?);
    let (before, after) = (LaneHash(row.get(7)?), LaneHash(row.get(8)?));
    let span = replica.map(|replica| Span { replica, first, last, before, after });
    let place = format!("segment {} of the hub's log", number_at(row.get(0)?));
    Ok(Damage { place, reason: reason.to_owned(), span })
}

/// What a caller may lack of one lane.
enum Lacking {
    /// Of a plain lane: everything behind this seq.
    Behind { lane: i64, seq: i64 },
    /// Of another one: what is at these places.
    At(VecDeque<i64>),
}

impl Lacking {
    /// The next place.
    fn next(&mut self, connection: &Connection) -> Result<Option<i64>> {
        let (lane, behind) = match self {
            Self::Behind { lane, seq } => (lane, seq),
            Self::At(places) => return Ok(places.pop_front()),
        };
        let mut statement = connection.prepare_cached(
            "SELECT place, last FROM hub_segment WHERE lane = ?1 AND last > ?2 \
             ORDER BY last LIMIT 1",
        )?;
        let next = statement.query_row((*lane, *behind), |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(next.optional()?.map(|(place, last)| {
            *behind = last;
            place
        }))
    }
}

/// What a caller may lack who knows so much, for each lane of which it may lack something.
fn lacking(connection: &Connection, row: &GroupRow, known: &VersionVector) -> Result<Vec<Lacking>> {
    let mut by_lane: BTreeMap<ReplicaId, Vec<Tip>> = BTreeMap::new();
    for tip in &known.tips {
        by_lane.entry(tip.replica).or_default().push(*tip);
    }
    let mut statement = connection.prepare_cached(
        "SELECT id, is_plain, seq, hash, replica FROM hub_lane WHERE group_id = ?1",
    )?;
    let mut lanes = statement.query([row.id])?;
    let mut lacking = Vec::new();
    while let Some(lane) = lanes.next()? {
        let (id, replica) = (lane.get(0)?, ReplicaId(lane.get(4)?));
        let tips = by_lane.get(&replica).map(Vec::as_slice).unwrap_or_default();
        if lane.get(1)? {
            let head = Tip { replica, seq: seq(lane, 2)?, hash: LaneHash(lane.get(3)?) };
            if !tips.contains(&head) {
                let seq = greatest_held(connection, id, tips, &head)?;
                lacking.push(Lacking::Behind { lane: id, seq });
            }
        } else {
            lacking.push(Lacking::At(of_branches(connection, id, tips)?));
        }
    }
    Ok(lacking)
}

/// The greatest of these places that a plain lane has passed through.
fn greatest_held(connection: &Connection, lane: i64, tips: &[Tip], head: &Tip) -> Result<i64> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM hub_segment WHERE lane = ?1 AND last = ?2 AND after = ?3")?;
    let mut tips: Vec<&Tip> = tips.iter().filter(|tip| tip.seq < head.seq).collect();
    tips.sort_unstable();
    for tip in tips.into_iter().rev() {
        let seq = tip.seq.cast_signed();
        if statement.exists((lane, seq, tip.hash.0))? {
            return Ok(seq);
        }
    }
    Ok(0)
}

/// The places of what a caller may lack of a lane that is not plain: all but what leads to a place that is known,
/// directly or through others.
///
/// The lane is gone through once, from its ends to its start, and only the places that are to be delivered are
/// kept. What is held begins the lane or continues what is held, so all of these can be reached.
fn of_branches(connection: &Connection, lane: i64, tips: &[Tip]) -> Result<VecDeque<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT place, first, last, before, after FROM hub_segment WHERE lane = ?1 \
         ORDER BY last DESC, after DESC",
    )?;
    let mut rows = statement.query([lane])?;
    let mut known: BTreeSet<(u64, LaneHash)> = tips.iter().map(|tip| (tip.seq, tip.hash)).collect();
    let mut lacking = Vec::new();
    while let Some(row) = rows.next()? {
        let tip = (seq(row, 2)?, LaneHash(row.get(4)?));
        // No segment that comes now leads further than this one.
        while known.last().is_some_and(|place| *place > tip) {
            let _ = known.pop_last();
        }
        if known.last() == Some(&tip) {
            let _ = known.insert((seq(row, 1)?.saturating_sub(1), LaneHash(row.get(3)?)));
        } else {
            lacking.push(row.get(0)?);
        }
    }
    lacking.sort_unstable();
    Ok(lacking.into())
}

/// The number that a cursor names, if everything up to it is the same as when it was issued.
fn number_of(connection: &Connection, row: &GroupRow, given: &Cursor) -> Result<u64> {
    let number = Reader::new(&given.0).number().ok().filter(|number| *number <= row.number);
    let number = number.ok_or(StoreError::UnknownCursor)?;
    if *given != cursor(number, hash_at(connection, row, number)?) {
        return Err(StoreError::UnknownCursor);
    }
    Ok(number)
}

fn hash_at(connection: &Connection, row: &GroupRow, number: u64) -> Result<LaneHash> {
    match number {
        0 => return Ok(LaneHash::default()),
        newest if newest == row.number => return Ok(row.hash),
        _ => {}
    }
    let mut statement =
        connection.prepare_cached("SELECT running FROM hub_segment WHERE place = ?1")?;
    let hash = statement.query_row([row.place(number)?], |row| row.get(0)).optional()?;
    hash.map(LaneHash).ok_or(StoreError::UnknownCursor)
}

/// Where the caller's own lane ends.
pub(crate) fn own(connection: &Connection, row: &GroupRow, replica: ReplicaId) -> Result<Vec<Tip>> {
    Ok(Lane::load(connection, row.id, replica)?.heads.into_iter().collect())
}
