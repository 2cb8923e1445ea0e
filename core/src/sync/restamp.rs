//! Stamping own entries anew when this replica's clock turns out to be off.

use std::collections::{HashMap, HashSet};

use super::{Session, SyncEvent};
use crate::client::{CUT, ClientLog, ENTRY, Head, bytes, change, find, int, number, object_id};
use crate::clock::Hlc;
use crate::log::Entry;
use crate::merge::History;
use crate::{Filter, Object, Result, Stamp};

impl Session<'_> {
    /// Stamps the own entries that are not cut yet anew, if the log's time says that this clock is off by
    /// more than the drift.
    ///
    /// In `seq` order, each gets the greatest of: its old stamp moved by the offset, but at most the log's
    /// time; one after the previous own entry about the object; one after everything else applied to the
    /// object. Whatever was applied was applied before these entries were written, because applying cuts
    /// all own entries first; so no edit falls behind what its user saw. One batch, guarded by the head. True
    /// if that was necessary: then all of them have to be cut at once, so that none is stamped anew again.
    pub(super) async fn restamp(&mut self, head: &mut Head) -> Result<bool> {
        let drift = i64::try_from(self.log.config().drift.as_millis()).unwrap_or(i64::MAX);
        let Some((theirs, ours)) = self.time else { return Ok(false) };
        let offset = theirs - ours;
        if offset.abs() <= drift || head.frozen == head.seq {
            return Ok(false);
        }
        let before = head.rev;
        // What is cut already stays as it is, and has to be known: the clock may go back behind it.
        self.log.fold(head).await?;
        let rows = self.log.find_all(ClientLog::entries_behind(head.frozen)).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            let entry = Entry::from_bytes(number(row, "seq")?, bytes(row, "entry")?)?;
            // Adopted rows keep the lowest stamps, whatever the clock says: any edit wins over them.
            let is_lowest = entry.stamp == Stamp::from_bits(entry.seq)?;
            if !is_lowest || row.value("clock").is_null() {
                entries.push(entry);
            }
        }
        let mut last = self.greatest_applied(&entries).await?;
        let mut used = HashSet::new();
        let mut next = head.clone();
        next.clock = Hlc::at(Stamp::ZERO);
        next.is_level();
        let last_seq = rows.last().map_or(Ok(head.seq), |row| number(row, "seq"))?;
        let mut steps = vec![head.guard(), Head::ends_at(last_seq)];
        for entry in &mut entries {
            let moved = Stamp::at_millis(entry.stamp.millis().saturating_add(offset).min(theirs));
            let id = entry.write.as_ref().map(|write| object_id(&write.collection, &write.key));
            let known = id.as_ref().and_then(|id| last.get(id)).map(|stamp| stamp.next());
            let mut stamp = moved.max(known.unwrap_or_default());
            while !used.insert(stamp) && stamp < Stamp::GREATEST {
                stamp = stamp.next();
            }
            entry.stamp = stamp;
            let _ = id.map(|id| last.insert(id, stamp));
            if stamp <= Stamp::at_millis(theirs).max(next.clock.last()) {
                next.clock = Hlc::at(next.clock.last().max(stamp));
            } else if let Some(write) = &entry.write {
                let object = (write.collection.clone(), write.key.clone());
                next.goes_ahead(object, stamp, entry.seq);
                next.applied = next.applied.max(stamp);
            }
            let clock = (stamp != next.clock.last()).then(|| int(next.clock.last().bits()));
            let row = Object::new().with("clock", clock).with("entry", entry.to_bytes());
            steps.push(change(&ENTRY, int(entry.seq), row));
        }
        // The clock may go back behind what is cut, which stays: a write to such an object has to know.
        next.applied = next.applied.max(self.greatest_cut(next.clock.last()).await?);
        steps.push(next.store());
        let _ = self.log.write(steps).await?;
        *head = next;
        self.moved_on(before, head);
        self.options.tell(SyncEvent::Restamped { entries: entries.len() as u64, offset });
        Ok(true)
    }

    /// The greatest stamp that is cut already, if it lies beyond this one.
    async fn greatest_cut(&self, beyond: Stamp) -> Result<Stamp> {
        let ahead = Filter::gt("greatest", int(beyond.bits()));
        let mut greatest = Stamp::ZERO;
        for row in self.log.find_all(find(&CUT, ahead)).await? {
            greatest = greatest.max(Stamp::from_bits(number(&row, "greatest")?)?);
        }
        Ok(greatest)
    }

    async fn greatest_applied(&self, entries: &[Entry]) -> Result<HashMap<Vec<u8>, Stamp>> {
        let writes = entries.iter().filter_map(|entry| entry.write.as_ref());
        let ids: HashSet<Vec<u8>> =
            writes.map(|write| object_id(&write.collection, &write.key)).collect();
        let mut greatest = HashMap::new();
        for (id, state) in self.log.histories(ids.into_iter()).await? {
            if let Some(author) = History::greatest_in(&state)? {
                let _ = greatest.insert(id, author.stamp);
            }
        }
        Ok(greatest)
    }
}
