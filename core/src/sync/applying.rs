//! From received segments to whole batches that can be applied, or that park.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Session, SyncOptions};
use crate::bug::{self, Bug};
use crate::client::{CONTEXT, ClientLog, Head, Lane, Objects, PARKED, blob, int, put};
use crate::log::{Codec, Entry, Extension, FORMAT, LaneHash, Segment, Write};
use crate::merge::{Author, Incoming};
use crate::{Error, ErrorKind, Name, Object, Result, Step, Value};

/// Entries of one lane that are received and not applied, in order and without a gap.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    waiting: VecDeque<Waiting>,
}

/// An entry, or a whole segment that cannot be read.
#[derive(Debug)]
enum Waiting {
    Entry(Box<Entry>, LaneHash),
    Unreadable { first: u64, last: u64, after: LaneHash, reason: String },
}

impl Waiting {
    /// Whether a batch ends here.
    fn ends(&self) -> bool {
        match self {
            Self::Entry(entry, _) => !entry.more || bug::is(Bug::CutsBatches),
            Self::Unreadable { .. } => true,
        }
    }

    fn first(&self) -> u64 {
        match self {
            Self::Entry(entry, _) => entry.seq,
            Self::Unreadable { first, .. } => *first,
        }
    }
}

/// What one pass over the buffers came to.
#[derive(Debug, Default)]
pub(super) struct Applying {
    pub objects: Objects,
    pub steps: Vec<Step>,
    pub entries: u64,
    pub parked: u64,
    pub withheld: u64,
}

impl Buffer {
    /// Adds a segment behind what is waiting; what lies at or before `applied` is left out.
    pub fn push(&mut self, segment: &Segment, applied: u64) {
        let span = *segment.span();
        match read(segment) {
            Ok(entries) => {
                let fresh = entries.into_iter().filter(|(entry, _)| entry.seq > applied);
                self.waiting
                    .extend(fresh.map(|(entry, hash)| Waiting::Entry(Box::new(entry), hash)));
            }
            Err(error) => self.waiting.push_back(Waiting::Unreadable {
                first: span.first.max(applied + 1),
                last: span.last,
                after: span.after,
                reason: error.to_string(),
            }),
        }
    }

    /// Whether the buffer goes on right behind what is applied.
    pub fn continues(&self, lane: &Lane) -> bool {
        self.waiting.front().is_some_and(|first| first.first() == lane.applied + 1)
    }

    /// Whether something can be taken out.
    pub fn has_whole_batch(&self) -> bool {
        self.waiting.iter().any(Waiting::ends)
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next whole batch, or the next run that cannot be read; nothing while it is incomplete.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let end = self.waiting.iter().position(Waiting::ends)?;
        Some(self.waiting.drain(..=end).collect())
    }
}

/// No entry takes fewer bytes, unless it is compressed.
const SMALLEST: usize = 8;

/// The entries of a segment, each with the lane's hash behind it.
///
/// # Errors
///
/// Whatever keeps the segment from being read; it parks.
pub(super) fn read(segment: &Segment) -> Result<Vec<(Entry, LaneHash)>> {
    let (header, span) = (segment.header(), segment.span());
    let newer = header.format != FORMAT
        || header.key_epoch != 0
        || header.extensions.iter().any(Extension::is_critical);
    if newer {
        return Err(Error::new(ErrorKind::Unsupported, "a newer version wrote this; update")
            .with("format", header.format));
    }
    let mut hash = span.before;
    let most = segment.body().len() / SMALLEST;
    let number = usize::try_from(header.entries).map_or(most, |number| number.min(most));
    let mut chained: Vec<(Entry, LaneHash)> = Vec::with_capacity(number);
    Codec::from_number(header.codec)?.each(span.first, segment.body(), |entry, canonical| {
        hash = hash.then(canonical);
        chained.push((entry, hash));
    })?;
    if hash != span.after || chained.len() as u64 != header.entries {
        return Err(Error::corrupt("a segment's entries are not those its header speaks of"));
    }
    Ok(chained)
}

impl Session<'_> {
    /// Takes all whole batches out of the buffers. Lanes and head move on as if they were applied.
    pub(super) fn take_batches(&mut self, head: &mut Head) -> Applying {
        let mut applying = Applying::default();
        let now = self.log.now();
        for (id, buffer) in &mut self.buffers {
            let Some(lane) = self.lanes.get_mut(id) else { continue };
            if !buffer.continues(lane) {
                // Read back by the integrating stage; but what was received of it has to be stored.
                applying.steps.push(lane.store());
                continue;
            }
            let blocks = |waiting: &Waiting| obstacle(self.log, waiting).is_some();
            if bug::is(Bug::BadEntryBlocks) && buffer.waiting.iter().any(blocks) {
                applying.steps.push(lane.store());
                continue;
            }
            while let Some(batch) = buffer.next() {
                for (entry, _) in batch.iter().filter_map(Waiting::entry) {
                    head.clock.observe(entry.stamp, now, self.log.config().drift);
                    head.applied = head.applied.max(entry.stamp);
                    if let Some(change) = &entry.context {
                        lane.context.apply(change);
                        applying.steps.push(store_context(lane, entry.seq));
                        self.witnesses.add(lane.replica, entry.seq, lane.context.clone());
                    }
                }
                applying.take(self.log, self.options, lane, batch);
            }
            applying.steps.push(lane.store());
            note(head, lane);
        }
        self.buffers.retain(|_, buffer| !buffer.is_empty());
        applying
    }
}

