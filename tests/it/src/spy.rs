//! Storage that counts what it is asked, can be told to fail, and can be held in the middle of a call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use syncline::{
    Backend, Capability, Error, ErrorKind, LiveQuery, Operation, Outcome, Result, async_trait,
};
use tokio::sync::watch;

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// A find that has its answer.
    Find,
    /// A write that has not begun.
    WriteBefore,
    /// A write that is done.
    WriteAfter,
}

/// Storage that is looked over the shoulder.
#[derive(Debug)]
pub struct Spy {
    inner: Arc<dyn Backend>,
    finds: AtomicU64,
    writes: AtomicU64,
    fails: Mutex<Option<ErrorKind>>,
    hold: watch::Sender<Option<Hold>>,
}

impl Spy {
    /// Looks over the shoulder of this storage.
    pub fn on(inner: Arc<dyn Backend>) -> Arc<Self> {
        let (finds, writes, fails) = Default::default();
        Arc::new(Self { inner, finds, writes, fails, hold: watch::Sender::new(None) })
    }

    /// How many questions were asked since this was called last.
    pub fn finds(&self) -> u64 {
        self.finds.swap(0, Ordering::SeqCst)
    }

    /// How many batches were written since this was called last.
    pub fn writes(&self) -> u64 {
        self.writes.swap(0, Ordering::SeqCst)
    }

    /// Finds fail in this way from now on, or go well again.
    pub fn fails(&self, kind: impl Into<Option<ErrorKind>>) {
        *self.fails.lock().unwrap_or_else(PoisonError::into_inner) = kind.into();
    }

    /// Holds calls at this place, or lets them go on.
    pub fn holds(&self, hold: impl Into<Option<Hold>>) {
        let _ = self.hold.send_replace(hold.into());
    }

    async fn pass(&self, place: Hold) {
        let mut hold = self.hold.subscribe();
        let _ = hold.wait_for(|hold| *hold != Some(place)).await.expect("the spy is there");
    }
}

#[async_trait]
impl Backend for Spy {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        match &operation {
            Operation::Find(_) | Operation::Count(..) => {
                let _ = self.finds.fetch_add(1, Ordering::SeqCst);
                let fails = *self.fails.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(kind) = fails {
                    return Err(Error::new(kind, "told to fail"));
                }
                let answer = self.inner.execute(operation).await;
                self.pass(Hold::Find).await;
                answer
            }
            Operation::Write(_) => {
                let _ = self.writes.fetch_add(1, Ordering::SeqCst);
                self.pass(Hold::WriteBefore).await;
                let answer = self.inner.execute(operation).await;
                self.pass(Hold::WriteAfter).await;
                answer
            }
            Operation::Prepare(_) => self.inner.execute(operation).await,
        }
    }
}

#[derive(Debug, Default)]
struct Woken(AtomicU64);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let _ = self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Somebody who looks at a live query now and then.
#[derive(Debug)]
pub struct Viewer<T = syncline::Object> {
    query: LiveQuery<T>,
    woken: Arc<Woken>,
}

impl<T> Viewer<T> {
    /// Looks at this.
    pub fn of(query: LiveQuery<T>) -> Self {
        Self { query, woken: Arc::default() }
    }

    /// What there is to see, if there is something new.
    pub fn look(&mut self) -> Option<Result<Vec<T>>> {
        let waker = Waker::from(self.woken.clone());
        let polled =
            std::pin::Pin::new(&mut self.query).poll_next(&mut Context::from_waker(&waker));
        match polled {
            Poll::Ready(answer) => Some(answer.expect("a live query has no end")),
            Poll::Pending => None,
        }
    }

    /// How often it was called since this was asked last.
    pub fn calls(&self) -> u64 {
        self.woken.0.swap(0, Ordering::SeqCst)
    }
}
