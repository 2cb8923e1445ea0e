//! Putting rows into the log that were there before it, or that were changed while it was off.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::rekey::{Fresh, Rekeyed};
use super::{ClientLog, HISTORY, Stamping, TRIES, bytes, find, is_overtaken, object_id};
use crate::change::Touched;
use crate::log::{Op, Write};
use crate::merge::History;
use crate::schema::Collection;
use crate::{Error, ErrorKind, Filter, Find, Key, MaybeSend, MaybeSync, Object, Result, Value};

/// Whether replicas that adopt the same rows mean the same objects by the same keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is known: collections whose keys the database counts are refused, because another
    /// replica's key 7 may be another object.
    #[default]
    Unknown,
    /// All replicas began as copies of one database: the same key is the same object.
    Common,
}

/// The objects that own entries speak of which no history has yet, read once.
#[derive(Debug, Default)]
pub(super) struct Unfolded {
    up_to: u64,
    keys: HashSet<Key>,
}

/// How many objects are looked at together.
const CHUNK: usize = 2_000;

impl ClientLog {
    /// Puts the rows of a collection that the log does not know into it, so that they are shared.
    ///
    /// They bear the lowest stamps, so that any edit wins over them. It can be stopped anywhere and called
    /// again: nothing is logged twice. Answers how many rows were put into the log.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] if the collection is not logged, or its keys are counted by the database and
    ///   no common origin was declared.
    /// - Whatever reading and writing report.
    pub async fn adopt(&self, collection: &str, origin: Origin) -> Result<u64> {
        let definition = self.adoptable(collection)?;
        if definition.counts_keys() && origin == Origin::Unknown {
            return Err(Error::invalid(
                "the database counts the keys of this collection, so the same key may be another object \
                 elsewhere: declare a common origin, or give the rows other keys first",
            )
            .with("collection", collection));
        }
        self.adopt_pages(&definition, None).await
    }

    /// Like [`adopt`](Self::adopt), for rows whose keys the database counted: each gets a new key, and
    /// what refers to it is changed with it, all in the batch that logs it.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`] if the collection is not logged, its key has several fields, or a new key is
    ///   not of the key's type.
    /// - Whatever reading and writing report.
    pub async fn adopt_with_new_keys(
        &self,
        collection: &str,
        fresh: impl Fn() -> Value + MaybeSend + MaybeSync,
    ) -> Result<u64> {
        let definition = self.adoptable(collection)?;
        self.adopt_pages(&definition, Some(&fresh)).await
    }

    fn adoptable(&self, collection: &str) -> Result<Arc<Collection>> {
        let definition = self.schema().collection(collection)?.clone();
        if !self.logs(collection) {
            return Err(Error::invalid("the collection is not logged; nothing can be adopted")
                .with("collection", collection));
        }
        Ok(definition)
    }

    async fn adopt_pages(&self, definition: &Collection, fresh: Option<Fresh<'_>>) -> Result<u64> {
        let mut adopted = 0;
        let mut unfolded = Unfolded::default();
        let mut question = Find::new(definition.name().clone(), Filter::All);
        question.page_objects = CHUNK;
        let mut next = Some(question);
        while let Some(question) = next {
            let page = self.find(question.clone()).await?;
            adopted += self.adopt_rows(definition, &page.objects, &mut unfolded, fresh).await?;
            next = question.following(&page);
        }
        Ok(adopted)
    }

    async fn adopt_rows(
        &self,
        definition: &Collection,
        rows: &[Object],
        unfolded: &mut Unfolded,
        fresh: Option<Fresh<'_>>,
    ) -> Result<u64> {
        for _ in 0..TRIES {
            let mut cached = self.lock().await;
            let mut head = self.loaded(&mut cached).await?.clone();
            let known = self.known_objects(&head, definition, rows, unfolded).await?;
            let unknown: Vec<(Key, Object)> = rows
                .iter()
                .filter_map(|row| Some((definition.key_of(row)?, row.clone())))
                .filter(|(key, _)| !known.contains(key))
                .collect();
            if unknown.is_empty() {
                return Ok(0);
            }
            let count = unknown.len() as u64;
            let mut touched = Touched::default().and_written();
            let Rekeyed { mut steps, rows: unknown, referring } = match fresh {
                Some(fresh) => self.rekey(&head, definition, unknown, fresh).await?,
                None => Rekeyed { rows: unknown, ..Rekeyed::default() },
            };
            let mut writes = Vec::with_capacity(unknown.len());
            for (key, row) in unknown {
                let op = Op::Create(definition.without_key(row));
                writes.push(self.write_of(definition.name().clone(), key, op)?);
            }
            let moved = steps.iter().map(|step| step.collection().clone());
            moved.for_each(|collection| touched.add_all(collection));
            self.append(&mut head, writes, Stamping::Lowest, &mut steps).await?;
            self.append(&mut head, referring, Stamping::Now, &mut steps).await?;
            match self.write(steps).await {
                Ok(_) => {
                    *cached = Some(head);
                    self.tell_written();
                    self.feed().wrote(touched);
                    return Ok(count);
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

    /// The objects among these that the log knows, be it from a history or from an unfolded entry.
    pub(super) async fn known_objects(
        &self,
        head: &super::Head,
        definition: &Collection,
        rows: &[Object],
        unfolded: &mut Unfolded,
    ) -> Result<HashSet<Key>> {
        let keys: HashMap<Vec<u8>, Key> = rows
            .iter()
            .filter_map(|row| definition.key_of(row))
            .map(|key| (object_id(definition.name(), &key), key))
            .collect();
        let mut known = HashSet::new();
        let ids = keys.keys().cloned().map(Key::from).collect();
        for row in self.find_all(find(&HISTORY, Filter::Keys(ids))).await? {
            // Edits alone wait for a create: it is this row's.
            let is_known = History::speaks_of_life(bytes(&row, "state")?)?;
            if let Some(key) = keys.get(bytes(&row, "id")?).filter(|_| is_known) {
                let _ = known.insert(key.clone());
            }
        }
        let mut next = Some(Self::entries_behind(unfolded.up_to.max(head.folded)));
        while let Some(question) = next {
            let page = self.find(question.clone()).await?;
            for (seq, write) in entries_of(&page.objects)? {
                unfolded.up_to = seq;
                let is_edit = matches!(write.op, Op::Update(_));
                if write.collection == *definition.name() && !is_edit {
                    let _ = unfolded.keys.insert(write.key);
                }
            }
            next = question.following(&page);
        }
        known.extend(keys.into_values().filter(|key| unfolded.keys.contains(key)));
        Ok(known)
    }
}

fn entries_of(rows: &[Object]) -> Result<Vec<(u64, Write)>> {
    let mut writes = Vec::new();
    for row in rows {
        let seq = super::number(row, "seq")?;
        let entry = crate::log::Entry::from_bytes(seq, bytes(row, "entry")?)?;
        writes.extend(entry.write.map(|write| (seq, write)));
    }
    Ok(writes)
}
