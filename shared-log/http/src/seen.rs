//! The newest number that a client heard of.

use std::sync::atomic::{AtomicU64, Ordering};

/// The newest number of the group that this client knows of: what it fetched, what it appended, and what it
/// was told.
///
/// It is not the greatest one: a hub that was restored from a backup begins again at a smaller one.
#[derive(Debug, Default)]
pub(crate) struct Seen(AtomicU64);

impl Seen {
    pub fn number(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Everything up to here was fetched, or told.
    pub fn up_to(&self, number: u64) {
        self.0.store(number, Ordering::SeqCst);
    }

    /// So many segments were appended, and the last of all has this number now. If others appended
    /// meanwhile, their segments are news.
    pub fn appended(&self, stored: u64, number: u64) {
        if let Some(before) = number.checked_sub(stored) {
            // Whoever changed it in between knows better.
            let _ = self.0.compare_exchange(before, number, Ordering::SeqCst, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_segments_are_no_news() {
        let seen = Seen::default();
        seen.up_to(5);
        seen.appended(2, 7);
        assert_eq!(seen.number(), 7);
        seen.appended(1, 9);
        assert_eq!(seen.number(), 7, "somebody else appended 8 or 9");
        seen.appended(3, 1);
        assert_eq!(seen.number(), 7);
    }
}
