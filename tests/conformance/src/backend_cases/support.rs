//! What many cases say.

use syncline_core::value::Key;
use syncline_core::{
    Capability, Direction, Error, ErrorKind, Filter, Find, Object, Operation, Result, StepOutcome,
    Value,
};

use crate::Fixture;

/// What the least capable backend does.
pub(crate) fn nothing_more(_: Capability) -> bool {
    true
}

pub(crate) fn atomic_batch(can: Capability) -> bool {
    can.atomic_batch
}

pub(crate) fn compare(can: Capability) -> bool {
    can.compare
}

pub(crate) fn order_by_one(can: Capability) -> bool {
    can.order_by_one
}

pub(crate) fn order_by_many(can: Capability) -> bool {
    can.order_by_one && can.order_by_many
}

pub(crate) fn user(id: &str, name: &str) -> Object {
    Object::new().with("id", id).with("name", name)
}

pub(crate) fn thing(id: &str) -> Object {
    Object::new().with("id", id)
}

pub(crate) fn visit(url: &str, time: i64) -> Object {
    Object::new().with("url", url).with("time", time)
}

pub(crate) fn visit_key(url: &str, time: i64) -> Key {
    Key::compound([Value::from(url), Value::from(time)])
}

pub(crate) fn ascending(collection: &str, field: &str) -> Find {
    Find::new(collection, Filter::All).order_by(field, Direction::Ascending)
}

pub(crate) fn descending(collection: &str, field: &str) -> Find {
    Find::new(collection, Filter::All).order_by(field, Direction::Descending)
}

/// Everything in a collection, in the order of the keys.
pub(crate) async fn all(fixture: &Fixture, collection: &str) -> Result<Vec<Object>> {
    fixture.find(Find::new(collection, Filter::All)).await
}

/// The object with this key, if it is there.
pub(crate) async fn get(
    fixture: &Fixture,
    collection: &str,
    key: impl Into<Key>,
) -> Result<Option<Object>> {
    let found = fixture.find(Find::new(collection, Filter::key(key))).await?;
    assert!(found.len() <= 1, "one key names one object: {found:?}");
    Ok(found.into_iter().next())
}

/// The text in the field `id` of each object.
pub(crate) fn ids(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(|object| object.value("id").as_text().unwrap_or("not text")).collect()
}

/// Ann, Bob and Eve, stored in another order.
pub(crate) async fn three_users(fixture: &Fixture) -> Result<[Object; 3]> {
    let users = [user("ann", "Ann"), user("bob", "Bob"), user("eve", "Eve")];
    let [ann, bob, eve] = users.clone();
    fixture.fill("user", [bob, eve, ann]).await?;
    Ok(users)
}

/// The filter finds the objects with these ids and no others, and counts as many.
pub(crate) async fn finds(
    fixture: &Fixture,
    needed: impl Fn(Capability) -> bool,
    collection: &str,
    filter: Filter,
    expected: &[&str],
) -> Result<()> {
    let find = Find::new(collection, filter.clone());
    if let Some(found) = fixture.try_find(&needed, find).await? {
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
    let count = Operation::Count(collection.into(), filter.clone());
    if let Some(count) = fixture.attempt(|can| can.count && needed(can), count).await? {
        assert_eq!(count?.counted()?, expected.len() as u64, "the count of {filter:?}");
    }
    Ok(())
}

/// The question finds the objects with these ids, in this order.
pub(crate) async fn finds_in_order(
    fixture: &Fixture,
    needed: impl Fn(Capability) -> bool,
    find: Find,
    expected: &[&str],
) -> Result<()> {
    if let Some(found) = fixture.try_find(needed, find.clone()).await? {
        assert_eq!(ids(&found), expected, "{find:?}");
    }
    Ok(())
}

/// The write failed with this kind, and here is why.
#[track_caller]
pub(crate) fn refused(answer: Result<Vec<StepOutcome>>, kind: ErrorKind) -> Error {
    match answer {
        Err(error) => {
            assert_eq!(error.kind(), kind, "{error}");
            error
        }
        Ok(outcomes) => panic!("must fail as {kind}, but answers {outcomes:?}"),
    }
}

/// The error tells this text somewhere: in its message or in its context.
#[track_caller]
pub(crate) fn tells(error: &Error, text: &str) {
    assert!(error.to_string().contains(text), "`{error}` says nothing of `{text}`");
}
