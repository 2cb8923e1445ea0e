//! The one record shape of all workloads, from a seeded generator.

use serde::{Deserialize, Serialize};

use crate::Result;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// A random UUID as text, 36 letters: the primary key.
    pub id: String,
    /// 24 random small letters and spaces.
    pub title: String,
    /// 200 random small letters and spaces.
    pub body: String,
    /// True or false.
    pub done: bool,
    /// Every number from 0 to n - 1 once.
    pub priority: i64,
    /// Milliseconds, rising.
    pub updated: i64,
}

/// A generator that gives the same numbers for the same seed everywhere: SplitMix64.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// A generator that begins here.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// Text of small letters and spaces.
    pub fn text(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz      ";
        (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }

    /// Puts things into another order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48 & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }
}

/// `count` records.
pub fn records(seed: u64, count: usize) -> Vec<Record> {
    let mut seeded = Seeded::new(seed);
    let record = |at: usize| Record {
        id: seeded.uuid(),
        title: seeded.text(24),
        body: seeded.text(200),
        done: seeded.bits() & 1 == 1,
        priority: (at * 7919 % count) as i64,
        updated: 1_700_000_000_000 + at as i64,
    };
    (0..count).map(record).collect()
}

impl Record {
    /// A number to which every field contributes, so that a side that did not read one is noticed.
    pub fn checksum(&self) -> u64 {
        checksum(&self.id, &self.title, &self.body, self.done, self.priority, self.updated)
    }

    /// The record as compact JSON.
    ///
    /// # Errors
    ///
    /// Never, in truth: it is text and numbers.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

/// The sum of what six fields hold.
pub fn checksum(id: &str, title: &str, body: &str, done: bool, priority: i64, updated: i64) -> u64 {
    let edge = |text: &str| {
        let bytes = text.as_bytes();
        let ends =
            bytes.first().zip(bytes.last()).map_or(0, |(a, b)| u64::from(*a) + u64::from(*b));
        ends + bytes.len() as u64
    };
    let numbers = priority.cast_unsigned().wrapping_add(updated.cast_unsigned());
    numbers.wrapping_add(edge(id) + edge(title) + edge(body) + u64::from(done))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_seed_gives_the_same_records_every_time() {
        assert_eq!(records(7, 10), records(7, 10));
        assert_ne!(records(7, 10), records(8, 10));
    }

    #[test]
    fn records_have_the_agreed_shape() {
        let records = records(1, 1_000);
        let priorities: BTreeSet<i64> = records.iter().map(|record| record.priority).collect();
        assert_eq!(priorities.len(), 1_000, "every priority once");
        for record in &records {
            let lengths = [&record.id, &record.title, &record.body].map(String::len);
            assert_eq!(lengths, [36, 24, 200]);
        }
        let json = records[0].json().expect("it is text and numbers").len();
        assert!((310..350).contains(&json), "about 330 bytes of JSON, not {json}");
    }
}
