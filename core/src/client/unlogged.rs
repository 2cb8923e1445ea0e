//! Rows that changed without a log entry: found and logged.

use std::collections::BTreeMap;

use super::{ClientLog, HISTORY, Stamping, TRIES, bytes, find, is_overtaken, object_id};
use crate::log::{Op, Write};
use crate::merge::History;
use crate::{Error, ErrorKind, Filter, Find, Key, Name, Result};

impl ClientLog {
    /// Logs what somebody changed in these rows without logging it, so that it is not lost when entries of
    /// others are merged: what stands in the row was written last.
    pub(crate) async fn record_unlogged(&self, objects: &[(Name, Key)]) -> Result<()> {
        let mut by_collection: BTreeMap<&Name, Vec<Key>> = BTreeMap::new();
        for (name, key) in objects {
            by_collection.entry(name).or_default().push(key.clone());
        }
        for _ in 0..TRIES {
            let mut cached = self.lock().await;
            let mut head = self.loaded(&mut cached).await?.clone();
            let mut writes = Vec::new();
            for (name, keys) in &by_collection {
                writes.extend(self.unlogged_writes(name, keys).await?);
            }
            let mut steps = Vec::new();
            // The short form of these histories relies on rows that are no longer so.
            for (name, keys) in &by_collection {
                for key in keys {
                    steps.extend(self.forget_row(name, key).await?);
                }
            }
            self.append(&mut head, writes, Stamping::Now, &mut steps).await?;
            match self.write(steps).await {
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

    async fn unlogged_writes(&self, name: &Name, keys: &[Key]) -> Result<Vec<Write>> {
        let definition = self.schema().collection(name)?.clone();
        let mut rows = BTreeMap::new();
        let question = Find::new(name.clone(), Filter::Keys(keys.to_vec()));
        for row in self.find_all(question).await? {
            if let Some(key) = definition.key_of(&row) {
                let _ = rows.insert(key, definition.without_key(row));
            }
        }
        keys.iter()
            .map(|key| {
                let op = rows.remove(key).map_or(Op::Delete, |row| {
                    // What was emptied has to be said as well: which fields there were is not known.
                    let fields = definition.fields().iter().map(|field| field.name.clone());
                    let fields = fields.filter(|name| !definition.is_key(name));
                    Op::Update(
                        fields.map(|name| (name.clone(), row.value(&name).clone())).collect(),
                    )
                });
                self.write_of(name.clone(), key.clone(), op)
            })
            .collect()
    }

    async fn forget_row(&self, name: &Name, key: &Key) -> Result<Option<crate::Step>> {
        let id = object_id(name, key);
        let rows = self.find(find(&HISTORY, Filter::key(id.clone()))).await?.objects;
        let Some(row) = rows.first() else { return Ok(None) };
        let state = bytes(row, "state")?;
        if !History::needs_row(state) {
            return Ok(None);
        }
        let history = History::without_values(state)?;
        let state = crate::Object::new().with("state", history.to_bytes(None));
        Ok(Some(super::change(&HISTORY, id, state)))
    }
}
