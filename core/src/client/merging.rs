//! Merging many objects at once: histories and rows are read and written in bulk.

use std::collections::{HashMap, HashSet};

use super::objects::{CHUNK, Group, Objects, One, Rows, groups, meets};
use super::{ClientLog, HISTORY, HISTORY_ID, HISTORY_STATE, bytes, find, object_id};
use crate::bug::{self, Bug};
use crate::change::{Change, ChangeKind};
use crate::log::{Context, Op};
use crate::merge::{Author, Discard, History, Incoming, ObjectState, Witness, create};
use crate::schema::Collection;
use crate::sorted::{SortedMap, SortedSet};
use crate::{Error, Filter, Find, Key, Name, Object, ReplicaId, Result, Step, Value};

/// What merging came to.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// What to write: rows, then histories.
    pub steps: Vec<Step>,
    /// What to write behind all rows.
    histories: Vec<Stored>,
    /// What changes for the application.
    pub changes: Vec<Change>,
    /// Values that lost.
    pub discards: Vec<Discard>,
    /// Objects whose rows somebody changed without logging it; nothing else is filled in then.
    pub unlogged: Vec<(Name, Key)>,
}

/// Who had applied what, for all lanes that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Witnesses {
    lanes: SortedMap<ReplicaId, SortedMap<u64, Context>>,
    /// The lanes whose stored contexts are among these.
    loaded: SortedSet<ReplicaId>,
}

impl Witnesses {
    /// Adds what a lane's writer had applied from a place on.
    pub fn add(&mut self, replica: ReplicaId, seq: u64, context: Context) {
        let _ = self.lanes.get_or_default(replica).insert(seq, context);
    }
}

impl Witness for Witnesses {
    fn knew(&self, writer: &Author, other: &Author) -> bool {
        if writer.replica == other.replica {
            return other.seq <= writer.seq;
        }
        self.lanes
            .get(&writer.replica)
            .and_then(|lane| lane.up_to(&writer.seq))
            .is_some_and(|(_, context)| context.knows(&other.replica, other.seq))
    }
}

/// Room for the steps that callers add behind those of merging.
const MORE: usize = 8;

impl ClientLog {
    /// Folds entries into the histories of their objects and brings the rows up to date.
    ///
    /// Own entries come first: what others wrote is applied to rows that have them already. The steps that this
    /// takes go behind `steps`.
    pub(crate) async fn merge(
        &self,
        objects: Objects,
        witnesses: &mut Witnesses,
        rows: Rows,
        mut steps: Vec<Step>,
    ) -> Result<Merged> {
        steps.reserve(2 * objects.len() + MORE);
        let mut merged = Merged { steps, ..Merged::default() };
        for mut chunk in objects.chunks() {
            if bug::is(Bug::DropsOrphans) {
                self.drop_orphans(&mut chunk).await?;
            }
            chunk.iter_mut().for_each(|one| one.is_plain = one.is_plain_create(self));
            let stored = self.histories_of(&chunk, rows).await?;
            let found = self.rows_of(&chunk, &stored, rows).await?;
            let mut known = Known { histories: HashMap::with_capacity(stored.len()), rows: found };
            known.read(self, &chunk, stored, &mut merged.unlogged)?;
            if merged.unlogged.is_empty() {
                self.load_witnesses(witnesses, known.compared(&chunk)).await?;
                self.merge_chunk(chunk, known, witnesses, &mut merged)?;
            }
        }
        merged.steps.extend(std::mem::take(&mut merged.histories).into_iter().map(Stored::step));
        Ok(merged)
    }

    /// Drops what [`Bug::DropsOrphans`] drops.
    async fn drop_orphans(&self, chunk: &mut Vec<One>) -> Result<()> {
        let mut orphans = HashSet::new();
        for one in chunk.iter().filter(|one| !one.is_own) {
            let Some(definition) = self.schema().get(&one.collection) else { continue };
            let Op::Create(fields) = &one.incoming.op else { continue };
            for relationship in definition.relationships() {
                let parent = fields.value(&relationship.field).clone();
                let question = Find::new(relationship.target.clone(), Filter::key(parent.clone()));
                if !parent.is_null() && self.find(question).await?.objects.is_empty() {
                    let _ = orphans.insert(one.id.clone());
                }
            }
        }
        chunk.retain(|one| !orphans.contains(&one.id));
        Ok(())
    }

    fn merge_chunk(
        &self,
        chunk: Vec<One>,
        mut known: Known,
        witnesses: &Witnesses,
        merged: &mut Merged,
    ) -> Result<()> {
        let mut rest = chunk.into_iter().peekable();
        while let Some(one) = rest.next() {
            let is_alone = rest.peek().is_none_or(|next| next.id != one.id);
            if is_alone && known.is_first(&one) {
                self.first_create(one, merged)?;
                continue;
            }
            let mut group = vec![one];
            while let Some(one) = rest.next_if(|next| next.id == group[0].id) {
                group.push(one);
            }
            self.merge_one(group, &mut known, witnesses, merged)?;
        }
        Ok(())
    }

