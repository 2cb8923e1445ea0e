//! Sharing: own entries are cut into segments, the cuts frozen, the segments appended, then marked shared.

use super::{Session, SyncEvent};
use crate::bug::{self, Bug};
use crate::client::{
    Cut, Head, Lane, Objects, SEGMENT, TRIES, bytes, find, hash, is_overtaken, number,
};
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
        let mut head = self.freeze_some().await?;
        // What is written meanwhile is shared next time: somebody may write all the time.
        let goal = head.seq;
        self.join_as(&head).await?;
        self.pass_on_lanes().await?;
        let mut held = self.held_of(&head);
        loop {
            self.send_all_behind(&head, held.take()).await?;
            // Of another process that took a new id, there may be less than there was.
            let is_all = head.frozen >= goal.min(head.seq);
            if is_all || self.options.single_batch {
                self.report.finished &= is_all;
                return Ok(());
            }
            head = self.freeze_some().await?;
            self.join_as(&head).await?;
        }
    }

    async fn join_as(&mut self, head: &Head) -> Result<()> {
        if !self.remote.is_for(head) {
            self.shared.join(head.replica).await?;
            self.remote.replica = Some(head.replica);
            self.dirty = true;
        }
        Ok(())
    }

    /// Sends all cuts that the log lacks; `held` says how far it has them, if it was asked.
    async fn send_all_behind(&mut self, head: &Head, held: Option<u64>) -> Result<()> {
        let from = held.map_or(self.remote.shared, |held| held.min(self.remote.shared));
        match self.send_behind(head, from, held.unwrap_or(0)).await {
            // The log lost what comes before: everything again, what it has it recognises.
            Err(error) if error.kind() == ErrorKind::Rejoin && from > 0 => {
                self.send_behind(head, 0, held.unwrap_or(0)).await
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

    /// Cuts own entries, as many as go in one append; all of them if they had to be stamped anew.
    pub(super) async fn freeze_some(&mut self) -> Result<Head> {
        let log = self.log;
        for _ in 0..TRIES {
            let mut cached = log.lock().await;
            let mut head = log.loaded(&mut cached).await?.clone();
            let all = match self.restamp(&mut head).await {
                Ok(restamped) => self.freeze(&mut head, restamped).await,
                Err(error) => Err(error),
            };
            match all {
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
        let _ = self.restamp(head).await?;
        self.freeze(head, true).await?;
        let before = head.rev;
        self.log.fold(head).await?;
        self.moved_on(before, head);
        Ok(())
    }

    /// Cuts the own entries and folds most of them; hands out the last ones, to be merged together with what
    /// comes in. The head moves on as if they were folded, the stored one stays behind the lock.
    pub(super) async fn gather(
        &mut self,
        head: &mut Head,
        cached: &mut Option<Head>,
    ) -> Result<Objects> {
        let _ = self.restamp(head).await?;
        self.freeze(head, true).await?;
        let before = head.rev;
        let (objects, next) = self.log.fold_but_last(head).await?;
        self.moved_on(before, head);
        *cached = Some(std::mem::replace(head, next));
        Ok(objects)
    }

    /// Cuts own entries: all, or as many as go in one append. What was cut last stays at hand to be sealed.
    async fn freeze(&mut self, head: &mut Head, all: bool) -> Result<()> {
        self.frozen.clear();
        let mut size = 0;
        while head.frozen < head.seq && (all || size < APPEND) {
            let before = head.rev;
            let hook = self.options.send_hook.as_ref();
            let cuts = self.log.freeze(head, self.limits(), hook).await?;
            self.moved_on(before, head);
            if all {
                self.frozen.clear();
            }
            size += cuts.iter().map(|frozen| frozen.canonical.len()).sum::<usize>();
            self.frozen.extend(cuts);
        }
        Ok(())
    }

    async fn send_behind(&mut self, head: &Head, from: u64, held: u64) -> Result<()> {
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
    pub(super) async fn seal(&mut self, cut: &Cut) -> Result<Option<Segment>> {
        let at_hand = self.frozen.iter_mut().find(|frozen| frozen.cut.span == cut.span);
        let canonical = match at_hand.map(|frozen| std::mem::take(&mut frozen.canonical)) {
            Some(canonical) if !canonical.is_empty() => canonical,
            _ => self.log.cut_bytes(cut).await?,
        };
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
