//! Merging many objects at once: histories and rows are read and written in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ClientLog, HISTORY, HISTORY_ID, HISTORY_STATE, blob, bytes, find, object_id};
use crate::bug::{self, Bug};
use crate::change::{Change, ChangeKind};
use crate::log::{Context, Op};
use crate::merge::{Author, Discard, History, Incoming, ObjectState, Witness};
use crate::schema::Collection;
use crate::{Filter, Find, Key, Name, Object, ReplicaId, Result, Step};

/// Entries sorted by the object they are about.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<Vec<u8>, Group>);

#[derive(Debug)]
struct Group {
    collection: Name,
    key: Key,
    incoming: Vec<Incoming>,
}

impl Group {
    fn authors(&self) -> impl Iterator<Item = Author> {
        self.incoming.iter().map(|entry| entry.author)
    }

    /// Whether what comes in meets entries of other lanes, so that it matters who knew of whom.
    fn meets<T>(&self, history: Option<&T>) -> bool {
        let mut replicas = self.authors().map(|author| author.replica);
        let first = replicas.next();
        history.is_some() || replicas.any(|replica| Some(replica) != first)
    }

    fn touches(&self, name: &str) -> bool {
        self.incoming.iter().any(|entry| match &entry.op {
            Op::Create(fields) | Op::Update(fields) => fields.contains(name),
            Op::Delete => false,
        })
    }
}

impl Objects {
    /// Adds an entry.
    pub fn add(&mut self, collection: Name, key: Key, incoming: Incoming) {
        let id = object_id(&collection, &key);
        let group = || Group { collection, key, incoming: Vec::with_capacity(1) };
        self.0.entry(id).or_insert_with(group).incoming.push(incoming);
    }
}

/// How rows are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Own entries: the rows were written with them.
    Keep,
    /// Entries of others, where an object without a history is taken to have no row.
    Write,
    /// Entries of others; every row is looked at.
    Compare,
}

/// What merging came to.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// What to write: rows, then histories.
    pub steps: Vec<Step>,
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
    lanes: HashMap<ReplicaId, BTreeMap<u64, Context>>,
    /// The lanes whose stored contexts are among these.
    loaded: HashSet<ReplicaId>,
}

impl Witnesses {
    /// Adds what a lane's writer had applied from a place on.
    pub fn add(&mut self, replica: ReplicaId, seq: u64, context: Context) {
        let _ = self.lanes.entry(replica).or_default().insert(seq, context);
    }
}

impl Witness for Witnesses {
    fn knew(&self, writer: &Author, other: &Author) -> bool {
        if writer.replica == other.replica {
            return other.seq <= writer.seq;
        }
        self.lanes
            .get(&writer.replica)
            .and_then(|lane| lane.range(..=writer.seq).next_back())
            .is_some_and(|(_, context)| context.knows(&other.replica, other.seq))
    }
}

/// How many objects are looked up at once.
const CHUNK: usize = 4_000;

impl ClientLog {
    /// Folds entries into the histories of their objects and brings the rows up to date.
    pub(crate) async fn merge(
        &self,
        objects: Objects,
        witnesses: &mut Witnesses,
        rows: Rows,
    ) -> Result<Merged> {
        let mut merged = Merged::default();
        let mut histories = Vec::new();
        let mut groups: Vec<(Vec<u8>, Group)> = objects.0.into_iter().collect();
        if bug::is(Bug::DropsOrphans) {
            self.drop_orphans(&mut groups).await?;
        }
        for chunk in groups.chunks(CHUNK) {
            let stored = self.histories(chunk.iter().map(|(id, _)| id.clone())).await?;
            let found = self.rows(chunk, &stored, rows).await?;
            let known = read_histories(self, chunk, stored, (&found, rows), &mut merged)?;
            if !merged.unlogged.is_empty() {
                continue;
            }
            let authors = known.values().flat_map(|(history, _)| history.authors());
            let compared = chunk.iter().filter(|(id, group)| group.meets(known.get(id)));
            let authors = authors.chain(compared.flat_map(|(_, group)| group.authors()));
            self.load_witnesses(witnesses, authors).await?;
            self.merge_chunk(
                chunk,
                known,
                &found,
                (witnesses, rows),
                (&mut merged, &mut histories),
            )?;
        }
        merged.steps.extend(histories);
        Ok(merged)
    }

    /// Drops what [`Bug::DropsOrphans`] drops.
    async fn drop_orphans(&self, groups: &mut Vec<(Vec<u8>, Group)>) -> Result<()> {
        for (_, group) in groups.iter_mut() {
            let Some(definition) = self.schema().get(&group.collection) else { continue };
            for relationship in definition.relationships() {
                let parent = |entry: &Incoming| match &entry.op {
                    Op::Create(fields) => Some(fields.value(&relationship.field).clone()),
                    _ => None,
                };
                let parents: Vec<crate::Value> = group.incoming.iter().filter_map(parent).collect();
                for parent in parents.into_iter().filter(|parent| !parent.is_null()) {
                    let question = Find::new(relationship.target.clone(), Filter::key(parent));
                    if self.find(question).await?.objects.is_empty() {
                        group.incoming.clear();
                    }
                }
            }
        }
        groups.retain(|(_, group)| !group.incoming.is_empty());
        Ok(())
    }

