//! Keeping a database in sync, and telling what arrives.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use syncline::change::{Change, ChangeKind, Observer, Origin};
use syncline::shared_log::http::SystemTimer;
use syncline::sync::{
    ContinuousEvent, ContinuousObserver, ContinuousOptions, ContinuousSync, Pause, SyncHandle,
    status,
};
use syncline::value::json::{key_to_json, object_to_json};
use syncline::{ClientLog, Error, ErrorKind, Result, Timer, async_trait};

use super::told_to_stop;
use crate::args::hub::Asking;
use crate::output::{Lines, Output, count};
use crate::place;
use crate::store::{Options, Store};

/// How often the database is looked at: other commands may have written to it.
const LOOK: Duration = Duration::from_millis(500);

/// How to watch, as it was typed.
#[derive(Debug)]
pub struct Watching {
    pub place: String,
    pub asking: Asking,
    pub every: u64,
}

/// Keeps syncing until it is told to stop.
pub async fn watch(options: &Options, output: &Output, db: &Path, how: Watching) -> Result<()> {
    let store = Store::open(options, db).await?;
    let place = place::open(&how.place, &options.group, &how.asking)?;
    let lines = output.lines();
    store.manager().feed().observe(Arc::new(Arrivals(lines.clone())));
    let log = store.log()?.clone();
    let told = Arc::new(Told(lines));
    let mut sync = ContinuousSync::new(log.clone(), place.log, Arc::new(SystemTimer)).with(
        ContinuousOptions {
            interval: Some(Duration::from_secs(how.every.max(1))),
            observer: Some(told),
            ..ContinuousOptions::default()
        },
    );
    if let Some(hub) = place.hub {
        sync = sync.on_notice(Arc::new(hub));
    }
    let handle = sync.handle();
    let running = sync.run();
    tokio::pin!(running);
    tokio::select! {
        () = &mut running => return Ok(()),
        error = look(&log, &handle) => return Err(error),
        () = told_to_stop() => handle.stop(),
    }
    running.await;
    Ok(())
}

/// Syncs whenever somebody else wrote to the database; returns only if that cannot be told any more.
async fn look(log: &ClientLog, handle: &SyncHandle) -> Error {
    let mut known = None;
    loop {
        match status(log).await {
            Ok(status) => {
                let written = (status.replica, status.written);
                if known.replace(written).is_some_and(|known| known != written)
                    && status.pending > 0
                {
                    handle.sync_now();
                }
            }
            // Somebody else writes at this moment.
            Err(error) if error.kind() == ErrorKind::Unavailable => {}
            Err(error) => return error,
        }
        SystemTimer.sleep(LOOK).await;
    }
}

/// Prints what a sync brought.
#[derive(Debug)]
struct Arrivals(Lines);

#[async_trait]
impl Observer for Arrivals {
    async fn after(&self, changes: &[Change], origin: Origin) {
        if origin == Origin::Sync {
            changes
                .iter()
                .for_each(|change| self.0.line(&change_json(change), &change_text(change)));
        }
    }
}

fn change_json(change: &Change) -> Json {
    let (did, object) = parts(change);
    json!({
        "event": did,
        "collection": &*change.collection,
        "key": key_to_json(&change.key),
        "object": object,
    })
}

fn change_text(change: &Change) -> String {
    let (did, object) = parts(change);
    let (collection, key) = (&change.collection, key_to_json(&change.key));
    match object {
        Some(object) => format!("{did} {collection} {key} {object}"),
        None => format!("{did} {collection} {key}"),
    }
}

fn parts(change: &Change) -> (&'static str, Option<Json>) {
    match &change.kind {
        ChangeKind::Created(object) => ("created", Some(object_to_json(object))),
        ChangeKind::Updated(fields) => ("updated", Some(object_to_json(fields))),
        ChangeKind::Deleted => ("deleted", None),
    }
}

/// Prints how it goes, where that is of interest.
#[derive(Debug)]
struct Told(Lines);

impl ContinuousObserver for Told {
    fn on_event(&self, event: &ContinuousEvent) {
        let (name, text) = match event {
            ContinuousEvent::Finished(report) if report.shared > 0 => {
                let json = json!({"event": "shared", "entries": report.shared});
                self.0.line(&json, &format!("shared {}", count(report.shared, "change")));
                return;
            }
            ContinuousEvent::Failed { kind, message } => {
                let json = json!({"event": "failed", "kind": kind.to_string(), "message": message});
                return self.0.line(&json, &format!("failed: {message}"));
            }
            ContinuousEvent::Offline => ("offline", "out of reach; it is tried again"),
            ContinuousEvent::Online => ("online", "in reach"),
            ContinuousEvent::Paused(Pause::Denied) => {
                ("denied", "paused: the place lets nobody in so")
            }
            _ => return,
        };
        self.0.line(&json!({"event": name}), text);
    }
}
