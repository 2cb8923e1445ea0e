//! Asking a log that is far: in the first round trip of a sync, it already gets what there is to share.

use super::share::APPEND;
use super::{Session, Stage};
use crate::client::{CUT, Head, find, hash, int};
use crate::log::{Append, AppendIf, Exchange, Exchanged, Fetch, Fetched, Segment, Tip};
use crate::{ErrorKind, Filter, Result};

impl Session<'_> {
    /// Asks for a page. A log that is far hears on the same way what is durably received, and the first
    /// time gets the own entries that it lacks.
    pub(super) async fn ask(&mut self, head: &Head, fetch: &Fetch) -> Result<Fetched> {
        if !self.shared.is_far() {
            return self.shared.fetch(fetch).await;
        }
        let append = if std::mem::replace(&mut self.is_open, true) {
            None
        } else {
            self.opening(head).await?
        };
        let known = self.received(head);
        let mut request = Exchange::of(head.replica);
        request.acknowledge = (known != self.remote.acknowledged).then_some(known);
        request.fetch = Some(fetch.clone());
        request.append = append;
        let answer = match self.shared.exchange(&request).await {
            // With the log's time at hand it goes the way of other logs: page first, then share.
            Err(error) if error.kind() == ErrorKind::ClockSkew && request.append.is_some() => {
                request.append = None;
                self.shared.exchange(&request).await?
            }
            other => other?,
        };
        let Exchanged { fetched, receipts } = answer;
        let mut fetched = fetched.ok_or_else(|| {
            crate::Error::corrupt("the shared log answered without the page that it was asked for")
        })?;
        if let Some(known) = request.acknowledge {
            self.remote.acknowledged = known;
            self.dirty = true;
        }
        if let (Some(append), Some(_)) = (request.append, receipts) {
            self.note_opened(&append.segments, &mut fetched);
        }
        Ok(fetched)
    }

    /// The log has these now, though its answer was made before it took them.
    fn note_opened(&mut self, segments: &[Segment], fetched: &mut Fetched) {
        if let Some(last) = segments.last() {
            fetched.own = vec![last.span().tip()];
            self.remote.shared = last.span().last;
            self.dirty = true;
        }
        self.opened = segments.to_vec();
    }

    /// What can be sent before the log has said anything: own entries behind those it is known to have, if
    /// it is certain that no entry would have to be stamped anew.
    ///
    /// That is certain if this clock was right when the log last answered, has not gone back behind that
    /// moment, and no own stamp lies further behind it than clocks may differ.
    async fn opening(&mut self, head: &Head) -> Result<Option<Append>> {
        let is_simple = self.options.does(Stage::Share)
            && self.options.continue_sync.is_none()
            && !self.options.single_batch;
        let is_known = self.remote.replica == Some(head.replica) && self.remote.cursor.is_some();
        if !is_simple || !is_known || self.log_lost || !self.is_on_time(head) {
            return Ok(None);
        }
        let Some(end) = self.shared_end(head).await? else { return Ok(None) };
        let head = self.freeze_some().await?;
        if self.remote.replica != Some(head.replica) {
            return Ok(None);
        }
        let (mut segments, mut size) = (Vec::new(), 0);
        for cut in self.log.cuts_behind(&head, self.remote.shared).await? {
            let Some(segment) = self.seal(&cut).await? else { return Ok(None) };
            size += segment.bytes().len();
            segments.push(segment);
            if size >= APPEND {
                break;
            }
        }
        let only_if = AppendIf::LaneEndsAt(end);
        Ok((!segments.is_empty()).then_some(Append { segments, only_if, frozen: false }))
    }

    fn is_on_time(&self, head: &Head) -> bool {
        let Some((theirs, ours)) = self.time.or(self.heard) else {
            return false;
        };
        let drift = i64::try_from(self.log.config().drift.as_millis()).unwrap_or(i64::MAX);
        theirs.saturating_sub(ours).saturating_abs() <= drift
            && self.log.now() >= ours
            && head.clock.last().millis() <= theirs.saturating_add(drift)
            && head.ahead.is_empty()
    }

    /// Where the own lane ends in the log, as far as this database knows; nothing if it cannot tell.
    async fn shared_end(&self, head: &Head) -> Result<Option<Option<Tip>>> {
        let seq = self.remote.shared;
        if seq == 0 {
            return Ok(Some(None));
        }
        if seq == head.frozen {
            return Ok(Some(Some(head.tip())));
        }
        let cut = find(&CUT, Filter::eq("last", int(seq)).and(Filter::lte("first", int(seq))));
        let row = self.log.find(cut.limit(1)).await?.objects.pop();
        let place = |after| Some(Tip { replica: head.replica, seq, hash: after });
        row.map(|row| hash(&row, "after").map(place)).transpose()
    }
}
