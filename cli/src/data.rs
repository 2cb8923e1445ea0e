//! Objects: create, update, delete, find, count.

use std::path::Path;

use serde_json::{Value as Json, json};
use syncline::query::Order;
use syncline::schema::RelationshipKind;
use syncline::value::json::{key_to_json, nested_from_json, object_to_json};
use syncline::{Error, Nested, Result, Schema};

use crate::output::{Objects, Output, count as counted};
use crate::store::{self, Options, Store};

/// What a find asks for.
#[derive(Debug)]
pub struct Question {
    pub filter: String,
    pub order: Option<String>,
    pub limit: Option<u64>,
    pub skip: u64,
    pub fields: Vec<String>,
}

pub async fn create(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    object: &str,
) -> Result<()> {
    let store = Store::open(options, db).await?;
    let collection = store.collection(collection)?;
    let json = store::parse(object, "object")?;
    let nested = nested_from_json(&json, collection.definition(), store.manager().schema())?;
    let created = collection.create_nested(nested).await?;
    let key = collection.definition().key_of(&created.object).map(|key| key_to_json(&key));
    let object = nested_to_json(&created, collection.definition().name(), store.manager().schema());
    output.result(|| json!({"key": key, "object": object}), || object.to_string())
}

/// An object with its children, in the form in which it was given.
fn nested_to_json(nested: &Nested, collection: &str, schema: &Schema) -> Json {
    let mut json = object_to_json(&nested.object);
    for (alias, children) in &nested.children {
        let Some((child, relationship)) = schema.child(collection, alias) else { continue };
        let mut all: Vec<Json> =
            children.iter().map(|nested| nested_to_json(nested, child.name(), schema)).collect();
        json[&**alias] = match relationship.kind {
            RelationshipKind::SingleChildOf => all.pop().unwrap_or_default(),
            _ => all.into(),
        };
    }
    json
}

pub async fn update(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    [filter, changes]: [&str; 2],
) -> Result<()> {
    let store = Store::open(options, db).await?;
    let collection = store.collection(collection)?;
    let filter = store::filter(filter, &collection)?;
    let changes = store::object(changes, "changes", &collection)?;
    let updated = collection.update(filter, changes).await?;
    output.result(
        || json!({"updated": updated}),
        || format!("updated {}", counted(updated, "object")),
    )
}

pub async fn delete(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    filter: &str,
    limit: Option<u64>,
) -> Result<()> {
    let store = Store::open(options, db).await?;
    let collection = store.collection(collection)?;
    let filter = store::filter(filter, &collection)?;
    let deleted = match limit {
        Some(limit) => collection.delete_limited(filter, limit).await?,
        None => collection.delete(filter).await?,
    };
    output.result(
        || json!({"deleted": deleted}),
        || format!("deleted {}", counted(deleted, "object")),
    )
}

pub async fn find(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    question: Question,
) -> Result<()> {
    let store = Store::open_to_read(options, db).await?;
    let collection = store.collection(collection)?;
    let definition = collection.definition();
    let mut query =
        collection.query(store::filter(&question.filter, &collection)?).skip(question.skip);
    for order in Order::parse(question.order.as_deref().unwrap_or_default(), definition)? {
        query = query.order_by(order.field, order.direction);
    }
    if let Some(limit) = question.limit {
        query = query.limit(limit);
    }
    if !question.fields.is_empty() {
        let fields = question.fields.iter().map(|name| {
            let field = definition.resolve(name.trim());
            field.map(|field| field.name.clone()).ok_or_else(|| {
                Error::invalid("there is no such field; correct it or leave it out")
                    .with("field", format_args!("{name:?}"))
                    .with("collection", definition.name())
            })
        });
        query = query.select(fields.collect::<Result<Vec<_>>>()?);
    }
    let mut found = query.stream()?;
    let mut objects = Objects::new(output);
    while let Some(object) = found.next().await {
        objects.print(&object_to_json(&object?))?;
    }
    objects.end()
}

pub async fn count(
    options: &Options,
    output: &Output,
    db: &Path,
    collection: &str,
    filter: &str,
) -> Result<()> {
    let store = Store::open_to_read(options, db).await?;
    let collection = store.collection(collection)?;
    let count = collection.count(store::filter(filter, &collection)?).await?;
    output.result(|| json!({"count": count}), || count.to_string())
}
