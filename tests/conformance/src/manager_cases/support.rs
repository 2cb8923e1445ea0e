//! What the cases share.

use std::sync::Arc;

use syncline_core::schema::{CustomType, Definition, Primitive, RelationshipDef};
use syncline_core::{
    Collection, Error, ErrorKind, FieldType, Filter, Object, Registry, Result, StorageManager,
    Value,
};

use crate::Fixture;

/// A manager over the fixture's backend: accounts whose keys are counted, with emails; events with
/// something of each type to compare; notes whose titles are unique; seats with a key of two fields.
pub(super) async fn open(fixture: &Fixture) -> Result<StorageManager> {
    let account = Collection::define("account")
        .field("id", FieldType::AutoPk)
        .field("name", FieldType::String)
        .field("active", FieldType::Boolean)
        .optional("nick", FieldType::String);
    let email = Collection::define("email")
        .field("id", FieldType::AutoPk)
        .field("address", FieldType::String)
        .relationship(RelationshipDef::child_of("account").alias("owner").field("ownerId"));
    let proof = Collection::define("proof")
        .field("code", FieldType::String)
        .relationship(RelationshipDef::single_child_of("email").alias("mail").field("mailId"));
    let event = Collection::define("event")
        .optional("count", FieldType::Int)
        .optional("at", FieldType::Timestamp)
        .optional("weight", FieldType::Float);
    let note = Collection::define("note")
        .field("title", FieldType::String)
        .optional("size", FieldType::Int)
        .unique(["title"]);
    let seat = Collection::define("seat")
        .key(["row", "number"])
        .field("row", FieldType::String)
        .field("number", FieldType::Int)
        .optional("taken", FieldType::Boolean);
    open_with(fixture, [account, email, proof, event, note, seat]).await
}

/// A manager over the fixture's backend with these collections.
pub(super) async fn open_with(
    fixture: &Fixture,
    collections: impl IntoIterator<Item = Definition>,
) -> Result<StorageManager> {
    let schema = Registry::new().collections(1, collections).finish()?;
    StorageManager::builder(fixture.backend()).schema(schema).build().await
}

/// Fails the case unless both are equal.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(got: T, wanted: T) -> Result<()> {
    if got == wanted {
        return Ok(());
    }
    Err(Error::internal("the answer is another")
        .with("got", format_args!("{got:?}"))
        .with("wanted", format_args!("{wanted:?}")))
}

/// Fails the case unless the answer is an error of this kind; what is not supported stays that.
pub(super) fn refused<T: std::fmt::Debug>(answer: Result<T>, kind: ErrorKind) -> Result<Error> {
    match answer {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(error),
        other => Err(Error::internal("this must be refused")
            .with("got", format_args!("{other:?}"))
            .with("wanted", format_args!("{kind:?}"))),
    }
}

pub(super) fn account(name: &str) -> Object {
    Object::new().with("name", name).with("active", false)
}

pub(super) fn email(address: &str) -> Object {
    Object::new().with("address", address)
}

pub(super) fn note(id: &str, title: &str) -> Object {
    Object::new().with("id", id).with("title", title)
}

pub(super) fn seat(row: &str, number: i64) -> Object {
    Object::new().with("row", row).with("number", number)
}

/// All objects of a collection.
pub(super) async fn all(storage: &StorageManager, collection: &str) -> Result<Vec<Object>> {
    storage.collection(collection)?.find(Filter::All).await
}

/// A type that says on its values what was done to them.
#[derive(Debug)]
pub(super) struct Marked {
    /// Whether reading leaves a mark, too.
    pub(super) reads: bool,
}

impl Marked {
    pub(super) fn field_type(reads: bool) -> FieldType {
        FieldType::Custom(Arc::new(Self { reads }))
    }
}

impl CustomType for Marked {
    fn name(&self) -> &'static str {
        "marked"
    }

    fn primitive(&self) -> Primitive {
        Primitive::Text
    }

    fn prepare(&self, value: Option<Value>) -> Result<Option<Value>> {
        let text = value.map_or_else(|| "undefined".to_owned(), |value| value.to_string());
        Ok(Some(format!("Stored: {text}").into()))
    }

    fn restore(&self, value: Value) -> Result<Value> {
        Ok(if self.reads { format!("Found: {value}").into() } else { value })
    }
}
