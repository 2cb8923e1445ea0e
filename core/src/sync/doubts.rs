//! What merging leaves doubtful: each replica wrote something valid, and together it is not.

use std::collections::HashMap;
use std::fmt;

use crate::client::ClientLog;
use crate::log::short_hash;
use crate::schema::{Collection, Index};
use crate::sorted::SortedSet;
use crate::value::canonical::put_value;
use crate::{Filter, Find, Key, Name, Object, Result, Value};

/// An object that does not fit the others, or its own definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What is doubtful.
    pub kind: DoubtKind,
    /// The object's collection.
    pub collection: Name,
    /// The object.
    pub key: Key,
    /// The fields it is about.
    pub fields: Vec<Name>,
    /// The other object: the one with the same values, or the parent that is not there.
    pub other: Option<Key>,
}

/// What is doubtful about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DoubtKind {
    /// Another object has the same values in the fields of a unique index.
    NotUnique,
    /// The object that it refers to is not there.
    NoParent,
    /// A required field is empty.
    Incomplete,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, collection, key, fields, other } = self;
        write!(f, "{kind:?} {collection} {key}: {}", fields.join(", "))?;
        other.iter().try_for_each(|other| write!(f, " ({other})"))
    }
}

/// How many objects are looked at together.
const CHUNK: usize = 2_000;

/// Lists what merging left doubtful in the logged collections: two objects with one unique value, a child
/// without its parent, a required field that an older application did not know.
///
/// Nothing of it stops sync, and nothing is changed here: the application decides. It reads every object,
/// and keeps 16 bytes and a key for each value of a unique index.
///
/// # Errors
///
/// Whatever reading reports.
pub async fn doubts(log: &ClientLog) -> Result<Vec<Doubt>> {
    let mut doubts = Vec::new();
    for definition in log.logged() {
        let mut looking = Looking { log, definition: &definition, seen: HashMap::new() };
        let mut question = Find::new(definition.name().clone(), Filter::All);
        question.page_objects = CHUNK;
        let mut next = Some(question);
        while let Some(question) = next {
            let page = log.find(question.clone()).await?;
            looking.page(&page.objects, &mut doubts).await?;
            next = question.following(&page);
        }
    }
    Ok(doubts)
}

struct Looking<'a> {
    log: &'a ClientLog,
    definition: &'a Collection,
    /// The first object with each combination of unique values.
    seen: HashMap<[u8; 16], Key>,
}

impl Looking<'_> {
    async fn page(&mut self, objects: &[Object], doubts: &mut Vec<Doubt>) -> Result<()> {
        for object in objects {
            let Some(key) = self.definition.key_of(object) else { continue };
            let required = self.definition.fields().iter().filter(|field| !field.optional);
            for field in required.filter(|field| object.value(&field.name).is_null()) {
                let fields = vec![field.name.clone()];
                doubts.push(self.doubt(DoubtKind::Incomplete, &key, fields, None));
            }
            let definition = self.definition;
            for index in definition.indexes().iter().filter(|index| index.unique) {
                let Some(values) = values_of(index, object) else { continue };
                match self.seen.get(&values) {
                    None => drop(self.seen.insert(values, key.clone())),
                    Some(first) => {
                        let (first, fields) = (Some(first.clone()), index.fields.clone());
                        doubts.push(self.doubt(DoubtKind::NotUnique, &key, fields, first));
                    }
                }
            }
        }
        self.orphans(objects, doubts).await
    }

    async fn orphans(&self, objects: &[Object], doubts: &mut Vec<Doubt>) -> Result<()> {
        for relationship in self.definition.relationships() {
            let Some(target) = self.log.schema().get(&relationship.target) else { continue };
            let referred = objects.iter().map(|object| object.value(&relationship.field));
            let wanted: SortedSet<&Value> = referred.filter(|value| !value.is_null()).collect();
            if wanted.is_empty() {
                continue;
            }
            let keys = wanted.into_iter().cloned().map(Key::from).collect();
            let mut question = Find::new(target.name().clone(), Filter::Keys(keys));
            question.page_objects = CHUNK;
            let there = self.log.find_all(question.select(target.key().to_vec())).await?;
            let there: SortedSet<Key> = there.iter().filter_map(|row| target.key_of(row)).collect();
            for object in objects {
                let value = object.value(&relationship.field);
                let (parent, key) = (Key::from(value.clone()), self.definition.key_of(object));
                if let Some(key) = key.filter(|_| !value.is_null() && !there.contains(&parent)) {
                    let fields = vec![relationship.field.clone()];
                    doubts.push(self.doubt(DoubtKind::NoParent, &key, fields, Some(parent)));
                }
            }
        }
        Ok(())
    }

    fn doubt(&self, kind: DoubtKind, key: &Key, fields: Vec<Name>, other: Option<Key>) -> Doubt {
        Doubt { kind, collection: self.definition.name().clone(), key: key.clone(), fields, other }
    }
}

/// What an object has in the fields of an index, as one hash; nothing if one of them is empty.
fn values_of(index: &Index, object: &Object) -> Option<[u8; 16]> {
    let mut bytes = Vec::with_capacity(64);
    for field in &index.fields {
        bytes.extend_from_slice(field.as_bytes());
        bytes.push(0);
        put_value(&mut bytes, object.get(field).filter(|value| !value.is_null())?);
    }
    Some(short_hash(&[&bytes]))
}
