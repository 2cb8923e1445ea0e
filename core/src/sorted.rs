//! Maps and sets for few entries, or for entries that mostly come in order.
//!
//! They are sorted lists, searched by halves. Beside a [`BTreeMap`] they are as fast for
//! what they are made for, and a tenth of the code, which every type of contents is compiled into anew and every
//! browser has to load. An entry that belongs far before the last one moves all behind it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Index;
use std::slice;
use std::vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A map, sorted by its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K: Ord, V> SortedMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an entry and gives what stood under its key.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// What stands under a key; if nothing does, `make` says what shall.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let at = match self.place(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, make()));
                at
            }
        };
        &mut self.0[at].1
    }

    /// What stands under a key; if nothing does, the default shall.
    pub fn get_or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.get_or_insert_with(key, V::default)
    }

    /// What stands under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// What stands under a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    /// Whether anything stands under a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The first entry whose key is this one or greater.
    pub fn from(&self, key: &K) -> Option<(&K, &V)> {
        let at = self.place(key).unwrap_or_else(|at| at);
        self.0.get(at).map(|(key, value)| (key, value))
    }

    /// The last entry whose key is this one or smaller.
    pub fn up_to(&self, key: &K) -> Option<(&K, &V)> {
        let behind = self.place(key).map_or_else(|at| at, |at| at + 1);
        self.0[..behind].last().map(|(key, value)| (key, value))
    }

    /// The entries, by key.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, by key, to be changed.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> + ExactSizeIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The values, by key.
    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> + ExactSizeIterator {
        self.0.into_iter().map(|(_, value)| value)
    }

    /// Keeps the entries of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Takes all entries out.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Where a key stands, or where it belongs. Mostly it belongs behind all others.
    fn place(&self, key: &K) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if last < key => Err(self.0.len()),
            _ => self.find(key),
        }
    }

    /// Where a key stands, or where it belongs. Mostly it stands there.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        if self.0.len() > FEW {
            return self.0.binary_search_by(|(there, _)| there.borrow().cmp(key));
        }
        for (at, (there, _)) in self.0.iter().enumerate() {
            match there.borrow().cmp(key) {
                Ordering::Less => {}
                Ordering::Equal => return Ok(at),
                Ordering::Greater => return Err(at),
            }
        }
        Err(self.0.len())
    }
}

/// Up to so many entries are looked at one by one, as in a node of a B-tree.
const FEW: usize = 11;

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    /// What stands under a key.
    ///
    /// # Panics
    ///
    /// If nothing does.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("nothing stands under this key")
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// The entries of a map.
pub type Iter<'a, K, V> = std::iter::Map<slice::Iter<'a, (K, V)>, fn(&'a (K, V)) -> (&'a K, &'a V)>;

impl<'a, K: Ord, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The entries of a map, their values to be changed.
pub type IterMut<'a, K, V> =
    std::iter::Map<slice::IterMut<'a, (K, V)>, fn(&'a mut (K, V)) -> (&'a K, &'a mut V)>;

impl<'a, K, V> IntoIterator for &'a mut SortedMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        entries.into_iter().for_each(|(key, value)| drop(self.insert(key, value)));
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord + Serialize, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for SortedMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from_iter)
    }
}

/// A sorted set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedSet<K>(Vec<K>);

impl<K: Ord> SortedSet<K> {
    /// An empty set.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one; false if it was there.
    pub fn insert(&mut self, key: K) -> bool {
        let place = match self.0.last() {
            Some(last) if *last < key => Err(self.0.len()),
            _ => self.0.binary_search(&key),
        };
        let Err(at) = place else { return false };
        self.0.insert(at, key);
        true
    }

    /// Whether it is there.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.binary_search_by(|there| there.borrow().cmp(key)).is_ok()
    }

    /// The smallest.
    pub fn first(&self) -> Option<&K> {
        self.0.first()
    }

    /// The greatest.
    pub fn last(&self) -> Option<&K> {
        self.0.last()
    }

    /// All, in order.
    pub fn iter(&self) -> slice::Iter<'_, K> {
        self.0.iter()
    }

    /// Keeps those of which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&K) -> bool) {
        self.0.retain(keep);
    }
}

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'a, K: Ord> IntoIterator for &'a SortedSet<K> {
    type Item = &'a K;
    type IntoIter = slice::Iter<'a, K>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K> IntoIterator for SortedSet<K> {
    type Item = K;
    type IntoIter = vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord> FromIterator<K> for SortedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = Self::new();
        for key in keys {
            let _ = set.insert(key);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::{SortedMap, SortedSet};

    proptest! {
        #[test]
        fn they_hold_what_those_of_the_standard_library_hold(
            entries in prop::collection::vec((any::<u8>(), any::<u16>()), 0..64),
            gone in prop::collection::vec(any::<u8>(), 0..32),
            asked in any::<u8>(),
        ) {
            let mut map: SortedMap<u8, u16> = SortedMap::new();
            let mut theirs = BTreeMap::new();
            for (key, value) in &entries {
                prop_assert_eq!(map.insert(*key, *value), theirs.insert(*key, *value));
            }
            for key in &gone {
                prop_assert_eq!(map.remove(key), theirs.remove(key));
            }
            prop_assert!(map.iter().eq(theirs.iter()));
            prop_assert_eq!(map.get(&asked), theirs.get(&asked));
            prop_assert_eq!(map.from(&asked), theirs.range(asked..).next());
            prop_assert_eq!(map.up_to(&asked), theirs.range(..=asked).next_back());
            prop_assert_eq!(map.get_or_default(asked), theirs.entry(asked).or_default());
            prop_assert!(map.into_iter().eq(theirs));

            let keys = || entries.iter().map(|(key, _)| *key);
            let (set, theirs): (SortedSet<u8>, BTreeSet<u8>) = (keys().collect(), keys().collect());
            prop_assert!(set.iter().eq(&theirs));
            prop_assert_eq!(set.contains(&asked), theirs.contains(&asked));
            prop_assert_eq!((set.first(), set.last()), (theirs.first(), theirs.last()));
        }
    }
}
