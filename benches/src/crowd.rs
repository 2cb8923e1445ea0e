//! Many clients at one hub: how much they append, and how soon they hear of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use syncline::log::{Codec, Entry, FORMAT, Header, LaneHash, Op, Segment, Span, Write, lane_start};
use syncline::middleware::SystemRandom;
use syncline::shared_log::http::HttpLog;
use syncline::{Group, Object, Random, ReplicaId, SharedLog, Stamp};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::Result;
use crate::hub::Process;
use crate::record::records;

/// For how long each crowd appends.
const WHILE: Duration = Duration::from_secs(3);
/// How many wait for notices.
const WAITING: usize = 1_000;
/// How many notices are sent to them.
const NOTICES: usize = 50;

/// Measures a hub of its own in a new folder, and prints what it measured.
///
/// # Errors
///
/// Whatever the hub or the clients report.
pub fn run() -> Result {
    let folder = tempfile::tempdir_in(crate::report::target())?;
    let hub = Process::start(&folder.path().join("hub.db"))?;
    // First of all, before the disk has much to do. One thread listens, so that those who wait and the hub have
    // a processor each.
    let listening = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (took, stored) = listening.block_on(noticed(hub.url()))?;
    let (median, late, last) = (at(&took, 50), at(&took, 99), at(&took, 100));
    println!(
        "a notice reaches {WAITING} who wait: median {median:.2} ms, 99 % {late:.2} ms, all {last:.2} ms"
    );
    println!("the append that it tells of is durable and answered after {:.2} ms", at(&stored, 50));
    println!("{:>8}{:>22}{:>16}{:>18}", "clients", "entries a request", "requests/s", "entries/s");
    tokio::runtime::Runtime::new()?.block_on(async {
        for (clients, entries) in [(1, 1), (1, 100), (1, 1_000), (50, 1), (50, 100), (50, 1_000)] {
            let requests = appended(hub.url(), clients, entries).await?;
            println!(
                "{clients:>8}{entries:>22}{requests:>16.0}{:>18.0}",
                requests * entries as f64
            );
        }
        crate::Result::Ok(())
    })?;
    if let Some(peak) = hub.peak() {
        println!("the hub had at most {peak} MB");
    }
    Ok(())
}

/// Milliseconds within which so many percent were done.
fn at(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}

/// Requests a second, each durable when it is answered.
async fn appended(url: &str, clients: usize, entries: usize) -> Result<f64> {
    let until = Instant::now() + WHILE;
    let done = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let log = HttpLog::new(url, "crowd".parse()?)?;
        let (mut lane, done) = (Lane::new(log.group().clone()), done.clone());
        tasks.push(tokio::spawn(async move {
            while Instant::now() < until {
                let segment = lane.seal(entries)?;
                let _ = log.append(std::slice::from_ref(&segment)).await?;
                let _ = done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), syncline::Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / WHILE.as_secs_f64())
}

/// How long after an append was begun each of those who wait hears of it, and when it is answered: both sorted.
async fn noticed(url: &str) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let log = HttpLog::new(url, "notices".parse()?)?;
    let (heard, mut hears) = mpsc::unbounded_channel::<Instant>();
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        let mut lines = listen(url).await?;
        // The first one tells where the log is.
        next_notice(&mut lines).await?;
        let heard = heard.clone();
        waiting.push(tokio::spawn(async move {
            while next_notice(&mut lines).await.is_ok() {
                if heard.send(Instant::now()).is_err() {
                    return;
                }
            }
        }));
    }
    let mut lane = Lane::new(log.group().clone());
    let mut took = Vec::with_capacity(WAITING * NOTICES);
    let mut stored = Vec::with_capacity(NOTICES);
    for _ in 0..NOTICES {
        let segment = lane.seal(1)?;
        let begun = Instant::now();
        let _ = log.append(std::slice::from_ref(&segment)).await?;
        stored.push(begun.elapsed());
        for _ in 0..WAITING {
            let at = hears.recv().await.ok_or("somebody hears")?;
            took.push(at.saturating_duration_since(begun));
        }
    }
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    took.sort_unstable();
    stored.sort_unstable();
    Ok((took, stored))
}

async fn listen(url: &str) -> Result<BufReader<TcpStream>> {
    let address = url.strip_prefix("http://").ok_or("the hub speaks plain HTTP")?;
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "GET /v1/groups/notices/notices HTTP/1.1\r\nhost: {address}\r\naccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    Ok(BufReader::new(stream))
}

async fn next_notice(lines: &mut BufReader<TcpStream>) -> Result {
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Err("the stream ended".into());
        }
        if line.starts_with("data:") {
            return Ok(());
        }
    }
}

/// Seals made-up entries, one segment behind the other.
struct Lane {
    group: Group,
    replica: ReplicaId,
    seq: u64,
    hash: LaneHash,
    fields: Vec<Object>,
}

impl Lane {
    fn new(group: Group) -> Self {
        let replica = ReplicaId(SystemRandom.bytes());
        let field = |record: &crate::record::Record| {
            Object::new()
                .with("title", record.title.as_str())
                .with("body", record.body.as_str())
                .with("done", record.done)
                .with("priority", record.priority)
        };
        let fields = records(42, 100).iter().map(field).collect();
        let hash = lane_start(&group, replica);
        Self { group, replica, seq: 0, hash, fields }
    }

    fn seal(&mut self, entries: usize) -> syncline::Result<Segment> {
        let (first, before) = (self.seq + 1, self.hash);
        let mut canonical = Vec::new();
        for at in 0..entries {
            self.seq += 1;
            let op = Op::Create(self.fields[at % self.fields.len()].clone());
            let key = format!("{}-{}", self.replica, self.seq).into();
            let write = Some(Write { schema: 1, collection: "record".into(), key, op });
            let (stamp, more, context, extensions) = (Stamp::at_millis(1), false, None, Vec::new());
            let bytes = Entry { seq: self.seq, stamp, more, context, write, extensions }.to_bytes();
            self.hash = self.hash.then(&bytes);
            canonical.extend_from_slice(&bytes);
        }
        let span = Span { replica: self.replica, first, last: self.seq, before, after: self.hash };
        let header = Header {
            format: FORMAT,
            group: self.group.clone(),
            group_epoch: 0,
            span,
            entries: entries as u64,
            greatest: Stamp::at_millis(1),
            key_epoch: 0,
            codec: Codec::Packed.number(),
            extensions: Vec::new(),
        };
        Ok(Segment::seal(header, &Codec::Packed.encode(first, &canonical)?))
    }
}
