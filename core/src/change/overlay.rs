//! What objects look like at a certain step of a batch that is not written yet.

use std::collections::HashMap;

use super::Reader;
use crate::operation::{Batch, Step};
use crate::query::{Filter, Find, PAGE_OBJECTS, matches};
use crate::schema::{Collection, Schema};
use crate::sorted::SortedMap;
use crate::value::{Key, Name, Object};
use crate::{Error, Result};

/// Storage as the steps of a batch see it: what is stored, and on top of it what earlier steps did.
pub(crate) struct Overlay<'a> {
    schema: &'a Schema,
    reader: &'a dyn Reader,
    collections: SortedMap<Name, Layer>,
}

/// The part of an overlay that is about one collection.
#[derive(Default)]
struct Layer {
    /// Whether objects are read whole; otherwise it is enough to know that they are there.
    whole: bool,
    objects: HashMap<Key, Seen>,
}

/// What is known of one object.
#[derive(Default)]
struct Seen {
    /// As it was stored before the batch, if it is there and was read whole.
    stored: Option<Object>,
    /// As it is at this step.
    now: Now,
    /// Whether a step of the batch changed it, so that storage no longer tells what it looks like.
    touched: bool,
}

#[derive(Default)]
enum Now {
    #[default]
    Absent,
    There,
    Whole(Object),
}

impl<'a> Overlay<'a> {
    /// Begins before the first step, and reads all objects that the batch names by key.
    ///
    /// The objects of collections that pass `whole` are read whole; of others, where no step needs
    /// it, only the keys.
    pub(crate) async fn new(
        batch: &Batch,
        schema: &'a Schema,
        reader: &'a dyn Reader,
        whole: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let mut overlay = Self { schema, reader, collections: SortedMap::new() };
        let mut wanted: SortedMap<Name, Vec<Key>> = SortedMap::new();
        for step in &batch.steps {
            let (collection, keys) = match step {
                Step::Create(create) => (&create.collection, Some(Vec::new())),
                Step::Update { collection, filter, .. }
                | Step::Delete { collection, filter, .. } => {
                    (collection, schema.collection(collection)?.keys_in(filter))
                }
                Step::Guard(_) => continue,
            };
            let names = wanted.contains_key(collection);
            let layer = overlay.collections.get_or_default(collection.clone());
            // A filter over what earlier steps changed can only be judged on whole objects.
            layer.whole |= (names && keys.is_none()) || whole(collection);
            wanted.get_or_default(collection.clone()).extend(keys.unwrap_or_default());
        }
        for (collection, keys) in wanted {
            overlay.read_keys(&collection, keys).await?;
        }
        Ok(overlay)
    }

    /// The keys of the objects that a step changes or deletes, sorted.
    pub(crate) async fn touched(&mut self, step: &Step) -> Result<Vec<Key>> {
        let (Step::Update { collection, filter, .. } | Step::Delete { collection, filter, .. }) =
            step
        else {
            return Ok(Vec::new());
        };
        let definition = self.schema.collection(collection)?;
        let mut keys = match definition.keys_in(filter) {
            Some(mut keys) => {
                keys.retain(|key| self.seen(collection, key).is_some_and(Seen::is_there));
                keys
            }
            None => self.find(definition, filter).await?,
        };
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// An object as it is at this step, if it is there and was read whole.
    pub(crate) fn object(&self, collection: &str, key: &Key) -> Option<&Object> {
        match &self.seen(collection, key)?.now {
            Now::Whole(object) => Some(object),
            _ => None,
        }
    }

    /// An object as it was before the batch, if it was there and was read whole.
    pub(crate) fn stored(&self, collection: &str, key: &Key) -> Option<&Object> {
        self.seen(collection, key)?.stored.as_ref()
    }

    /// Goes on behind a step that touches these keys.
    pub(crate) fn apply(&mut self, step: &Step, keys: &[Key]) {
        let layer = self.collections.get_or_default(step.collection().clone());
        match step {
            Step::Create(create) => {
                let key = self
                    .schema
                    .get(&create.collection)
                    .and_then(|collection| collection.key_of(&create.object));
                if let Some(key) = key {
                    let seen = layer.objects.entry(key).or_default();
                    seen.touched = true;
                    seen.now = match layer.whole {
                        true => Now::Whole(create.object.clone()),
                        false => Now::There,
                    };
                }
            }
            Step::Update { changes, .. } => {
                for key in keys {
                    let Some(seen) = layer.objects.get_mut(key) else { continue };
                    seen.touched = true;
                    if let Now::Whole(object) = &mut seen.now {
                        object.merge(changes.clone());
                    }
                }
            }
            Step::Delete { .. } => {
                for key in keys {
                    let Some(seen) = layer.objects.get_mut(key) else { continue };
                    seen.touched = true;
                    seen.now = Now::Absent;
                }
            }
            Step::Guard(_) => {}
        }
    }

    fn seen(&self, collection: &str, key: &Key) -> Option<&Seen> {
        self.collections.get(collection)?.objects.get(key)
    }

    /// Reads objects by key, many at a time; what is not found is known to be absent.
    async fn read_keys(&mut self, collection: &Name, mut keys: Vec<Key>) -> Result<()> {
        keys.sort_unstable();
        keys.dedup();
        let definition = self.schema.collection(collection)?;
        for some in keys.chunks(PAGE_OBJECTS) {
            let _ = self.read(definition, Filter::Keys(some.to_vec())).await?;
        }
        let layer = self.collections.get_or_default(collection.clone());
        for key in keys {
            let _ = layer.objects.entry(key).or_default();
        }
        Ok(())
    }

    /// The objects that meet a general filter at this step.
    async fn find(&mut self, definition: &'a Collection, filter: &Filter) -> Result<Vec<Key>> {
        let mut keys = self.read(definition, filter.clone()).await?;
        let Some(layer) = self.collections.get(definition.name()) else { return Ok(keys) };
        keys.retain(|key| layer.objects.get(key).is_none_or(|seen| !seen.touched));
        for (key, seen) in layer.objects.iter().filter(|(_, seen)| seen.touched) {
            match &seen.now {
                Now::Absent => {}
                Now::Whole(object) if matches(filter, object, definition) => keys.push(key.clone()),
                Now::Whole(_) => {}
                Now::There => {
                    return Err(Error::internal("a filter meets an object that was not read"));
                }
            }
        }
        Ok(keys)
    }

    /// Reads the stored objects that meet a filter, notes them and answers with their keys.
    async fn read(&mut self, definition: &Collection, filter: Filter) -> Result<Vec<Key>> {
        let layer = self.collections.get_or_default(definition.name().clone());
        let mut find = Find::new(definition.name().clone(), filter);
        if !layer.whole {
            find.fields = Some(Vec::new());
        }
        let mut found = Vec::new();
        let mut next = Some(find);
        while let Some(find) = next {
            let page = self.reader.page(find.clone()).await?;
            next = find.following(&page);
            for object in page.objects {
                let key = definition.key_of(&object).ok_or_else(|| {
                    Error::corrupt("a stored object lacks a part of its primary key")
                        .with("collection", definition.name())
                })?;
                let seen = layer.objects.entry(key.clone()).or_default();
                found.push(key);
                if seen.touched {
                    continue;
                }
                seen.now = match layer.whole {
                    true => {
                        seen.stored = Some(object.clone());
                        Now::Whole(object)
                    }
                    false => Now::There,
                };
            }
        }
        Ok(found)
    }
}

impl Seen {
    fn is_there(&self) -> bool {
        !matches!(self.now, Now::Absent)
    }
}
