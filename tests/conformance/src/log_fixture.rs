//! What a case may do with shared logs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use syncline_core::{Group, Result, SharedLog};

use crate::lanes::{Sealer, replica};

type Opened = Pin<Box<dyn Future<Output = Result<Arc<dyn SharedLog>>>>>;

/// Shared logs under test, at as many places as a case needs.
///
/// Every test makes its own, and all its places are empty at first.
pub struct LogFixture {
    group: Group,
    open: Box<dyn Fn(usize, Group) -> Opened>,
}

impl LogFixture {
    /// Logs that `open` opens at numbered places: the same number again is another handle on the
    /// same log.
    pub fn new<F, L>(open: impl Fn(usize, Group) -> F + 'static) -> Self
    where
        F: Future<Output = Result<L>> + 'static,
        L: SharedLog + 'static,
    {
        Self::of("family".parse().expect("this is a valid name"), open)
    }

    /// The same for a group of another name: where all tests share the places, each has its own group.
    pub fn of<F, L>(group: Group, open: impl Fn(usize, Group) -> F + 'static) -> Self
    where
        F: Future<Output = Result<L>> + 'static,
        L: SharedLog + 'static,
    {
        let open = Box::new(move |place, group| -> Opened {
            let opened = open(place, group);
            Box::pin(async move { Ok(Arc::new(opened.await?) as Arc<dyn SharedLog>) })
        });
        Self { group, open }
    }

    /// A new handle on the log at a place.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    pub async fn at(&self, place: usize) -> Result<Arc<dyn SharedLog>> {
        (self.open)(place, self.group.clone()).await
    }

    /// A new handle on the log at the first place.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from opening.
    pub async fn log(&self) -> Result<Arc<dyn SharedLog>> {
        self.at(0).await
    }

    /// The group whose logs these are.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Someone who begins the lane of replica `number`.
    pub fn sealer(&self, number: u8) -> Sealer {
        Sealer::new(&self.group, replica(number))
    }
}

impl fmt::Debug for LogFixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFixture").field("group", &self.group).finish_non_exhaustive()
    }
}
