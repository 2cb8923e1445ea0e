//! The shared log that a hub keeps for a group.

use std::fmt;
use std::sync::Arc;

use crate::http::Method;
use async_trait::async_trait;
use syncline_core::log::{
    Append, AppendIf, Codec, Exchange, Exchanged, Fetch, Fetched, Notices, Peer, Receipt, Segment,
    VersionVector,
};
use syncline_core::{Group, ReplicaId, Result, SharedLog};
use syncline_shared_log_wire::{
    BYTES, PeersJson, read_exchanged, write_exchange, write_segments, write_vector,
};
use tokio::sync::Mutex;

use crate::address::Address;
use crate::answer;
use crate::caller::{Answer, Caller, Question};
use crate::client::Client;
use crate::config::HttpLogConfig;
use crate::error::HttpError;
use crate::listen::Line;
use crate::seen::Seen;
use crate::transport::Transport;

const JSON: &str = "application/json";
/// For answers without a body.
const NOTHING: &str = "*/*";

/// The shared log that a hub keeps for a group. Clones share it, and what it has seen: take one for
/// each database.
///
/// It needs a tokio runtime, except in a browser.
///
/// # Example
///
/// ```
/// use syncline_core::SharedLog;
/// use syncline_shared_log_http::HttpLog;
///
/// let log = HttpLog::new("https://hub.example.org/", "family".parse()?)?;
/// assert_eq!(log.name(), "https://hub.example.org/v1/groups/family");
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone)]
pub struct HttpLog {
    shared: Arc<Shared>,
}

struct Shared {
    caller: Caller,
    seen: Seen,
    line: Mutex<Line>,
    append_bytes: usize,
}

impl HttpLog {
    /// A hub's log of a group, with the usual settings and without a token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](syncline_core::ErrorKind::Invalid) if this is no address of a hub, or the group's
    /// name cannot stand in one.
    pub fn new(url: &str, group: Group) -> Result<Self> {
        Self::with(HttpLogConfig::new(url, group))
    }

    /// A hub's log, as the configuration says. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`ErrorKind::Unsupported`](syncline_core::ErrorKind::Unsupported) if this machine
    /// can make no secure connections.
    pub fn with(config: HttpLogConfig) -> Result<Self> {
        let address = Address::parse(&config.url, config.group.clone())?;
        let client = Client::new(&config, &address)?;
        Self::over(Arc::new(client), config)
    }

