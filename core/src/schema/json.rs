//! Schemas as JSON, in storex's words.
//!
//! ```json
//! {
//!   "version": 1,
//!   "collections": {
//!     "city": {
//!       "fields": {
//!         "name": {"type": "string"},
//!         "population": {"type": "int", "optional": true}
//!       },
//!       "indices": [{"field": "name"}, {"field": ["country", "name"], "unique": true}],
//!       "relationships": [{"childOf": "country"}]
//!     },
//!     "country": {"fields": {"code": {"type": "string"}}, "indices": [{"field": "code", "pk": true}]}
//!   }
//! }
//! ```
//!
//! An index with `"pk": true` names the primary key, one with `"fullText": true` is of words. A
//! relationship is `childOf`, `singleChildOf` or `connects` (two collections), with `alias`,
//! `reverseAlias` and `fieldName` (for a connection `aliases`, `reverseAliases` and `fieldNames`, two
//! each) and `"optional": true`. A collection may say its own `version`, the one in which it last
//! changed. Older schemas stand in `"history"`.

use serde_json::{Map, Value as Json, json};

use super::cursor::Cursor;
use super::resolve::{DEFAULT_KEY, default_reverse};
use super::{
    Collection, Collections, Definition, Registry, Relationship, RelationshipDef, RelationshipKind,
    Schema,
};
use crate::value::Name;
use crate::value::json::map;
use crate::{Error, Result};

impl Schema {
    /// Reads a schema from JSON; the words are those of storex.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the path of what is wrong.
    ///
    /// # Example
    ///
    /// ```
    /// use serde_json::json;
    /// use syncline_core::Schema;
    ///
    /// let schema = Schema::from_json(&json!({
    ///     "version": 1,
    ///     "collections": {
    ///         "user": {"fields": {"name": {"type": "string"}}},
    ///         "email": {
    ///             "fields": {"address": {"type": "string"}},
    ///             "relationships": [{"childOf": "user"}]
    ///         }
    ///     }
    /// }))?;
    /// assert_eq!(&*schema.collection("email")?.relationships()[0].reverse_alias, "emails");
    /// assert_eq!(Schema::from_json(&schema.to_json())?, schema);
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn from_json(json: &Json) -> Result<Self> {
        Registry::from_json(json)?.finish()
    }

    /// Writes the schema and its history as JSON, without the collections of middlewares.
    pub fn to_json(&self) -> Json {
        let mut json = version_json(self.version, &self.collections);
        if !self.history.is_empty() {
            let history =
                self.history.iter().map(|(version, of)| version_json(*version, of).into());
            json.insert("history".into(), history.collect::<Vec<Json>>().into());
        }
        json.into()
    }
}

impl Registry {
    /// A registry with the definitions of a schema in JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the path of what is wrong.
    pub fn from_json(json: &Json) -> Result<Self> {
        Self::new().json(json)
    }

    /// Adds the definitions of a schema in JSON, whose field types must be known by now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the path of what is wrong.
    pub fn json(mut self, json: &Json) -> Result<Self> {
        let root = Cursor::root(json);
        root.only(&["version", "collections", "history"])?;
        let mut versions = Vec::new();
        if let Some(history) = root.get("history") {
            for older in history.items()? {
                older.only(&["version", "collections"])?;
                versions.push((version(&older)?, older));
            }
        }
        versions.push((version(&root)?, root.clone()));
        if let Some(pair) = versions.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(pair[1].1.refuse("versions must rise, those in `history` first"));
        }
        let mut before: Vec<Name> = Vec::new();
        for (version, cursor) in versions {
            let definitions = cursor
                .require("collections")?
                .members()?
                .map(|(name, cursor)| definition(name, &cursor, &self))
                .collect::<Result<Vec<_>>>()?;
            let now: Vec<Name> = definitions.iter().map(|of| of.name.clone()).collect();
            for gone in before.iter().filter(|name| !now.contains(name)) {
                self = self.remove(version, gone.clone());
            }
            before = now;
            self = self.collections(version, definitions);
        }
        Ok(self)
    }
}

fn version(cursor: &Cursor<'_>) -> Result<u32> {
    cursor.require("version")?.number()
}

