//! The clock and the randomness of the machine, for those who want no other.

use syncline_core::{Clock, Random};
use uuid::{NoContext, Timestamp, Uuid};

/// The wall clock of the machine; in a browser, JavaScript's.
///
/// # Example
///
/// ```
/// use syncline_core::Clock;
/// use syncline_middleware::SystemClock;
///
/// assert!(SystemClock.now_millis() > 1_700_000_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_millis(&self) -> i64 {
        let (seconds, nanos) = Timestamp::now(NoContext).to_unix();
        let millis = seconds.saturating_mul(1_000).saturating_add(u64::from(nanos) / 1_000_000);
        i64::try_from(millis).unwrap_or(i64::MAX)
    }
}

/// The randomness of the operating system; in a browser, that of its cryptography.
///
/// # Example
///
/// ```
/// use syncline_core::Random;
/// use syncline_middleware::SystemRandom;
///
/// assert_ne!(SystemRandom.bytes(), SystemRandom.bytes());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        let (mut bytes, more) = (Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes());
        // These three are where a UUID says its version and variant, which is not random.
        bytes[6..9].copy_from_slice(&more[..3]);
        bytes
    }
}
