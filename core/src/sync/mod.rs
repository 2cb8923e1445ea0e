//! Sync: exchanges a client log with a shared log and applies what others wrote.

mod applying;
mod clean;
mod continuous;
mod doctor;
mod doubts;
mod fingerprint;
mod integrate;
mod lanes;
mod object_log;
mod opening;
mod options;
mod receive;
mod remote;
mod renew;
mod restamp;
mod share;
mod status;
mod unlogged;
mod untold;

use applying::Buffer;
pub use continuous::{
    Cause, ContinuousEvent, ContinuousObserver, ContinuousOptions, ContinuousSync, Pause,
    SyncHandle,
};
pub use doctor::{Finding, Problem, doctor};
pub use doubts::{Doubt, DoubtKind, doubts};
pub use fingerprint::{Fingerprint, fingerprint};
pub use object_log::{LoggedWrite, object_log};
pub use options::{
    ContinueSync, ReceiveHook, Stage, SyncEvent, SyncObserver, SyncOptions, SyncReport,
};
use remote::Remote;
pub use status::{Quarantined, RemoteStatus, SyncStatus, status};
use untold::Untold;

use crate::Result;
use crate::change::Change;
use crate::client::{ClientLog, CutLimits, Frozen, Lane, Lead, Rows, Witnesses};
use crate::log::{Segment, SharedLog, Span, Tip};
use crate::merge::Discard;
use crate::sorted::SortedMap;

/// Exchanges the client log with a shared log: receive, share, integrate, clean up.
///
/// Runs of one process wait for each other. Any number of processes may write and sync meanwhile. It may
/// be stopped anywhere, even by a crash: what was done is done, the rest happens next time, nothing is
/// lost and nothing happens twice.
///
/// # Errors
///
/// - Whatever the shared log reports, such as [`Unavailable`](crate::ErrorKind::Unavailable) or
///   [`Denied`](crate::ErrorKind::Denied): the queue stays, sync again later.
/// - [`Full`](crate::ErrorKind::Full) if this database has no room.
/// - [`Conflict`](crate::ErrorKind::Conflict) at the guard [`Lead::GUARD`] if the options have a lead and it is
///   lost: another tab or process syncs now.
pub async fn do_sync(
    log: &ClientLog,
    shared: &dyn SharedLog,
    options: &SyncOptions,
) -> Result<SyncReport> {
    let log = &log.led_by(options.lead);
    let mut times = log.lock_sync().await;
    log.check_lead().await?;
    let mut session = Session::open(log, shared, options).await?;
    session.heard = session.remote.heard().max(times.get(session.remote.name()).copied());
    session.remote.time = session.heard.map(|(theirs, _)| theirs);
    let ended = session.run().await;
    if let Some(time) = session.time.or(session.heard) {
        let _ = times.insert(shared.name(), time);
    }
    match ended {
        Ok(()) => Ok(session.report),
        Err(error) if Lead::is_lost(&error) => Err(error),
        Err(error) => {
            // Best effort: what went wrong is told to the caller in any case. Only the error is noted: the
            // session may hold a cursor whose segments could not be stored.
            if let Ok(mut remote) = Remote::load(log, shared.name()).await {
                remote.error = Some((error.to_string(), log.now()));
                let _ = log.write(vec![remote.store()]).await;
            }
            Err(error)
        }
    }
}

/// The values that lost against concurrent writes and that no observer took yet, oldest first.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn discards(log: &ClientLog) -> Result<Vec<Discard>> {
    Ok(clean::stored_discards(log).await?.into_iter().flat_map(|(_, discards)| discards).collect())
}

/// Tells the values that lost, oldest first, and forgets them once they were told. So a crash in between
/// tells some of them again, and loses none.
///
/// # Errors
///
/// Whatever `tell` reports; what it was told before is forgotten, the rest stays. Also whatever reading and
/// writing report.
pub async fn take_discards(
    log: &ClientLog,
    mut tell: impl FnMut(Vec<Discard>) -> Result<()>,
) -> Result<()> {
    for (id, discards) in clean::stored_discards(log).await? {
        tell(discards)?;
        clean::forget_discards(log, id).await?;
    }
    Ok(())
}

