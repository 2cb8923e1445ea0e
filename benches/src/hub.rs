//! Our side through a hub: a process of its own, durable through a power cut.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline::log::{Exchange, Exchanged, Fetch, Fetched, Peer, Receipt, Segment, VersionVector};
use syncline::middleware::SystemClock;
use syncline::server::auth::Open;
use syncline::server::sqlite::{SqliteStore, SqliteStoreConfig};
use syncline::server::{Hub, HubConfig};
use syncline::shared_log::http::HttpLog;
use syncline::{ReplicaId, SharedLog, async_trait};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Result;
use crate::ours::Ours;
use crate::store::{Durability, Pair, Store};

const SERVE: &str = "--serve-hub";

/// Runs a hub until nobody holds its other end any more, if that is what the arguments ask for; otherwise
/// gives them back.
///
/// # Errors
///
/// Whatever keeps the hub from running.
pub fn serve_if_asked(
    arguments: impl Iterator<Item = String>,
) -> Result<Option<impl Iterator<Item = String>>> {
    let arguments: Vec<String> = arguments.collect();
    if arguments.first().map(String::as_str) != Some(SERVE) {
        return Ok(Some(arguments.into_iter()));
    }
    let path = arguments.get(1).ok_or("the store is named")?;
    let ready = |port| {
        println!("{port}");
        std::io::stdout().flush()
    };
    let alone = || drop(std::io::stdin().read(&mut [0]));
    serve(Path::new(path), ready, async { drop(tokio::task::spawn_blocking(alone).await) })?;
    Ok(None)
}

fn serve(
    store: &Path,
    ready: impl FnOnce(u16) -> std::io::Result<()>,
    until: impl Future<Output = ()>,
) -> Result {
    Runtime::new()?.block_on(async {
        let store = SqliteStore::open(store, SqliteStoreConfig::default())?;
        let config = HubConfig { rate: 0, ..HubConfig::default() };
        let hub = Hub::new(config, Arc::new(store), Arc::new(Open), Arc::new(SystemClock));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        ready(listener.local_addr()?.port())?;
        hub.serve(vec![listener], None, until).await?;
        Ok(())
    })
}

/// A hub in a process of its own; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Option<Child>,
    url: String,
}

#[cfg(test)]
impl Process {
    /// In tests of this crate the program is the test itself, so the hub is a thread of it.
    pub(crate) fn start(store: &Path) -> Result<Self> {
        let (told, port) = std::sync::mpsc::channel();
        let store = store.to_owned();
        std::thread::spawn(move || {
            let ready = |port| told.send(port).map_err(std::io::Error::other);
            serve(&store, ready, std::future::pending())
        });
        Ok(Self { child: None, url: format!("http://127.0.0.1:{}", port.recv()?) })
    }
}

#[cfg(not(test))]
impl Process {
    pub(crate) fn start(store: &Path) -> Result<Self> {
        use std::io::{BufRead, BufReader};
        use std::process::{Command, Stdio};

        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let stdout = child.stdout.as_mut().ok_or("its output is piped")?;
        let _ = BufReader::new(stdout).read_line(&mut port)?;
        let url = format!("http://127.0.0.1:{}", port.trim());
        Ok(Self { child: Some(child), url })
    }
}

impl Process {
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The most memory it ever had, in megabytes, where the system tells that.
    pub(crate) fn peak(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.child.as_ref()?.id());
        let status = std::fs::read_to_string(path).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kb| kb / 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Two databases that sync through a hub.
#[derive(Debug)]
pub struct HubPair {
    runtime: Runtime,
    here: Ours,
    there: Ours,
    logs: [Counted; 2],
    hub: Process,
}

impl HubPair {
    /// Two new databases in this folder, and a hub.
    ///
    /// # Errors
    ///
    /// Whatever the databases or the hub report.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        let [here, there] = ["here", "there"].map(|name| folder.join(name));
        std::fs::create_dir(&here)?;
        std::fs::create_dir(&there)?;
        let hub = Process::start(&folder.join("hub.db"))?;
        let log = || -> Result<Counted> {
            let log = HttpLog::new(&hub.url, "bench".parse()?)?;
            Ok(Counted { log, requests: AtomicU64::new(0), bytes: AtomicU64::new(0) })
        };
        Ok(Self {
            runtime: Runtime::new()?,
            here: Ours::open(&here, durability)?,
            there: Ours::open(&there, durability)?,
            logs: [log()?, log()?],
            hub,
        })
    }
}

impl Pair for HubPair {
    fn here(&mut self) -> &mut dyn Store {
        &mut self.here
    }

    fn there(&mut self) -> &mut dyn Store {
        &mut self.there
    }

    fn send(&mut self) -> Result {
        self.runtime.block_on(self.here.sync(&self.logs[0]))?;
        self.runtime.block_on(self.there.sync(&self.logs[1]))
    }

    fn exchange(&mut self) -> Result {
        self.send()?;
        self.runtime.block_on(self.here.sync(&self.logs[0]))
    }

    fn remarks(&mut self) -> Option<String> {
        let [here, there] = &self.logs;
        let count = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        let requests = format!("{} + {} requests", count(&here.requests), count(&there.requests));
        let bytes = format!("{} + {} bytes of segments", count(&here.bytes), count(&there.bytes));
        let peak =
            self.hub.peak().map_or_else(String::new, |peak| format!(", hub at most {peak} MB"));
        Some(format!("{requests}, {bytes}{peak}"))
    }
}

/// A hub's log that counts.
#[derive(Debug)]
struct Counted {
    log: HttpLog,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Counted {
    fn count(&self, segments: &[Segment]) {
        let _ = self.requests.fetch_add(1, Ordering::Relaxed);
        let bytes: usize = segments.iter().map(|segment| segment.bytes().len()).sum();
        let _ = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

#[async_trait]
impl SharedLog for Counted {
    fn name(&self) -> String {
        self.log.name()
    }

    fn is_far(&self) -> bool {
        self.log.is_far()
    }

    async fn join(&self, replica: ReplicaId) -> syncline::Result<()> {
        self.count(&[]);
        self.log.join(replica).await
    }

    async fn append(&self, segments: &[Segment]) -> syncline::Result<Vec<Receipt>> {
        self.count(segments);
        self.log.append(segments).await
    }

    async fn fetch(&self, request: &Fetch) -> syncline::Result<Fetched> {
        let fetched = self.log.fetch(request).await?;
        self.count(&fetched.segments);
        Ok(fetched)
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> syncline::Result<()> {
        self.count(&[]);
        self.log.acknowledge(replica, known).await
    }

    async fn peers(&self) -> syncline::Result<Vec<Peer>> {
        self.count(&[]);
        self.log.peers().await
    }

    async fn exchange(&self, request: &Exchange) -> syncline::Result<Exchanged> {
        let exchanged = self.log.exchange(request).await?;
        let sent = request.append.iter().flat_map(|append| &append.segments);
        let came = exchanged.fetched.iter().flat_map(|fetched| &fetched.segments);
        let all: Vec<Segment> = sent.chain(came).cloned().collect();
        self.count(&all);
        Ok(exchanged)
    }
}