fn definition(name: &str, cursor: &Cursor<'_>, registry: &Registry) -> Result<Definition> {
    cursor.only(&["version", "fields", "indices", "relationships"])?;
    let mut definition = Collection::define(name);
    if let Some(version) = cursor.get("version") {
        definition.version = Some(version.number()?);
    }
    if let Some(fields) = cursor.get("fields") {
        for (name, field) in fields.members()? {
            field.only(&["type", "optional"])?;
            let kind = field.require("type")?;
            let kind = registry.field_type(kind.text()?).map_err(|error| kind.place(error))?;
            definition = match field.flag("optional")? {
                true => definition.optional(name, kind),
                false => definition.field(name, kind),
            };
        }
    }
    if let Some(indices) = cursor.get("indices") {
        for index in indices.items()? {
            definition = add_index(definition, &index)?;
        }
    }
    if let Some(relationships) = cursor.get("relationships") {
        for relationship in relationships.items()? {
            definition = add_relationship(definition, &relationship)?;
        }
    }
    Ok(definition)
}

fn add_index(definition: Definition, cursor: &Cursor<'_>) -> Result<Definition> {
    cursor.only(&["field", "unique", "pk", "fullText"])?;
    let field = cursor.require("field")?;
    let fields: Vec<Name> = match field.json() {
        Json::Array(_) => field.items()?.map(|field| index_field(&field)).collect::<Result<_>>()?,
        _ => vec![index_field(&field)?],
    };
    let flags = (cursor.flag("pk")?, cursor.flag("unique")?, cursor.flag("fullText")?);
    match flags {
        // Storex allows `unique` beside `pk`; a primary key is unique either way.
        (true, _, false) if definition.key.is_none() => Ok(definition.key(fields)),
        (true, _, false) => Err(cursor.refuse("a collection has one primary key; leave one out")),
        (false, false, false) => Ok(definition.index(fields)),
        (false, true, false) => Ok(definition.unique(fields)),
        (false, false, true) if fields.len() == 1 => Ok(definition.full_text(fields[0].clone())),
        _ => Err(cursor.refuse("a full text index is over one field, not unique, and no key")),
    }
}

/// A field by its name, or storex's `{"relationship": alias}`.
fn index_field(cursor: &Cursor<'_>) -> Result<Name> {
    if cursor.json().is_object() {
        cursor.only(&["relationship"])?;
        return cursor.require("relationship")?.text().map(Name::from);
    }
    cursor.text().map(Name::from)
}

fn add_relationship(definition: Definition, cursor: &Cursor<'_>) -> Result<Definition> {
    let single = |kind, target: Cursor<'_>| -> Result<RelationshipDef> {
        let word = if kind == RelationshipKind::ChildOf { "childOf" } else { "singleChildOf" };
        cursor.only(&[word, "alias", "reverseAlias", "fieldName", "optional"])?;
        let name = |word: &str| -> Result<Option<Name>> {
            cursor.get(word).map(|name| name.text().map(Name::from)).transpose()
        };
        Ok(RelationshipDef {
            alias: name("alias")?,
            reverse_alias: name("reverseAlias")?,
            field: name("fieldName")?,
            optional: cursor.flag("optional")?,
            ..RelationshipDef::new(kind, target.text()?)
        })
    };
    if let Some(target) = cursor.get("childOf") {
        return Ok(definition.relationship(single(RelationshipKind::ChildOf, target)?));
    }
    if let Some(target) = cursor.get("singleChildOf") {
        return Ok(definition.relationship(single(RelationshipKind::SingleChildOf, target)?));
    }
    let Some(targets) = cursor.get("connects") else {
        return Err(cursor.refuse("a relationship is `childOf`, `singleChildOf` or `connects`"));
    };
    cursor.only(&["connects", "aliases", "reverseAliases", "fieldNames", "optional"])?;
    let [a, b] = pair(&targets)?;
    let names = |word: &str| -> Result<[Option<Name>; 2]> {
        let names = cursor.get(word).map(|names| pair(&names)).transpose()?;
        Ok(names.map_or([None, None], |names| names.map(Some)))
    };
    let [alias_a, alias_b] = names("aliases")?;
    let [reverse_a, reverse_b] = names("reverseAliases")?;
    let [field_a, field_b] = names("fieldNames")?;
    let optional = cursor.flag("optional")?;
    let end = |target, alias, reverse_alias, field| RelationshipDef {
        alias,
        reverse_alias,
        field,
        optional,
        ..RelationshipDef::end(target)
    };
    Ok(definition
        .relationship(end(a, alias_a, reverse_a, field_a))
        .relationship(end(b, alias_b, reverse_b, field_b)))
}

