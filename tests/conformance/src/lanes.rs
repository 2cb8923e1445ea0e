//! Lanes for tests: someone who writes one, and someone who follows them all.

use syncline_core::log::chain::Chains;
use syncline_core::log::{
    After, Codec, Entry, FORMAT, Fetch, Fetched, Header, LaneHash, Op, Segment, Span, Tip,
    VersionVector, Write, lane_start,
};
use syncline_core::{Error, Group, Object, ReplicaId, Result, SharedLog, Stamp};

/// A replica made up from a number.
pub fn replica(number: u8) -> ReplicaId {
    ReplicaId([number; 16])
}

/// Writes one lane: seals entries, one segment behind the other.
///
/// A clone that goes on by itself forks the lane.
///
/// # Example
///
/// ```
/// use syncline_conformance::lanes::{Sealer, open, replica};
///
/// let mut sealer = Sealer::new(&"family".parse()?, replica(1));
/// let first = sealer.notes(["Ann", "Bob"]);
/// let second = sealer.notes(["Eve"]);
/// assert_eq!(second.span().root(), first.span().tip());
/// assert_eq!(open(&first)?.len(), 2);
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sealer {
    group: Group,
    tip: Tip,
    stamp: Stamp,
    codec: Codec,
}

impl Sealer {
    /// Begins the lane of this replica.
    pub fn new(group: &Group, replica: ReplicaId) -> Self {
        let tip = Tip { replica, seq: 0, hash: lane_start(group, replica) };
        let stamp = Stamp::at_millis(1_700_000_000_000);
        Self { group: group.clone(), tip, stamp, codec: Codec::default() }
    }

    /// Encodes the entries in this way from now on.
    #[must_use]
    pub fn with_codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// Stamps what is made up from now on after this stamp.
    #[must_use]
    pub fn stamped_after(mut self, stamp: Stamp) -> Self {
        self.stamp = stamp;
        self
    }

    /// Whose lane this is.
    pub fn replica(&self) -> ReplicaId {
        self.tip.replica
    }

    /// How far the lane goes.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Seals one made-up entry for each text: it creates an object of the collection `note`.
    ///
    /// # Panics
    ///
    /// If there are no texts.
    pub fn notes<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> Segment {
        let mut entries: Vec<Entry> = Vec::new();
        for text in texts {
            self.stamp = self.stamp.next();
            let seq = self.tip.seq + 1 + entries.len() as u64;
            let key = format!("{}-{seq}", self.tip.replica.short());
            let op = Op::Create(Object::new().with("text", text));
            let write = Some(Write { schema: 1, collection: "note".into(), key: key.into(), op });
            let stamp = self.stamp;
            let extensions = Vec::new();
            entries.push(Entry { seq, stamp, more: false, context: None, write, extensions });
        }
        self.seal(&entries).expect("made-up entries continue the lane")
    }

    /// Seals entries that continue the lane.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](syncline_core::ErrorKind::Invalid) if they do not, or are none.
    pub fn seal(&mut self, entries: &[Entry]) -> Result<Segment> {
        let root = self.tip;
        let numbers = entries.iter().map(|entry| entry.seq);
        if entries.is_empty() || !numbers.eq((root.seq + 1..).take(entries.len())) {
            return Err(
                Error::invalid("these entries do not continue the lane").with("at", root.seq)
            );
        }
        let (hash, canonical) = run(root.hash, entries);
        self.tip = Tip { seq: root.seq + entries.len() as u64, hash, ..root };
        let span = Span {
            replica: root.replica,
            first: root.seq + 1,
            last: self.tip.seq,
            before: root.hash,
            after: hash,
        };
        let header = Header {
            format: FORMAT,
            group: self.group.clone(),
            group_epoch: 0,
            span,
            entries: entries.len() as u64,
            greatest: entries.iter().map(|entry| entry.stamp).max().unwrap_or_default(),
            key_epoch: 0,
            codec: self.codec.number(),
            extensions: Vec::new(),
        };
        Ok(Segment::seal(header, &self.codec.encode(span.first, &canonical)?))
    }
}

/// The entries of a segment, if they have the hashes that its header says.
///
/// # Errors
///
/// [`ErrorKind::Corrupt`](syncline_core::ErrorKind::Corrupt) if not.
pub fn open(segment: &Segment) -> Result<Vec<Entry>> {
    let span = segment.span();
    let codec = Codec::from_number(segment.header().codec)?;
    let entries = codec.decode(span.first, segment.body())?;
    if run(span.before, &entries).0 != span.after {
        return Err(Error::corrupt("a segment's entries have another hash than its header says"));
    }
    Ok(entries)
}

/// The running hash behind these entries, and their canonical bytes.
fn run(before: LaneHash, entries: &[Entry]) -> (LaneHash, Vec<u8>) {
    let (mut hash, mut canonical) = (before, Vec::new());
    for entry in entries {
        let start = canonical.len();
        entry.put(&mut canonical);
        hash = hash.then(&canonical[start..]);
    }
    (hash, canonical)
}

/// Follows all lanes of a log, page after page, and holds each answer to the contract.
#[derive(Clone, Debug)]
pub struct Follower {
    /// What is asked next; its limits may be changed.
    pub request: Fetch,
    /// Everything received, in order; a segment that comes again stands here again.
    pub received: Vec<Segment>,
    chains: Chains,
    known: VersionVector,
}

impl Follower {
    /// A replica that knows nothing yet.
    pub fn new(replica: ReplicaId) -> Self {
        Self::knowing(replica, VersionVector::default())
    }

    /// A replica that knows the lanes up to these places.
    pub fn knowing(replica: ReplicaId, known: VersionVector) -> Self {
        let after = After::Known(known.clone());
        let request = Fetch { replica, after, limit_bytes: 1 << 20, limit_entries: 10_000 };
        Self { request, received: Vec::new(), chains: Chains::default(), known }
    }

    /// Fetches one page and moves behind it.
    ///
    /// # Errors
    ///
    /// Whatever the log reports, and [`ErrorKind::Internal`](syncline_core::ErrorKind::Internal) if
    /// its answer breaks the contract.
    pub async fn page(&mut self, log: &dyn SharedLog) -> Result<Fetched> {
        let fetched = log.fetch(&self.request).await?;
        if fetched.more && fetched.segments.is_empty() {
            return Err(Error::internal("an empty page that announces more"));
        }
        for segment in &fetched.segments {
            let span = segment.span();
            if !self.chains.continues(span) && !self.known.tips.contains(&span.root()) {
                return Err(Error::internal("a segment continues nothing that was delivered")
                    .with("span", format_args!("{span:?}")));
            }
            let _ = self.chains.insert(*span);
        }
        self.received.extend(fetched.segments.iter().cloned());
        self.request.after = After::Cursor(fetched.cursor.clone());
        Ok(fetched)
    }

    /// Fetches pages until there are no more; answers with the segments of these pages.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page).
    pub async fn all(&mut self, log: &dyn SharedLog) -> Result<Vec<Segment>> {
        let before = self.received.len();
        while self.page(log).await?.more {}
        Ok(self.received[before..].to_vec())
    }

    /// How far every lane was received.
    pub fn known(&self) -> VersionVector {
        let heads = self.chains.replicas().into_iter().flat_map(|id| self.chains.heads(id));
        VersionVector::new(self.known.tips.iter().copied().chain(heads))
    }
}
