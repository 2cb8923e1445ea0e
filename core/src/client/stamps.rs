//! Stamps of own entries: after the clock, and after the greatest stamp applied to the object.

use std::collections::HashMap;

use super::{ClientLog, ENTRY, Head, bytes, find, number, object_id};
use crate::bug::{self, Bug};
use crate::log::Entry;
use crate::merge::History;
use crate::query::Test;
use crate::{Filter, Key, Name, Result, Stamp, Value};

/// The greatest stamp known of each object, for objects that may have one ahead of the clock.
pub(crate) type Greatest = HashMap<(Name, Key), Stamp>;

impl ClientLog {
    /// The greatest stamps applied to these objects, or nothing if the clock is beyond all stamps anyway.
    pub(crate) async fn greatest<'a>(
        &self,
        head: &Head,
        now: i64,
        objects: impl Iterator<Item = (&'a Name, &'a Key)>,
    ) -> Result<Option<Greatest>> {
        if head.clock.last().next().max(Stamp::at_millis(now)) > head.applied {
            return Ok(None);
        }
        if bug::is(Bug::StampsIgnoreObjects) {
            return Ok(None);
        }
        let mut greatest = Greatest::new();
        let objects: Vec<_> = objects.map(|(name, key)| (name.clone(), key.clone())).collect();
        let ids: HashMap<Vec<u8>, &(Name, Key)> =
            objects.iter().map(|object| (object_id(&object.0, &object.1), object)).collect();
        for (id, state) in self.histories(ids.keys().cloned()).await? {
            if let (Some(author), Some(object)) = (History::greatest_in(&state)?, ids.get(&id)) {
                let _ = greatest.insert((*object).clone(), author.stamp);
            }
        }
        for object in objects {
            if let Some(stamp) = head.ahead.get(&object) {
                let known = greatest.entry(object).or_default();
                *known = (*known).max(*stamp);
            }
        }
        Ok(Some(greatest))
    }

    /// Finds the objects whose own, unfolded entries are stamped ahead of the clock.
    pub(crate) async fn load_ahead(&self, head: &mut Head) -> Result<()> {
        if head.ahead_from > head.seq {
            return Ok(());
        }
        let behind = head.folded.max(head.ahead_from.saturating_sub(1));
        let unfolded = Filter::gt("seq", super::int(behind));
        let ahead = Filter::Field(Name::from("clock"), Test::Ne(Value::Null));
        for row in self.find_all(find(&ENTRY, unfolded.and(ahead))).await? {
            let entry = Entry::from_bytes(number(&row, "seq")?, bytes(&row, "entry")?)?;
            // Adopted rows are stamped behind the clock, and there may be many.
            let clock = Stamp::from_bits(number(&row, "clock")?)?;
            if let Some(write) = entry.write.filter(|_| entry.stamp > clock) {
                let known = head.ahead.entry((write.collection, write.key)).or_default();
                *known = (*known).max(entry.stamp);
            }
        }
        head.applied = head.ahead.values().copied().fold(head.applied, Stamp::max);
        Ok(())
    }
}

impl Head {
    /// The stamp of the next own entry about this object, when the wall clock shows `now`.
    pub fn stamp(
        &mut self,
        now: i64,
        object: (&Name, &Key),
        greatest: Option<&mut Greatest>,
    ) -> Stamp {
        let tick = self.clock.tick(now);
        let Some(greatest) = greatest else { return tick };
        let object = (object.0.clone(), object.1.clone());
        let known = greatest.entry(object.clone()).or_default();
        if tick > *known {
            *known = tick;
            return tick;
        }
        let stamp = known.next();
        *known = stamp;
        self.applied = self.applied.max(stamp);
        self.goes_ahead(object, stamp, self.seq);
        stamp
    }
}
