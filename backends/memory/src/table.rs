//! The objects of one collection, and the answers about them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use syncline_core::query::{Order, Pager, compare, matches};
use syncline_core::value::{Key, Name};
use syncline_core::{Collection, Direction, Filter, Find, Object, Page};

use crate::access::{Access, Plan};
use crate::error::MemoryError;

/// The objects of one collection, in the order of their keys.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) collection: Arc<Collection>,
    pub(crate) rows: BTreeMap<Key, Object>,
    /// The highest key that was counted or given, where keys are counted.
    pub(crate) highest: i64,
}

impl Table {
    pub(crate) fn new(collection: Arc<Collection>) -> Self {
        Self { collection, rows: BTreeMap::new(), highest: 0 }
    }

    /// Holds if the objects can stay under their keys with another definition.
    pub(crate) fn check_key(&self, other: &Collection) -> Result<(), MemoryError> {
        let same = self.collection.key() == other.key()
            && self.collection.key_primitives().eq(other.key_primitives());
        if same || self.rows.is_empty() {
            return Ok(());
        }
        Err(MemoryError::KeyChanged { collection: other.name().clone() })
    }

    /// The keys of the objects that meet a filter, in order.
    pub(crate) fn keys(&self, filter: &Filter) -> Vec<Key> {
        self.meeting(filter, None).map(|(key, _)| key.clone()).collect()
    }

    /// How many objects meet a filter.
    pub(crate) fn count(&self, filter: &Filter) -> u64 {
        match filter {
            Filter::All => self.rows.len() as u64,
            filter => self.meeting(filter, None).count() as u64,
        }
    }

    /// Whether at least two objects meet a filter.
    pub(crate) fn has_two(&self, filter: &Filter) -> bool {
        self.meeting(filter, None).nth(1).is_some()
    }

    /// One page of the objects that are asked for.
    pub(crate) fn find(&self, find: &Find) -> Page {
        let mut pager = Pager::new(find, &self.collection);
        let after = find.after.as_ref();
        if self.is_key_order(&find.order) {
            let after = after.map(|place| Key::compound(place.key.iter().cloned()));
            let mut found = self.meeting(&find.filter, after);
            let _ = found.try_for_each(|(_, object)| pager.offer(object));
            return pager.finish();
        }
        let is_ahead = |object: &Object| {
            after.is_none_or(|place| place.is_before(object, &find.order, &self.collection))
        };
        let mut found: Vec<&Object> = self
            .meeting(&find.filter, None)
            .map(|(_, object)| object)
            .filter(|object| is_ahead(object))
            .collect();
        let in_order = |a: &&Object, b: &&Object| compare(&find.order, a, b, &self.collection);
        // Only what this page needs is sorted.
        let needed = usize::try_from(pager.needs()).unwrap_or(usize::MAX);
        if needed < found.len() {
            let _ = found.select_nth_unstable_by(needed, in_order);
            found.truncate(needed);
        }
        found.sort_unstable_by(in_order);
        let _ = found.into_iter().try_for_each(|object| pager.offer(object));
        pager.finish()
    }

    /// The objects behind a key that meet a filter, in the order of their keys.
    fn meeting<'a>(
        &'a self,
        filter: &'a Filter,
        after: Option<Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Object)> {
        let Plan { access, rest } = Plan::new(filter, &self.collection);
        self.reach(access, after).filter(move |(_, object)| {
            rest.iter().all(|demand| matches(demand, object, &self.collection))
        })
    }

    fn reach<'a>(
        &'a self,
        access: Access<'a>,
        after: Option<Key>,
    ) -> Box<dyn Iterator<Item = (&'a Key, &'a Object)> + 'a> {
        match access {
            Access::Keys(keys) => {
                let behind = after.map_or(0, |after| keys.partition_point(|key| *key <= after));
                let keys = keys.into_iter().skip(behind);
                Box::new(keys.filter_map(|key| self.rows.get_key_value(&key)))
            }
            Access::From(first, span) => {
                let start = match after {
                    Some(after) if first <= after => Bound::Excluded(after),
                    _ => Bound::Included(first),
                };
                let rows = self.rows.range((start, Bound::Unbounded));
                Box::new(rows.take_while(move |(key, _)| span.holds(key)))
            }
        }
    }

    /// Whether this order is the order of the keys anyway.
    fn is_key_order(&self, order: &[Order]) -> bool {
        let by_key = |(order, key): (&Order, &Name)| {
            order.field == *key && order.direction == Direction::Ascending
        };
        order.len() <= self.collection.key().len()
            && order.iter().zip(self.collection.key()).all(by_key)
    }
}
