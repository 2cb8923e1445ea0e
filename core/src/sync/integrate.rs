//! Integrating: what was received earlier and not applied, and what was parked and may go on now.

use super::Session;
use super::applying::{Applying, Buffer, note, obstacle_of, read};
use super::receive::Attempt;
use crate::client::{
    Head, Lane, PARKED, Rows, SEGMENT, TRIES, bytes, find, int, is_overtaken, number, text,
};
use crate::log::{Entry, LaneHash, Segment};
use crate::{Error, ErrorKind, Filter, Key, Object, Result, Step, Value};

/// How many bytes of stored segments are read at once.
const READ: usize = 4 << 20;

impl Session<'_> {
    /// Applies stored segments that are not applied yet, then tries again what is parked.
    pub(super) async fn integrate(&mut self) -> Result<()> {
        let behind: Vec<String> = self
            .lanes
            .values()
            .filter(|lane| lane.applied < lane.received)
            .map(|lane| lane.id.clone())
            .collect();
        for id in behind {
            while self.integrate_some(&id).await? {}
        }
        self.retry_parked().await
    }

    /// Reads the next stored segments of a lane and applies what is whole; false if nothing moved.
    async fn integrate_some(&mut self, id: &str) -> Result<bool> {
        let mut rows = Rows::Write;
        for _ in 0..TRIES {
            let log = self.log;
            let mut cached = log.lock().await;
            let mut head = self.head_and_lanes(&mut cached).await?;
            let Some(before) = self.lanes.get(id).cloned() else { return Ok(false) };
            let read = match self.fill_buffer(&head, &before).await {
                Ok(false) => return Ok(false),
                Ok(true) => self.gather(&mut head, &mut cached).await,
                Err(error) => Err(error),
            };
            let own = match read {
                Err(error) if is_overtaken(&error) => {
                    *cached = None;
                    continue;
                }
                other => other?,
            };
            let mut applying = self.take_batches(&mut head);
            applying.objects.append(own);
            let attempt = self.apply(cached, head, applying, Vec::new(), &mut rows).await?;
            if matches!(attempt, Attempt::Done) {
                let applied = |lane: &Lane| lane.applied > before.applied;
                return Ok(self.lanes.get(id).is_some_and(applied));
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; sync again"))
    }

    /// Reads stored segments until a whole batch is there; false if there is none.
    async fn fill_buffer(&mut self, head: &Head, lane: &Lane) -> Result<bool> {
        let waiting =
            Filter::eq("lane", lane.id.as_str()).and(Filter::gt("last", int(lane.applied)));
        let mut question = find(&SEGMENT, waiting);
        question.page_bytes = READ;
        let mut next = Some(question);
        let mut buffer = Buffer::default();
        while let Some(question) = next {
            let page = self.log.find(question.clone()).await?;
            for row in &page.objects {
                buffer.push(&self.stored_segment(head, row).await?, lane.applied);
            }
            if buffer.has_whole_batch() {
                let _ = self.buffers.insert(lane.id.clone(), buffer);
                return Ok(true);
            }
            next = question.following(&page);
        }
        Ok(false)
    }

    /// A segment that waits. If its bytes are cleaned away, another process has applied it meanwhile.
    async fn stored_segment(&self, head: &Head, row: &Object) -> Result<Segment> {
        if row.value("bytes").is_null() {
            let _ = self.log.write(vec![head.guard()]).await?;
        }
        Segment::parse(bytes(row, "bytes")?)
    }

    /// Tries again what is parked and whose cause may be gone.
    async fn retry_parked(&mut self) -> Result<()> {
        for row in self.log.find_all(find(&PARKED, Filter::All)).await? {
            let known = |name: &str| self.log.schema().get(name).is_some();
            let schema = number(&row, "schema")?;
            let may = schema <= u64::from(self.log.schema().version())
                && row.value("collection").as_text().is_none_or(known);
            if may {
                self.retry(&row).await?;
            }
        }
        Ok(())
    }

    async fn retry(&mut self, row: &Object) -> Result<()> {
        let (id, first, last) = (text(row, "lane")?, number(row, "first")?, number(row, "last")?);
        for _ in 0..TRIES {
            let log = self.log;
            let mut cached = log.lock().await;
            let mut head = self.head_and_lanes(&mut cached).await?;
            // Another process may have tried again, too.
            let is_parked =
                |lane: &Lane| lane.except.iter().any(|(a, b)| *a <= first && last <= *b);
            if !self.lanes.get(id).is_some_and(is_parked) {
                return Ok(());
            }
            let read = self.parked_entries(&head, (id, first, last)).await;
            let settled = match read {
                Ok(Some(entries)) => {
                    self.gather(&mut head, &mut cached).await.map(|own| (entries, own))
                }
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            };
            let (entries, own) = match settled {
                Err(error) if is_overtaken(&error) => {
                    *cached = None;
                    continue;
                }
                other => other?,
            };
            let Some(lane) = self.lanes.get_mut(id) else { return Ok(()) };
            let mut applying = Applying { objects: own, ..Applying::default() };
            lane.unpark(first, last);
            applying.steps.push(lane.store());
            applying.steps.push(unpark(id, first));
            note(&mut head, lane);
            let lane = lane.clone();
            for (entry, hash) in entries {
                applying.apply(self.options, &lane, entry, hash);
            }
            let mut rows = Rows::Compare;
            let attempt = self.apply(cached, head, applying, Vec::new(), &mut rows).await?;
            if matches!(attempt, Attempt::Done) {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; sync again"))
    }

    /// The entries of a parked run, or nothing while they cannot be read or applied.
    async fn parked_entries(
        &self,
        head: &Head,
        (id, first, last): (&str, u64, u64),
    ) -> Result<Option<Vec<(Entry, LaneHash)>>> {
        let run = Filter::eq("lane", id)
            .and(Filter::gte("last", int(first)))
            .and(Filter::lte("first", int(last)));
        let mut entries = Vec::new();
        for row in self.log.find_all(find(&SEGMENT, run)).await? {
            match read(&self.stored_segment(head, &row).await?) {
                Ok(read) => entries.extend(read),
                Err(_still_unreadable) => return Ok(None),
            }
        }
        entries.retain(|(entry, _)| (first..=last).contains(&entry.seq));
        let mut writes = entries.iter().filter_map(|(entry, _)| entry.write.as_ref());
        let is_stuck = writes.any(|write| obstacle_of(self.log, write).is_some());
        Ok((!is_stuck).then_some(entries))
    }
}

fn unpark(lane: &str, first: u64) -> Step {
    let key = Key::compound([Value::from(lane), int(first)]);
    let (collection, filter) = ((*PARKED).clone(), Filter::Keys(vec![key]));
    Step::Delete { collection, filter, limit: None }
}
