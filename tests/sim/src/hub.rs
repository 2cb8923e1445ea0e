//! A hub as a model: it numbers what it takes inside transactions that overlap, and may be restored.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline::log::chain::Chains;
use syncline::log::{
    After, Append, AppendIf, Cursor, Exchange, Exchanged, Fetch, Fetched, LaneHash, Peer, Receipt,
    Segment, Span, VersionVector,
};
use syncline::value::canonical::{Reader, put_number};
use syncline::{Error, ErrorKind, ReplicaId, Result, SharedLog, async_trait};

use crate::dice::Dice;
use crate::time::{BEGINNING, Time};

/// Whether the model makes one of these mistakes that the engine could not make.
macro_rules! is_made {
    ($($bug:ident),+) => {{
        #[cfg(syncline_bugs)]
        let is_made = [$(syncline::bug::Bug::$bug),+].into_iter().any(syncline::bug::is);
        #[cfg(not(syncline_bugs))]
        let is_made = false;
        is_made
    }};
}

/// By how many milliseconds a stamp may be ahead of the hub's time.
const DRIFT: i64 = 5 * 60_000;

/// A hub that gives numbers when a transaction begins, as sequences of databases do, and commits later:
/// the hard case for readers, who may never skip a number that is still to come.
#[derive(Clone)]
pub(crate) struct Hub {
    number: usize,
    time: Arc<Time>,
    dice: Dice,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    segments: BTreeMap<u64, Segment>,
    /// Numbers that are given and not committed.
    open: BTreeSet<u64>,
    given: u64,
    chains: Chains,
    joined: BTreeSet<ReplicaId>,
    acknowledged: BTreeMap<ReplicaId, VersionVector>,
    /// Counts restarts: a transaction of an earlier life is gone.
    life: u64,
}

impl Hub {
    pub(crate) fn new(number: usize, time: Arc<Time>, dice: Dice) -> Self {
        Self { number, time, dice, state: Arc::default() }
    }

    /// Ends every transaction that is open, as a crash does.
    pub(crate) fn restart(&self) {
        let mut state = self.state();
        state.life += 1;
        state.open.clear();
    }

    /// Forgets everything behind a number, as a restore from a backup does.
    pub(crate) fn restore(&self, keep: usize) {
        self.restart();
        let mut state = self.state();
        let gone: Vec<u64> = state.segments.keys().skip(keep).copied().collect();
        for number in gone {
            let _ = state.segments.remove(&number);
        }
        state.given = state.segments.keys().next_back().copied().unwrap_or(0);
        state.chains = Chains::default();
        let spans: Vec<Span> = state.segments.values().map(|segment| *segment.span()).collect();
        for span in spans {
            let _ = state.chains.insert(span);
        }
    }

    pub(crate) fn segments(&self) -> usize {
        self.state().segments.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction: checks what comes, and gives it numbers.
    fn begin(&self, segments: &[Segment]) -> Result<(u64, Vec<(u64, Segment)>)> {
        let mut state = self.state();
        let mut coming = BTreeSet::new();
        for span in segments.iter().map(Segment::span) {
            if !state.chains.continues(span) && !coming.contains(&span.root()) {
                return Err(Error::new(ErrorKind::Rejoin, "append what comes before it again"));
            }
            let _ = coming.insert(span.tip());
        }
        let mut numbered = Vec::new();
        for segment in segments {
            state.given += 1;
            let number = state.given;
            let _ = state.open.insert(number);
            numbered.push((number, segment.clone()));
        }
        Ok((state.life, numbered))
    }

    /// Refuses what is stamped in the future, unless its stamps cannot change any more.
    fn check(&self, append: &Append) -> Result<()> {
        let latest = BEGINNING + self.time.now() + DRIFT;
        let ahead = |segment: &Segment| segment.header().greatest.millis() > latest;
        if !append.frozen && append.segments.iter().any(ahead) {
            return Err(Error::new(ErrorKind::ClockSkew, "a segment's stamps are in the future"));
        }
        Ok(())
    }

    async fn store(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let (life, numbered) = self.begin(segments)?;
        let numbers: Vec<u64> = numbered.iter().map(|(number, _)| *number).collect();
        let mut rollback = Rollback { hub: self, life, numbers };
        self.time.sleep(self.dice.between(0, 400)).await;
        rollback.numbers.clear();
        self.commit(life, numbered)
    }

    fn commit(&self, life: u64, numbered: Vec<(u64, Segment)>) -> Result<Vec<Receipt>> {
        let mut state = self.state();
        if state.life != life {
            return Err(Error::new(ErrorKind::Unavailable, "the simulated hub crashed"));
        }
        let mut receipts = Vec::new();
        for (number, segment) in numbered {
            let _ = state.open.remove(&number);
            let is_new = state.chains.insert(*segment.span());
            receipts.push(if is_new { Receipt::Stored } else { Receipt::Known });
            if is_new {
                let _ = state.segments.insert(number, segment);
            }
        }
        Ok(receipts)
    }
}

impl State {
    /// Up to here no number is still to come.
    fn horizon(&self) -> u64 {
        if is_made!(SkipsUncommitted) {
            return self.given;
        }
        self.open.first().map_or(self.given, |open| open - 1)
    }

