//! Receiving: from the shared log into the database, and at once into the data where that can be.

use super::lanes::Place;
use super::{Session, SyncEvent};
use crate::bug::{self, Bug};
use crate::client::{Head, Lane, Lead, Merged, Objects, Rows, TRIES, is_overtaken, store_segment};
use crate::log::{After, Cursor, Damage, Fetch, Fetched, Segment, VersionVector};
use crate::{Error, ErrorKind, Result, Step};

use super::applying::Applying;
use super::options::Stage;

/// What became of an attempt to apply what is in the buffers.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It is durable; so much was applied.
    Done,
    /// Somebody else wrote in between, or rows have to be looked at more closely: from the start.
    Again,
}

impl Session<'_> {
    /// Fetches page by page until there is no more.
    pub(super) async fn receive(&mut self) -> Result<()> {
        let mut anything = false;
        loop {
            let fetched = self.fetch().await?;
            self.held = Some(fetched.own.clone());
            self.note_time(fetched.time);
            for damage in &fetched.damaged {
                self.damaged(damage.clone());
            }
            let more = fetched.more;
            anything |= !fetched.segments.is_empty();
            if !fetched.segments.is_empty() {
                self.take_page(fetched).await?;
            } else if self.remote.cursor.as_ref() != Some(&fetched.cursor) {
                self.read_up_to(&fetched.cursor);
                self.dirty = true;
            }
            if !more {
                break;
            }
            // Behind a gap, the log is asked anew by what is known, next time.
            if self.options.single_batch || self.has_gap() {
                self.report.finished = false;
                break;
            }
        }
        // A log that is far is told on the next occasion.
        if self.shared.is_far() {
            return Ok(());
        }
        // A crash may have come between storing and acknowledging.
        let told = |lane: &Lane| self.remote.acknowledged.tips.contains(&lane.tip());
        if anything || !self.lanes.values().all(told) { self.acknowledge().await } else { Ok(()) }
    }

    /// Notes what time it is at the log. That clocks move a little apart is not worth a transaction.
    fn note_time(&mut self, time: Option<i64>) {
        self.time = time.map(|theirs| (theirs, self.log.now()));
        if let Some((theirs, ours)) = self.time {
            let offset = theirs.saturating_sub(ours);
            let known = self.remote.offset.replace(offset);
            self.dirty |= known.is_none_or(|known| known.abs_diff(offset) >= APART);
            self.remote.time = Some(theirs);
        }
    }

    async fn fetch(&mut self) -> Result<Fetched> {
        let head = self.log.head().await?;
        let cursor = if self.log_lost { self.at.clone() } else { self.remote.cursor.clone() };
        let after = match cursor.clone() {
            Some(cursor) => After::Cursor(cursor),
            None => After::Known(self.received(&head)),
        };
        let mut request = Fetch {
            replica: head.replica,
            after,
            limit_bytes: self.options.download_bytes,
            limit_entries: self.options.download_entries,
        };
        match self.ask(&head, &request).await {
            Err(error) if error.kind() == ErrorKind::Rejoin && bug::is(Bug::RejoinIsEmpty) => {
                let cursor = cursor.unwrap_or(Cursor(Vec::new()));
                let (segments, own, damaged) = Default::default();
                Ok(Fetched { segments, cursor, more: false, own, time: None, damaged })
            }
            // The log was restored or compacted: on from what is known here.
            Err(error) if error.kind() == ErrorKind::Rejoin => {
                request.after = After::Known(self.received(&head));
                self.remote.shared = 0;
                (self.log_lost, self.at) = (true, None);
                self.ask(&head, &request).await
            }
            other => other,
        }
    }

    fn damaged(&mut self, damage: Damage) {
        if !self.report.damaged.contains(&damage) {
            self.options.tell(SyncEvent::Damaged(damage.clone()));
            self.report.damaged.push(damage);
        }
    }

    /// Stores a page and the cursor behind it in one batch, applied already where that can be.
    async fn take_page(&mut self, fetched: Fetched) -> Result<()> {
        let before = (self.report.clone(), self.remote.clone());
        let mut rows = self.rows;
        for _ in 0..TRIES {
            let attempt = self.try_page(&fetched, &mut rows).await;
            if attempt.is_err() {
                // The cursor must not be noted anywhere if the page behind it is not stored.
                self.remote = before.1.clone();
            }
            match attempt? {
                Attempt::Done => return Ok(()),
                Attempt::Again => {
                    self.report = before.0.clone();
                    let error = self.remote.error.take();
                    self.remote = before.1.clone();
                    self.remote.error = error;
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; sync again"))
    }

    async fn try_page(&mut self, fetched: &Fetched, rows: &mut Rows) -> Result<Attempt> {
        let log = self.log;
        let mut cached = log.lock().await;
        let mut head = self.head_and_lanes(&mut cached).await?;
        self.page.clear();
        if self.knows_all(&head, fetched).await? {
            self.read_up_to(&fetched.cursor);
            self.dirty = true;
            return Ok(Attempt::Done);
        }
        if bug::is(Bug::CursorBeforeEntries) {
            self.read_up_to(&fetched.cursor);
            let _ = log.write(vec![self.remote.store()]).await?;
        }
        if bug::is(Bug::AcknowledgesMaximum) {
            let seen = fetched.segments.iter().map(|segment| segment.span().tip());
            let known = VersionVector::new(self.received(&head).tips.into_iter().chain(seen));
            self.shared.acknowledge(head.replica, &known).await?;
        }
        let integrates = self.options.does(Stage::Integrate);
        let mut own = Objects::default();
        if integrates {
            own = match self.gather(&mut head, &mut cached).await {
                Err(error) if is_overtaken(&error) => {
                    *cached = None;
                    return Ok(Attempt::Again);
                }
                other => other?,
            };
        }
        let mut steps = Vec::new();
        let (mut entries, mut bytes) = (0, 0);
        for segment in &fetched.segments {
            match self.place(&head, segment).await? {
                Place::Known => continue,
                Place::OwnButForeign => {
                    // From what is stored, where not all own entries may be folded.
                    let mut stored = cached.take().unwrap_or(head);
                    match self.renew(&mut stored).await {
                        Err(error) if !is_overtaken(&error) => return Err(error),
                        _ => return Ok(Attempt::Again),
                    }
                }
                Place::Gap => {
                    self.gap(segment);
                    continue;
                }
                Place::Continues(id) => self.take_segment(&id, segment, &mut steps),
                Place::Begins(lane) => {
                    let id = lane.id.clone();
                    let _ = self.lanes.insert(id.clone(), *lane);
                    self.take_segment(&id, segment, &mut steps);
                }
            }
            entries += segment.header().entries;
            bytes += segment.bytes().len() as u64;
        }
        self.read_up_to(&fetched.cursor);
        let mut applying =
            if integrates { self.take_batches(&mut head) } else { self.store_lanes() };
        applying.objects.append(own);
        steps.push(self.remote.store());
        let attempt = self.apply(cached, head, applying, steps, rows).await?;
        if matches!(attempt, Attempt::Done) && entries > 0 {
            self.report.received += entries;
            self.report.bytes_received += bytes;
            self.options.tell(SyncEvent::Received { entries, bytes });
        }
        Ok(attempt)
    }

    /// Whether a page brings nothing but what is here, such as this replica's own segments.
    async fn knows_all(&self, head: &Head, fetched: &Fetched) -> Result<bool> {
        for segment in &fetched.segments {
            if !matches!(self.place(head, segment).await?, Place::Known) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on from here. If the log lost something, the old cursor stays noted, and tells so until what
    /// was lost is passed on again; behind a gap, none is.
    fn read_up_to(&mut self, cursor: &Cursor) {
        // Behind a gap nothing is skipped: the log is asked by what is known, next time.
        let cursor = (!self.has_gap()).then(|| cursor.clone());
        if self.log_lost {
            self.at = cursor;
        } else if cursor.is_some() {
            self.remote.cursor = cursor;
        }
    }

    fn has_gap(&self) -> bool {
        self.report.damaged.iter().any(|damage| damage.place == GAP)
    }

    /// A segment that continues nothing: the next fetch asks by what is known instead of by cursor.
    fn gap(&mut self, segment: &Segment) {
        let reason = "it continues a lane at a place that is not known here".to_owned();
        let span = Some(*segment.span());
        self.damaged(Damage { place: GAP.to_owned(), reason, span });
        self.remote.cursor = None;
    }

    fn take_segment(&mut self, id: &str, segment: &Segment, steps: &mut Vec<Step>) {
        let Some(lane) = self.lanes.get_mut(id) else { return };
        let span = segment.span();
        // Lanes that fell behind, because a stage was off, are read back by the integrating stage.
        let buffer = self.buffers.get_or_default(id.to_owned());
        if !buffer.is_empty() || lane.applied == lane.received {
            buffer.push(segment, lane.applied);
        }
        (lane.received, lane.received_hash) = (span.last, span.after);
        self.page.push(*span);
        steps.push(store_segment(id, span, Some(segment.bytes())));
    }

    /// Steps that store the lanes without applying anything.
    fn store_lanes(&mut self) -> Applying {
        let mut applying = Applying::default();
        for (id, _) in std::mem::take(&mut self.buffers) {
            applying.steps.extend(self.lanes.get_mut(&id).map(crate::client::Lane::store));
        }
        applying
    }

    /// Writes, in one batch: what was received, the rows and histories of the objects it is about, lanes
    /// and head. The guards make sure that nobody wrote since these were read.
    pub(super) async fn apply(
        &mut self,
        mut cached: tokio::sync::MutexGuard<'_, Option<Head>>,
        mut head: Head,
        applying: Applying,
        received: Vec<Step>,
        rows: &mut Rows,
    ) -> Result<Attempt> {
        let Applying { objects, steps: lanes, entries, parked, withheld } = applying;
        // They are ahead of what is stored, until it is stored.
        self.lanes_at = None;
        let mut steps = vec![head.guard(), Head::ends_at(head.seq)];
        if bug::is(Bug::WritesUnguarded) {
            steps.clear();
        }
        steps.extend(received);
        let merged = self.log.merge(objects, &mut self.witnesses, *rows, steps).await?;
        if !merged.unlogged.is_empty() {
            *cached = None;
            drop(cached);
            super::unlogged::record_unlogged(self.log, &merged.unlogged).await?;
            return Ok(Attempt::Again);
        }
        let Merged { mut steps, changes, discards, .. } = merged;
        let discards: Vec<_> = discards.into_iter().filter(|lost| lost.concurrent).collect();
        steps.extend(lanes);
        if !discards.is_empty() && !bug::is(Bug::LosesDiscards) {
            steps.push(super::clean::store_discards(&head, &discards));
        }
        steps.push(head.store());
        self.untold.expect(&changes);
        match self.log.write(steps).await {
            Ok(_) => {
                self.lanes_at = Some(head.rev);
                *cached = Some(head);
            }
            Err(error) if is_overtaken(&error) => {
                *cached = None;
                return Ok(Attempt::Again);
            }
            Err(error) => {
                *cached = None;
                // An object that was to be created has a history, or a row that nobody logged.
                let is_taken = error.kind() == ErrorKind::Conflict && !Lead::is_lost(&error);
                let closer = rows.closer().filter(|_| is_taken);
                *rows = closer.ok_or(error)?;
                self.rows = self.rows.max(Rows::Write);
                return Ok(Attempt::Again);
            }
        }
        drop(cached);
        self.report.integrated += entries;
        self.report.parked += parked;
        self.report.withheld += withheld;
        self.report.discarded += discards.len() as u64;
        if entries > 0 {
            self.options.tell(SyncEvent::Integrated { entries });
        }
        self.tell_changes(&changes).await;
        Ok(Attempt::Done)
    }

    /// Tells the log what is durably received.
    async fn acknowledge(&mut self) -> Result<()> {
        let head = self.log.head().await?;
        let known = self.received(&head);
        if known != self.remote.acknowledged {
            self.shared.acknowledge(head.replica, &known).await?;
            self.remote.acknowledged = known;
            self.dirty = true;
        }
        Ok(())
    }
}

/// Clocks that moved apart by so many milliseconds are worth noting.
const APART: u64 = 1_000;

const GAP: &str = "the answer to a fetch";
