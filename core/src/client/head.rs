//! The head: who this replica is and how far it is.

use std::collections::HashMap;
use std::sync::Arc;

use super::collections::{ENTRY, HEAD, HEAD_ID, blob, bytes, change, hash, int, number, put, text};
use crate::clock::Hlc;
use crate::log::{Context, LaneHash, Tip, lane_start};
use crate::operation::{Condition, Guard};
use crate::{Error, ErrorKind, Group, Key, Name, Object, ReplicaId, Result, Stamp, Step};

/// The format of everything that a client log writes down.
pub(crate) const FORMAT: i64 = 1;

/// The name of the guards that keep writers of one database from overtaking each other.
pub(crate) const GUARD: &str = "sync head";

/// Who this replica is, how far its lane goes, what it has applied.
///
/// The stored part is the row in `sync_head` and, for the end of the lane, the last row of `sync_entry`:
/// an ordinary write appends there and touches nothing else, and its key alone keeps `seq` without gaps.
/// Whatever changes the row raises `rev`, and every batch guards it.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub group: Group,
    pub replica: ReplicaId,
    /// Counts the changes of the row.
    pub rev: i64,
    /// The last own entry.
    pub seq: u64,
    /// Up to here the own entries are cut and never change again.
    pub frozen: u64,
    pub frozen_hash: LaneHash,
    /// Up to here the own entries are in the histories.
    pub folded: u64,
    pub folded_hash: LaneHash,
    pub clock: Hlc,
    /// No stamp greater than this was ever applied to any object.
    pub applied: Stamp,
    /// What is applied of other lanes.
    pub context: Arc<Context>,
    /// Whether the next own entry has to say what is applied.
    pub context_due: bool,
    /// Objects whose last own, unfolded entry is stamped ahead of the clock.
    pub ahead: HashMap<(Name, Key), Stamp>,
    /// No entry before this one is among them, so that they are found without reading all entries.
    pub ahead_from: u64,
}

/// Where [`Head::ahead_from`] is while no entry is stamped ahead of the clock.
const NOWHERE: u64 = i64::MAX.cast_unsigned();

impl Head {
    /// A replica that has not written yet.
    pub fn new(group: Group, replica: ReplicaId) -> Self {
        let start = lane_start(&group, replica);
        Self {
            group,
            replica,
            rev: 0,
            seq: 0,
            frozen: 0,
            frozen_hash: start,
            folded: 0,
            folded_hash: start,
            clock: Hlc::at(Stamp::ZERO),
            applied: Stamp::ZERO,
            context: Arc::default(),
            context_due: false,
            ahead: HashMap::new(),
            ahead_from: NOWHERE,
        }
    }

    /// The stored row.
    pub fn to_row(&self) -> Object {
        self.changes().with("id", HEAD_ID).with("format", FORMAT).with("group", self.group.as_str())
    }

    /// What may change in the stored row.
    fn changes(&self) -> Object {
        Object::new()
            .with("ahead", int(self.ahead_from))
            .with("applied", int(self.applied.bits()))
            .with("clock", int(self.clock.last().bits()))
            .with("context", blob(&self.context.to_bytes()))
            .with("context_due", self.context_due)
            .with("folded", int(self.folded))
            .with("folded_hash", blob(&self.folded_hash.0))
            .with("frozen", int(self.frozen))
            .with("frozen_hash", blob(&self.frozen_hash.0))
            .with("replica", self.replica.to_string())
            .with("rev", self.rev)
    }

    /// Reads the stored row; the end of the lane is added by who knows it.
    pub fn from_row(row: &Object) -> Result<Self> {
        let format = row.value("format").as_int().unwrap_or_default();
        if format != FORMAT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the client log was written by a newer version; update Syncline to open it",
            )
            .with("format", format)
            .with("known", FORMAT));
        }
        let mut head = Self::new(text(row, "group")?.parse()?, text(row, "replica")?.parse()?);
        head.rev = row.value("rev").as_int().unwrap_or_default();
        head.frozen = number(row, "frozen")?;
        head.frozen_hash = hash(row, "frozen_hash")?;
        head.folded = number(row, "folded")?;
        head.folded_hash = hash(row, "folded_hash")?;
        head.clock = Hlc::at(Stamp::from_bits(number(row, "clock")?)?);
        head.applied = Stamp::from_bits(number(row, "applied")?)?;
        head.context = Arc::new(Context::from_bytes(bytes(row, "context")?)?);
        head.context_due = row.value("context_due").as_bool().unwrap_or_default();
        head.seq = head.frozen;
        // Earlier versions did not say.
        head.ahead_from = if row.value("ahead").is_null() { 0 } else { number(row, "ahead")? };
        Ok(head)
    }

    /// Notes that the entry at this place is stamped ahead of the clock.
    pub fn goes_ahead(&mut self, object: (Name, Key), stamp: Stamp, seq: u64) {
        let _ = self.ahead.insert(object, stamp);
        self.ahead_from = self.ahead_from.min(seq);
    }

    /// Notes that all entries are folded in, or that there is none.
    pub fn is_level(&mut self) {
        self.ahead.clear();
        self.ahead_from = NOWHERE;
    }

    /// A step that fails unless the stored row is the one this head was read from.
    pub fn guard(&self) -> Step {
        let looks = Object::new().with("rev", self.rev);
        Step::Guard(Guard {
            name: GUARD.into(),
            collection: (*HEAD).clone(),
            condition: Condition::Looks(Key::from(HEAD_ID), looks),
        })
    }

    /// A step that fails if there is an own entry behind this one: another process wrote it.
    pub fn ends_at(seq: u64) -> Step {
        let condition = Condition::Absent(Key::from(int(seq + 1)));
        Step::Guard(Guard { name: GUARD.into(), collection: (*ENTRY).clone(), condition })
    }

    /// Raises `rev`, and a step that stores this head.
    pub fn store(&mut self) -> Step {
        self.rev += 1;
        change(&HEAD, HEAD_ID, self.changes())
    }

    /// A step that stores this head for the first time.
    pub fn create(&self) -> Step {
        put(&HEAD, self.to_row())
    }

    /// The place up to which the own lane is cut.
    pub fn tip(&self) -> Tip {
        Tip { replica: self.replica, seq: self.frozen, hash: self.frozen_hash }
    }
}
