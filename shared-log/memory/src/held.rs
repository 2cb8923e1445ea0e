//! What the log holds, numbered in the order it came.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::ReplicaId;
use syncline_core::log::chain::Chains;
use syncline_core::log::{
    After, Cursor, Fetch, LaneHash, Peer, Receipt, Segment, Span, VersionVector,
};
use syncline_core::value::canonical::{Reader, put_number};

use crate::error::MemoryError;

/// Everything the log holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    segments: Vec<Numbered>,
    chains: Chains,
    joined: BTreeSet<ReplicaId>,
    acknowledged: BTreeMap<ReplicaId, VersionVector>,
}

/// A segment at its number, which is its place in the list, from 1.
#[derive(Clone, Debug)]
struct Numbered {
    segment: Segment,
    /// Of all segments up to this one. Its own hash would not do: a log that was restored may hold
    /// the same segment at the same number behind others than before.
    hash: LaneHash,
}

/// A part of the log, cut out for one answer.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) segments: Vec<Segment>,
    pub(crate) cursor: Cursor,
    pub(crate) more: bool,
}

impl Held {
    pub(crate) fn join(&mut self, replica: ReplicaId) {
        let _ = self.joined.insert(replica);
    }

    pub(crate) fn acknowledge(&mut self, replica: ReplicaId, known: VersionVector) {
        let _ = self.acknowledged.insert(replica, known);
    }

    pub(crate) fn chains(&self) -> &Chains {
        &self.chains
    }

    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }

    /// Takes all segments or none.
    pub(crate) fn append(&mut self, segments: &[Segment]) -> Result<Vec<Receipt>, MemoryError> {
        let (mut receipts, mut coming) = (Vec::with_capacity(segments.len()), BTreeSet::new());
        for span in segments.iter().map(Segment::span) {
            if !self.chains.continues(span) && !coming.contains(&span.root()) {
                return Err(MemoryError::Gap { span: *span });
            }
            let _ = coming.insert(span.tip());
        }
        for segment in segments {
            let span = segment.span();
            if self.chains.insert(*span) {
                let hash = self.hash_at(self.segments.len()).then(&span.to_bytes());
                self.segments.push(Numbered { segment: segment.clone(), hash });
                receipts.push(Receipt::Stored);
            } else {
                receipts.push(Receipt::Known);
            }
        }
        Ok(receipts)
    }

    /// What the caller may lack, within its limits.
    pub(crate) fn cut(&self, request: &Fetch) -> Result<Cut, MemoryError> {
        let (from, lacking) = match &request.after {
            After::Cursor(cursor) => (self.number_of(cursor)?, None),
            After::Known(known) => {
                let lacking: BTreeSet<Span> = self.chains.lacking(known).into_iter().collect();
                (0, Some(lacking))
            }
        };
        let is_lacking = |segment: &Segment| {
            lacking.as_ref().is_none_or(|lacking| lacking.contains(segment.span()))
        };
        let (mut segments, mut bytes, mut entries) = (Vec::new(), 0, 0);
        let mut number = from;
        for (at, numbered) in self.segments.iter().enumerate().skip(from) {
            let segment = &numbered.segment;
            if !is_lacking(segment) {
                continue;
            }
            bytes += segment.bytes().len();
            entries += segment.header().entries;
            let too_much = bytes > request.limit_bytes || entries > request.limit_entries;
            if too_much && !segments.is_empty() {
                return Ok(Cut { segments, cursor: self.cursor(number), more: true });
            }
            segments.push(segment.clone());
            number = at + 1;
        }
        Ok(Cut { segments, cursor: self.cursor(self.segments.len()), more: false })
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        let mut replicas = self.chains.replicas();
        replicas.extend(&self.joined);
        replicas.extend(self.acknowledged.keys());
        let peer = |replica: ReplicaId| Peer {
            replica,
            heads: self.chains.heads(replica),
            acknowledged: self.acknowledged.get(&replica).cloned().unwrap_or_default(),
        };
        replicas.into_iter().map(peer).collect()
    }

    /// Forgets all segments behind this number.
    pub(crate) fn truncate(&mut self, number: usize) {
        self.segments.truncate(number);
        self.chains = Chains::default();
        for numbered in &self.segments {
            let _ = self.chains.insert(*numbered.segment.span());
        }
    }

    fn hash_at(&self, number: usize) -> LaneHash {
        let last = number.checked_sub(1).and_then(|at| self.segments.get(at));
        last.map_or_else(LaneHash::default, |numbered| numbered.hash)
    }

    fn cursor(&self, number: usize) -> Cursor {
        let mut bytes = Vec::new();
        put_number(&mut bytes, number as u64);
        bytes.extend_from_slice(&self.hash_at(number).0);
        Cursor(bytes)
    }

    fn number_of(&self, cursor: &Cursor) -> Result<usize, MemoryError> {
        let mut reader = Reader::new(&cursor.0);
        let number = reader.number().ok().and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| *number <= self.segments.len());
        let number = number.ok_or(MemoryError::UnknownCursor)?;
        if *cursor != self.cursor(number) {
            return Err(MemoryError::UnknownCursor);
        }
        Ok(number)
    }
}
