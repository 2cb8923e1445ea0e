//! Sharing: own entries are cut into segments, the cuts frozen, the segments appended, then marked shared.

use super::{Session, SyncEvent};
use crate::bug::{self, Bug};
use crate::client::{Cut, Head, Lane, SEGMENT, TRIES, bytes, find, hash, is_overtaken, number};
use crate::log::{Append, AppendIf, Exchange, Segment, Tip};
use crate::{Error, ErrorKind, Filter, Result};

/// How many bytes of segments one append carries, about.
pub(super) const APPEND: usize = 4 << 20;

impl Session<'_> {
    /// Sends what the log lacks of the own lane, and of lanes that this database wrote under earlier ids.
    pub(super) async fn share(&mut self) -> Result<()> {
        let opened = std::mem::take(&mut self.opened);
        if !opened.is_empty() {
            self.count_shared(&opened);
        }
        let head = self.freeze_all().await?;
        let _ = self.remote.is_for(&head);
        if self.remote.replica != Some(head.replica) {
            self.shared.join(head.replica).await?;
            self.remote.replica = Some(head.replica);
            self.dirty = true;
        }
        self.pass_on_lanes().await?;
        let from =
            self.held_of(&head).map_or(self.remote.shared, |held| held.min(self.remote.shared));
        match self.send_behind(&head, from).await {
            // The log lost what comes before: everything again, what it has it recognises.
            Err(error) if error.kind() == ErrorKind::Rejoin && from > 0 => {
                self.send_behind(&head, 0).await
            }
            other => other,
        }
    }

    /// How far the log holds the own lane, if it was asked in this sync.
    fn held_of(&self, head: &Head) -> Option<u64> {
        let tips = self.held.as_ref()?;
        let ours = tips.iter().filter(|tip| tip.replica == head.replica);
        Some(ours.map(|tip| tip.seq).filter(|seq| *seq <= head.frozen).max().unwrap_or(0))
    }

    pub(super) async fn freeze_all(&mut self) -> Result<Head> {
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
        let before = head.rev;
        self.log.fold(head).await?;
        self.moved_on(before, head);
        Ok(())
    }

    async fn restamp_and_freeze(&mut self, head: &mut Head) -> Result<()> {
        if head.frozen == head.seq {
            return Ok(());
        }
        let before = head.rev;
        self.restamp(head).await?;
        self.log.freeze(head, self.limits(), self.options.send_hook.as_ref()).await?;
        self.moved_on(before, head);
        Ok(())
    }

    async fn send_behind(&mut self, head: &Head, from: u64) -> Result<()> {
        let held = self.held_of(head).unwrap_or(0);
        let cuts = self.log.cuts_behind(head, from).await?;
        let mut waiting: Vec<Segment> = Vec::new();
        let mut size = 0;
        for cut in &cuts {
            let Some(segment) = self.seal(cut).await? else {
                self.pass_over(cut, held)?;
                continue;
            };
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

    /// The segment of a cut; nothing if its entries were cleaned away.
    pub(super) async fn seal(&self, cut: &Cut) -> Result<Option<Segment>> {
        let canonical = self.log.cut_bytes(cut).await?;
        if canonical.is_empty() {
            return Ok(None);
        }
        cut.seal(self.log.group(), self.options.codec, &canonical).map(Some)
    }

    /// What was cleaned away need not be sent if the log has it: a process may have cleaned up and died
    /// before it noted what it had shared, or another one may have noted less since.
    fn pass_over(&mut self, cut: &Cut, held: u64) -> Result<()> {
        if cut.span.last > held {
            return Err(Error::new(
                ErrorKind::Rejoin,
                "the shared log lost entries that every member had, and this database keeps them no more; \
                 restore the log from a newer backup",
            )
            .with("first", cut.span.first)
            .with("last", cut.span.last));
        }
        self.remote.shared = cut.span.last;
        self.dirty = true;
        Ok(())
    }

    /// Appends, and only then notes that it is shared.
    async fn append(&mut self, waiting: &mut Vec<Segment>) -> Result<()> {
        let segments = std::mem::take(waiting);
        let Some(last) = segments.last() else { return Ok(()) };
        if bug::is(Bug::MarksSharedFirst) {
            self.remote.shared = last.span().last;
            let _ = self.log.write(vec![self.remote.store()]).await?;
        }
        self.send(&segments).await?;
        self.remote.shared = last.span().last;
        self.dirty = true;
        self.count_shared(&segments);
        Ok(())
    }

    /// Appends segments whose stamps cannot change any more: what was stamped right was stamped so before it
    /// was cut, and what still lies ahead of the log's time has to go as it is.
    async fn send(&self, segments: &[Segment]) -> Result<()> {
        match self.shared.append(segments).await {
            Err(error) if error.kind() == ErrorKind::ClockSkew => {
                let mut request = Exchange::of(self.log.replica().await?);
                let (segments, only_if) = (segments.to_vec(), AppendIf::Always);
                request.append = Some(Append { segments, only_if, frozen: true });
                self.shared.exchange(&request).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    fn count_shared(&mut self, segments: &[Segment]) {
        let entries: u64 = segments.iter().map(|segment| segment.header().entries).sum();
        let bytes: u64 = segments.iter().map(|segment| segment.bytes().len() as u64).sum();
        self.report.shared += entries;
        self.report.bytes_sent += bytes;
        self.options.tell(SyncEvent::Shared { entries, bytes });
    }

    /// Lanes that this database wrote before it took a new id: nobody else may have them. The log is asked
    /// each time, because it may have been restored from a backup that lacks them. If it lost something,
    /// other lanes are passed on too, because who wrote them may be gone.
    async fn pass_on_lanes(&mut self) -> Result<()> {
        let all = self.lanes.values().filter(|lane| lane.mine || self.log_lost);
        let all: Vec<Lane> = all.cloned().collect();
        if all.is_empty() && !self.log_lost {
            return Ok(());
        }
        let peers = self.shared.peers().await?;
        let heads: Vec<Tip> = peers.into_iter().flat_map(|peer| peer.heads).collect();
        for lane in all.iter().filter(|lane| !heads.contains(&lane.tip())) {
            match self.pass_on(lane, &heads).await {
                // What comes before was cleaned away here: somebody else has to pass it on.
                Err(error) if error.kind() == ErrorKind::Rejoin => {}
                other => other?,
            }
        }
        if self.log_lost {
            (self.remote.cursor, self.dirty) = (self.at.clone(), true);
        }
        Ok(())
    }

    async fn pass_on(&mut self, lane: &Lane, heads: &[Tip]) -> Result<()> {
        let of_lane = Filter::eq("lane", lane.id.as_str());
        let rows = self.log.find_all(find(&SEGMENT, of_lane)).await?;
        let mut lacking = 0;
        for (position, row) in (1..).zip(&rows) {
            let (seq, hash) = (number(row, "last")?, hash(row, "after")?);
            if heads.contains(&Tip { replica: lane.replica, seq, hash }) {
                lacking = position;
            }
        }
        for row in rows.iter().skip(lacking).filter(|row| !row.value("bytes").is_null()) {
            let segment = Segment::parse(bytes(row, "bytes")?)?;
            self.send(std::slice::from_ref(&segment)).await?;
            self.count_shared(std::slice::from_ref(&segment));
        }
        Ok(())
    }
}