impl Waiting {
    fn entry(&self) -> Option<(&Entry, &LaneHash)> {
        match self {
            Self::Entry(entry, hash) => Some((entry, hash)),
            Self::Unreadable { .. } => None,
        }
    }

    fn end(&self) -> (u64, LaneHash) {
        match self {
            Self::Entry(entry, hash) => (entry.seq, *hash),
            Self::Unreadable { last, after, .. } => (*last, *after),
        }
    }
}

impl Applying {
    /// Takes one whole batch: to be applied, or parked as a whole.
    fn take(
        &mut self,
        log: &ClientLog,
        options: &SyncOptions,
        lane: &mut Lane,
        batch: Vec<Waiting>,
    ) {
        let (Some(first), Some((last, hash))) =
            (batch.first().map(Waiting::first), batch.last().map(Waiting::end))
        else {
            return;
        };
        (lane.applied, lane.applied_hash) = (last, hash);
        if let Some(obstacle) = batch.iter().find_map(|waiting| obstacle(log, waiting)) {
            if bug::is(Bug::DropsParked) {
                return;
            }
            lane.park(first, last);
            self.parked += last - first + 1;
            self.steps.push(store_parked(lane, first, last, &obstacle));
            return;
        }
        for waiting in batch {
            if let Waiting::Entry(entry, hash) = waiting {
                self.apply(options, lane, *entry, hash);
            }
        }
    }

    /// Adds one entry to the objects that change.
    pub fn apply(&mut self, options: &SyncOptions, lane: &Lane, entry: Entry, hash: LaneHash) {
        let Entry { seq, stamp, write, .. } = entry;
        self.entries += 1;
        let Some(mut write) = write else { return };
        let hook = options.receive_hook.as_ref();
        if hook.is_some_and(|hook| !hook.receive(lane.replica, &mut write)) {
            self.withheld += 1;
            return;
        }
        let author = Author { stamp, replica: lane.replica, seq, tie: hash.tie() };
        self.objects.add(write.collection, write.key, Incoming { author, op: write.op });
    }
}

/// Notes in the head what is applied of a lane. Of several branches, the one that goes furthest counts.
pub(super) fn note(head: &mut Head, lane: &Lane) {
    let known = head.context.lane(&lane.replica);
    let further =
        known.is_none_or(|known| known.seq <= lane.applied || known.except != lane.except);
    if further && known != Some(&lane.known()) {
        Arc::make_mut(&mut head.context).set(lane.replica, lane.known());
        head.context_due = true;
    }
}

/// Why something cannot be applied by this version or under this schema.
#[derive(Debug)]
pub(super) struct Obstacle {
    reason: String,
    /// The schema version that it takes; 0 if it is not a matter of schemas.
    schema: u32,
    collection: Option<Name>,
}

fn obstacle(log: &ClientLog, waiting: &Waiting) -> Option<Obstacle> {
    match waiting {
        Waiting::Unreadable { reason, .. } => {
            Some(Obstacle { reason: reason.clone(), schema: 0, collection: None })
        }
        Waiting::Entry(entry, _) => entry.write.as_ref().and_then(|write| obstacle_of(log, write)),
    }
}

/// Why a write cannot be applied, if it cannot.
pub(super) fn obstacle_of(log: &ClientLog, write: &Write) -> Option<Obstacle> {
    let because = |reason: &str| {
        let (schema, collection) = (write.schema, Some(write.collection.clone()));
        Some(Obstacle { reason: reason.to_owned(), schema, collection })
    };
    if write.schema > log.schema().version() {
        return because("written under a newer schema");
    }
    let Some(definition) = log.schema().get(&write.collection) else {
        return because("there is no such collection in the schema");
    };
    if definition.is_reserved() {
        return because("the collection is reserved");
    }
    if !log.logs(&write.collection) {
        return because("the collection is not synced here");
    }
    let values = write.key.values();
    let fits = values.len() == definition.key().len()
        && definition.key_primitives().zip(values).all(|(primitive, value)| primitive.holds(value));
    if fits { None } else { because("the key does not fit the schema") }
}

fn store_parked(lane: &Lane, first: u64, last: u64, obstacle: &Obstacle) -> Step {
    let row = Object::new()
        .with("collection", obstacle.collection.as_deref().map(Value::from))
        .with("first", int(first))
        .with("lane", lane.id.as_str())
        .with("last", int(last))
        .with("reason", obstacle.reason.as_str())
        .with("schema", i64::from(obstacle.schema));
    put(&PARKED, row)
}

fn store_context(lane: &Lane, seq: u64) -> Step {
    let row = Object::new()
        .with("context", blob(&lane.context.to_bytes()))
        .with("lane", lane.id.as_str())
        .with("seq", int(seq));
    put(&CONTEXT, row)
}