fn pair(cursor: &Cursor<'_>) -> Result<[Name; 2]> {
    let names: Vec<Name> =
        cursor.items()?.map(|name| name.text().map(Name::from)).collect::<Result<_>>()?;
    names.try_into().map_err(|_| -> Error { cursor.refuse("a connection has two ends") })
}

fn version_json(version: u32, collections: &Collections) -> Map<String, Json> {
    let own = collections.iter().filter(|(_, collection)| !collection.is_reserved());
    let own: Map<String, Json> =
        own.map(|(name, collection)| (name.to_string(), collection_json(collection))).collect();
    Map::from_iter([("version".into(), version.into()), ("collections".into(), own.into())])
}

fn collection_json(collection: &Collection) -> Json {
    let held = |name: &Name| collection.relationships.iter().any(|of| of.field == *name);
    let fields = collection.fields.iter().filter(|field| !held(&field.name)).map(|field| {
        let mut json = json!({"type": field.kind.name()});
        if field.optional {
            json["optional"] = true.into();
        }
        (field.name.to_string(), json)
    });
    let mut json = json!({
        "version": collection.version,
        "fields": map(fields),
    });
    let mut indices: Vec<Json> = Vec::new();
    if collection.key.len() != 1 || *collection.key[0] != *DEFAULT_KEY {
        indices.push(json!({"field": one_or_many(&collection.key), "pk": true}));
    }
    indices.extend(collection.indexes.iter().map(|index| {
        let mut json = json!({"field": one_or_many(&index.fields)});
        for (word, is) in [("unique", index.unique), ("fullText", index.full_text)] {
            if is {
                json[word] = true.into();
            }
        }
        json
    }));
    if !indices.is_empty() {
        json["indices"] = indices.into();
    }
    if !collection.relationships.is_empty() {
        json["relationships"] = relationships_json(collection).into();
    }
    json
}

fn one_or_many(names: &[Name]) -> Json {
    match names {
        [name] => json!(**name),
        names => names.iter().map(|name| json!(**name)).collect::<Vec<_>>().into(),
    }
}

fn relationships_json(collection: &Collection) -> Vec<Json> {
    let optional =
        |of: &Relationship| collection.field(&of.field).is_some_and(|field| field.optional);
    let mut all = Vec::new();
    let mut rest = collection.relationships.as_slice();
    while let [first, others @ ..] = rest {
        let (ends, others) = match (first.kind, others) {
            (RelationshipKind::Connects, [second, others @ ..]) => (vec![first, second], others),
            _ => (vec![first], others),
        };
        rest = others;
        let mut json = names_json(&collection.name, &ends);
        if ends.iter().any(|end| optional(end)) {
            json.insert("optional".into(), true.into());
        }
        all.push(json.into());
    }
    all
}

/// The members that say where a relationship leads and what it is called, unless by default.
fn names_json(own: &str, ends: &[&Relationship]) -> Map<String, Json> {
    let kind = ends[0].kind;
    let words = match kind {
        RelationshipKind::ChildOf => ["childOf", "alias", "reverseAlias", "fieldName"],
        RelationshipKind::SingleChildOf => ["singleChildOf", "alias", "reverseAlias", "fieldName"],
        RelationshipKind::Connects => ["connects", "aliases", "reverseAliases", "fieldNames"],
    };
    let reverse = default_reverse(kind, own);
    let default = |word: usize, end: &Relationship| match word {
        0 => false,
        1 => end.alias == end.target,
        2 => end.reverse_alias == reverse,
        _ => end.field == end.alias,
    };
    let name = |word: usize, end: &Relationship| match word {
        0 => end.target.clone(),
        1 => end.alias.clone(),
        2 => end.reverse_alias.clone(),
        _ => end.field.clone(),
    };
    let mut json = Map::new();
    for (at, word) in words.into_iter().enumerate() {
        if !ends.iter().all(|end| default(at, end)) {
            let names: Vec<Name> = ends.iter().map(|end| name(at, end)).collect();
            json.insert(word.to_owned(), one_or_many(&names));
        }
    }
    json
}