    fn merge_chunk(
        &self,
        chunk: &[(Vec<u8>, Group)],
        mut known: HashMap<Vec<u8>, (History, bool)>,
        found: &HashMap<Vec<u8>, Object>,
        (witnesses, rows): (&Witnesses, Rows),
        (merged, histories): (&mut Merged, &mut Vec<Step>),
    ) -> Result<()> {
        for (id, group) in chunk {
            let (history, is_stored) = known.remove(id).unwrap_or_default();
            let row = found.get(id);
            let definition = self.schema().get(&group.collection);
            let Some(collection) = definition else {
                histories.push(fold_only(id, group, history, is_stored));
                continue;
            };
            let state = ObjectState {
                collection,
                key: &group.key,
                history,
                row,
                incoming: &group.incoming,
                witness: witnesses,
            };
            let mut answer = self.reconciler(&group.collection).reconcile(state)?;
            if rows == Rows::Keep {
                answer.steps.clear();
            }
            let after = row_after(collection, row, &answer.steps);
            histories.push(store_history(id, &answer.history, after.as_ref(), is_stored));
            if self.feed().cares(&group.collection) {
                merged.changes.extend(answer.steps.iter().map(|step| change_of(group, step)));
            }
            merged.steps.append(&mut answer.steps);
            merged.discards.append(&mut answer.discards);
        }
        Ok(())
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
            for row in self.find_all(question).await? {
                let state = bytes(&row, "state")?.to_vec();
                let _ = histories.insert(bytes(&row, "id")?.to_vec(), state);
            }
        }
        Ok(histories)
    }

    /// The rows that merging has to see, without their keys.
    async fn rows(
        &self,
        chunk: &[(Vec<u8>, Group)],
        stored: &HashMap<Vec<u8>, Vec<u8>>,
        rows: Rows,
    ) -> Result<HashMap<Vec<u8>, Object>> {
        let mut wanted: BTreeMap<&Name, Vec<Key>> = BTreeMap::new();
        for (id, group) in chunk {
            let created = group.incoming.iter().any(|entry| matches!(entry.op, Op::Create(_)));
            if rows != Rows::Write || stored.contains_key(id) || !created {
                wanted.entry(&group.collection).or_default().push(group.key.clone());
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
        let missing: BTreeSet<ReplicaId> = authors
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

/// Decodes stored histories; says which rows do not fit theirs.
fn read_histories(
    log: &ClientLog,
    chunk: &[(Vec<u8>, Group)],
    mut stored: HashMap<Vec<u8>, Vec<u8>>,
    (found, rows): (&HashMap<Vec<u8>, Object>, Rows),
    merged: &mut Merged,
) -> Result<HashMap<Vec<u8>, (History, bool)>> {
    let mut known = HashMap::with_capacity(stored.len());
    for (id, group) in chunk {
        let Some(state) = stored.remove(id) else { continue };
        // A collection that is gone has no rows to look at; its histories are spelled out.
        let row = found.get(id).filter(|_| log.schema().get(&group.collection).is_some());
        if rows == Rows::Keep {
            let history = History::from_bytes_before(&state, row, |name| group.touches(name))?;
            let _ = known.insert(id.clone(), (history, true));
            continue;
        }
        match History::from_bytes(&state, row)? {
            Some(history) => drop(known.insert(id.clone(), (history, true))),
            None => merged.unlogged.push((group.collection.clone(), group.key.clone())),
        }
    }
    Ok(known)
}

fn fold_only(id: &[u8], group: &Group, mut history: History, is_stored: bool) -> Step {
    for Incoming { author, op } in &group.incoming {
        history.add(*author, op);
    }
    store_history(id, &history, None, is_stored)
}

fn store_history(id: &[u8], history: &History, row: Option<&Object>, is_stored: bool) -> Step {
    let bytes = history.to_bytes(row);
    if is_stored {
        let state = Object::with_capacity(1).with(HISTORY_STATE.clone(), bytes);
        return super::change(&HISTORY, id.to_vec(), state);
    }
    let row = Object::with_capacity(2).with(HISTORY_ID.clone(), blob(id));
    super::put(&HISTORY, row.with(HISTORY_STATE.clone(), bytes))
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

fn change_of(group: &Group, step: &Step) -> Change {
    let kind = match step {
        Step::Create(create) => ChangeKind::Created(create.object.clone()),
        Step::Update { changes, .. } => ChangeKind::Updated(changes.clone()),
        Step::Delete { .. } | Step::Guard(_) => ChangeKind::Deleted,
    };
    Change { collection: group.collection.clone(), key: group.key.clone(), kind }
}
