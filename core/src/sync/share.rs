//! Sharing: own entries are cut into segments, the cuts frozen, the segments appended, then marked shared.

use super::{Session, SyncEvent};
use crate::client::{Cut, Head, SEGMENT, TRIES, bytes, find, int, is_overtaken, number};
use crate::log::{FORMAT, Header, Segment};
use crate::{Error, ErrorKind, Filter, Result};

/// How many bytes of segments one append carries, about.
const APPEND: usize = 8 << 20;

impl Session<'_> {
    /// Sends what the log lacks of the own lane, and of lanes that this database wrote under earlier ids.
    pub(super) async fn share(&mut self) -> Result<()> {
        let head = self.freeze_all().await?;
        let _ = self.remote.is_for(&head);
        if self.remote.replica != Some(head.replica) {
            self.shared.join(head.replica).await?;
            self.remote.replica = Some(head.replica);
            self.dirty = true;
        }
        self.share_earlier_lanes().await?;
        let from = self
            .held_of(&head)
            .await?
            .map_or(self.remote.shared, |held| held.min(self.remote.shared));
        match self.send_behind(&head, from).await {
            // The log lost what comes before: everything again, what it has it recognises.
            Err(error) if error.kind() == ErrorKind::Rejoin && from > 0 => {
                self.send_behind(&head, 0).await
            }
            other => other,
        }
    }

    /// How far the log holds the own lane, if it was asked in this sync.
    async fn held_of(&self, head: &Head) -> Result<Option<u64>> {
        let Some(tips) = &self.held else { return Ok(None) };
        let ours = tips.iter().filter(|tip| tip.replica == head.replica);
        Ok(Some(ours.map(|tip| tip.seq).filter(|seq| *seq <= head.frozen).max().unwrap_or(0)))
    }

    async fn freeze_all(&mut self) -> Result<Head> {
        let log = self.log;
        for _ in 0..TRIES {
            let mut cached = log.lock().await;
            let mut head = log.loaded(&mut cached).await?.clone();
            match self.restamp_and_freeze(&mut head).await {
                Ok(()) => {
                    *cached = Some(head.clone());
                    return Ok(head);
                }
                Err(error) => {
                    *cached = None;
                    if !is_overtaken(&error) {
                        return Err(error);
                    }
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; sync again"))
    }

    /// Cuts the own entries and folds them: nothing of this replica is outside the histories then.
    pub(super) async fn settle(&mut self, head: &mut Head) -> Result<()> {
        self.restamp_and_freeze(head).await?;
        self.log.fold(head).await
    }

    async fn restamp_and_freeze(&mut self, head: &mut Head) -> Result<()> {
        if head.frozen == head.seq {
            return Ok(());
        }
        self.restamp(head).await?;
        self.log.freeze(head, self.limits(), self.options.send_hook.as_ref()).await
    }

    async fn send_behind(&mut self, head: &Head, from: u64) -> Result<()> {
        let cuts = self.log.cuts_behind(head, from).await?;
        let mut waiting: Vec<Segment> = Vec::new();
        let mut size = 0;
        for cut in &cuts {
            let segment = self.seal(cut).await?;
            size += segment.bytes().len();
            waiting.push(segment);
            if size >= APPEND || self.options.single_batch {
                self.append(&mut waiting).await?;
                size = 0;
            }
            if self.options.single_batch {
                break;
            }
        }
        self.append(&mut waiting).await?;
        if self.options.single_batch && cuts.len() > 1 {
            self.report.finished = false;
        }
        Ok(())
    }

    async fn seal(&self, cut: &Cut) -> Result<Segment> {
        let canonical = self.log.cut_bytes(cut).await?;
        let codec = self.options.codec;
        let header = Header {
            format: FORMAT,
            group: self.log.group().clone(),
            group_epoch: 0,
            span: cut.span,
            entries: cut.span.last - cut.span.first + 1,
            greatest: cut.greatest,
            key_epoch: 0,
            codec: codec.number(),
            extensions: Vec::new(),
        };
        Ok(Segment::seal(header, &codec.encode(cut.span.first, &canonical)?))
    }

    /// Appends, and only then notes that it is shared.
    async fn append(&mut self, waiting: &mut Vec<Segment>) -> Result<()> {
        let segments = std::mem::take(waiting);
        let Some(last) = segments.last() else { return Ok(()) };
        let _ = self.shared.append(&segments).await?;
        self.remote.shared = last.span().last;
        self.dirty = true;
        self.count_shared(&segments);
        Ok(())
    }

    fn count_shared(&mut self, segments: &[Segment]) {
        let entries: u64 = segments.iter().map(|segment| segment.header().entries).sum();
        let bytes: u64 = segments.iter().map(|segment| segment.bytes().len() as u64).sum();
        self.report.shared += entries;
        self.report.bytes_sent += bytes;
        self.options.tell(SyncEvent::Shared { entries, bytes });
    }

    /// Lanes that this database wrote before it took a new id: nobody else may have them.
    async fn share_earlier_lanes(&mut self) -> Result<()> {
        let mine: Vec<_> = self.lanes.values().filter(|lane| lane.mine).cloned().collect();
        for lane in mine {
            let sent = self.remote.relayed.get(&lane.id).copied().unwrap_or(0);
            if sent >= lane.received {
                continue;
            }
            let behind = Filter::eq("lane", lane.id.as_str()).and(Filter::gt("last", int(sent)));
            for row in self.log.find_all(find(&SEGMENT, behind)).await? {
                if row.value("bytes").is_null() {
                    continue;
                }
                let segment = Segment::parse(bytes(&row, "bytes")?)?;
                let _ = self.shared.append(std::slice::from_ref(&segment)).await?;
                let _ = self.remote.relayed.insert(lane.id.clone(), number(&row, "last")?);
                self.dirty = true;
                self.count_shared(std::slice::from_ref(&segment));
            }
        }
        Ok(())
    }
}
