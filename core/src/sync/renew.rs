//! A new replica id, for a database that was cloned or restored from a backup.

use super::{Session, SyncEvent};
use crate::bug::{self, Bug};
use crate::client::{CUT, ENTRY, Head, Lane, store_segment};
use crate::log::{Codec, Known};
use crate::{Filter, ReplicaId, Result, Step};

impl Session<'_> {
    /// Takes a new replica id. The own lane so far becomes one like anyone's, that this database keeps and
    /// passes on, so that no entry of it is lost; what is written from now on begins a new lane.
    pub(super) async fn renew(&mut self, head: &mut Head) -> Result<()> {
        self.settle(head).await?;
        let old = head.replica;
        // Another process may have written since: then its entry has to be cut first.
        let mut steps = vec![head.guard(), Head::ends_at(head.frozen)];
        if bug::is(Bug::RenewsBlindly) {
            steps.truncate(1);
        }
        let cuts = self.log.cuts_behind(head, 0).await?;
        let start = crate::log::lane_start(self.log.group(), old);
        let root = crate::log::Tip { replica: old, seq: 0, hash: start };
        let mut lane = Lane::behind(root, None);
        for cut in &cuts {
            let canonical = self.log.cut_bytes(cut).await?;
            // What everybody has was cleaned away; its place is enough.
            let segment = match canonical.is_empty() {
                true => None,
                false => Some(cut.seal(self.log.group(), Codec::Packed, &canonical)?),
            };
            let bytes = segment.as_ref().map(|segment| &**segment.bytes());
            steps.push(store_segment(&lane.id, &cut.span, bytes));
        }
        (lane.received, lane.received_hash) = (head.frozen, head.frozen_hash);
        (lane.applied, lane.applied_hash) = (head.frozen, head.frozen_hash);
        // What the entries say, which may be less than what is applied by now.
        lane.context = self.log.context_before(&lane.id, head.frozen).await?;
        lane.mine = true;
        steps.push(lane.store());
        for collection in [&ENTRY, &CUT] {
            let (collection, filter) = ((**collection).clone(), Filter::All);
            steps.push(Step::Delete { collection, filter, limit: None });
        }
        let new = ReplicaId(self.log.config().random.bytes());
        let mut next = Head::new(head.group.clone(), new);
        next.rev = head.rev;
        next.clock = head.clock;
        next.applied = head.applied;
        let known = Known { seq: head.frozen, hash: head.frozen_hash, except: Vec::new() };
        let mut context = (*head.context).clone();
        context.set(old, known);
        next.context = context.into();
        next.context_due = true;
        steps.push(next.store());
        let _ = self.log.write(steps).await?;
        *head = next;
        self.dirty = true;
        self.options.tell(SyncEvent::NewReplica { old, new });
        Ok(())
    }
}