    /// Most of a first sync: there is nothing to merge.
    fn first_create(&self, one: One, merged: &mut Merged) -> Result<()> {
        let One { id, collection: name, key, incoming, is_own, .. } = one;
        let Incoming { author, op: Op::Create(fields) } = incoming else { return Ok(()) };
        let state = History::of_create(author, &fields);
        merged.histories.push(Stored { id, state, is_new: true });
        if is_own {
            return Ok(());
        }
        let step = create(self.schema().collection(&name)?, &key, fields)?;
        if self.feed().cares(&name) {
            merged.changes.push(change_of(&name, &key, &step));
        }
        merged.steps.push(step);
        Ok(())
    }

    fn merge_one(
        &self,
        group: Vec<One>,
        known: &mut Known,
        witness: &Witnesses,
        merged: &mut Merged,
    ) -> Result<()> {
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut object = None;
        for One { id, collection, key, incoming, is_own, .. } in group {
            if is_own {
                own.push(incoming)
            } else {
                others.push(incoming)
            }
            object = Some((id, collection, key));
        }
        let Some((id, name, key)) = object else { return Ok(()) };
        let stored = known.histories.remove(&id);
        let is_stored = stored.is_some();
        let mut history = stored.unwrap_or_default();
        let row = known.rows.get(&id);
        let Some(collection) = self.schema().get(&name) else {
            own.iter().chain(&others).for_each(|entry| history.add(entry.author, &entry.op));
            merged.histories.push(Stored { id, state: history.to_bytes(None), is_new: !is_stored });
            return Ok(());
        };
        let reconcile = |history: History, incoming: &[Incoming]| {
            let state = ObjectState { collection, key: &key, history, row, incoming, witness };
            self.reconciler(&name).reconcile(state)
        };
        // The row has what this database wrote: only the history has to take it in.
        if self.has_reconciler(&name) && !own.is_empty() {
            history = reconcile(history, &own)?.history;
        } else {
            own.iter().for_each(|entry| history.add(entry.author, &entry.op));
        }
        let mut steps = Vec::new();
        if !others.is_empty() {
            let mut answer = reconcile(history, &others)?;
            (history, steps) = (answer.history, answer.steps);
            merged.discards.append(&mut answer.discards);
        }
        let after = row_after(collection, row, &steps);
        let state = history.to_bytes(after.as_ref());
        merged.histories.push(Stored { id, state, is_new: !is_stored });
        if self.feed().cares(&name) {
            merged.changes.extend(steps.iter().map(|step| change_of(&name, &key, step)));
        }
        merged.steps.append(&mut steps);
        Ok(())
    }

    async fn histories_of(&self, chunk: &[One], rows: Rows) -> Result<HashMap<Vec<u8>, Vec<u8>>> {
        let is_asked =
            |group: &Group<'_>| !matches!(group, [only] if only.is_plain && rows == Rows::New);
        self.histories(groups(chunk).filter(is_asked).map(|group| group[0].id.clone())).await
    }

    /// The stored histories of objects, by their ids.
    pub(crate) async fn histories(
        &self,
        ids: impl Iterator<Item = Vec<u8>>,
    ) -> Result<HashMap<Vec<u8>, Vec<u8>>> {
        let keys: Vec<Key> = ids.map(Key::from).collect();
        let mut histories = HashMap::with_capacity(keys.len());
        for chunk in keys.chunks(CHUNK) {
            let mut question = find(&HISTORY, Filter::Keys(chunk.to_vec()));
            question.page_objects = CHUNK;
            for mut row in self.find_all(question).await? {
                let (id, state) = (row.give(&HISTORY_ID), row.give(&HISTORY_STATE));
                let (Some(Value::Bytes(id)), Some(Value::Bytes(state))) = (id, state) else {
                    return Err(Error::corrupt(
                        "a history of the client log is broken; restore the database",
                    ));
                };
                let _ = histories.insert(id, state);
            }
        }
        Ok(histories)
    }

    /// The rows that merging has to see, without their keys.
    async fn rows_of(
        &self,
        chunk: &[One],
        stored: &HashMap<Vec<u8>, Vec<u8>>,
        rows: Rows,
    ) -> Result<HashMap<Vec<u8>, Object>> {
        let mut wanted: SortedMap<&Name, Vec<Key>> = SortedMap::new();
        for group in groups(chunk) {
            let first = &group[0];
            let created = group.iter().any(|one| matches!(one.incoming.op, Op::Create(_)));
            let is_own = group.iter().any(|one| one.is_own);
            if is_own || rows == Rows::Compare || !created || stored.contains_key(&first.id) {
                wanted.get_or_default(&first.collection).push(first.key.clone());
            }
        }
        let mut found = HashMap::new();
        for (name, keys) in wanted {
            let Some(definition) = self.schema().get(name) else { continue };
            let mut question = Find::new(name.clone(), Filter::Keys(keys));
            question.page_objects = CHUNK;
            for row in self.find_all(question).await? {
                let Some(key) = definition.key_of(&row) else { continue };
                let _ = found.insert(object_id(name, &key), definition.without_key(row));
            }
        }
        Ok(found)
    }

