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

    /// Cuts the next own entries that are not cut yet, as many as are read at once, and hands out what it cut.
    /// Their hashes are stored, and from then on they never change. The hook sees each entry once, in the same
    /// batch that freezes it.
    pub(crate) async fn freeze(
        &self,
        head: &mut Head,
        limits: CutLimits,
        hook: Option<&Arc<dyn SendHook>>,
    ) -> Result<Vec<Frozen>> {
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
            cutting.add(seq, frozen)?;
        }
        let cuts = cutting.done;
        let Some(last) = cuts.last() else {
            return Err(self.missing(head, head.frozen).await?);
        };
        (next.frozen, next.frozen_hash) = (last.cut.span.last, last.cut.span.after);
        steps.extend(cuts.iter().map(|frozen| store_cut(&frozen.cut)));
        steps.push(next.store());
        let _ = self.write(steps).await?;
        *head = next;
        Ok(cuts)
    }

    /// Why there are no own entries behind a place where there should be some.
    async fn missing(&self, head: &Head, behind: u64) -> Result<crate::Error> {
        // Unless another process took a new id meanwhile, and put them away.
        let _ = self.write(vec![head.guard()]).await?;
        let problem = "own entries are missing from the client log; restore the database";
        Ok(crate::Error::corrupt(problem).with("behind", behind))
    }

    /// Folds all cut entries into the histories of their objects.
    pub(crate) async fn fold(&self, head: &mut Head) -> Result<()> {
        let (objects, next) = self.fold_but_last(head).await?;
        if next.folded > head.folded { self.fold_page(head, objects, next).await } else { Ok(()) }
    }

    /// Folds cut entries until no more are left than are read at once; hands those out, and the head as it is
    /// once they are folded in, too.
    pub(crate) async fn fold_but_last(&self, head: &mut Head) -> Result<(Objects, Head)> {
        loop {
            let mut next = head.clone();
            let mut objects = Objects::default();
            if head.folded < head.frozen {
                objects = self.unfolded(&mut next).await?;
            }
            if next.folded == next.frozen {
                return Ok((objects, next));
            }
            if next.folded == head.folded {
                return Err(self.missing(head, head.folded).await?);
            }
            self.fold_page(head, objects, next).await?;
        }
    }

    async fn fold_page(&self, head: &mut Head, objects: Objects, mut next: Head) -> Result<()> {
        let mut witnesses = Witnesses::default();
        let guard = vec![head.guard()];
        let mut steps = self.merge(objects, &mut witnesses, Rows::Write, guard).await?.steps;
        steps.push(next.store());
        let _ = self.write(steps).await?;
        *head = next;
        Ok(())
    }

    /// The next cut entries that are not folded in yet; the head moves on as if they were.
    async fn unfolded(&self, head: &mut Head) -> Result<Objects> {
        let up_to = Filter::gt("seq", int(head.folded)).and(Filter::lte("seq", int(head.frozen)));
        let mut question = Self::entries_behind(head.folded);
        question.filter = up_to;
        let mut objects = Objects::default();
        for row in &self.find(question).await?.objects {
            let (seq, stored) = (number(row, "seq")?, bytes(row, "entry")?);
            head.folded_hash = head.folded_hash.then(stored);
            head.folded = seq;
            let entry = Entry::from_bytes(seq, stored)?;
            let tie = head.folded_hash.tie();
            let author = Author { stamp: entry.stamp, replica: head.replica, seq, tie };
            if let Some(write) = entry.write {
                objects.add_own(write.collection, write.key, Incoming { author, op: write.op });
            }
        }
        if head.folded == head.seq {
            head.is_level();
        }
        Ok(objects)
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

/// A cut with the canonical bytes of its entries, one behind the other.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub cut: Cut,
    pub canonical: Vec<u8>,
}

/// Gathers entries into cuts, each as large as it may be.
struct Cutting {
    limits: CutLimits,
    done: Vec<Frozen>,
    place: Span,
}

impl Cutting {
    fn new(head: &Head, limits: CutLimits) -> Self {
        let (replica, hash) = (head.replica, head.frozen_hash);
        let place = Span { replica, first: 0, last: head.frozen, before: hash, after: hash };
        Self { limits, done: Vec::new(), place }
    }

    fn add(&mut self, seq: u64, canonical: &[u8]) -> Result<()> {
        let stamp = Entry::read_stamp(seq, &mut Reader::new(canonical))?;
        let hash: LaneHash = self.place.after;
        let is_full = |open: &Frozen| {
            open.cut.span.last - open.cut.span.first + 1 >= self.limits.entries
                || open.canonical.len() + canonical.len() > self.limits.bytes
        };
        if self.done.last().is_none_or(is_full) {
            let span = Span { first: seq, last: seq, before: hash, after: hash, ..self.place };
            self.done.push(Frozen { cut: Cut { span, greatest: stamp }, canonical: Vec::new() });
        }
        if let Some(Frozen { cut, canonical: bytes }) = self.done.last_mut() {
            cut.span.last = seq;
            cut.span.after = hash.then(canonical);
            cut.greatest = cut.greatest.max(stamp);
            self.place = cut.span;
            bytes.extend_from_slice(canonical);
        }
        Ok(())
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
