//! Collects definitions and builds a schema, or says why not.

use std::sync::Arc;

use super::builder::Definition;
use super::resolve::{Definitions, resolve};
use super::{Collection, Collections, CustomType, FieldType, RESERVED, Schema, check_name, types};
use crate::sorted::SortedMap;
use crate::value::Name;
use crate::value::Quoted;
use crate::{Error, Result};

/// Collects definitions, version by version, then builds a [`Schema`].
///
/// # Example
///
/// ```
/// use syncline_core::{Collection, FieldType, Registry};
///
/// let user = Collection::define("user").field("name", FieldType::String);
/// let schema = Registry::new()
///     .collections(1, [user.clone(), Collection::define("draft")])
///     .collections(2, [user.optional("email", FieldType::String)])
///     .remove(2, "draft")
///     .finish()?;
///
/// assert_eq!(schema.version(), 2);
/// assert_eq!(schema.collection("user")?.version(), 2);
/// assert!(schema.get("draft").is_none());
/// assert!(schema.at(1).is_some_and(|then| then.contains_key("draft")));
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    versions: SortedMap<u32, Vec<Entry>>,
    custom: SortedMap<&'static str, Arc<dyn CustomType>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Define(Definition),
    Remove(Name),
}

impl Registry {
    /// A registry without definitions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds definitions that hold from this version of the schema on.
    ///
    /// Defining a collection again in a later version replaces the earlier definition; a definition
    /// that says the same keeps the version of the earlier one.
    #[must_use]
    pub fn collections(
        mut self,
        version: u32,
        definitions: impl IntoIterator<Item = Definition>,
    ) -> Self {
        let entries = definitions.into_iter().map(Entry::Define);
        self.versions.get_or_default(version).extend(entries);
        self
    }

    /// Says that a collection is gone from this version of the schema on.
    #[must_use]
    pub fn remove(mut self, version: u32, name: impl Into<Name>) -> Self {
        self.versions.get_or_default(version).push(Entry::Remove(name.into()));
        self
    }

    /// Makes a custom field type known, so that JSON can name it; replaces one of the same name.
    #[must_use]
    pub fn custom(mut self, custom: Arc<dyn CustomType>) -> Self {
        self.custom.insert(custom.name(), custom);
        self
    }

    /// The field type that schemas call so: a built-in one or a [custom](Self::custom) one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if there is none.
    pub fn field_type(&self, name: &str) -> Result<FieldType> {
        let built_in = FieldType::built_in(name);
        let custom = || self.custom.get(name).cloned().map(FieldType::Custom);
        built_in.or_else(custom).or_else(|| types::built_in(name)).ok_or_else(|| {
            let known = FieldType::BUILT_IN.map(|kind| kind.name());
            let custom = types::NAMES.into_iter().chain(self.custom.keys().copied());
            let mut known: Vec<&str> = known.into_iter().chain(custom).collect();
            known.sort_unstable();
            known.dedup();
            Error::invalid("there is no such field type; register custom ones with the registry")
                .with("type", Quoted(name))
                .with("known", known.join(", "))
        })
    }

    /// Builds the schema of the newest version, which remembers the older ones.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the first contradiction, and where.
    pub fn finish(self) -> Result<Schema> {
        self.check()?;
        let mut definitions = Definitions::new();
        let mut history: Vec<(u32, Collections)> = Vec::with_capacity(self.versions.len());
        for (version, entries) in self.versions {
            let explicit =
                apply(entries, &mut definitions).map_err(|error| error.with("version", version))?;
            let collections =
                resolve(&definitions).map_err(|error| error.with("version", version))?;
            let collections = number(version, collections, history.last(), &explicit)?;
            history.push((version, collections));
        }
        let Some((version, collections)) = history.pop() else {
            return Err(Error::invalid("a schema has at least one version; add collections to 1"));
        };
        Ok(Schema { version, collections, history: history.into() })
    }

    fn check(&self) -> Result<()> {
        if self.versions.contains_key(&0) {
            return Err(Error::invalid("versions of a schema count from 1"));
        }
        for name in self.custom.keys() {
            check_name(name)?;
            if FieldType::built_in(name).is_some() {
                return Err(Error::invalid("a custom type has the name of a built-in one")
                    .with("type", name));
            }
        }
        Ok(())
    }
}

/// Takes the entries of one version in; answers with the versions that definitions name themselves.
fn apply(
    entries: Vec<Entry>,
    definitions: &mut Definitions,
) -> Result<SortedMap<Name, Option<u32>>> {
    let mut touched: SortedMap<Name, Option<u32>> = SortedMap::new();
    for entry in entries {
        let name = match &entry {
            Entry::Define(definition) => definition.name.clone(),
            Entry::Remove(name) => name.clone(),
        };
        if is_reserved(&name) {
            return Err(Error::invalid("names that begin with `sync_` are reserved; rename it")
                .with("collection", name));
        }
        let explicit = match entry {
            Entry::Define(definition) => {
                let explicit = definition.version;
                definitions.insert(name.clone(), definition);
                explicit
            }
            Entry::Remove(name) => {
                definitions.remove(&name).ok_or_else(|| {
                    Error::invalid("there is no such collection to remove")
                        .with("collection", &name)
                })?;
                None
            }
        };
        if touched.insert(name.clone(), explicit).is_some() {
            return Err(Error::invalid("a collection is defined twice in one version")
                .with("collection", name));
        }
    }
    Ok(touched)
}

/// Whether applications may not use this name, in whatever case: databases ignore it.
fn is_reserved(name: &str) -> bool {
    name.get(..RESERVED.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED))
}

/// Gives each collection the version in which it last changed.
fn number(
    version: u32,
    collections: SortedMap<Name, Collection>,
    before: Option<&(u32, Collections)>,
    explicit: &SortedMap<Name, Option<u32>>,
) -> Result<Collections> {
    let mut numbered = Collections::new();
    for (name, mut collection) in collections {
        let same = before
            .and_then(|(_, before)| before.get(&name))
            .filter(|before| before.same_shape(&collection));
        let said = explicit.get(&name).copied().flatten();
        collection.version = said.or_else(|| same.map(|before| before.version)).unwrap_or(version);
        let known = before.is_some_and(|(before, _)| collection.version <= *before);
        let contradicts = known && same.map(|before| before.version) != Some(collection.version);
        if contradicts || collection.version > version {
            return Err(Error::invalid(
                "a collection names a version in which it cannot have changed last",
            )
            .with("collection", &name)
            .with("says", collection.version)
            .with("schema", version));
        }
        numbered.insert(name, Arc::new(collection));
    }
    Ok(numbered)
}