    /// A hub's log, reached by another transport.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn over(transport: Arc<dyn Transport>, config: HttpLogConfig) -> Result<Self> {
        let address = Address::parse(&config.url, config.group.clone())?;
        let append_bytes = config.append_bytes;
        let caller = Caller::new(transport, address, config);
        Ok(Self {
            shared: Arc::new(Shared {
                caller,
                seen: Seen::default(),
                line: Mutex::default(),
                append_bytes,
            }),
        })
    }

    /// Whose log it is.
    pub fn group(&self) -> &Group {
        self.shared.caller.address.group()
    }

    async fn ask(&self, question: Question) -> Result<Answer> {
        self.shared.caller.ask(question).await
    }

    async fn post(
        &self,
        what: &str,
        body: Vec<u8>,
        segments: &[Segment],
    ) -> Result<(Exchanged, Option<u64>)> {
        let mut question = Question::new(Method::POST, what, BYTES).with_body(body);
        question.is_dense = is_dense(segments);
        let answer = self.ask(question).await?;
        let exchanged = read_exchanged(&answer.body).map_err(HttpError::Garbled)?;
        Ok((exchanged, answer::number(&answer.headers)))
    }

    /// Notes what an answer brought.
    fn note(&self, exchanged: &Exchanged, number: Option<u64>) {
        let Some(number) = number else { return };
        match (&exchanged.fetched, &exchanged.receipts) {
            (Some(fetched), _) if !fetched.more => self.shared.seen.up_to(number),
            (None, Some(receipts)) => {
                let stored = receipts.iter().filter(|receipt| **receipt == Receipt::Stored);
                self.shared.seen.appended(stored.count() as u64, number);
            }
            _ => {}
        }
    }

    async fn append_once(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let (exchanged, number) = self.post("segments", write_segments(segments), segments).await?;
        self.note(&exchanged, number);
        exchanged
            .receipts
            .filter(|receipts| receipts.len() == segments.len())
            .ok_or_else(|| HttpError::Misfit { asked: "append" }.into())
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl SharedLog for HttpLog {
    fn name(&self) -> String {
        self.shared.caller.address.name()
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        let question = Question::new(Method::PUT, format!("replicas/{replica}"), NOTHING);
        self.ask(question).await.map(drop)
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let mut receipts = Vec::with_capacity(segments.len());
        let mut left = segments;
        while !left.is_empty() {
            let (now, later) = left.split_at(fitting(left, self.shared.append_bytes));
            receipts.extend(self.append_once(now).await?);
            left = later;
        }
        Ok(receipts)
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let exchange = Exchange { fetch: Some(request.clone()), ..Exchange::of(request.replica) };
        let (exchanged, number) = self.post("fetch", write_exchange(&exchange), &[]).await?;
        self.note(&exchanged, number);
        exchanged.fetched.ok_or_else(|| HttpError::Misfit { asked: "fetch" }.into())
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let path = format!("replicas/{replica}/acknowledged");
        let question = Question::new(Method::PUT, path, NOTHING).with_body(write_vector(known));
        self.ask(question).await.map(drop)
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        let answer = self.ask(Question::new(Method::GET, "peers", JSON)).await?;
        let peers = PeersJson::read(&answer.body).ok_or(HttpError::Misfit { asked: "peers" })?;
        peers.peers.iter().map(Peer::try_from).collect()
    }

    fn is_far(&self) -> bool {
        true
    }

    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        let segments = request.append.as_ref().map_or(&[][..], |append| &append.segments);
        let body = write_exchange(request);
        let (exchanged, number) = self.post("exchange", body, segments).await?;
        let fits = exchanged.fetched.is_some() == request.fetch.is_some()
            && receipts_fit(request.append.as_ref(), exchanged.receipts.as_deref());
        if !fits {
            return Err(HttpError::Misfit { asked: "exchange" }.into());
        }
        self.note(&exchanged, number);
        Ok(exchanged)
    }
}

/// A stream of server-sent events, or answers that wait where something on the way blocks streams. One task
/// at a time listens.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Notices for HttpLog {
    async fn changed(&self) -> Result<()> {
        let mut line = self.shared.line.lock().await;
        line.changed(&self.shared.caller, &self.shared.seen).await
    }
}

impl fmt::Debug for HttpLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpLog {}", self.name())
    }
}

/// How many segments go in one request: at least one.
fn fitting(segments: &[Segment], limit: usize) -> usize {
    let mut size = 0;
    let fits = segments.iter().take_while(|segment| {
        size += segment.bytes().len();
        size <= limit
    });
    fits.count().max(1)
}

/// Whether most of these bytes are compressed or encrypted already.
fn is_dense(segments: &[Segment]) -> bool {
    let plain = [Codec::Json.number(), Codec::Packed.number()];
    let (mut dense, mut all) = (0, 0);
    for segment in segments {
        let header = segment.header();
        all += segment.bytes().len();
        if header.key_epoch != 0 || !plain.contains(&header.codec) {
            dense += segment.bytes().len();
        }
    }
    dense * 2 > all
}

fn receipts_fit(append: Option<&Append>, receipts: Option<&[Receipt]>) -> bool {
    match (append, receipts) {
        (None, None) => true,
        (Some(append), Some(receipts)) => receipts.len() == append.segments.len(),
        (Some(append), None) => append.segments.is_empty() || append.only_if != AppendIf::Always,
        (None, Some(_)) => false,
    }
}
