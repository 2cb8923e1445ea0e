//! What an application brings into the world: its schema, its users, its own promises.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use syncline::log::Op;
use syncline::merge::Author;
use syncline::{
    ClientLogConfig, Key, Name, Object, Result, Schema, StorageManager, Value, async_trait,
};

use crate::dice::Dice;
use crate::law::{self, Rows};
use crate::time::Time;
use crate::trace::Trace;

/// An application in the world.
///
/// Everything but the schema and what a user does has a default: the law of merging, no promises beyond it.
#[async_trait]
pub trait App: Debug + Send + Sync {
    /// The schema of a version, from 1 to [`versions`](Self::versions).
    ///
    /// # Errors
    ///
    /// Whatever building it reports; the world then does not begin.
    fn schema(&self, version: u32) -> Result<Schema>;

    /// How many versions of the application there are: replicas begin with any and are upgraded.
    fn versions(&self) -> u32 {
        1
    }

    /// Configures the client log further, such as with reconcilers or hooks.
    fn configure(&self, config: ClientLogConfig) -> ClientLogConfig {
        config
    }

    /// Does one thing that a user does, drawn from the user's dice.
    ///
    /// # Errors
    ///
    /// Whatever the engine reports: hand it on. The world judges whether the situation explains it.
    async fn act(&self, user: &User) -> Result<()>;

    /// What the entries about one object come to: the law, unless a collection has another reconciler.
    fn merged(&self, _collection: &str, entries: &BTreeMap<Author, Op>) -> Option<Object> {
        law::object(entries)
    }

    /// Holds what one replica shows to the application's own promises.
    ///
    /// # Errors
    ///
    /// What is not as promised, for people to read.
    fn check(&self, _rows: &Rows) -> Result<(), String> {
        Ok(())
    }
}

/// Somebody who uses one replica.
#[derive(Clone, Debug)]
pub struct User {
    /// What the application holds.
    pub manager: StorageManager,
    /// Which replica this is, from 1.
    pub replica: usize,
    /// What to draw from.
    pub dice: Dice,
    pub(crate) time: Arc<Time>,
    pub(crate) trace: Arc<Trace>,
    pub(crate) promises: Arc<Promises>,
}

impl User {
    /// A text that nobody else ever writes.
    pub fn token(&self) -> String {
        self.promises.token(self.replica)
    }

    /// Notes that the application was told that this value is written: it must never disappear unseen.
    pub fn was_told(&self, collection: &str, key: impl Into<Key>, field: &str, value: &str) {
        let id = (Name::from(collection), key.into());
        let promise = Promise { id, field: Name::from(field), value: value.into() };
        self.promises.add(self.replica, promise);
    }

    /// Tells the story of what is done, if anybody listens.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        self.trace.tell(self.time.now(), || format!("replica {}: {}", self.replica, what()));
    }

    /// Waits in the world's time.
    pub async fn sleep(&self, millis: u32) {
        self.time.sleep(millis.into()).await;
    }
}

/// A value of which the application was told that it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Promise {
    pub(crate) id: (Name, Key),
    pub(crate) field: Name,
    pub(crate) value: Value,
}

impl Promise {
    /// Whether an entry is the one that was promised.
    pub(crate) fn is_kept_by(&self, op: &Op) -> bool {
        match op {
            Op::Create(fields) | Op::Update(fields) => *fields.value(&self.field) == self.value,
            Op::Delete => false,
        }
    }
}

/// Everything that was promised, by replica.
#[derive(Debug, Default)]
pub(crate) struct Promises(Mutex<(u64, Vec<(usize, Promise)>)>);

impl Promises {
    fn token(&self, replica: usize) -> String {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += 1;
        format!("{replica}.{}", all.0)
    }

    fn add(&self, replica: usize, promise: Promise) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1.push((replica, promise));
    }

    /// Looks at all promises, each with the replica that made it; false takes one back.
    pub(crate) fn keep(&self, mut keep: impl FnMut(usize, &Promise) -> bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.1.retain(|(replica, promise)| keep(*replica, promise));
    }
}
