//! Cutting own entries into segments, and folding them into the histories.

use std::sync::Arc;

use super::objects::Rows;
use super::{
    CUT, ClientLog, ENTRY, Head, Objects, SendHook, Witnesses, blob, bytes, find, int, number, put,
};
use crate::log::{Codec, Entry, FORMAT, Header, LaneHash, Segment, Span};
use crate::merge::{Author, Incoming};
use crate::query::Find;
use crate::value::canonical::Reader;
use crate::{Filter, Group, Object, Result, Stamp, Step};

/// How large segments become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutLimits {
    pub entries: u64,
    pub bytes: usize,
}

/// A run of own entries that becomes one segment, fixed before it is first sent.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub span: Span,
    pub greatest: Stamp,
}

impl Cut {
    /// Seals the cut's entries, whose canonical bytes stand one behind the other.
    pub(crate) fn seal(&self, group: &Group, codec: Codec, canonical: &[u8]) -> Result<Segment> {
        let span = self.span;
        let header = Header {
            format: FORMAT,
            group: group.clone(),
            group_epoch: 0,
            span,
            entries: span.last - span.first + 1,
            greatest: self.greatest,
            key_epoch: 0,
            codec: codec.number(),
            extensions: Vec::new(),
        };
        Ok(Segment::seal(header, &codec.encode(span.first, canonical)?))
    }
}

/// How many bytes of entries are read at once.
const READ: usize = 4 << 20;

impl ClientLog {
    /// Own entries behind a place, in order, as much as is read at once.
    pub(crate) fn entries_behind(seq: u64) -> Find {
        let mut question = find(&ENTRY, Filter::gt("seq", int(seq)));
        question.page_bytes = READ;
        question.page_objects = 100_000;
        question
    }

    /// Cuts all own entries that are not cut yet. Their hashes are stored, and from then on they never
    /// change. The hook sees each entry once, in the same batch that freezes it.
    pub(crate) async fn freeze(
        &self,
        head: &mut Head,
        limits: CutLimits,
        hook: Option<&Arc<dyn SendHook>>,
    ) -> Result<()> {
        while head.frozen < head.seq {
            let page = self.find(Self::entries_behind(head.frozen)).await?;
            let mut next = head.clone();
            let mut steps = vec![head.guard()];
            let mut cutting = Cutting::new(&next, limits);
            for row in &page.objects {
                let seq = number(row, "seq")?;
                let stored = bytes(row, "entry")?;
                let changed = hook.map(|hook| rewritten(hook.as_ref(), seq, stored)).transpose()?;
                if let Some(changed) = changed.as_ref().and_then(Option::as_ref) {
                    let entry = Object::new().with("entry", blob(changed));
                    steps.push(super::change(&ENTRY, int(seq), entry));
                }
                let frozen = changed.as_ref().and_then(Option::as_deref).unwrap_or(stored);
                if let Some(cut) = cutting.add(seq, frozen)? {
                    steps.push(store_cut(&cut));
                }
            }
            let Some(cut) = cutting.finish() else {
                // Unless another process took a new id meanwhile, and put them away.
                let _ = self.write(vec![head.guard()]).await?;
                return Err(crate::Error::corrupt(
                    "own entries are missing from the client log; restore the database",
                )
                .with("behind", head.frozen));
            };
            next.frozen = cut.span.last;
            next.frozen_hash = cut.span.after;
            steps.push(store_cut(&cut));
            steps.push(next.store());
            let _ = self.write(steps).await?;
            *head = next;
        }
        Ok(())
    }

