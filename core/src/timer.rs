//! Waiting: handed in, so that tests and simulations own the time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;

use crate::{MaybeSend, MaybeSync, Random};

/// Waits. Handed in, so that tests and simulations own the time.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Timer: Debug + MaybeSend + MaybeSync {
    /// Returns when this time has passed.
    async fn sleep(&self, duration: Duration);
}

/// What a future gives, unless it takes longer than this; then it is dropped.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use syncline_core::timer::{HandTimer, within};
///
/// # pollster::block_on(async {
/// let timer = HandTimer::default();
/// let second = Duration::from_secs(1);
/// assert_eq!(within(&timer, second, std::future::ready(1)).await, Some(1));
/// # });
/// ```
pub async fn within<T>(
    timer: &dyn Timer,
    longest: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let mut future = pin!(future);
    let mut late = timer.sleep(longest);
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        late.as_mut().poll(context).map(|()| None)
    })
    .await
}

/// How long to wait before something that failed is tried again: twice as long each time, up to a limit, and
/// of that a random part, so that many who failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The most after the first failure.
    pub first: Duration,
    /// The most after any number of failures.
    pub longest: Duration,
}

impl Backoff {
    /// How long to wait after this many failures in a row, at most.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use syncline_core::timer::Backoff;
    ///
    /// let second = Duration::from_secs(1);
    /// let backoff = Backoff { first: second, longest: 5 * second };
    /// assert_eq!([1, 2, 3, 4].map(|failures| backoff.most(failures).as_secs()), [1, 2, 4, 5]);
    /// ```
    pub fn most(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// How long to wait after this many failures in a row: a random part of the most.
    pub fn wait(&self, failures: u32, random: &dyn Random) -> Duration {
        self.most(failures).mul_f64(part(random))
    }
}

/// A random number between 0 and 1.
fn part(random: &dyn Random) -> f64 {
    let bytes = random.bytes();
    let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    f64::from(number) / f64::from(u32::MAX)
}

/// A timer for tests: time stands still until it is moved on by hand. Clones share it.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use syncline_core::timer::{HandTimer, Timer};
///
/// # pollster::block_on(async {
/// let timer = HandTimer::skipping(Duration::MAX);
/// timer.sleep(Duration::from_secs(3600)).await;
/// assert_eq!(timer.slept(), [Duration::from_secs(3600)]);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct HandTimer(Arc<Mutex<Hand>>);

#[derive(Debug, Default)]
struct Hand {
    now: Duration,
    next: u64,
    skips: Option<Duration>,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
    slept: Vec<Duration>,
}

impl HandTimer {
    /// A timer that lets nobody wait who would wait up to so long: for them, time jumps ahead.
    pub fn skipping(up_to: Duration) -> Self {
        let timer = Self::default();
        timer.hand().skips = Some(up_to);
        timer
    }

    /// Moves time on and wakes those whose time has come.
    pub fn advance(&self, by: Duration) {
        let mut hand = self.hand();
        hand.now += by;
        let now = hand.now;
        for ((until, _), waker) in &mut hand.sleepers {
            if *until <= now {
                waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }

    /// How long until the first of those who wait now would be woken, if anybody waits.
    pub fn next(&self) -> Option<Duration> {
        let hand = self.hand();
        let first = hand.sleepers.keys().find(|(until, _)| *until > hand.now);
        first.map(|(until, _)| until.saturating_sub(hand.now))
    }

    /// All waits that were begun, in their order.
    pub fn slept(&self) -> Vec<Duration> {
        self.hand().slept.clone()
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, duration: Duration) -> Sleeper {
        let mut hand = self.hand();
        hand.slept.push(duration);
        if hand.skips.is_some_and(|up_to| duration <= up_to) {
            hand.now = hand.now.saturating_add(duration);
            return Sleeper { timer: self.clone(), key: (Duration::ZERO, 0) };
        }
        hand.next += 1;
        let key = (hand.now.saturating_add(duration), hand.next);
        let _ = hand.sleepers.insert(key, None);
        Sleeper { timer: self.clone(), key }
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Timer for HandTimer {
    async fn sleep(&self, duration: Duration) {
        let sleeper = self.begin(duration);
        poll_fn(|context| {
            let mut hand = sleeper.timer.hand();
            if hand.now >= sleeper.key.0 {
                return Poll::Ready(());
            }
            let _ = hand.sleepers.insert(sleeper.key, Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Somebody who waits; whoever stops waiting is forgotten.
struct Sleeper {
    timer: HandTimer,
    key: (Duration, u64),
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.timer.hand().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn bytes(&self) -> [u8; 16] {
            [self.0; 16]
        }
    }

    #[test]
    fn a_wait_is_a_random_part_of_the_most() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        assert_eq!(backoff.wait(3, &Always(0)), Duration::ZERO);
        assert_eq!(backoff.wait(3, &Always(255)), Duration::from_secs(4));
        assert_eq!(backoff.wait(u32::MAX, &Always(255)), Duration::from_secs(60));
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let timer = HandTimer::skipping(Duration::MAX);
        let never = std::future::pending::<()>();
        let waited = pollster::block_on(within(&timer, Duration::from_secs(9), never));
        assert_eq!((waited, timer.slept()), (None, vec![Duration::from_secs(9)]));
    }
}
