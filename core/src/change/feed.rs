//! Where changes are told, whoever makes them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::draft::Draft;
use super::herald::Herald;
use super::live::{Interest, Trace};
use super::{Change, Observer, Origin, Touched, TouchedStream};
use crate::Result;
use crate::operation::Batch;
use crate::schema::Schema;
use crate::sorted::SortedSet;
use crate::value::Name;

/// Where changes are told, whoever makes them: the change watch puts its observers in, live queries listen,
/// the sync path tells what it integrated.
#[derive(Clone, Debug, Default)]
pub struct ChangeFeed(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    observers: RwLock<Vec<Arc<dyn Observer>>>,
    interests: RwLock<Vec<(Arc<Interest>, u64)>>,
    heralds: RwLock<Vec<(Arc<Herald>, u64)>>,
    /// How many interests and heralds there are.
    listeners: AtomicUsize,
    /// How many there ever were: each knows which one it was.
    moment: AtomicU64,
    /// How often entries were written that are to be sent.
    written: watch::Sender<u64>,
}

impl ChangeFeed {
    /// Adds an observer.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        write(&self.0.observers).push(observer);
    }

    /// Whether anybody wants to hear of changes of this collection, be it an observer or a live query.
    pub fn cares(&self, collection: &str) -> bool {
        self.is_observed(collection)
            || (self.is_listened()
                && (self.has_heralds()
                    || read(&self.0.interests)
                        .iter()
                        .any(|(interest, _)| **interest.collection() == *collection)))
    }

    /// Whether an observer cares for changes of this collection.
    pub fn is_observed(&self, collection: &str) -> bool {
        self.observers().iter().any(|observer| cares(observer.as_ref(), collection))
    }

    /// Tells everybody, before local changes are written.
    ///
    /// # Errors
    ///
    /// The first observer's that refuses.
    pub async fn before(&self, changes: &[Change]) -> Result<()> {
        for observer in self.observers() {
            let theirs = select(observer.as_ref(), changes);
            if !theirs.is_empty() {
                observer.before(&theirs).await?;
            }
        }
        Ok(())
    }

    /// Tells the observers, after changes were written.
    pub async fn after(&self, changes: &[Change], origin: Origin) {
        for observer in self.observers() {
            let theirs = select(observer.as_ref(), changes);
            if !theirs.is_empty() {
                observer.after(&theirs, origin).await;
            }
        }
    }

    /// Tells what another tab or process touched in this database: live queries read again what it can matter
    /// to, observers are told, and a continuous sync sends what is to be sent.
    pub async fn elsewhere(&self, touched: &Touched) {
        self.tell_touched(touched);
        for observer in self.observers() {
            let theirs = observer.collections();
            if theirs.is_none_or(|names| names.iter().any(|name| touched.touches(name))) {
                observer.elsewhere(touched).await;
            }
        }
        if touched.is_written() {
            self.tell_written();
        }
    }

    /// What is touched from now on by whoever tells it here.
    pub fn touched(&self) -> TouchedStream {
        let herald = Arc::new(Herald::default());
        self.join(&self.0.heralds, herald.clone());
        TouchedStream::new(self.clone(), herald)
    }

    pub(super) fn dismiss(&self, herald: &Arc<Herald>) {
        self.leave(&self.0.heralds, herald);
    }

    /// Adds an interest: from now on it hears what happens.
    pub(crate) fn listen(&self, interest: Arc<Interest>) {
        self.join(&self.0.interests, interest);
    }

    pub(crate) fn ignore(&self, interest: &Arc<Interest>) {
        self.leave(&self.0.interests, interest);
    }

    fn join<T>(&self, list: &RwLock<Vec<(Arc<T>, u64)>>, new: Arc<T>) {
        let mut list = write(list);
        let moment = self.0.moment.fetch_add(1, Ordering::SeqCst) + 1;
        let _ = self.0.listeners.fetch_add(1, Ordering::SeqCst);
        list.push((new, moment));
    }

    fn leave<T>(&self, list: &RwLock<Vec<(Arc<T>, u64)>>, old: &Arc<T>) {
        let mut list = write(list);
        let before = list.len();
        list.retain(|(other, _)| !Arc::ptr_eq(other, old));
        let _ = self.0.listeners.fetch_sub(before - list.len(), Ordering::SeqCst);
    }

    /// How many listeners there were so far. Whoever comes later may miss what begins now.
    pub(crate) fn moment(&self) -> u64 {
        self.0.moment.load(Ordering::SeqCst)
    }

    /// Whether anybody listens who is not an observer.
    pub(super) fn is_listened(&self) -> bool {
        self.0.listeners.load(Ordering::SeqCst) > 0
    }

    pub(super) fn has_heralds(&self) -> bool {
        !read(&self.0.heralds).is_empty()
    }

    /// The collections that somebody is interested in.
    pub(super) fn interesting(&self) -> SortedSet<Name> {
        let interests = read(&self.0.interests);
        interests.iter().map(|(interest, _)| interest.collection().clone()).collect()
    }

    pub(super) fn interests(&self) -> Vec<(Arc<Interest>, u64)> {
        read(&self.0.interests).clone()
    }

    /// What is to be told of a batch once it is written.
    pub(crate) fn draft<'a>(&'a self, batch: &Batch, schema: &'a Schema) -> Draft<'a> {
        Draft::new(self, batch, schema)
    }

    /// Tells what a sync changed. Who listens since later than `moment` may have come too late to be cared
    /// for, and is told that anything may have changed.
    pub(crate) async fn synced(&self, changes: &[Change], moment: u64) {
        if self.is_listened() {
            for (interest, since) in self.interests() {
                if since > moment {
                    interest.hear([Trace::Anything]);
                    continue;
                }
                let theirs =
                    changes.iter().filter(|change| change.collection == *interest.collection());
                interest.hear(theirs.map(Trace::of_change));
            }
            self.herald(Touched::of_changes(changes), moment);
        }
        self.after(changes, Origin::Sync).await;
    }

    /// Tells what was touched past the manager.
    pub(crate) fn wrote(&self, touched: Touched) {
        self.tell_touched(&touched);
        self.herald(touched, self.moment());
    }

    /// Tells those who tell others.
    pub(super) fn herald(&self, touched: Touched, moment: u64) {
        // Copied: whoever is woken may come and go.
        let heralds = read(&self.0.heralds).clone();
        for (herald, since) in heralds {
            let told = if since > moment { Touched::everything() } else { touched.clone() };
            herald.hear(told);
        }
    }

    fn tell_touched(&self, touched: &Touched) {
        for (interest, _) in self.interests() {
            if touched.touches(interest.collection()) {
                interest.hear([touched.trace(interest.collection())]);
            }
        }
    }

    /// Hears how often entries were written that are to be sent.
    pub(crate) fn written(&self) -> watch::Receiver<u64> {
        self.0.written.subscribe()
    }

    pub(crate) fn tell_written(&self) {
        self.0.written.send_modify(|times| *times += 1);
    }

    fn observers(&self) -> Vec<Arc<dyn Observer>> {
        read(&self.0.observers).clone()
    }
}

fn cares(observer: &dyn Observer, collection: &str) -> bool {
    observer.collections().is_none_or(|names| names.iter().any(|name| **name == *collection))
}

fn select(observer: &dyn Observer, changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|change| cares(observer, &change.collection)).cloned().collect()
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
