//! Time that passes only when the world says so.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use syncline::Clock;

/// What the world's clock shows at its beginning, in milliseconds since 1970.
pub(crate) const BEGINNING: i64 = 1_800_000_000_000;

/// The world's time, in milliseconds since its beginning.
#[derive(Debug, Default)]
pub(crate) struct Time {
    now: AtomicI64,
    timers: Mutex<Timers>,
}

#[derive(Debug, Default)]
struct Timers {
    waiting: BTreeMap<(i64, u64), Waker>,
    count: u64,
}

impl Time {
    pub(crate) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Moves on, and wakes who waited for it.
    pub(crate) fn pass(&self, millis: i64) {
        let now = self.now.fetch_add(millis, Ordering::Relaxed) + millis;
        let mut timers = self.timers();
        while let Some(first) = timers.waiting.first_entry()
            && first.key().0 <= now
        {
            first.remove().wake();
        }
    }

    /// How long until somebody wants to be woken.
    pub(crate) fn until_next(&self) -> Option<i64> {
        let timers = self.timers();
        timers.waiting.keys().next().map(|(at, _)| (at - self.now()).max(0))
    }

    /// Waits.
    pub(crate) async fn sleep(&self, millis: i64) {
        let until = self.now() + millis;
        poll_fn(|context| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            let mut timers = self.timers();
            timers.count += 1;
            let key = (until, timers.count);
            let _ = timers.waiting.insert(key, context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets somebody else go first.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The wall clock of one replica: it drifts, and may be set to anything.
#[derive(Debug)]
pub(crate) struct WallClock {
    time: Arc<Time>,
    /// Milliseconds by which it is ahead.
    ahead: AtomicI64,
    /// Milliseconds that it gains in 1,000 seconds.
    drift: AtomicI64,
}

impl WallClock {
    pub(crate) fn new(time: Arc<Time>, ahead: i64, drift: i64) -> Self {
        Self { time, ahead: ahead.into(), drift: drift.into() }
    }

    /// Sets it forward, or back.
    pub(crate) fn step(&self, millis: i64) {
        let _ = self.ahead.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for WallClock {
    fn now_millis(&self) -> i64 {
        let now = self.time.now();
        let gained = now * self.drift.load(Ordering::Relaxed) / 1_000_000;
        BEGINNING + now + gained + self.ahead.load(Ordering::Relaxed)
    }
}
