//! Sync that goes on by itself: at intervals, on news, after local writes.

mod handle;
mod options;
mod waits;

use std::sync::Arc;
use std::time::Duration;

pub use handle::SyncHandle;
pub use options::{Cause, ContinuousEvent, ContinuousObserver, ContinuousOptions, Pause};
use waits::{Heed, Waits, Woken, is_silent};

use super::{SyncReport, do_sync};
use crate::client::Lead;
use crate::log::Notices;
use crate::{ClientLog, Error, ErrorKind, SharedLog, Timer};

/// Sync that goes on by itself: at intervals, when the log has news, and after local writes.
///
/// It is a future that the application [runs](Self::run) where it likes; a [handle](Self::handle) tells it what to
/// do meanwhile. One sync runs at a time. A log that is out of reach is tried again after a while, longer each
/// time; news, and whoever says [`try_again`](SyncHandle::try_again), end the wait. A denial pauses until the
/// application has other credentials. If it has a [lead](Lead) and loses it, it ends. Nothing that is written
/// meanwhile is lost: it waits in the client log.
///
/// # Example
///
/// ```
/// # use std::sync::Arc;
/// # use syncline_core::{ClientLog, SharedLog, Timer};
/// use syncline_core::sync::ContinuousSync;
///
/// # fn spawn(_: impl Future<Output = ()>) {}
/// # fn example(log: ClientLog, shared: Arc<dyn SharedLog>, timer: Arc<dyn Timer>) {
/// let sync = ContinuousSync::new(log, shared, timer);
/// let handle = sync.handle();
/// spawn(sync.run());
///
/// handle.sync_now();
/// handle.stop();
/// # }
/// ```
#[derive(Debug)]
pub struct ContinuousSync {
    log: ClientLog,
    shared: Arc<dyn SharedLog>,
    timer: Arc<dyn Timer>,
    notices: Option<Arc<dyn Notices>>,
    options: ContinuousOptions,
    handle: SyncHandle,
}

impl ContinuousSync {
    /// Syncs this database with this log, with the usual options and without live notices.
    pub fn new(log: ClientLog, shared: Arc<dyn SharedLog>, timer: Arc<dyn Timer>) -> Self {
        let (options, handle) = Default::default();
        Self { log, shared, timer, notices: None, options, handle }
    }

    /// Works in this way.
    #[must_use]
    pub fn with(mut self, options: ContinuousOptions) -> Self {
        self.options = options;
        self
    }

    /// Syncs also when the log tells that it has news.
    #[must_use]
    pub fn on_notice(mut self, notices: Arc<dyn Notices>) -> Self {
        self.notices = Some(notices);
        self
    }

    /// What the application tells it.
    pub fn handle(&self) -> SyncHandle {
        self.handle.clone()
    }

    /// Syncs at once, and whenever there is a cause, until it is stopped. To drop this future ends it at once;
    /// the next sync, of whomever, goes on where it was.
    pub async fn run(self) {
        let written = self.log.written();
        let waits =
            Waits::new(self.timer.clone(), self.handle.clone(), written, self.notices.clone());
        let state = State {
            sync: self,
            waits,
            cause: Some(Cause::Start),
            standing: Standing::Well,
            is_paused: false,
            is_offline: false,
            deaf: 0,
        };
        state.run().await;
    }

    fn tell(&self, event: ContinuousEvent) {
        if let Some(observer) = &self.options.observer {
            observer.on_event(&event);
        }
    }
}

/// How the last sync went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Well,
    /// It failed, for this many times in a row.
    Failing {
        times: u32,
        heeds_news: bool,
    },
    Denied,
    /// It lost the lead: for good.
    Deposed,
}

/// A log that asks to be left alone for longer is asked all the same.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// A continuous sync that runs.
struct State {
    sync: ContinuousSync,
    waits: Waits,
    /// Why the next sync begins, if it is to begin now.
    cause: Option<Cause>,
    standing: Standing,
    is_paused: bool,
    is_offline: bool,
    /// How often in a row nobody could tell whether there are news.
    deaf: u32,
}

impl State {
    async fn run(mut self) {
        loop {
            if self.obey() {
                self.sync.tell(ContinuousEvent::Stopped);
                return;
            }
            match self.cause.take() {
                Some(cause) => self.sync(cause).await,
                None => self.wait().await,
            }
            if self.standing == Standing::Deposed {
                self.sync.tell(ContinuousEvent::LeadLost);
                return;
            }
        }
    }

