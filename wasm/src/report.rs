//! What sync tells, as JSON.

use serde_json::Value as Json;
use syncline::backend::indexeddb::{StorageMode, StorageReport};
use syncline::log::Damage;
use syncline::merge::{Author, Discard};
use syncline::sync::{
    Cause, ContinuousEvent, Doubt, DoubtKind, Pause, Quarantined, RemoteStatus, SyncReport,
    SyncStatus,
};
use syncline::value::json::{key_to_json, value_to_json};

use crate::failure::kind;
use crate::json::object;

pub(crate) fn storage(report: &StorageReport) -> Json {
    let mode = match report.mode {
        StorageMode::Persistent => "persistent",
        _ => "best-effort",
    };
    object!("mode": mode, "usage": report.usage, "quota": report.quota)
}

pub(crate) fn report(report: &SyncReport) -> Json {
    object!(
        "received": report.received,
        "shared": report.shared,
        "integrated": report.integrated,
        "parked": report.parked,
        "discarded": report.discarded,
        "bytesReceived": report.bytes_received,
        "bytesSent": report.bytes_sent,
        "damaged": report.damaged.iter().map(damage).collect::<Vec<_>>(),
        "finished": report.finished,
    )
}

fn damage(damage: &Damage) -> Json {
    format!("{damage:?}").into()
}

pub(crate) fn status(status: &SyncStatus) -> Json {
    object!(
        "group": status.group.as_str(),
        "replica": status.replica.to_string(),
        "written": status.written,
        "pending": status.pending,
        "oldestPending": status.oldest_pending,
        "quarantined": status.quarantined.iter().map(quarantined).collect::<Vec<_>>(),
        "discards": status.discards,
        "remotes": status.remotes.iter().map(remote).collect::<Vec<_>>(),
    )
}

fn quarantined(batch: &Quarantined) -> Json {
    object!(
        "lane": batch.lane.as_str(),
        "first": batch.first,
        "last": batch.last,
        "reason": batch.reason.as_str(),
        "collection": batch.collection.as_deref(),
    )
}

fn remote(remote: &RemoteStatus) -> Json {
    let error = remote.last_error.as_ref();
    let peers = remote
        .peers
        .iter()
        .map(|(name, up_to)| object!("name": name.as_str(), "acknowledged": *up_to));
    object!(
        "name": remote.name.as_str(),
        "pending": remote.pending,
        "lastSuccess": remote.last_success,
        "lastError": error.map(|(message, at)| object!("message": message.as_str(), "at": *at)),
        "clockOffset": remote.clock_offset,
        "peers": peers.collect::<Vec<_>>(),
    )
}

pub(crate) fn discard(discard: &Discard) -> Json {
    object!(
        "collection": &*discard.collection,
        "key": key_to_json(&discard.key),
        "field": discard.field.as_deref(),
        "lost": value_to_json(&discard.lost),
        "loser": author(&discard.loser),
        "winner": author(&discard.winner),
        "concurrent": discard.concurrent,
    )
}

fn author(author: &Author) -> Json {
    object!(
        "replica": author.replica.to_string(),
        "seq": author.seq,
        "at": author.stamp.millis(),
    )
}

pub(crate) fn doubt(doubt: &Doubt) -> Json {
    let kind = match doubt.kind {
        DoubtKind::NotUnique => "not-unique",
        DoubtKind::NoParent => "no-parent",
        _ => "incomplete",
    };
    object!(
        "kind": kind,
        "collection": &*doubt.collection,
        "key": key_to_json(&doubt.key),
        "fields": doubt.fields.iter().map(|name| &**name).collect::<Vec<_>>(),
        "other": doubt.other.as_ref().map(key_to_json),
    )
}

/// Nothing where the event is one that this version does not know.
pub(crate) fn event(event: &ContinuousEvent) -> Option<Json> {
    Some(match event {
        ContinuousEvent::Started(why) => object!("type": "started", "cause": cause(*why)),
        ContinuousEvent::Finished(done) => object!("type": "finished", "report": report(done)),
        ContinuousEvent::Failed { kind, message } => {
            object!("type": "failed", "kind": self::kind(*kind), "message": message.as_str())
        }
        ContinuousEvent::Offline => object!("type": "offline"),
        ContinuousEvent::Online => object!("type": "online"),
        ContinuousEvent::Waiting { until } => object!("type": "waiting", "until": *until),
        ContinuousEvent::Paused(Pause::Asked) => object!("type": "paused", "why": "asked"),
        ContinuousEvent::Paused(Pause::Denied) => object!("type": "paused", "why": "denied"),
        ContinuousEvent::Resumed => object!("type": "resumed"),
        ContinuousEvent::LeadLost => object!("type": "lead-lost"),
        ContinuousEvent::Stopped => object!("type": "stopped"),
        _ => return None,
    })
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Start => "start",
        Cause::Asked => "asked",
        Cause::Due => "due",
        Cause::Written => "written",
        Cause::Notice => "notice",
        Cause::Resumed => "resumed",
        _ => "again",
    }
}
