//! The schema that the cases are prepared for.

use std::sync::Arc;

use syncline_core::schema::RelationshipDef;
use syncline_core::{Collection, FieldType, Registry, Schema};

/// What every case finds prepared:
///
/// | collection | key | for |
/// |---|---|---|
/// | `user` | text `id` | most cases |
/// | `thing` | text `id` | one field of each type, all optional |
/// | `email` | text `id` | objects that refer to users |
/// | `visit` | text `url`, int `time` | compound keys |
/// | `file`, `number`, `moment`, `switch` | bytes, int, timestamp, boolean | keys of other types |
/// | `ticket` | counted `id` | keys that the backend counts |
/// | `order` | text `key` | names that mean something to databases |
pub fn schema() -> Arc<Schema> {
    let registry = Registry::new().collections(
        1,
        [
            Collection::define("user")
                .field("name", FieldType::String)
                .optional("email", FieldType::String)
                .optional("age", FieldType::Int)
                .optional("active", FieldType::Boolean)
                .index(["name"])
                .index(["active", "age"])
                .unique(["email"]),
            Collection::define("thing")
                .optional("flag", FieldType::Boolean)
                .optional("blob", FieldType::Blob)
                .optional("binary", FieldType::Binary)
                .optional("date", FieldType::Datetime)
                .optional("ratio", FieldType::Float)
                .optional("count", FieldType::Int)
                .optional("json", FieldType::Json)
                .optional("name", FieldType::String)
                .optional("text", FieldType::Text)
                .optional("time", FieldType::Timestamp)
                .index(["count"])
                .index(["name", "count"]),
            Collection::define("email")
                .optional("address", FieldType::String)
                .optional("ticket", FieldType::Int)
                .relationship(RelationshipDef::child_of("user").optional()),
            Collection::define("visit")
                .field("url", FieldType::String)
                .field("time", FieldType::Int)
                .optional("note", FieldType::Text)
                .key(["url", "time"]),
            Collection::define("file")
                .field("hash", FieldType::Binary)
                .optional("name", FieldType::String)
                .key(["hash"]),
            Collection::define("number")
                .field("n", FieldType::Int)
                .optional("name", FieldType::String)
                .key(["n"]),
            Collection::define("moment")
                .field("at", FieldType::Timestamp)
                .optional("name", FieldType::String)
                .key(["at"]),
            Collection::define("switch")
                .field("on", FieldType::Boolean)
                .optional("name", FieldType::String)
                .key(["on"]),
            Collection::define("ticket")
                .field("id", FieldType::AutoPk)
                .optional("title", FieldType::String),
            Collection::define("order")
                .field("key", FieldType::String)
                .optional("select", FieldType::String)
                .optional("group", FieldType::Int)
                .optional("with-dash", FieldType::Int)
                .optional("_", FieldType::Int)
                .optional("rowid", FieldType::String)
                .optional("value", FieldType::Json)
                .index(["group", "with-dash"])
                .key(["key"]),
        ],
    );
    finish(registry)
}

/// A schema that a case writes down itself.
pub(crate) fn finish(registry: Registry) -> Arc<Schema> {
    Arc::new(registry.finish().expect("the schemas of the cases hold together"))
}
