//! From definitions to collections: fills in what has a default, refuses what contradicts itself.

use super::name::{check_name, plural};
use super::{
    Collection, Definition, Field, FieldType, Index, Primitive, Relationship, RelationshipDef,
    RelationshipKind,
};
use crate::sorted::SortedMap;
use crate::value::Name;
use crate::{Error, Result};

/// The field that is the primary key if nothing else is said.
pub(super) const DEFAULT_KEY: &str = "id";

/// The definitions of one version, by name.
pub(super) type Definitions = SortedMap<Name, Definition>;

/// All collections of one version, or the first contradiction.
pub(super) fn resolve(definitions: &Definitions) -> Result<SortedMap<Name, Collection>> {
    let mut collections = SortedMap::new();
    let mut folded: SortedMap<String, &Name> = SortedMap::new();
    for (name, definition) in definitions {
        if let Some(other) = folded.insert(name.to_ascii_lowercase(), name) {
            return Err(Error::invalid(
                "two collections differ in nothing but case; rename one of them",
            )
            .with("collection", name)
            .with("other", other));
        }
        let collection = one(definition, definitions)
            .map_err(|error| error.with("collection", &definition.name))?;
        collections.insert(name.clone(), collection);
    }
    check_reverse_aliases(&collections)?;
    Ok(collections)
}

/// One collection that relates to no other.
pub(super) fn standalone(definition: &Definition) -> Result<Collection> {
    one(definition, &Definitions::new()).map_err(|error| error.with("collection", &definition.name))
}

fn one(definition: &Definition, definitions: &Definitions) -> Result<Collection> {
    check_name(&definition.name)?;
    if definition.version == Some(0) {
        return Err(Error::invalid("versions count from 1"));
    }
    let relationships = relationships(definition, definitions)?;
    let key = definition.key.clone().unwrap_or_else(|| vec![DEFAULT_KEY.into()]);
    let fields = fields(definition, definitions, &relationships, &key)?;
    let mut collection = Collection {
        name: definition.name.clone(),
        version: definition.version.unwrap_or(1),
        fields,
        key,
        indexes: Vec::new(),
        relationships,
    };
    check_aliases(&collection)?;
    collection.key = collection
        .key
        .iter()
        .map(|name| field_of(&collection, name).map(|field| field.name.clone()))
        .collect::<Result<_>>()?;
    check_key(&collection)?;
    collection.indexes = indexes(definition, &collection)?;
    Ok(collection)
}

fn relationships(definition: &Definition, definitions: &Definitions) -> Result<Vec<Relationship>> {
    let ends = |def: &RelationshipDef| def.kind == RelationshipKind::Connects;
    for run in definition.relationships.chunk_by(|a, b| ends(a) == ends(b)) {
        if ends(&run[0]) && run.len() % 2 == 1 {
            return Err(Error::invalid("a connection has two ends, one after the other"));
        }
    }
    let ends: Vec<&RelationshipDef> =
        definition.relationships.iter().filter(|of| ends(of)).collect();
    if ends.chunks(2).any(|pair| pair[0].optional != pair[1].optional) {
        return Err(Error::invalid("both ends of a connection are optional, or neither is"));
    }
    definition
        .relationships
        .iter()
        .map(|def| {
            relationship(&definition.name, def, definitions)
                .map_err(|error| error.with("relationship", &def.target))
        })
        .collect()
}

fn relationship(
    own: &str,
    def: &RelationshipDef,
    definitions: &Definitions,
) -> Result<Relationship> {
    if !definitions.contains_key(&def.target) {
        return Err(Error::invalid("the relationship refers to a collection that is not there"));
    }
    let alias = def.alias.clone().unwrap_or_else(|| def.target.clone());
    let field = def.field.clone().unwrap_or_else(|| alias.clone());
    let reverse_alias = def.reverse_alias.clone().unwrap_or_else(|| default_reverse(def.kind, own));
    for name in [&alias, &field, &reverse_alias] {
        check_name(name)?;
    }
    Ok(Relationship { kind: def.kind, target: def.target.clone(), alias, reverse_alias, field })
}

/// What the other object calls the objects of the collection `own`, if nothing is said.
pub(super) fn default_reverse(kind: RelationshipKind, own: &str) -> Name {
    match kind {
        RelationshipKind::SingleChildOf => own.into(),
        RelationshipKind::ChildOf | RelationshipKind::Connects => plural(own).into(),
    }
}

