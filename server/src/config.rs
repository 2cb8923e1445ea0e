//! What whoever runs a hub can set.

use std::path::PathBuf;
use std::time::Duration;

use syncline_core::clock::ALLOWED_DRIFT;

use crate::Origins;

const MB: usize = 1 << 20;

/// The limits of a hub. Each has a default that suits a machine with 512 MB of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// The most bytes of one request, as they are behind any compression: 16 MB.
    pub body_bytes: usize,
    /// The most bytes of one segment: 8 MB.
    pub segment_bytes: usize,
    /// The most entries in one request: 1,000,000.
    pub entries: u64,
    /// The most bytes of segments in one answer, whatever a client asks for: 8 MB.
    pub fetch_bytes: usize,
    /// The most entries in one answer, whatever a client asks for: 1,000,000.
    pub fetch_entries: u64,
    /// The most bytes of all requests and answers that are in memory at once: 128 MB. A request that finds no
    /// room waits for [`budget_wait`](Self::budget_wait) and is then answered 503.
    pub budget_bytes: usize,
    /// How long a request waits for room: 2 seconds.
    pub budget_wait: Duration,
    /// How many requests a second a client may make in a group, in the long run: 1,000. 0 for any number.
    pub rate: u32,
    /// How many requests it may make at once before that counts: 2,000.
    pub burst: u32,
    /// How many wrong tokens an address may send at once: 20, and then one a second. 0 for any number, as where a
    /// proxy makes all clients come from its own address.
    pub wrong_tokens: u32,
    /// The most bytes of a group, segments and items together: 16 GB.
    pub quota_bytes: u64,
    /// The most groups: 10,000. A change that would begin another one is
    /// [`Full`](syncline_core::ErrorKind::Full).
    pub groups: u64,
    /// The most replicas that are members of a group or have a lane in it: 10,000. One more is
    /// [`Full`](syncline_core::ErrorKind::Full).
    pub replicas: u64,
    /// The most clients that wait for notices at once: 2,000.
    pub subscribers: usize,
    /// The origins whose pages may ask: if nothing is said, all where tokens are needed, else this machine's.
    pub origins: Origins,
    /// A folder with the files of an application, if the hub serves one too: its `index.html` is at `/`, and the
    /// operator's page at `/hub` only.
    pub app: Option<PathBuf>,
    /// How often other hubs on the same store are looked for, while anybody waits for notices: 250 milliseconds.
    pub look_around: Duration,
    /// How often a silent stream of notices shows that it lives: 15 seconds.
    pub heartbeat: Duration,
    /// How far in the future a stamp may lie: 5 minutes.
    pub drift: Duration,
    /// For how long old epochs of items are kept: 30 days.
    pub keep_epochs: Duration,
    /// The longest time that a lease is given for: 1 hour.
    pub longest_lease: Duration,
    /// Whether everyone may read the metrics; otherwise it takes an admin token.
    pub open_metrics: bool,
    /// The most connections at once: 4,096. When there are more, one that has not asked anything yet is cut.
    pub connections: usize,
    /// How long a new connection may take for a handshake, and then for the head of its first request: 15 seconds.
    pub head_time: Duration,
    /// How long a connection may be idle between requests, and take for the head of the next: 90 seconds.
    pub idle_time: Duration,
    /// How long nothing may come of a request's body, or be taken of an answer: 15 seconds.
    pub stall_time: Duration,
    /// How long a request's body may take altogether: 5 minutes.
    pub body_time: Duration,
    /// How long accepted requests may take to finish when the hub is to stop: 30 seconds.
    pub grace: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            body_bytes: 16 * MB,
            segment_bytes: 8 * MB,
            entries: 1_000_000,
            fetch_bytes: 8 * MB,
            fetch_entries: 1_000_000,
            budget_bytes: 128 * MB,
            budget_wait: Duration::from_secs(2),
            rate: 1_000,
            burst: 2_000,
            wrong_tokens: 20,
            quota_bytes: 16 << 30,
            groups: 10_000,
            replicas: 10_000,
            subscribers: 2_000,
            origins: Origins::default(),
            app: None,
            look_around: Duration::from_millis(250),
            heartbeat: Duration::from_secs(15),
            drift: ALLOWED_DRIFT,
            keep_epochs: Duration::from_secs(30 * 24 * 3600),
            longest_lease: Duration::from_secs(3600),
            open_metrics: false,
            connections: 4_096,
            head_time: Duration::from_secs(15),
            idle_time: Duration::from_secs(90),
            stall_time: Duration::from_secs(15),
            body_time: Duration::from_secs(300),
            grace: Duration::from_secs(30),
        }
    }
}
