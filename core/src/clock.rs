//! Stamps, the hybrid logical clock that makes them, and the wall clock that is handed in.
//!
//! The clock is that of Kulkarni, Demirbas, Madappa, Avva and Leone, *Logical Physical Clocks and
//! Consistent Snapshots in Globally Distributed Databases* (2014), packed into one number: 48 bits
//! of milliseconds and a 16-bit counter that carries into them.

use std::fmt;
use std::time::Duration;

use crate::bug::{self, Bug};
use crate::{Error, MaybeSend, MaybeSync, Result};

/// When a write happened, as a hybrid logical clock tells it: milliseconds since 1970 and a counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(u64);

impl Stamp {
    /// Before every other stamp.
    pub const ZERO: Self = Self(0);
    /// The greatest valid stamp: milliseconds of 2^47 and more are invalid for every reader.
    pub const GREATEST: Self = Self((1 << 63) - 1);

    /// The stamp with these 64 bits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the milliseconds are 2^47 or more.
    pub fn from_bits(bits: u64) -> Result<Self> {
        if bits > Self::GREATEST.0 {
            return Err(Error::invalid("a stamp lies beyond the year 6429").with("bits", bits));
        }
        Ok(Self(bits))
    }

    /// The first stamp of a millisecond; what lies outside the valid range becomes its border.
    pub fn at_millis(millis: i64) -> Self {
        let millis = u64::try_from(millis).unwrap_or(0);
        if millis >= 1 << 47 { Self::GREATEST } else { Self(millis << 16) }
    }

    /// All 64 bits: milliseconds shifted left by 16, plus the counter.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        // 48 bits always fit.
        (self.0 >> 16) as i64
    }

    /// The counter within the millisecond.
    pub fn counter(self) -> u16 {
        (self.0 & 0xffff) as u16
    }

    /// The next stamp; the counter carries into the milliseconds, and the greatest stays.
    #[must_use]
    pub fn next(self) -> Self {
        Self((self.0 + 1).min(Self::GREATEST.0))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis(), self.counter())
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tells the time. Handed in, so that tests and simulations own it.
pub trait Clock: fmt::Debug + MaybeSend + MaybeSync {
    /// Milliseconds since 1970, as the wall clock has them; it may step back.
    fn now_millis(&self) -> i64;
}

/// Makes randomness. Handed in, so that tests and simulations repeat.
pub trait Random: fmt::Debug + MaybeSend + MaybeSync {
    /// Sixteen random bytes.
    fn bytes(&self) -> [u8; 16];
}

/// How far a received stamp may move the local clock ahead of the wall clock, if nothing else is said.
pub const ALLOWED_DRIFT: Duration = Duration::from_secs(5 * 60);

/// A hybrid logical clock: always rises, follows the wall clock where it can.
///
/// # Example
///
/// ```
/// use syncline_core::clock::{Hlc, Stamp};
///
/// let mut clock = Hlc::at(Stamp::ZERO);
/// let first = clock.tick(1_000);
/// let second = clock.tick(900);
/// assert!(second > first, "a clock that steps back changes nothing but the counter");
/// assert_eq!(second.millis(), 1_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hlc {
    last: Stamp,
}

impl Hlc {
    /// A clock whose last stamp was this one.
    pub fn at(last: Stamp) -> Self {
        Self { last }
    }

    /// The greatest stamp this clock gave or took.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// The stamp of a local event, when the wall clock shows `now` milliseconds.
    pub fn tick(&mut self, now: i64) -> Stamp {
        self.last = self.last.next().max(Stamp::at_millis(now));
        if bug::is(Bug::ReusesStamps) {
            self.last = Stamp::at_millis(now);
        }
        self.last
    }

    /// Learns of a stamp from elsewhere; it moves the clock by at most `drift` beyond `now`.
    pub fn observe(&mut self, stamp: Stamp, now: i64, drift: Duration) {
        let drift = i64::try_from(drift.as_millis()).unwrap_or(i64::MAX);
        let border = Stamp::at_millis(now.saturating_add(drift));
        self.last = self.last.max(stamp.min(border));
    }
}

/// A clock for tests: starts somewhere and moves on by a step each time it is asked.
#[derive(Debug)]
pub struct StepClock {
    now: std::sync::atomic::AtomicI64,
    step: i64,
}

impl StepClock {
    /// A clock that shows `start` first, and `step` milliseconds more each time.
    pub fn new(start: i64, step: i64) -> Self {
        Self { now: start.into(), step }
    }

    /// Sets what the clock shows next.
    pub fn set(&self, millis: i64) {
        self.now.store(millis, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for StepClock {
    fn now_millis(&self) -> i64 {
        self.now.fetch_add(self.step, std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_carries_into_the_milliseconds() {
        let full = Stamp::from_bits((5 << 16) | 0xffff).unwrap();
        assert_eq!((full.next().millis(), full.next().counter()), (6, 0));
    }

    #[test]
    fn milliseconds_of_two_to_the_47_are_invalid() {
        assert!(Stamp::from_bits(1 << 63).is_err());
        assert!(Stamp::from_bits((1 << 63) - 1).is_ok());
        assert_eq!(Stamp::at_millis(i64::MAX), Stamp::GREATEST);
        assert_eq!(Stamp::at_millis(-5), Stamp::ZERO);
    }

    #[test]
    fn a_received_stamp_moves_the_clock_by_at_most_the_drift() {
        let mut clock = Hlc::at(Stamp::at_millis(1_000));
        clock.observe(Stamp::at_millis(9_000_000), 1_000, Duration::from_secs(1));
        assert_eq!(clock.last(), Stamp::at_millis(2_000));
        clock.observe(Stamp::at_millis(1_500), 1_000, Duration::from_secs(1));
        assert_eq!(clock.last(), Stamp::at_millis(2_000), "and never back");
    }
}
