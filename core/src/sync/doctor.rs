//! Checks the log against the data, and the log against itself.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::client::{
    CUT, ClientLog, ENTRY, HISTORY, Head, SEGMENT, bytes, find, hash, number, object_id,
};
use crate::log::{Entry, Op, Segment};
use crate::merge::{Author, History, Incoming};
use crate::schema::Collection;
use crate::value::canonical::Reader;
use crate::{Filter, Find, Key, Name, Object, Result, Value};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub problem: Problem,
    /// The collection it is about, if it is about one.
    pub collection: Option<Name>,
    /// The object it is about, if it is about one.
    pub key: Option<Key>,
    /// The details, for people.
    pub details: String,
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// A row that the log knows nothing of: adopt it, and it is shared.
    UnloggedRow,
    /// A row that was changed without a log entry.
    UnloggedChange,
    /// A row that is gone without a log entry.
    UnloggedDelete,
    /// A row of an object that the log says is deleted.
    UnloggedReturn,
    /// The log itself is damaged: restore the database, or let it sync anew from an empty one.
    BrokenLog,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.problem)?;
        if let Some(collection) = &self.collection {
            write!(f, " {collection}")?;
        }
        if let Some(key) = &self.key {
            write!(f, " {key}")?;
        }
        write!(f, ": {}", self.details)
    }
}

/// How many objects are looked at together.
const CHUNK: usize = 2_000;

/// Checks every logged row against what the log says it must be, and the log against its own hashes.
///
/// Nothing is changed. An empty answer means that all is well.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn doctor(log: &ClientLog) -> Result<Vec<Finding>> {
    let head = log.fresh_head().await?;
    let mut findings = Vec::new();
    let unfolded = unfolded(log, &head, &mut findings).await?;
    let mut checkup = Checkup { log, unfolded, findings };
    for definition in log.logged() {
        checkup.rows(&definition).await?;
    }
    checkup.missing().await?;
    checkup.segments().await?;
    Ok(checkup.findings)
}

struct Checkup<'a> {
    log: &'a ClientLog,
    /// Own entries that no history has yet, by object.
    unfolded: HashMap<Vec<u8>, Vec<Incoming>>,
    findings: Vec<Finding>,
}

impl Checkup<'_> {
    /// Compares every row of a collection with what the log says.
    async fn rows(&mut self, definition: &Collection) -> Result<()> {
        let mut question = Find::new(definition.name().clone(), Filter::All);
        question.page_objects = CHUNK;
        let mut next = Some(question);
        while let Some(question) = next {
            let page = self.log.find(question.clone()).await?;
            let keyed: Vec<(Key, Object)> = page
                .objects
                .iter()
                .filter_map(|row| {
                    Some((definition.key_of(row)?, definition.without_key(row.clone())))
                })
                .collect();
            let ids = keyed.iter().map(|(key, _)| object_id(definition.name(), key));
            let histories = self.log.histories(ids).await?;
            for (key, row) in keyed {
                self.row(definition, key, &row, &histories)?;
            }
            next = question.following(&page);
        }
        Ok(())
    }

    fn row(
        &mut self,
        definition: &Collection,
        key: Key,
        row: &Object,
        histories: &HashMap<Vec<u8>, Vec<u8>>,
    ) -> Result<()> {
        let id = object_id(definition.name(), &key);
        let (problem, details) = match self.law(&id, histories.get(&id), Some(row))? {
            Law::Unknown => (Problem::UnloggedRow, "the log knows nothing of this row".to_owned()),
            Law::RowChanged => {
                (Problem::UnloggedChange, "the row is not as it was when it was logged".to_owned())
            }
            // What another reconciler keeps is known to it alone.
            Law::Is(history) if !history.kept.is_empty() => return Ok(()),
            Law::Is(history) => match history.object() {
                None if history.was_deleted() => {
                    (Problem::UnloggedReturn, "the log says that it is deleted".to_owned())
                }
                None => (Problem::UnloggedRow, "the log has edits of it, but no create".to_owned()),
                Some(wanted) => {
                    let wrong = differences(definition, row, &wanted, &history);
                    if wrong.is_empty() {
                        return Ok(());
                    }
                    (Problem::UnloggedChange, format!("the log has other values: {wrong:?}"))
                }
            },
        };
        self.find(problem, definition.name(), key, details);
        Ok(())
    }

    /// Looks for objects that exist by the log and have no row.
    async fn missing(&mut self) -> Result<()> {
        let mut question = find(&HISTORY, Filter::All);
        question.page_objects = CHUNK;
        let mut next = Some(question);
        let mut without_history: BTreeSet<Vec<u8>> = self.unfolded.keys().cloned().collect();
        while let Some(question) = next {
            let page = self.log.find(question.clone()).await?;
            let mut states = HashMap::new();
            for row in &page.objects {
                let id = bytes(row, "id")?.to_vec();
                let _ = without_history.remove(&id);
                let _ = states.insert(id, bytes(row, "state")?.to_vec());
            }
            self.missing_among(states).await?;
            next = question.following(&page);
        }
        let states = without_history.into_iter().map(|id| (id, Vec::new())).collect();
        self.missing_among(states).await
    }

    async fn missing_among(&mut self, states: HashMap<Vec<u8>, Vec<u8>>) -> Result<()> {
        let mut wanted: HashMap<Name, Vec<(Vec<u8>, Key)>> = HashMap::new();
        for (id, state) in &states {
            let stored = Some(state).filter(|state| !state.is_empty());
            let exists = match self.law(id, stored, None)? {
                Law::Unknown => false,
                Law::RowChanged => true,
                Law::Is(history) => history.exists(),
            };
            if exists {
                let mut reader = Reader::new(id);
                let (name, key) = (Name::from(reader.text()?), reader.key()?);
                wanted.entry(name).or_default().push((id.clone(), key));
            }
        }
        for (name, objects) in wanted {
            let Some(definition) = self.log.schema().get(&name).cloned() else { continue };
            for chunk in objects.chunks(CHUNK) {
                let keys = chunk.iter().map(|(_, key)| key.clone()).collect();
                let question = Find::new(name.clone(), Filter::Keys(keys));
                let there = self.log.find_all(question.select(definition.key().to_vec())).await?;
                let there: BTreeSet<Key> =
                    there.iter().filter_map(|row| definition.key_of(row)).collect();
                for (_, key) in chunk.iter().filter(|(_, key)| !there.contains(key)) {
                    let details = "the row is gone and the log does not say why".to_owned();
                    self.find(Problem::UnloggedDelete, &name, key.clone(), details);
                }
            }
        }
        Ok(())
    }

    /// Verifies the checksums of what was received.
    async fn segments(&mut self) -> Result<()> {
        let mut question = find(&SEGMENT, Filter::ne("bytes", Value::Null));
        question.page_objects = 16;
        let mut next = Some(question);
        while let Some(question) = next {
            let page = self.log.find(question.clone()).await?;
            for row in &page.objects {
                if let Err(error) = Segment::parse(bytes(row, "bytes")?) {
                    let lane = row.value("lane");
                    let details = format!("a segment of lane {lane} is damaged: {error}");
                    self.findings.push(broken(details));
                }
            }
            next = question.following(&page);
        }
        Ok(())
    }

    /// What the log says of an object, next to its row.
    fn law(&self, id: &[u8], state: Option<&Vec<u8>>, row: Option<&Object>) -> Result<Law> {
        let incoming = self.unfolded.get(id);
        if state.is_none() && incoming.is_none() {
            return Ok(Law::Unknown);
        }
        let touches = |name: &str| {
            incoming.into_iter().flatten().any(|entry| match &entry.op {
                Op::Create(fields) | Op::Update(fields) => fields.contains(name),
                Op::Delete => false,
            })
        };
        let mut history = match state {
            None => History::default(),
            Some(state) if incoming.is_some() => History::from_bytes_before(state, row, touches)?,
            Some(state) => match History::from_bytes(state, row)? {
                Some(history) => history,
                None => return Ok(Law::RowChanged),
            },
        };
        for entry in incoming.into_iter().flatten() {
            history.add(entry.author, &entry.op);
        }
        Ok(Law::Is(history))
    }

    fn find(&mut self, problem: Problem, collection: &Name, key: Key, details: String) {
        let collection = Some(collection.clone());
        self.findings.push(Finding { problem, collection, key: Some(key), details });
    }
}