/// One sync under way.
struct Session<'a> {
    log: &'a ClientLog,
    shared: &'a dyn SharedLog,
    options: &'a SyncOptions,
    remote: Remote,
    lanes: SortedMap<String, Lane>,
    /// The revision of the head that the lanes go with, if they go with any.
    lanes_at: Option<i64>,
    /// Entries that were received in this sync and are not applied yet.
    buffers: SortedMap<String, Buffer>,
    witnesses: Witnesses,
    /// How closely rows and histories are looked at before others' creates are applied.
    rows: Rows,
    /// The own entries that were cut last, to be sealed without being read again.
    frozen: Vec<Frozen>,
    /// What the page at hand has brought so far: it is not stored yet.
    page: Vec<Span>,
    /// How far the log holds the own lane, once it was asked.
    held: Option<Vec<Tip>>,
    /// What time the log said it is, and what this clock showed then.
    time: Option<(i64, i64)>,
    /// The same, of the last sync before this one.
    heard: Option<(i64, i64)>,
    /// Whether the log turned out not to hold what it held: it was restored or compacted.
    log_lost: bool,
    /// How far a log that lost something was read in this sync; noted once it got everything again.
    at: Option<crate::log::Cursor>,
    /// Whether the log was asked for a page in this sync.
    is_open: bool,
    /// What the log took on that occasion.
    opened: Vec<Segment>,
    /// Whether something about the remote has to be stored at the end.
    dirty: bool,
    untold: Untold,
    report: SyncReport,
}

impl<'a> Session<'a> {
    async fn open(
        log: &'a ClientLog,
        shared: &'a dyn SharedLog,
        options: &'a SyncOptions,
    ) -> Result<Self> {
        Ok(Self {
            log,
            shared,
            options,
            remote: Remote::load(log, shared.name()).await?,
            lanes: SortedMap::new(),
            lanes_at: None,
            buffers: SortedMap::new(),
            witnesses: Witnesses::default(),
            rows: Rows::New,
            frozen: Vec::new(),
            page: Vec::new(),
            held: None,
            time: None,
            heard: None,
            log_lost: false,
            at: None,
            is_open: false,
            opened: Vec::new(),
            dirty: false,
            untold: Untold::new(log.feed().clone()),
            report: SyncReport { finished: true, ..SyncReport::default() },
        })
    }

    async fn run(&mut self) -> Result<()> {
        let head = self.log.fresh_head().await?;
        self.load_lanes_for(&head).await?;
        if !self.remote.is_for(&head) {
            self.shared.join(head.replica).await?;
            self.remote.replica = Some(head.replica);
            self.dirty = true;
        }
        for stage in [Stage::Receive, Stage::Share, Stage::Integrate, Stage::CleanUp] {
            if !self.options.does(stage) {
                continue;
            }
            let decision = self.options.continue_sync.as_ref();
            if decision.is_some_and(|decision| !decision.goes_on(stage, &self.report)) {
                self.report.finished = false;
                break;
            }
            self.options.tell(SyncEvent::Stage(stage));
            match stage {
                Stage::Receive => self.receive().await?,
                Stage::Share => self.share().await?,
                Stage::Integrate => self.integrate().await?,
                Stage::CleanUp => self.clean_up().await?,
            }
        }
        self.finish().await
    }

    /// Stores how it went, if there is anything to tell.
    async fn finish(&mut self) -> Result<()> {
        self.tell_discards().await?;
        if self.dirty || self.remote.error.is_some() || self.remote.success.is_none() {
            self.remote.error = None;
            self.remote.success = Some(self.log.now());
            let _ = self.log.write(vec![self.remote.store()]).await?;
        }
        Ok(())
    }

    fn limits(&self) -> CutLimits {
        let (entries, bytes) = (self.options.upload_entries.max(1), self.options.upload_bytes);
        CutLimits { entries, bytes }
    }

    async fn tell_changes(&mut self, changes: &[Change]) {
        self.untold.tell(changes).await;
    }
}
