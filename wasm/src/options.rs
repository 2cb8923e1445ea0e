//! What a database is opened with, and what is asked of it.

use std::sync::Arc;

use serde_json::Value as Json;
use syncline::manager::Query;
use syncline::middleware::SystemRandom;
use syncline::query::Order;
use syncline::schema::{Primitive, RandomKey};
use syncline::value::json::map;
use syncline::{CollectionHandle, Error, Registry, Result, Schema};

use crate::json::object;

/// A schema as the application wrote it.
pub(crate) fn schema(json: &Json) -> Result<Schema> {
    let random = RandomKey::new(Arc::new(SystemRandom));
    Registry::new().custom(Arc::new(random)).json(json)?.finish()
}

/// What JavaScript must know of a schema to pack its objects and to type them.
pub(crate) fn described(schema: &Schema) -> Json {
    let collections = schema.own_collections().map(|collection| {
        let fields = collection
            .fields()
            .iter()
            .map(|field| Json::from(vec![&*field.name, primitive(field.kind.primitive())]));
        let aliases =
            collection.relationships().iter().map(|of| Json::from(vec![&*of.alias, &*of.field]));
        let description = object!(
            "fields": fields.collect::<Vec<_>>(),
            "aliases": aliases.collect::<Vec<_>>(),
            "key": collection.key().iter().map(|name| &**name).collect::<Vec<_>>(),
        );
        (collection.name().to_string(), description)
    });
    Json::Object(map(collections))
}

fn primitive(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Bool => "bool",
        Primitive::Bytes => "bytes",
        Primitive::Float => "float",
        Primitive::Int => "int",
        Primitive::Json => "json",
        Primitive::Text => "text",
        Primitive::Timestamp => "timestamp",
    }
}

/// A question: a filter, and `limit`, `skip`, `order` and `select`.
pub(crate) fn query(filter: &Json, options: &Json, handle: &CollectionHandle) -> Result<Query> {
    let mut query = handle.query(filter);
    for order in
        options.get("order").map(|json| order(json, handle)).transpose()?.into_iter().flatten()
    {
        query = query.order_by(order.field, order.direction);
    }
    if let Some(limit) = number(options, "limit")? {
        query = query.limit(limit);
    }
    if let Some(skip) = number(options, "skip")? {
        query = query.skip(skip);
    }
    let Some(select) = options.get("select") else { return Ok(query) };
    let names = select.as_array().into_iter().flatten().map(Json::as_str);
    let names = names.collect::<Option<Vec<&str>>>();
    Ok(query.select(names.ok_or_else(|| Error::invalid("`select` is a list of fields"))?))
}

fn order(json: &Json, handle: &CollectionHandle) -> Result<Vec<Order>> {
    Order::from_json(json, handle.definition())
}

/// A whole number that is not negative, if it is there.
pub(crate) fn number(options: &Json, name: &'static str) -> Result<Option<u64>> {
    let Some(json) = options.get(name) else { return Ok(None) };
    let number = json.as_u64().ok_or_else(|| {
        Error::invalid("an option is a whole number, 0 or more").with("option", name)
    })?;
    Ok(Some(number))
}