    /// Folds all cut entries into the histories of their objects.
    pub(crate) async fn fold(&self, head: &mut Head) -> Result<()> {
        while head.folded < head.frozen {
            let up_to =
                Filter::gt("seq", int(head.folded)).and(Filter::lte("seq", int(head.frozen)));
            let mut question = Self::entries_behind(head.folded);
            question.filter = up_to;
            let page = self.find(question).await?;
            let mut next = head.clone();
            let mut objects = Objects::default();
            for row in &page.objects {
                let (seq, stored) = (number(row, "seq")?, bytes(row, "entry")?);
                next.folded_hash = next.folded_hash.then(stored);
                next.folded = seq;
                let entry = Entry::from_bytes(seq, stored)?;
                let tie = next.folded_hash.tie();
                let author = Author { stamp: entry.stamp, replica: head.replica, seq, tie };
                if let Some(write) = entry.write {
                    objects.add(write.collection, write.key, Incoming { author, op: write.op });
                }
            }
            let merged = self.merge(objects, &mut Witnesses::default(), Rows::Keep).await?;
            if next.folded == next.seq {
                next.ahead.clear();
            }
            let mut steps = vec![head.guard()];
            steps.extend(merged.steps);
            steps.push(next.store());
            let _ = self.write(steps).await?;
            *head = next;
        }
        Ok(())
    }

    /// The cuts that begin behind a place, in order.
    pub(crate) async fn cuts_behind(&self, head: &Head, seq: u64) -> Result<Vec<Cut>> {
        let rows = self.find_all(find(&CUT, Filter::gt("first", int(seq)))).await?;
        rows.iter().map(|row| read_cut(head, row)).collect()
    }

    /// The canonical bytes of a cut's entries, one behind the other.
    pub(crate) async fn cut_bytes(&self, cut: &Cut) -> Result<Vec<u8>> {
        let run =
            Filter::gte("seq", int(cut.span.first)).and(Filter::lte("seq", int(cut.span.last)));
        let mut question = Self::entries_behind(0);
        question.filter = run;
        let mut canonical = Vec::new();
        for row in self.find_all(question).await? {
            canonical.extend_from_slice(bytes(&row, "entry")?);
        }
        Ok(canonical)
    }
}

fn rewritten(hook: &dyn SendHook, seq: u64, stored: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut entry = Entry::from_bytes(seq, stored)?;
    let withheld = entry.write.as_mut().is_some_and(|write| !hook.send(write));
    if withheld {
        entry.write = None;
    }
    let bytes = entry.to_bytes();
    Ok((bytes != stored).then_some(bytes))
}

/// Gathers entries into a cut until it is full.
struct Cutting {
    limits: CutLimits,
    open: Option<Cut>,
    size: usize,
    place: Span,
}

impl Cutting {
    fn new(head: &Head, limits: CutLimits) -> Self {
        let (replica, hash) = (head.replica, head.frozen_hash);
        let place = Span { replica, first: 0, last: head.frozen, before: hash, after: hash };
        Self { limits, open: None, size: 0, place }
    }

    /// Adds an entry; a cut that is full comes back.
    fn add(&mut self, seq: u64, canonical: &[u8]) -> Result<Option<Cut>> {
        let stamp = Entry::read_stamp(seq, &mut Reader::new(canonical))?;
        let hash: LaneHash = self.place.after;
        let full = self.open.as_ref().is_some_and(|cut| {
            cut.span.last - cut.span.first + 1 >= self.limits.entries
                || self.size + canonical.len() > self.limits.bytes
        });
        let done = if full { self.open.take() } else { None };
        if done.is_some() {
            self.size = 0;
        }
        let start = Span { first: seq, last: seq, before: hash, after: hash, ..self.place };
        let cut = self.open.get_or_insert(Cut { span: start, greatest: stamp });
        cut.span.last = seq;
        cut.span.after = hash.then(canonical);
        cut.greatest = cut.greatest.max(stamp);
        self.place = cut.span;
        self.size += canonical.len();
        Ok(done)
    }

    fn finish(self) -> Option<Cut> {
        self.open
    }
}

fn store_cut(cut: &Cut) -> Step {
    let row = Object::new()
        .with("after", blob(&cut.span.after.0))
        .with("before", blob(&cut.span.before.0))
        .with("first", int(cut.span.first))
        .with("greatest", int(cut.greatest.bits()))
        .with("last", int(cut.span.last));
    put(&CUT, row)
}

fn read_cut(head: &Head, row: &Object) -> Result<Cut> {
    let span = Span {
        replica: head.replica,
        first: number(row, "first")?,
        last: number(row, "last")?,
        before: super::hash(row, "before")?,
        after: super::hash(row, "after")?,
    };
    Ok(Cut { span, greatest: Stamp::from_bits(number(row, "greatest")?)? })
}
