//! How often an address may try tokens that nobody knows.
//!
//! Whoever guesses gets a few tries and then one a second. Who shares an address with them, as behind one router,
//! is not kept out for that: a token that was good before is looked at in any case.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use axum::http::request::Parts;
use syncline_core::{Error, ErrorKind};

use crate::failure::Failure;
use crate::rate::Rates;

/// The most good tokens that are remembered, as hashes. When there are more, all are forgotten: each is remembered
/// again the next time that it is good.
const MOST: usize = 65_536;

/// Where an attempt comes from: an address, or as much of it as one household has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Household(IpAddr);

impl Household {
    /// Where a request comes from, if whoever serves the hub told.
    pub(crate) fn of(head: &Parts) -> Option<Self> {
        let ConnectInfo(address) = head.extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(Self::new(address.ip()))
    }

    fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            address => Self(address),
        }
    }
}

/// What is remembered of attempts.
#[derive(Debug)]
pub(crate) struct Strangers {
    failed: Rates,
    good: Mutex<HashSet<u64>>,
}

impl Strangers {
    /// So many wrong tokens may come at once from one address; any number if that is 0.
    pub(crate) fn new(at_once: u32) -> Self {
        Self { failed: Rates::new(u32::from(at_once > 0), at_once), good: Mutex::default() }
    }

    /// Whether a token from there is looked at now.
    pub(crate) fn check(
        &self,
        from: Household,
        token: &str,
        now_millis: i64,
    ) -> Result<(), Failure> {
        let Err(seconds) = self.failed.has_room(from, now_millis) else { return Ok(()) };
        if self.good().contains(&name(token)) {
            return Ok(());
        }
        let message =
            "too many wrong tokens came from this address; come back later, with the right one";
        let error = Error::new(ErrorKind::Unavailable, message);
        Err(Failure::later(error, StatusCode::TOO_MANY_REQUESTS, seconds))
    }

    /// A token from there was wrong.
    pub(crate) fn failed(&self, from: Household, token: &str, now_millis: i64) {
        let _ = self.good().remove(&name(token));
        let _ = self.failed.count(from, now_millis);
    }

    /// A token was good.
    pub(crate) fn passed(&self, token: &str) {
        let mut good = self.good();
        if good.len() >= MOST {
            good.clear();
        }
        let _ = good.insert(name(token));
    }

    fn good(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(token: &str) -> u64 {
    let mut name = DefaultHasher::new();
    token.hash(&mut name);
    name.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Household {
        Household::new(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_a_household() {
        assert_eq!(from("2001:db8:1:2::3"), from("2001:db8:1:2:ffff::9"));
        assert_ne!(from("2001:db8:1:2::3"), from("2001:db8:1:3::3"));
        assert_eq!(from("::ffff:192.0.2.1"), from("192.0.2.1"));
        assert_ne!(from("192.0.2.1"), from("192.0.2.2"));
    }

    #[test]
    fn who_guesses_waits_and_nobody_else_does() {
        let strangers = Strangers::new(3);
        let (here, there) = (from("192.0.2.1"), from("192.0.2.2"));
        strangers.passed("good");
        for guess in ["a", "b", "c"] {
            assert!(strangers.check(here, guess, 0).is_ok(), "{guess}");
            strangers.failed(here, guess, 0);
        }
        assert!(strangers.check(here, "d", 0).is_err());
        assert!(strangers.check(here, "good", 0).is_ok(), "it was good before");
        assert!(strangers.check(there, "d", 0).is_ok(), "another address");
        assert!(strangers.check(here, "d", 1_000).is_ok(), "one a second");
        strangers.failed(here, "d", 1_000);
        assert!(strangers.check(here, "e", 1_000).is_err());
        strangers.failed(here, "good", 1_000);
        assert!(strangers.check(here, "good", 1_000).is_err(), "it is good no longer");
    }

    #[test]
    fn any_number_is_allowed_where_that_was_said() {
        let strangers = Strangers::new(0);
        for _ in 0..1_000 {
            assert!(strangers.check(from("192.0.2.1"), "a", 0).is_ok());
            strangers.failed(from("192.0.2.1"), "a", 0);
        }
    }
}
