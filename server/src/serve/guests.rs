//! Who is connected, and who has to go when there are too many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;

/// All connections. Those that ask nothing just now are kept in the order in which they must go: first those
/// that never asked anything, then those that have been silent for longest.
#[derive(Clone, Debug)]
pub(super) struct Guests(Arc<Mutex<Book>>);

#[derive(Debug)]
struct Book {
    limit: i64,
    here: Gauge,
    next: u64,
    silent: BTreeMap<Place, Arc<Notify>>,
}

/// Whether it has ever asked, and since when it is silent.
type Place = (bool, u64);

/// A connection.
#[derive(Debug)]
pub(super) struct Guest {
    guests: Guests,
    goes: Arc<Notify>,
    place: Mutex<Option<Place>>,
}

impl Guests {
    /// Nobody yet; `here` counts them.
    pub(super) fn new(limit: usize, here: Gauge) -> Self {
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let book = Book { limit, here, next: 0, silent: BTreeMap::new() };
        Self(Arc::new(Mutex::new(book)))
    }

    /// Makes room for another connection: somebody silent goes, or else there is none.
    pub(super) fn enter(&self) -> Option<Arc<Guest>> {
        let mut book = self.book();
        if book.here.get() >= book.limit {
            let (_, goes) = book.silent.pop_first()?;
            goes.notify_one();
        }
        book.here.inc();
        let goes = Arc::new(Notify::new());
        let place = book.seat(false, goes.clone());
        drop(book);
        Some(Arc::new(Guest { guests: self.clone(), goes, place: Mutex::new(Some(place)) }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn seat(&mut self, has_asked: bool, goes: Arc<Notify>) -> Place {
        self.next += 1;
        let place = (has_asked, self.next);
        self.silent.insert(place, goes);
        place
    }
}

impl Guest {
    /// It asked something; it is silent again when what is returned is dropped.
    pub(super) fn asks(self: &Arc<Self>) -> Asking {
        if let Some(place) = self.place().take() {
            self.guests.book().silent.remove(&place);
        }
        Asking(self.clone())
    }

    /// Whether it is silent and has never asked.
    pub(super) fn is_mute(&self) -> bool {
        matches!(*self.place(), Some((false, _)))
    }

    /// Ready when it has to make room for another.
    pub(super) async fn has_to_go(&self) {
        self.goes.notified().await;
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let place = self.place().take();
        let mut book = self.guests.book();
        book.here.dec();
        if let Some(place) = place {
            book.silent.remove(&place);
        }
    }
}

/// A connection that is being answered.
#[derive(Debug)]
pub(super) struct Asking(Arc<Guest>);

impl Drop for Asking {
    fn drop(&mut self) {
        let mut place = self.0.place();
        *place = Some(self.0.guests.book().seat(true, self.0.goes.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_told_to_go(guest: &Guest) -> bool {
        use futures_util::FutureExt;
        guest.has_to_go().now_or_never().is_some()
    }

    #[test]
    fn whoever_never_asked_goes_first_and_then_whoever_is_silent_for_longest() {
        let guests = Guests::new(3, Gauge::default());
        let [first, second, third] = [0, 1, 2].map(|_| guests.enter().unwrap());
        drop(first.asks());
        let fourth = guests.enter().unwrap();
        assert!(is_told_to_go(&second) && !is_told_to_go(&first) && !is_told_to_go(&third));
        drop(second);
        drop(third.asks());
        drop(fourth.asks());
        let _fifth = guests.enter().unwrap();
        assert!(is_told_to_go(&first));
    }

    #[test]
    fn whoever_is_being_answered_stays() {
        let guests = Guests::new(2, Gauge::default());
        let [first, second] = [0, 1].map(|_| guests.enter().unwrap());
        let (answered, _also) = (first.asks(), second.asks());
        assert!(guests.enter().is_none(), "there is no room");
        drop(answered);
        assert!(guests.enter().is_some());
        assert!(is_told_to_go(&first) && !is_told_to_go(&second));
    }
}