    /// Reads what the writers of these entries had applied, for lanes that were not asked for yet.
    pub(crate) async fn load_witnesses(
        &self,
        witnesses: &mut Witnesses,
        authors: impl Iterator<Item = Author>,
    ) -> Result<()> {
        let missing: SortedSet<ReplicaId> = authors
            .map(|author| author.replica)
            .filter(|replica| !witnesses.loaded.contains(replica))
            .collect();
        for replica in missing {
            let lane = Filter::eq("lane", replica.to_string());
            for row in self.find_all(find(&super::CONTEXT, lane)).await? {
                let context = Context::from_bytes(bytes(&row, "context")?)?;
                witnesses.add(replica, super::number(&row, "seq")?, context);
            }
            let _ = witnesses.loaded.insert(replica);
        }
        Ok(())
    }
}

/// What storage has of the objects of a chunk.
struct Known {
    histories: HashMap<Vec<u8>, History>,
    rows: HashMap<Vec<u8>, Object>,
}

impl Known {
    /// Decodes stored histories; says which rows do not fit theirs.
    fn read(
        &mut self,
        log: &ClientLog,
        chunk: &[One],
        mut stored: HashMap<Vec<u8>, Vec<u8>>,
        unlogged: &mut Vec<(Name, Key)>,
    ) -> Result<()> {
        if stored.is_empty() {
            return Ok(());
        }
        for group in groups(chunk) {
            let One { id, collection, key, .. } = &group[0];
            let Some(state) = stored.remove(id) else { continue };
            // A collection that is gone has no rows to look at; its histories are spelled out.
            let row = self.rows.get(id).filter(|_| log.schema().get(collection).is_some());
            let mut own = group.iter().filter(|one| one.is_own).peekable();
            let history = if own.peek().is_some() {
                let own: Vec<&Op> = own.map(|one| &one.incoming.op).collect();
                let touched = |name: &str| own.iter().any(|op| op.sets(name));
                Some(History::from_bytes_before(&state, row, touched)?)
            } else {
                History::from_bytes(&state, row)?
            };
            match history {
                Some(history) => drop(self.histories.insert(id.clone(), history)),
                None => unlogged.push((collection.clone(), key.clone())),
            }
        }
        Ok(())
    }

    /// Everyone whose knowledge merging may have to ask for.
    fn compared<'a>(&'a self, chunk: &'a [One]) -> impl Iterator<Item = Author> + 'a {
        let stored = self.histories.values().flat_map(History::authors);
        let compared =
            groups(chunk).filter(|group| meets(group, self.histories.contains_key(&group[0].id)));
        stored.chain(compared.flatten().map(|one| one.incoming.author))
    }

    /// Whether nothing but this create is known of the object, and the row has what it says, or has to.
    fn is_first(&self, one: &One) -> bool {
        let fits = |row: Option<&Object>| match (&one.incoming.op, one.is_own) {
            (Op::Create(fields), true) => row == Some(fields),
            (Op::Create(_), false) => row.is_none(),
            _ => false,
        };
        one.is_plain && !self.histories.contains_key(&one.id) && fits(self.rows.get(&one.id))
    }
}

/// A history to be stored: as a step it takes five times as much memory.
#[derive(Debug)]
struct Stored {
    id: Vec<u8>,
    state: Vec<u8>,
    is_new: bool,
}

impl Stored {
    fn step(self) -> Step {
        let Self { id, state, is_new } = self;
        if is_new {
            let row = Object::with_capacity(2).with(HISTORY_ID.clone(), id);
            return super::put(&HISTORY, row.with(HISTORY_STATE.clone(), state));
        }
        super::change(&HISTORY, id, Object::with_capacity(1).with(HISTORY_STATE.clone(), state))
    }
}

/// The row as it will be, without its key.
fn row_after(collection: &Collection, row: Option<&Object>, steps: &[Step]) -> Option<Object> {
    let mut after = row.cloned();
    for step in steps {
        match step {
            Step::Create(create) => after = Some(collection.without_key(create.object.clone())),
            Step::Update { changes, .. } => {
                if let Some(row) = &mut after {
                    row.merge(changes.clone());
                    row.retain(|_, value| !value.is_null());
                }
            }
            Step::Delete { .. } => after = None,
            Step::Guard(_) => {}
        }
    }
    after
}

fn change_of(collection: &Name, key: &Key, step: &Step) -> Change {
    let kind = match step {
        Step::Create(create) => ChangeKind::Created(create.object.clone()),
        Step::Update { changes, .. } => ChangeKind::Updated(changes.clone()),
        Step::Delete { .. } | Step::Guard(_) => ChangeKind::Deleted,
    };
    Change { collection: collection.clone(), key: key.clone(), kind }
}