fn fields(
    definition: &Definition,
    definitions: &Definitions,
    relationships: &[Relationship],
    key: &[Name],
) -> Result<Vec<Field>> {
    let mut fields = definition.fields.clone();
    for (def, relationship) in definition.relationships.iter().zip(relationships) {
        if definition.fields.iter().any(|field| field.name == relationship.field) {
            return Err(Error::invalid(
                "a relationship makes its own field; leave it out of the fields, or name another",
            )
            .with("field", &relationship.field));
        }
        let kind = key_type(&def.target, definitions, definitions.len())
            .map_err(|error| error.with("relationship", &def.target))?;
        fields.push(Field { name: relationship.field.clone(), kind, optional: def.optional });
    }
    let implicit = key.iter().any(|name| **name == *DEFAULT_KEY)
        && !fields.iter().any(|field| *field.name == *DEFAULT_KEY);
    if implicit {
        fields.push(Field { name: DEFAULT_KEY.into(), kind: FieldType::String, optional: false });
    }
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    let mut folded: SortedMap<String, &Name> = SortedMap::new();
    for field in &fields {
        check_name(&field.name)?;
        if let Some(other) = folded.insert(field.name.to_ascii_lowercase(), &field.name) {
            return Err(Error::invalid(
                "two fields have one name, or differ in nothing but case; rename one of them, or give \
                 the relationship an alias",
            )
            .with("field", &field.name)
            .with("other", other));
        }
    }
    Ok(fields)
}

/// The type of a field that holds keys of `target`, which may be a relationship itself.
fn key_type(target: &str, definitions: &Definitions, depth: usize) -> Result<FieldType> {
    let Some(definition) = definitions.get(target) else {
        return Err(Error::invalid("the relationship refers to a collection that is not there"));
    };
    let name: &str = match definition.key.as_deref() {
        None => DEFAULT_KEY,
        Some([name]) => name,
        Some(_) => {
            return Err(Error::invalid(
                "the relationship refers to a collection with a key of several fields; give that \
                 one a key of one field, and a unique index over the several",
            ));
        }
    };
    if let Some(field) = definition.fields.iter().find(|field| *field.name == *name) {
        return Ok(plain(field.kind.primitive()));
    }
    let held = |def: &&RelationshipDef| {
        let alias = def.alias.as_ref().unwrap_or(&def.target);
        **alias == *name || def.field.as_deref() == Some(name)
    };
    match definition.relationships.iter().find(held) {
        Some(_) if depth == 0 => {
            Err(Error::invalid("collections have each other's key as key; give one its own"))
        }
        Some(def) => key_type(&def.target, definitions, depth - 1),
        None => Ok(FieldType::String),
    }
}

/// The plain type for what storage holds.
fn plain(primitive: Primitive) -> FieldType {
    match primitive {
        Primitive::Bool => FieldType::Boolean,
        Primitive::Bytes => FieldType::Binary,
        Primitive::Float => FieldType::Float,
        Primitive::Int => FieldType::Int,
        Primitive::Json => FieldType::Json,
        Primitive::Text => FieldType::String,
        Primitive::Timestamp => FieldType::Timestamp,
    }
}

/// The field of this name, or the field of the relationship with this alias.
fn field_of<'a>(collection: &'a Collection, name: &str) -> Result<&'a Field> {
    collection
        .resolve(name)
        .ok_or_else(|| Error::invalid("there is no such field").with("field", name))
}

fn check_aliases(collection: &Collection) -> Result<()> {
    for (position, relationship) in collection.relationships.iter().enumerate() {
        let alias = &relationship.alias;
        let twice = collection.relationships[..position].iter().any(|other| other.alias == *alias);
        let taken = relationship.field != *alias && collection.field(alias).is_some();
        if twice || taken {
            return Err(Error::invalid(
                "the alias of a relationship is taken by a field or another relationship; give it \
                 another alias",
            )
            .with("alias", alias));
        }
    }
    Ok(())
}

