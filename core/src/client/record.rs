//! Recording: an own write and its entries in one batch.

use super::{
    CONTEXT, ClientLog, ENTRY, ENTRY_BYTES, ENTRY_SEQ, GUARD, HISTORY, Head, TRIES, blob, bytes,
    find, int, is_overtaken, number, object_id, put,
};
use crate::bug::{self, Bug};
use crate::change::{self, Change, ChangeKind, ChangeSet};
use crate::log::{Context, Entry, Op, Write};
use crate::merge::History;
use crate::middleware::Next;
use crate::operation::{Condition, Guard};
use crate::{
    Batch, Error, ErrorKind, Filter, Key, Name, Object, Operation, Outcome, Result, Stamp, Step,
    middleware,
};

/// The name of the guards that find out whether an object is there without reading it first.
const EXISTS: &str = "sync exists";

/// How own entries get their stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamping {
    /// After the clock and after everything applied to the object.
    Now,
    /// Before every edit there ever was: rows that were there before the log.
    Lowest,
}

impl ClientLog {
    /// Carries out a batch together with the entries that record it: both are stored or neither.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] if a created object has no key, or the batch is too large to be sent.
    /// - Whatever a later station or the backend reports. A write of another process in between is no
    ///   error: the filters are evaluated again and the batch is tried again.
    pub async fn record(
        &self,
        batch: Batch,
        context: &mut middleware::Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        if !batch.steps.iter().any(|step| self.is_recorded(step)) {
            return next.run(Operation::Write(batch), context).await;
        }
        if !self.is_enabled() {
            return self.write_unlogged(batch, context, next).await;
        }
        // Where every object is named by its key, guards find out whether it is there.
        let mut by_key = batch.steps.iter().all(|step| self.names_one_object(step));
        for _ in 0..TRIES {
            let mut cached = self.lock().await;
            let mut head = self.loaded(&mut cached).await?.clone();
            let before = head.seq;
            let planned = match by_key {
                true => self.plan_by_key(&batch)?,
                false => self.plan(&batch, context).await?,
            };
            let (steps, own) = self.with_entries(&mut head, planned).await?;
            match next.run(Operation::Write(Batch { steps }), context).await {
                Ok(outcome) => {
                    if head.seq > before {
                        self.tell_written();
                    }
                    *cached = Some(head);
                    return outcome.written().map(|all| own_outcomes(all, &own));
                }
                Err(error) if error.guard() == Some(EXISTS) => by_key = false,
                Err(error) if is_overtaken(&error) => *cached = None,
                Err(error) => {
                    *cached = None;
                    return Err(error);
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; try again"))
    }

    fn is_recorded(&self, step: &Step) -> bool {
        !matches!(step, Step::Guard(_)) && self.logs(step.collection())
    }

    fn names_one_object(&self, step: &Step) -> bool {
        match step {
            Step::Update { filter, .. } | Step::Delete { filter, .. } if self.is_recorded(step) => {
                self.single_key(step.collection(), filter).is_some()
            }
            _ => true,
        }
    }

    fn single_key(&self, collection: &Name, filter: &Filter) -> Option<Key> {
        let keys = self.schema().get(collection)?.keys_in(filter)?;
        let [key] = <[Key; 1]>::try_from(keys).ok()?;
        Some(key)
    }

    /// The steps of a batch whose recorded updates and deletes each name one object.
    fn plan_by_key(&self, batch: &Batch) -> Result<Plan> {
        let mut plan = Plan::with_room(batch.steps.len());
        for step in &batch.steps {
            if self.is_recorded(step) {
                let (key, op) = match step {
                    Step::Create(create) => self.created(&create.collection, &create.object)?,
                    Step::Update { collection, filter, changes } => {
                        let key = self.single_key(collection, filter);
                        (key.ok_or_else(not_one)?, Op::Update(changes.clone()))
                    }
                    Step::Delete { collection, filter, .. } => {
                        (self.single_key(collection, filter).ok_or_else(not_one)?, Op::Delete)
                    }
                    Step::Guard(_) => return Err(not_one()),
                };
                let collection = step.collection().clone();
                if !matches!(step, Step::Create(_)) {
                    let condition = Condition::Exists(key.clone());
                    let guard =
                        Guard { name: EXISTS.into(), collection: collection.clone(), condition };
                    plan.add(Step::Guard(guard), false);
                }
                plan.writes.push(self.write_of(collection, key, op)?);
            }
            plan.add(step.clone(), true);
        }
        Ok(plan)
    }

    /// The steps of any batch: what its filters mean is read first.
    async fn plan(&self, batch: &Batch, context: &mut middleware::Context) -> Result<Plan> {
        let changes = change::resolve(batch, self.schema(), self).await?;
        let narrowed = change::narrow(batch.clone(), &changes, self.schema());
        let mut plan = Plan::default();
        for (step, touched) in narrowed.steps.into_iter().zip(&changes.steps) {
            if self.is_recorded(&step) {
                for change in touched {
                    plan.writes.push(self.write_of_change(change)?);
                }
            }
            plan.add(step, true);
        }
        context.changes = Some(changes);
        Ok(plan)
    }

    fn created(&self, collection: &Name, object: &Object) -> Result<(Key, Op)> {
        let definition = self.schema().collection(collection)?;
        let key = definition.key_of(object).ok_or_else(|| {
            Error::invalid("a new object has no key: give one, or put CustomPk before SyncLog")
                .with("collection", collection)
        })?;
        // With the fields of its key: they are left out when the entry is written.
        Ok((key, Op::Create(object.clone())))
    }

    fn key_fields(&self, entry: &Entry) -> Result<&[Name]> {
        match &entry.write {
            Some(Write { collection, op: Op::Create(_), .. }) => {
                Ok(self.schema().collection(collection)?.key())
            }
            _ => Ok(&[]),
        }
    }

    fn leave_key_out(&self, write: &mut Write) -> Result<()> {
        if let Op::Create(fields) = &mut write.op {
            let definition = self.schema().collection(&write.collection)?;
            *fields = definition.without_key(std::mem::take(fields));
        }
        Ok(())
    }

    fn write_of_change(&self, change: &Change) -> Result<Write> {
        let (key, op) = match &change.kind {
            ChangeKind::Created(object) => self.created(&change.collection, object)?,
            ChangeKind::Updated(changes) => (change.key.clone(), Op::Update(changes.clone())),
            ChangeKind::Deleted => (change.key.clone(), Op::Delete),
        };
        self.write_of(change.collection.clone(), key, op)
    }

    pub(crate) fn write_of(&self, collection: Name, key: Key, op: Op) -> Result<Write> {
        let schema = self.schema().collection(&collection)?.version();
        Ok(Write { schema, collection, key, op })
    }

    async fn with_entries(&self, head: &mut Head, plan: Plan) -> Result<(Vec<Step>, Vec<bool>)> {
        let Plan { mut steps, mut own, writes } = plan;
        let data = steps.len();
        self.append(head, writes, Stamping::Now, &mut steps).await?;
        if bug::is(Bug::LogsApart) {
            let _ = self.write(steps.split_off(data)).await?;
        }
        own.resize(steps.len(), false);
        Ok((steps, own))
    }

    /// Adds the steps that put writes at the end of the own lane, guarded by the head; `head` moves on.
    pub(crate) async fn append(
        &self,
        head: &mut Head,
        mut writes: Vec<Write>,
        stamping: Stamping,
        steps: &mut Vec<Step>,
    ) -> Result<()> {
        if let Some(hook) = &self.config().hook {
            for write in &mut writes {
                self.leave_key_out(write)?;
            }
            writes.retain_mut(|write| hook.log(write));
        }
        let count = writes.len();
        if count == 0 {
            return Ok(());
        }
        let now = self.now();
        let objects = writes.iter().map(|write| (&write.collection, &write.key));
        let mut greatest = self.greatest(head, now, objects).await?;
        steps.push(head.guard());
        let before = (head.context_due, head.ahead_from);
        let mut context = self.due_context(head, steps).await?;
        let (mut size, mut longest) = (0, 64);
        steps.reserve(count + 2);
        for (position, write) in writes.into_iter().enumerate() {
            head.seq += 1;
            let stamp = match stamping {
                Stamping::Now => {
                    head.stamp(now, (&write.collection, &write.key), greatest.as_mut())
                }
                Stamping::Lowest => Stamp::from_bits(head.seq)?,
            };
            let entry = Entry {
                seq: head.seq,
                stamp,
                more: position + 1 < count,
                context: context.take(),
                write: Some(write),
                extensions: Vec::new(),
            };
            let mut bytes = Vec::with_capacity(longest);
            entry.put_without(&mut bytes, self.key_fields(&entry)?);
            longest = longest.max(bytes.len());
            size += bytes.len();
            let mut row = Object::with_capacity(3);
            if stamp != head.clock.last() {
                let _ = row.set("clock", int(head.clock.last().bits()));
            }
            let row = row.with(ENTRY_BYTES.clone(), bytes).with(ENTRY_SEQ.clone(), int(head.seq));
            steps.push(put(&ENTRY, row));
        }
        if before != (head.context_due, head.ahead_from) {
            steps.push(head.store());
        }
        if size > self.config().batch_bytes {
            return Err(Error::invalid("the batch is too large to be sent as one; cut it up")
                .with("bytes", size)
                .with("limit", self.config().batch_bytes));
        }
        Ok(())
    }

    /// What the next entry has to say of what is applied, if anything new is.
    async fn due_context(&self, head: &mut Head, steps: &mut Vec<Step>) -> Result<Option<Context>> {
        if !head.context_due {
            return Ok(None);
        }
        let lane = head.replica.to_string();
        let written = self.context_before(&lane, head.seq).await?;
        let row = Object::new()
            .with("context", blob(&head.context.to_bytes()))
            .with("lane", lane)
            .with("seq", int(head.seq + 1));
        steps.push(put(&CONTEXT, row));
        head.context_due = false;
        Ok(Some(head.context.since(&written)))
    }

    /// What a lane's writer had applied at a place.
    pub(crate) async fn context_before(&self, lane: &str, seq: u64) -> Result<Context> {
        let up_to = Filter::eq("lane", lane).and(Filter::lte("seq", int(seq)));
        let latest = find(&CONTEXT, up_to).order_by("seq", crate::Direction::Descending).limit(1);
        match self.find(latest).await?.objects.first() {
            Some(row) => Context::from_bytes(bytes(row, "context")?),
            None => Ok(Context::default()),
        }
    }

    /// A write while recording is off. Histories that leave their values to the rows take them over first,
    /// so that what the log says stays known.
    async fn write_unlogged(
        &self,
        batch: Batch,
        context: &mut middleware::Context,
        next: Next<'_>,
    ) -> Result<Outcome> {
        for _ in 0..TRIES {
            let changes = change::resolve(&batch, self.schema(), self).await?;
            let mut steps = self.spell_out(&changes).await?;
            let added = steps.len();
            steps.extend(change::narrow(batch.clone(), &changes, self.schema()).steps);
            let own: Vec<bool> = (0..steps.len()).map(|position| position >= added).collect();
            match next.run(Operation::Write(Batch { steps }), context).await {
                Err(error) if error.guard() == Some(GUARD) => {}
                Err(error) => return Err(error),
                Ok(outcome) => return outcome.written().map(|all| own_outcomes(all, &own)),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; try again"))
    }

    async fn spell_out(&self, changes: &ChangeSet) -> Result<Vec<Step>> {
        let touched = changes.iter().filter(|change| self.logs(&change.collection));
        let mut steps = Vec::new();
        for change in touched.filter(|change| !matches!(change.kind, ChangeKind::Created(_))) {
            let id = object_id(&change.collection, &change.key);
            let stored = self.find(find(&HISTORY, Filter::key(id.clone()))).await?;
            let Some(history) = stored.objects.first() else { continue };
            let state = bytes(history, "state")?;
            let whole = find_object(change);
            let row = self.find(whole).await?.objects.pop();
            let definition = self.schema().collection(&change.collection)?;
            let row = row.map(|row| definition.without_key(row));
            if !History::needs_row(state) {
                continue;
            }
            let history = match History::from_bytes(state, row.as_ref())? {
                Some(history) => Some(history),
                None => self.before_own_entries(change, state, row.as_ref()).await?,
            };
            if let Some(history) = history {
                let looks = Object::new().with("state", blob(state));
                let condition = Condition::Looks(Key::from(id.clone()), looks);
                let collection = (*HISTORY).clone();
                steps.push(Step::Guard(Guard { name: GUARD.into(), collection, condition }));
                let state = Object::new().with("state", history.to_bytes(None));
                steps.push(super::change(&HISTORY, id, state));
            }
        }
        Ok(steps)
    }
}

impl ClientLog {
    /// The history of an object whose row own entries changed that are not folded in yet; nothing if there
    /// are none, so that somebody else changed the row.
    async fn before_own_entries(
        &self,
        change: &Change,
        state: &[u8],
        row: Option<&Object>,
    ) -> Result<Option<History>> {
        let head = self.head().await?;
        let mut own = Vec::new();
        for stored in self.find_all(Self::entries_behind(head.folded)).await? {
            let entry = Entry::from_bytes(number(&stored, "seq")?, bytes(&stored, "entry")?)?;
            own.extend(
                entry.write.filter(|write| {
                    write.collection == change.collection && write.key == change.key
                }),
            );
        }
        if own.is_empty() {
            return Ok(None);
        }
        let touched = |name: &str| own.iter().any(|write| write.op.sets(name));
        History::from_bytes_before(state, row, touched).map(Some)
    }
}

fn find_object(change: &Change) -> crate::Find {
    crate::Find::new(change.collection.clone(), Filter::key(change.key.clone()))
}

fn not_one() -> Error {
    Error::internal("a step was taken to name one object and does not")
}

/// A batch with the guards that recording needs, and what to record of it.
#[derive(Debug, Default)]
struct Plan {
    steps: Vec<Step>,
    /// Which steps are the caller's.
    own: Vec<bool>,
    writes: Vec<Write>,
}

impl Plan {
    fn with_room(steps: usize) -> Self {
        // A guard, the step and an entry for each.
        let (steps, own) = (Vec::with_capacity(3 * steps + 2), Vec::with_capacity(2 * steps));
        Self { writes: Vec::with_capacity(own.capacity() / 2), steps, own }
    }

    fn add(&mut self, step: Step, own: bool) {
        self.steps.push(step);
        self.own.push(own);
    }
}

fn own_outcomes(all: Vec<crate::StepOutcome>, own: &[bool]) -> Outcome {
    let kept = all.into_iter().zip(own).filter(|(_, own)| **own).map(|(outcome, _)| outcome);
    Outcome::Written(kept.collect())
}