    /// A cursor names everything up to it: a log that was restored may hold other things there.
    fn cursor(&self, number: u64) -> Cursor {
        let mut bytes = Vec::new();
        put_number(&mut bytes, number);
        if is_made!(SkipsUncommitted, EmptyFetchMovesCursor) {
            // Such hubs have nothing that would tell readers that they missed something.
            return Cursor(bytes);
        }
        let hash =
            self.segments.range(..=number).fold(LaneHash::default(), |hash, (number, segment)| {
                let span = segment.span();
                let ends = [&span.replica.0[..], &span.before.0, &span.after.0].concat();
                hash.then(&number.to_be_bytes()).then(&ends)
            });
        bytes.extend_from_slice(&hash.0);
        Cursor(bytes)
    }

    fn number(&self, cursor: &Cursor) -> Result<u64> {
        let number = Reader::new(&cursor.0).number().ok().filter(|number| *number <= self.given);
        number.filter(|number| self.cursor(*number) == *cursor).ok_or_else(|| {
            Error::new(
                ErrorKind::Rejoin,
                "the log does not know this cursor; fetch from what is known",
            )
        })
    }

    fn cut(&self, request: &Fetch) -> Result<(Vec<Segment>, u64, bool)> {
        let (from, lacking) = match &request.after {
            After::Cursor(cursor) => (self.number(cursor)?, None),
            After::Known(known) => {
                (0, Some(self.chains.lacking(known).into_iter().collect::<BTreeSet<Span>>()))
            }
        };
        let (mut segments, mut at, mut bytes, mut entries) = (Vec::new(), from, 0, 0);
        for (number, segment) in self
            .segments
            .range(from..=self.horizon().max(from))
            .filter(|(number, _)| **number > from)
        {
            if lacking.as_ref().is_some_and(|lacking| !lacking.contains(segment.span())) {
                continue;
            }
            bytes += segment.bytes().len();
            entries += segment.header().entries;
            let too_much = bytes > request.limit_bytes || entries > request.limit_entries;
            if too_much && !segments.is_empty() {
                return Ok((segments, at, true));
            }
            at = *number;
            segments.push(segment.clone());
        }
        if is_made!(EmptyFetchMovesCursor) && segments.is_empty() {
            return Ok((segments, self.given.max(from), false));
        }
        Ok((segments, self.horizon().max(from), false))
    }
}

#[async_trait]
impl SharedLog for Hub {
    fn name(&self) -> String {
        format!("hub {}", self.number)
    }

    async fn join(&self, replica: ReplicaId) -> Result<()> {
        let _ = self.state().joined.insert(replica);
        Ok(())
    }

    fn is_far(&self) -> bool {
        true
    }

    /// Like the questions one after another.
    async fn exchange(&self, request: &Exchange) -> Result<Exchanged> {
        if request.join {
            self.join(request.replica).await?;
        }
        if let Some(append) = &request.append {
            self.check(append)?;
        }
        if let Some(known) = &request.acknowledge {
            self.acknowledge(request.replica, known).await?;
        }
        let mut exchanged = Exchanged::default();
        if let Some(fetch) = &request.fetch {
            exchanged.fetched = Some(self.fetch(fetch).await?);
        }
        if let Some(append) = &request.append {
            let ends = self.state().chains.heads(request.replica);
            if append.only_if.holds(&ends) {
                exchanged.receipts = Some(self.store(&append.segments).await?);
            }
        }
        Ok(exchanged)
    }

    async fn append(&self, segments: &[Segment]) -> Result<Vec<Receipt>> {
        let segments = segments.to_vec();
        self.check(&Append {
            segments: segments.clone(),
            only_if: AppendIf::Always,
            frozen: false,
        })?;
        self.store(&segments).await
    }

    async fn fetch(&self, request: &Fetch) -> Result<Fetched> {
        let state = self.state();
        let (segments, at, more) = state.cut(request)?;
        Ok(Fetched {
            segments,
            cursor: state.cursor(at),
            more,
            own: state.chains.heads(request.replica),
            time: Some(BEGINNING + self.time.now()),
            damaged: Vec::new(),
        })
    }

    async fn acknowledge(&self, replica: ReplicaId, known: &VersionVector) -> Result<()> {
        let _ = self.state().acknowledged.insert(replica, known.clone());
        Ok(())
    }

    async fn peers(&self) -> Result<Vec<Peer>> {
        let state = self.state();
        let mut replicas = state.chains.replicas();
        replicas.extend(&state.joined);
        let peer = |replica: ReplicaId| Peer {
            replica,
            heads: state.chains.heads(replica),
            acknowledged: state.acknowledged.get(&replica).cloned().unwrap_or_default(),
        };
        Ok(replicas.into_iter().map(peer).collect())
    }
}

/// Takes the numbers of a transaction back whose request was given up.
struct Rollback<'a> {
    hub: &'a Hub,
    life: u64,
    numbers: Vec<u64>,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        if state.life == self.life {
            for number in &self.numbers {
                let _ = state.open.remove(number);
            }
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("segments", &self.segments()).finish_non_exhaustive()
    }
}
