//! The timer and the chance of the machine.

use std::time::Duration;

use async_trait::async_trait;
use syncline_core::{Random, Timer};

/// The timer of the machine: tokio's, and a browser's own there.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTimer;

#[cfg(not(target_family = "wasm"))]
#[async_trait]
impl Timer for SystemTimer {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(target_family = "wasm")]
#[async_trait(?Send)]
impl Timer for SystemTimer {
    async fn sleep(&self, duration: Duration) {
        // A browser takes a number of 31 bits, and more for none at all.
        const LONGEST: Duration = Duration::from_secs(24 * 3600);
        let mut left = duration;
        while left > Duration::ZERO {
            let part = left.min(LONGEST);
            gloo_timers::future::sleep(part).await;
            left -= part;
        }
    }
}

/// Chance good enough to spread retries, and for nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Jitter;

#[cfg(not(target_family = "wasm"))]
impl Random for Jitter {
    fn bytes(&self) -> [u8; 16] {
        use std::hash::{BuildHasher, Hasher, RandomState};

        let mut bytes = [0; 16];
        for half in bytes.chunks_exact_mut(8) {
            half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
        }
        bytes
    }
}

#[cfg(target_family = "wasm")]
impl Random for Jitter {
    fn bytes(&self) -> [u8; 16] {
        // Between 0 and 255; the cast cuts off what lies behind the point.
        std::array::from_fn(|_| (js_sys::Math::random() * 256.0) as u8)
    }
}
