//! What a continuous sync waits for: all of it at once.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;

use super::SyncHandle;
use crate::log::Notices;
use crate::{BoxFuture, ErrorKind, Result, Timer};

/// What ended a wait.
#[derive(Debug)]
pub(super) enum Woken {
    /// The application told something.
    Told,
    /// The time for the next sync has come.
    Due,
    /// Local writes have come to a rest.
    Quiet,
    /// The application wrote something.
    Wrote,
    /// The log has news, or cannot tell.
    Noticed(Result<()>),
    /// Whoever could not tell news may be asked again.
    Rested,
}

/// Everything that a continuous sync waits for.
pub(super) struct Waits {
    timer: Arc<dyn Timer>,
    handle: SyncHandle,
    written: watch::Receiver<u64>,
    notices: Option<Arc<dyn Notices>>,
    notice: Option<BoxFuture<'static, Result<()>>>,
    rest: Option<BoxFuture<'static, ()>>,
    due: Option<BoxFuture<'static, ()>>,
    quiet: Option<BoxFuture<'static, ()>>,
    longest_quiet: Option<BoxFuture<'static, ()>>,
}

/// How much is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heed {
    /// Everything.
    All,
    /// The application's word, the time, and news if they are wanted: a sync has failed.
    Failing { news: bool },
    /// The application's word alone.
    Told,
}

impl Waits {
    pub fn new(
        timer: Arc<dyn Timer>,
        handle: SyncHandle,
        written: watch::Receiver<u64>,
        notices: Option<Arc<dyn Notices>>,
    ) -> Self {
        Self {
            timer,
            handle,
            written,
            notices,
            notice: None,
            rest: None,
            due: None,
            quiet: None,
            longest_quiet: None,
        }
    }

    /// The next sync is due after this time.
    pub fn due_in(&mut self, wait: Option<Duration>) {
        self.due = wait.map(|wait| self.sleep(wait));
    }

    /// Something was written: it waits for more of it, but not for ever.
    pub fn wrote(&mut self, quiet: Duration, longest: Duration) {
        self.quiet = Some(self.sleep(quiet));
        if self.longest_quiet.is_none() {
            self.longest_quiet = Some(self.sleep(longest));
        }
    }

    /// What was written until now is taken care of.
    pub fn forget_writes(&mut self) {
        self.written.mark_unchanged();
        (self.quiet, self.longest_quiet) = (None, None);
    }

    /// Nobody is asked for news until this time has passed.
    pub fn rest(&mut self, wait: Duration) {
        self.rest = Some(self.sleep(wait));
    }

    /// There is nobody who can tell news.
    pub fn forget_notices(&mut self) {
        (self.notices, self.notice) = (None, None);
    }

    fn sleep(&self, wait: Duration) -> BoxFuture<'static, ()> {
        let timer = self.timer.clone();
        Box::pin(async move { timer.sleep(wait).await })
    }

    /// Waits for whatever comes first.
    pub async fn next(&mut self, heed: Heed) -> Woken {
        let (handle, mut written) = (self.handle.clone(), self.written.clone());
        let mut told = pin!(handle.told());
        let mut wrote = pin!(written.changed());
        let woken = poll_fn(|context| {
            if told.as_mut().poll(context).is_ready() {
                return Poll::Ready(Woken::Told);
            }
            if heed == Heed::Told {
                return Poll::Pending;
            }
            if is_over(&mut self.due, context) {
                return Poll::Ready(Woken::Due);
            }
            if heed == Heed::All {
                // First, so that writes without end do not put it off.
                if is_over(&mut self.longest_quiet, context) {
                    return Poll::Ready(Woken::Quiet);
                }
                // The log lives as long as this does, so that this never ends in an error.
                if wrote.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Woken::Wrote);
                }
                if is_over(&mut self.quiet, context) {
                    return Poll::Ready(Woken::Quiet);
                }
            }
            match heed {
                Heed::Failing { news: false } => Poll::Pending,
                _ => poll_notice(&self.notices, &mut self.notice, &mut self.rest, context),
            }
        })
        .await;
        if matches!(woken, Woken::Wrote) {
            self.written.mark_unchanged();
        }
        woken
    }
}

fn poll_notice(
    notices: &Option<Arc<dyn Notices>>,
    notice: &mut Option<BoxFuture<'static, Result<()>>>,
    rest: &mut Option<BoxFuture<'static, ()>>,
    context: &mut Context<'_>,
) -> Poll<Woken> {
    let Some(notices) = notices else { return Poll::Pending };
    if rest.is_some() {
        return match is_over(rest, context) {
            true => Poll::Ready(Woken::Rested),
            false => Poll::Pending,
        };
    }
    let asked = notice.get_or_insert_with(|| {
        let notices = notices.clone();
        Box::pin(async move { notices.changed().await })
    });
    let told = std::task::ready!(asked.as_mut().poll(context));
    *notice = None;
    Poll::Ready(Woken::Noticed(told))
}

/// Whether a wait is over; then it is forgotten.
fn is_over(wait: &mut Option<BoxFuture<'static, ()>>, context: &mut Context<'_>) -> bool {
    let over = wait.as_mut().is_some_and(|wait| wait.as_mut().poll(context).is_ready());
    if over {
        *wait = None;
    }
    over
}

/// Whether a log that answers so can never tell news.
pub(super) fn is_silent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unsupported)
}