fn check_key(collection: &Collection) -> Result<()> {
    if collection.key.is_empty() {
        return Err(Error::invalid("a primary key has at least one field"));
    }
    check_no_repetition(&collection.key)?;
    for name in &collection.key {
        let field = field_of(collection, name)?;
        let refused = if field.optional {
            Some("a field of the primary key cannot be optional")
        } else if matches!(field.kind.primitive(), Primitive::Json | Primitive::Float) {
            Some("a json or float field cannot be part of a primary key; use text or int")
        } else if field.kind == FieldType::AutoPk && collection.key.len() > 1 {
            Some("an auto-pk field is the whole primary key or nothing; use int in a compound key")
        } else {
            None
        };
        if let Some(message) = refused {
            return Err(Error::invalid(message).with("field", name));
        }
    }
    let stray = |field: &&Field| field.kind == FieldType::AutoPk && !collection.is_key(&field.name);
    match collection.fields.iter().find(stray) {
        Some(field) => Err(Error::invalid("an auto-pk field must be the primary key; name it so")
            .with("field", &field.name)),
        None => Ok(()),
    }
}

fn indexes(definition: &Definition, collection: &Collection) -> Result<Vec<Index>> {
    let mut indexes: Vec<Index> = Vec::with_capacity(definition.indexes.len());
    for index in &definition.indexes {
        let fields: Vec<&Field> = index
            .fields
            .iter()
            .map(|name| field_of(collection, name))
            .collect::<Result<_>>()
            .map_err(|error| error.with("index", index.fields.join(", ")))?;
        check_index(index, &fields, collection)
            .map_err(|error| error.with("index", index.fields.join(", ")))?;
        let fields = fields.into_iter().map(|field| field.name.clone()).collect();
        indexes.push(Index { fields, ..*index });
    }
    indexes.sort_by(|a, b| (&a.fields, a.full_text).cmp(&(&b.fields, b.full_text)));
    let same = |pair: &&[Index]| {
        pair[0].fields == pair[1].fields && pair[0].full_text == pair[1].full_text
    };
    if let Some(pair) = indexes.windows(2).find(same) {
        return Err(Error::invalid("an index is declared twice; leave one out")
            .with("index", pair[0].fields.join(", ")));
    }
    Ok(indexes)
}

fn check_index(index: &Index, fields: &[&Field], collection: &Collection) -> Result<()> {
    let names: Vec<Name> = fields.iter().map(|field| field.name.clone()).collect();
    check_no_repetition(&names)?;
    let refused = if fields.is_empty() {
        Some("an index has at least one field")
    } else if index.full_text {
        let text = fields.len() == 1 && fields[0].kind.primitive() == Primitive::Text;
        (!text || index.unique).then_some("a full text index is over one text field, not unique")
    } else if names == collection.key {
        Some("the primary key is indexed already; leave this index out")
    } else if fields.iter().any(|field| field.kind.primitive() == Primitive::Json) {
        Some("a json field cannot be indexed; keep what is looked for in a field of its own")
    } else {
        None
    };
    refused.map_or(Ok(()), |message| Err(Error::invalid(message)))
}

fn check_no_repetition(names: &[Name]) -> Result<()> {
    let again = |(position, name): &(usize, &Name)| names[..*position].contains(name);
    match names.iter().enumerate().find(again) {
        Some((_, name)) => Err(Error::invalid("a field is named twice").with("field", name)),
        None => Ok(()),
    }
}

/// A reverse alias is a member of the target's nested objects: it must name one thing only.
fn check_reverse_aliases(collections: &SortedMap<Name, Collection>) -> Result<()> {
    let mut taken: SortedMap<(&Name, &Name), &Name> = SortedMap::new();
    for collection in collections.values() {
        for relationship in &collection.relationships {
            let (target, alias) = (&relationship.target, &relationship.reverse_alias);
            let clash = |other: &dyn std::fmt::Display| {
                Error::invalid(
                    "a reverse alias is taken; give the relationship another reverse alias",
                )
                .with("collection", &collection.name)
                .with("relationship", target)
                .with("reverse alias", alias)
                .with("taken by", other)
            };
            if let Some(other) = taken.insert((target, alias), &collection.name) {
                return Err(clash(other));
            }
            if collections.get(target).is_some_and(|target| target.resolve(alias).is_some()) {
                return Err(clash(&format_args!("a field of `{target}`")));
            }
        }
    }
    Ok(())
}
