//! Rows that changed without a log entry: found by integration, and logged before anything is merged.

use std::collections::{HashMap, HashSet};

use super::object_log::scan;
use crate::client::{
    ClientLog, HISTORY, Head, Stamping, TRIES, bytes, change, find, is_overtaken, number, object_id,
};
use crate::log::{Entry, Op, Write};
use crate::merge::{Author, History};
use crate::schema::Collection;
use crate::{Error, ErrorKind, Filter, Find, Key, Name, Object, Result, Step};

/// A row that is not as it was when its history was stored.
struct Changed {
    definition: std::sync::Arc<Collection>,
    key: Key,
    row: Option<Object>,
    /// The object's only create, and its values if the log still has the entry.
    create: Author,
    values: Option<Object>,
}

/// Logs what somebody changed in these rows without logging it, so that it is not lost when entries of
/// others are merged, and so that everybody gets it.
pub(super) async fn record_unlogged(log: &ClientLog, objects: &[(Name, Key)]) -> Result<()> {
    let values = values_of(log, objects).await?;
    for _ in 0..TRIES {
        let mut cached = log.lock().await;
        let mut head = log.loaded(&mut cached).await?.clone();
        let mut steps = Vec::new();
        let mut writes = Vec::new();
        let logged = logged_since(log, &head, objects).await?;
        for (name, key) in objects.iter().filter(|object| !logged.contains(object)) {
            let Some(changed) = look_at(log, name, key, &values).await? else { continue };
            steps.push(changed.spelled_out());
            writes.extend(changed.write(log)?);
        }
        if steps.is_empty() {
            return Ok(());
        }
        steps.push(head.guard());
        log.append(&mut head, writes, Stamping::Now, &mut steps).await?;
        match log.write(steps).await {
            Ok(_) => {
                *cached = Some(head);
                return Ok(());
            }
            Err(error) => {
                *cached = None;
                if !is_overtaken(&error) {
                    return Err(error);
                }
            }
        }
    }
    Err(Error::new(ErrorKind::Unavailable, "other processes write all the time; try again"))
}

/// The objects that own entries changed which no history has yet: another process of this database wrote
/// them since the histories were brought up to date, and whoever asked looks again once these have them.
async fn logged_since<'a>(
    log: &ClientLog,
    head: &Head,
    objects: &'a [(Name, Key)],
) -> Result<HashSet<&'a (Name, Key)>> {
    let wanted: HashSet<&(Name, Key)> = objects.iter().collect();
    let mut logged = HashSet::new();
    for row in log.find_all(ClientLog::entries_behind(head.folded)).await? {
        let entry = Entry::from_bytes(number(&row, "seq")?, bytes(&row, "entry")?)?;
        if let Some(Write { collection, key, .. }) = entry.write {
            logged.extend(wanted.get(&(collection, key)).copied());
        }
    }
    Ok(logged)
}

/// The values with which objects were created, as far as their entries are still kept.
async fn values_of(
    log: &ClientLog,
    objects: &[(Name, Key)],
) -> Result<HashMap<(Vec<u8>, u64), Object>> {
    let wanted: HashSet<&(Name, Key)> = objects.iter().collect();
    let is_meant = |write: &Write| {
        // A pair of references cannot be looked up, and this is no hot path.
        wanted.contains(&(write.collection.clone(), write.key.clone()))
    };
    let mut values = HashMap::new();
    for logged in scan(log, is_meant).await? {
        if let Op::Create(fields) = logged.write.op {
            let id = object_id(&logged.write.collection, &logged.write.key);
            let _ = values.insert((id, logged.author.stamp.bits()), fields);
        }
    }
    Ok(values)
}

async fn look_at(
    log: &ClientLog,
    name: &Name,
    key: &Key,
    values: &HashMap<(Vec<u8>, u64), Object>,
) -> Result<Option<Changed>> {
    let definition = log.schema().collection(name)?.clone();
    let id = object_id(name, key);
    let histories = log.find(find(&HISTORY, Filter::key(id.clone()))).await?.objects;
    let Some(history) = histories.first() else { return Ok(None) };
    let state = bytes(history, "state")?;
    let rows = log.find(Find::new(name.clone(), Filter::key(key.clone()))).await?.objects;
    let row = rows.into_iter().next().map(|row| definition.without_key(row));
    if !History::needs_row(state) || History::from_bytes(state, row.as_ref())?.is_some() {
        return Ok(None);
    }
    let Some(create) = History::greatest_in(state)? else { return Ok(None) };
    let values = values.get(&(id, create.stamp.bits())).cloned();
    Ok(Some(Changed { definition, key: key.clone(), row, create, values }))
}

impl Changed {
    /// A step that gives the history the values that it relied on the row for.
    fn spelled_out(&self) -> Step {
        let mut history = History::default();
        history.add(self.create, &Op::Create(self.values.clone().unwrap_or_default()));
        let state = Object::new().with("state", history.to_bytes(None));
        change(&HISTORY, object_id(self.definition.name(), &self.key), state)
    }

    /// What was changed: only that where the old values are known, otherwise all that the row holds.
    fn write(&self, log: &ClientLog) -> Result<Option<Write>> {
        let op = match &self.row {
            None => Op::Delete,
            Some(row) => {
                let names = self.definition.fields().iter().map(|field| &field.name);
                let is_changed = |name: &&Name| {
                    let before = self.values.as_ref();
                    !self.definition.is_key(name)
                        && before.is_none_or(|before| before.value(name) != row.value(name))
                };
                let changed = names.filter(is_changed);
                Op::Update(changed.map(|name| (name.clone(), row.value(name).clone())).collect())
            }
        };
        if matches!(&op, Op::Update(fields) if fields.is_empty()) {
            return Ok(None);
        }
        log.write_of(self.definition.name().clone(), self.key.clone(), op).map(Some)
    }
}