    /// Does what the application told; true if it is to end.
    fn obey(&mut self) -> bool {
        let wishes = self.sync.handle.take();
        if wishes.stop {
            return true;
        }
        match (std::mem::replace(&mut self.is_paused, wishes.pause), wishes.pause) {
            (false, true) => self.sync.tell(ContinuousEvent::Paused(Pause::Asked)),
            (true, false) => {
                self.sync.tell(ContinuousEvent::Resumed);
                self.cause = Some(Cause::Resumed);
            }
            _ => {}
        }
        if wishes.again && !wishes.pause && self.standing != Standing::Well {
            self.cause = self.cause.or(Some(Cause::Again));
            self.stands(Standing::Well);
        }
        if wishes.pause {
            self.cause = None;
        }
        if wishes.now {
            self.cause = Some(Cause::Asked);
        }
        false
    }

    async fn sync(&mut self, cause: Cause) {
        self.waits.forget_writes();
        self.waits.due_in(None);
        self.sync.tell(ContinuousEvent::Started(cause));
        let sync = &self.sync;
        match do_sync(&sync.log, sync.shared.as_ref(), &sync.options.sync).await {
            Ok(report) => self.succeeded(report),
            Err(error) if Lead::is_lost(&error) => self.stands(Standing::Deposed),
            Err(error) => self.failed(cause, &error),
        }
    }

    fn succeeded(&mut self, report: SyncReport) {
        self.stands(Standing::Well);
        self.reached(true);
        let moved = report.received + report.shared + report.integrated > 0;
        if !report.finished && moved {
            self.cause = Some(Cause::Due);
        }
        self.sync.tell(ContinuousEvent::Finished(report));
        self.waits.due_in(self.sync.options.interval);
    }

    fn failed(&mut self, cause: Cause, error: &Error) {
        let (kind, message) = (error.kind(), error.to_string());
        self.sync.tell(ContinuousEvent::Failed { kind, message });
        self.reached(kind != ErrorKind::Unavailable);
        if kind == ErrorKind::Denied {
            return self.stands(Standing::Denied);
        }
        let times = match self.standing {
            Standing::Failing { times, .. } => times.saturating_add(1),
            _ => 1,
        };
        // News that made a sync which failed would do so again and again.
        let heeds_news = kind == ErrorKind::Unavailable && cause != Cause::Notice;
        self.stands(Standing::Failing { times, heeds_news });
        let random = self.sync.log.config().random.clone();
        let wait = self.sync.options.backoff.wait(times, random.as_ref());
        let wait = wait + asked_for(error);
        let until = self.sync.log.now().saturating_add(millis(wait));
        self.sync.tell(ContinuousEvent::Waiting { until });
        self.waits.due_in(Some(wait));
    }

    fn stands(&mut self, standing: Standing) {
        let before = std::mem::replace(&mut self.standing, standing);
        match (before == Standing::Denied, standing == Standing::Denied) {
            (false, true) => self.sync.tell(ContinuousEvent::Paused(Pause::Denied)),
            (true, false) => self.sync.tell(ContinuousEvent::Resumed),
            _ => {}
        }
    }

    fn reached(&mut self, is_reached: bool) {
        if self.is_offline == is_reached {
            self.is_offline = !is_reached;
            let event = if is_reached { ContinuousEvent::Online } else { ContinuousEvent::Offline };
            self.sync.tell(event);
        }
    }

    async fn wait(&mut self) {
        let heed = match self.standing {
            _ if self.is_paused => Heed::Told,
            Standing::Denied | Standing::Deposed => Heed::Told,
            Standing::Well => Heed::All,
            Standing::Failing { heeds_news, .. } => Heed::Failing { news: heeds_news },
        };
        self.cause = match self.waits.next(heed).await {
            Woken::Told | Woken::Rested => None,
            Woken::Due if self.standing == Standing::Well => Some(Cause::Due),
            Woken::Due => Some(Cause::Again),
            Woken::Quiet => Some(Cause::Written),
            Woken::Wrote => {
                let ContinuousOptions { quiet, longest_quiet, .. } = self.sync.options;
                self.waits.wrote(quiet, longest_quiet);
                None
            }
            Woken::Noticed(Ok(())) => {
                self.deaf = 0;
                Some(Cause::Notice)
            }
            Woken::Noticed(Err(error)) => {
                self.could_not_hear(&error);
                None
            }
        };
    }

    /// Asks for news again later, or never.
    fn could_not_hear(&mut self, error: &Error) {
        if is_silent(error.kind()) {
            self.waits.forget_notices();
            return;
        }
        self.deaf = self.deaf.saturating_add(1);
        let random = self.sync.log.config().random.clone();
        let wait = self.sync.options.backoff.wait(self.deaf, random.as_ref());
        self.waits.rest(wait + asked_for(error));
    }
}

/// How long the log asked to be left alone, within reason.
fn asked_for(error: &Error) -> Duration {
    let seconds = error.context().find(|(key, _)| *key == "seconds");
    let seconds = seconds.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    Duration::from_secs(seconds).min(LONGEST_ASKED)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
