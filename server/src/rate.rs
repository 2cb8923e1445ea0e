//! How often something may happen: one leaking bucket for each who does it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most buckets that are remembered. When there are more, those that have run empty are forgotten, and
/// then all: it is better to let somebody ask too often than to keep others out.
const MOST: usize = 65_536;

/// The buckets. Each is one number: when, in microseconds, it will have run empty.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Microseconds that one request fills; 0 if nothing is limited.
    each: u64,
    /// Microseconds that fit into a bucket.
    depth: u64,
    buckets: Mutex<HashMap<u64, u64>>,
}

impl Rates {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let each = if per_second == 0 { 0 } else { (1_000_000 / u64::from(per_second)).max(1) };
        Self { each, depth: each * u64::from(burst.max(1)), buckets: Mutex::default() }
    }

    /// Counts a request; if it is one too many, says after how many seconds to come back.
    pub(crate) fn count(&self, of: impl Hash, now_millis: i64) -> Result<(), u64> {
        if self.each == 0 {
            return Ok(());
        }
        let (name, now) = (name(of), micros(now_millis));
        let mut buckets = self.buckets();
        if buckets.len() >= MOST {
            buckets.retain(|_, empty_at| *empty_at > now);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let empty_at = buckets.entry(name).or_insert(now);
        *empty_at = self.clamped(*empty_at, now);
        self.fits(*empty_at, now)?;
        *empty_at += self.each;
        Ok(())
    }

    /// Whether one more would be counted, or after how many seconds.
    pub(crate) fn has_room(&self, of: impl Hash, now_millis: i64) -> Result<(), u64> {
        let now = micros(now_millis);
        let empty_at = self.buckets().get(&name(of)).copied().unwrap_or(now);
        self.fits(self.clamped(empty_at, now), now)
    }

    /// A clock that stepped back must not keep anybody out for longer than a full bucket does.
    fn clamped(&self, empty_at: u64, now: u64) -> u64 {
        empty_at.clamp(now, now.saturating_add(self.depth))
    }

    fn fits(&self, empty_at: u64, now: u64) -> Result<(), u64> {
        let filled = empty_at - now + self.each;
        if filled > self.depth { Err((filled - self.depth).div_ceil(1_000_000)) } else { Ok(()) }
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<u64, u64>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two that share a bucket by chance, one in 2^64, share a limit: nothing worse.
fn name(of: impl Hash) -> u64 {
    let mut name = DefaultHasher::new();
    of.hash(&mut name);
    name.finish()
}

fn micros(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or(0).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_one_for_each_interval() {
        let rates = Rates::new(10, 3);
        let ask = |now| rates.count(("ann", "g"), now);
        assert_eq!([ask(0), ask(0), ask(0), ask(0)], [Ok(()), Ok(()), Ok(()), Err(1)]);
        assert_eq!([ask(99), ask(100), ask(100)], [Err(1), Ok(()), Err(1)]);
        assert_eq!(ask(10_000), Ok(()));
    }

    #[test]
    fn subjects_and_groups_do_not_share_a_bucket() {
        let rates = Rates::new(1, 1);
        assert_eq!(rates.count(("ann", "g"), 0), Ok(()));
        assert_eq!(rates.count(("bob", "g"), 0), Ok(()));
        assert_eq!(rates.count(("ann", "h"), 0), Ok(()));
        assert_eq!(rates.count(("ann", "g"), 0), Err(1));
    }

    #[test]
    fn a_clock_that_steps_back_keeps_nobody_out_for_long() {
        let rates = Rates::new(1, 1);
        assert_eq!(rates.count(("ann", "g"), 1_000_000), Ok(()));
        assert_eq!(rates.count(("ann", "g"), 0), Err(1));
        assert_eq!(rates.count(("ann", "g"), 1_000), Ok(()));
    }

    #[test]
    fn without_a_rate_nothing_is_counted() {
        let rates = Rates::new(0, 0);
        assert!((0..1_000).all(|_| rates.count(("ann", "g"), 0).is_ok()));
    }
}