enum Law {
    Unknown,
    RowChanged,
    Is(History),
}

/// The fields that entries speak of and that the row has otherwise.
fn differences<'a>(
    definition: &Collection,
    row: &Object,
    wanted: &Object,
    history: &'a History,
) -> Vec<&'a str> {
    let wanted = crate::merge::storable(definition, wanted.clone());
    history
        .fields()
        .filter(|name| definition.field(name).is_some() && !definition.is_key(name))
        .filter(|name| row.value(name) != wanted.value(name))
        .map(|name| &**name)
        .collect()
}

/// Reads the own entries: checks that none is missing and that cuts have the hashes they say, and
/// gathers those that no history has yet.
async fn unfolded(
    log: &ClientLog,
    head: &Head,
    findings: &mut Vec<Finding>,
) -> Result<HashMap<Vec<u8>, Vec<Incoming>>> {
    let mut cuts = HashMap::new();
    for row in log.find_all(find(&CUT, Filter::All)).await? {
        let ends = (number(&row, "last")?, hash(&row, "before")?, hash(&row, "after")?);
        let _ = cuts.insert(number(&row, "first")?, ends);
    }
    let mut gathered: HashMap<Vec<u8>, Vec<Incoming>> = HashMap::new();
    let (mut last, mut running) = (None, None);
    let mut next = Some(find(&ENTRY, Filter::All));
    while let Some(question) = next {
        let page = log.find(question.clone()).await?;
        for row in &page.objects {
            let (seq, stored) = (number(row, "seq")?, bytes(row, "entry")?);
            if last.is_some_and(|last| last + 1 != seq) {
                findings.push(broken(format!("own entries before {seq} are missing")));
                running = None;
            }
            last = Some(seq);
            if let Some((end, before, after)) = cuts.get(&seq) {
                running = Some((*end, *before, *after));
            }
            if let Some((end, hash, after)) = &mut running {
                *hash = hash.then(stored);
                if seq == *end && hash != after {
                    findings.push(broken(format!("the cut that ends at {seq} has another hash")));
                }
            }
            let entry = match Entry::from_bytes(seq, stored) {
                Ok(entry) => entry,
                Err(error) => {
                    findings.push(broken(format!("own entry {seq} cannot be read: {error}")));
                    continue;
                }
            };
            if let Some(write) = entry.write.filter(|_| seq > head.folded) {
                let author = Author { stamp: entry.stamp, replica: head.replica, seq, tie: 0 };
                let id = object_id(&write.collection, &write.key);
                gathered.entry(id).or_default().push(Incoming { author, op: write.op });
            }
        }
        next = question.following(&page);
    }
    if last.is_some_and(|last| last != head.seq) || (last.is_none() && head.seq > head.folded) {
        findings.push(broken("own entries at the end are missing".to_owned()));
    }
    Ok(gathered)
}

fn broken(details: String) -> Finding {
    Finding { problem: Problem::BrokenLog, collection: None, key: None, details }
}
