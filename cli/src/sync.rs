//! Syncing with a place where others meet.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use syncline::log::{
    Codec, Exchange, Exchanged, Fetch, Fetched, Peer, Receipt, Segment, SharedLog, VersionVector,
};
use syncline::{Group, ReplicaId, Result, SyncOptions, SyncReport, async_trait, do_sync};

use crate::args::{self, hub::Asking};
use crate::output::{Output, count, grouped};
use crate::place;
use crate::progress::Progress;
use crate::store::{Options, Store};

/// How to sync, as it was typed.
#[derive(Debug)]
pub struct How {
    pub place: String,
    pub asking: Asking,
    pub codec: args::Codec,
    pub single_batch: bool,
}

pub async fn sync(options: &Options, output: &Output, db: &Path, how: &How) -> Result<()> {
    let store = Store::open(options, db).await?;
    let report = run(&store, &options.group, how).await?;
    for damage in &report.damaged {
        output.remark(&format!("{} has not arrived whole: {}", damage.place, damage.reason));
    }
    output.result(|| to_json(&report), || to_text(&report))
}

/// Syncs a database that is open.
pub async fn run(store: &Store, group: &Group, how: &How) -> Result<SyncReport> {
    let log = place::open(&how.place, group, &how.asking)?.log;
    let codec = match how.codec {
        args::Codec::Packed => Codec::Packed,
        args::Codec::PackedDeflate => Codec::PackedDeflate,
        args::Codec::Json => Codec::Json,
        args::Codec::JsonDeflate => Codec::JsonDeflate,
    };
    let seen = Arc::new(Seen::default());
    // No observer: what lost stays in the database until `discards --take`.
    let options = SyncOptions { codec, single_batch: how.single_batch, ..SyncOptions::default() };
    do_sync(store.log()?, &Watched { log, seen }, &options).await
}

pub fn to_json(report: &SyncReport) -> Json {
    let damaged = report.damaged.iter();
    let damaged: Json =
        damaged.map(|damage| json!({"place": damage.place, "reason": damage.reason})).collect();
    json!({
        "received": report.received,
        "shared": report.shared,
        "integrated": report.integrated,
        "parked": report.parked,
        "discarded": report.discarded,
        "bytes_received": report.bytes_received,
        "bytes_sent": report.bytes_sent,
        "damaged": damaged,
        "finished": report.finished,
    })
}

fn to_text(report: &SyncReport) -> String {
    let mut text = format!(
        "received {} ({} bytes), applied {}\nshared {} ({} bytes)",
        count_entries(report.received),
        grouped(report.bytes_received),
        grouped(report.integrated),
        count_entries(report.shared),
        grouped(report.bytes_sent),
    );
    if report.parked > 0 {
        text += &format!("\n{} wait; `syncline status` says why", count_entries(report.parked));
    }
    if report.discarded > 0 {
        text += &format!(
            "\n{} lost; `syncline discards` prints them",
            count(report.discarded, "value")
        );
    }
    if !report.finished {
        text += "\nthere is more to do: sync again";
    }
    text
}

fn count_entries(number: u64) -> String {
    match number {
        1 => "1 entry".to_owned(),
        _ => format!("{} entries", grouped(number)),
    }
}

/// What has passed so far.
#[derive(Debug)]
struct Seen(Mutex<(Progress, u64, u64)>);

impl Default for Seen {
    fn default() -> Self {
        Self(Mutex::new((Progress::endless("syncing"), 0, 0)))
    }
}

impl Seen {
    fn add(&self, received: u64, shared: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.1 += received;
        seen.2 += shared;
        let (received, shared) = (seen.1, seen.2);
        let message =
            format!("{} received, {} shared", count_entries(received), count_entries(shared));
        seen.0.tell(message);
    }
}

fn entries<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> u64 {
    let spans = segments.into_iter().map(Segment::span);
    spans.map(|span| (span.last + 1).saturating_sub(span.first)).sum()
}

/// A log that tells what passes.
#[derive(Debug)]
struct Watched {
    log: Arc<dyn SharedLog>,
    seen: Arc<Seen>,
}

#[async_trait]
impl SharedLog for Watched {
    fn name(&self) -> String {
        self.log.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        self.log.join(replica).await
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let receipts = self.log.append(segments).await?;
        self.seen.add(0, entries(segments));
        Ok(receipts)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let fetched = self.log.fetch(request).await?;
        self.seen.add(entries(&fetched.segments), 0);
        Ok(fetched)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        self.log.acknowledge(replica, known).await
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        self.log.peers().await
    }

    fn is_far(&self) -> bool {
        self.log.is_far()
    }

    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        let exchanged = self.log.exchange(request).await?;
        let fetched = exchanged.fetched.as_ref().map_or(0, |fetched| entries(&fetched.segments));
        let appended = exchanged.receipts.as_ref().and(request.append.as_ref());
        self.seen.add(fetched, appended.map_or(0, |append| entries(&append.segments)));
        Ok(exchanged)
    }
}
