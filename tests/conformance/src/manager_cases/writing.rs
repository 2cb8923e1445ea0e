//! Creating, updating, deleting, alone and in batches.

use serde_json::json;
use syncline_core::{ErrorKind, Filter, Key, Object, Result, StepOutcome, Value};

use super::support::*;
use crate::Fixture;

fn active(active: bool) -> Object {
    Object::new().with("active", active)
}

/// Several objects are created at once, each with its key.
pub async fn several_objects_are_created_at_once(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let created = accounts.create_many([account("ann"), account("bob")]).await?;
    let wanted = vec![account("ann").with("id", 1), account("bob").with("id", 2)];
    same(&created, &wanted)?;
    same(all(&storage, "account").await?, wanted)
}

/// An update by key changes one object.
pub async fn one_object_is_updated_by_key(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let _ = accounts.create(account("ann")).await?;
    let _ = accounts.create(account("bob")).await?;
    same(accounts.update_one(Key::from(2), active(true)).await?, true)?;
    same(accounts.update_one(Key::from(3), active(true)).await?, false)?;
    let found = accounts.find(Filter::eq("active", true)).await?;
    same(found, vec![account("bob").with("id", 2).with("active", true)])
}

/// An update by another field changes all that match, and one that wants one changes the first.
pub async fn objects_are_updated_by_another_field(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    for name in ["ann", "bob", "ann"] {
        let _ = accounts.create(account(name)).await?;
    }
    same(accounts.update(json!({ "name": "ann" }), active(true)).await?, 2)?;
    same(accounts.find(json!({ "active": true })).await?.len(), 2)?;
    same(accounts.update_one(json!({ "active": true }), active(false)).await?, true)?;
    let left = accounts.find(json!({ "active": true })).await?;
    same(left, vec![account("ann").with("id", 3).with("active", true)])
}

/// A later step uses the key that an earlier one made, and the report tells both objects.
pub async fn placeholders_stand_for_keys(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let _ = storage.collection("account")?.create(account("first")).await?;
    let report = storage
        .batch()
        .create_as("jane", "account", account("jane"))
        .create_as("joe", "account", account("joe"))
        .create_as("mail", "email", email("joe@x"))
        .replace("owner", "joe")
        .run()
        .await?;
    same(report.object("jane")?, &account("jane").with("id", 2))?;
    same(report.object("joe")?, &account("joe").with("id", 3))?;
    same(report.object("mail")?, &email("joe@x").with("id", 1).with("owner", 3))?;
    same(all(&storage, "email").await?, vec![report.object("mail")?.clone()])
}

/// A batch without steps succeeds.
pub async fn an_empty_batch_succeeds(fixture: &Fixture) -> Result<()> {
    let report = open(fixture).await?.batch().run().await?;
    same(report.outcomes().len(), 0)
}

/// A batch updates and deletes several objects, whatever their keys look like.
pub async fn a_batch_updates_and_deletes(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let _ = storage.collection("account")?.create_many([account("ann"), account("bob")]).await?;
    let _ =
        storage.collection("seat")?.create_many([seat("a", 1), seat("a", 2), seat("b", 1)]).await?;
    let key = |row: &str, number: i64| Key::compound([row.into(), number.into()]);
    let taken = Object::new().with("taken", true);
    let report = storage
        .batch()
        .update("account", Key::from(1), active(true))
        .update("account", Key::from(2), Object::new().with("nick", "b"))
        .update("seat", key("a", 2), taken.clone())
        .delete("seat", key("a", 1))
        .delete("seat", json!({ "row": "b", "number": 1 }))
        .run()
        .await?;
    let wanted = [StepOutcome::Updated(1), StepOutcome::Updated(1), StepOutcome::Updated(1)];
    same(&report.outcomes()[..3], &wanted[..])?;
    same(&report.outcomes()[3..], &[StepOutcome::Deleted(1), StepOutcome::Deleted(1)][..])?;
    let wanted = [
        account("ann").with("id", 1).with("active", true),
        account("bob").with("id", 2).with("nick", "b"),
    ];
    same(all(&storage, "account").await?, wanted.to_vec())?;
    same(all(&storage, "seat").await?, vec![seat("a", 2).with("taken", true)])
}

/// A whole object, given as a filter, deletes that object.
pub async fn one_object_is_deleted_by_all_its_fields(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    let ann = accounts.create(account("ann")).await?;
    let bob = accounts.create(account("bob")).await?;
    same(accounts.delete_one(ann).await?, true)?;
    same(all(&storage, "account").await?, vec![bob])
}

/// A list of keys deletes the objects that have them.
pub async fn objects_are_deleted_by_a_list_of_keys(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let accounts = storage.collection("account")?;
    for name in ["ann", "bob", "cid"] {
        let _ = accounts.create(account(name)).await?;
    }
    same(accounts.delete(json!({ "id": { "$in": [1, 2, 9] } })).await?, 2)?;
    same(all(&storage, "account").await?, vec![account("cid").with("id", 3)])
}

/// A deletion that is too broad deletes nothing.
pub async fn a_limit_refuses_a_broad_deletion(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let notes = storage.collection("note")?;
    let _ = notes.create_many([note("a", "A"), note("b", "B"), note("c", "C")]).await?;
    match notes.delete_limited(Filter::All, 2).await {
        Ok(_) => same("deleted", "refused")?,
        Err(error) => same(error.kind() == ErrorKind::Unsupported, false)?,
    }
    same(all(&storage, "note").await?.len(), 3)?;
    same(notes.delete_limited(Filter::All, 3).await?, 3)
}

/// A unique value is taken once, by a create, an update or within a batch.
pub async fn unique_values_are_taken_once(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let notes = storage.collection("note")?;
    let _ = notes.create_many([note("a", "A"), note("b", "B")]).await?;
    let title = |title: &str| Object::new().with("title", title);
    let error = refused(notes.create(note("c", "A")).await, ErrorKind::Conflict)?;
    same(error.guard(), Some("unique note(title)"))?;
    same(error.to_string().contains("values: \"A\""), true)?;
    let _ = refused(notes.update(Filter::key("b"), title("A")).await, ErrorKind::Conflict)?;
    let _ = refused(notes.update(Filter::All, title("C")).await, ErrorKind::Conflict)?;
    let twins = storage.batch().create("note", note("c", "C")).create("note", note("d", "C"));
    let _ = refused(twins.run().await, ErrorKind::Conflict)?;
    same(all(&storage, "note").await?, vec![note("a", "A"), note("b", "B")])?;

    same(notes.update(Filter::key("a"), title("A").with("size", 1)).await?, 1)?;
    let swap = storage.batch().update("note", Key::from("a"), title("B"));
    let _ = swap.update("note", Key::from("b"), title("A")).run().await?;
    same(all(&storage, "note").await?, vec![note("a", "B").with("size", 1), note("b", "A")])
}

/// A batch whose last step contradicts the schema or what is stored changes nothing.
pub async fn a_batch_that_fails_changes_nothing(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let _ = storage.collection("note")?.create(note("a", "A")).await?;
    let good = || {
        let batch = storage.batch().create("note", note("b", "B"));
        batch.update("note", Key::from("a"), Object::new().with("size", 1))
    };
    let taken = good().create("note", note("a", "again")).run().await;
    let _ = refused(taken, ErrorKind::Conflict)?;
    let nameless = good().create("note", Object::new().with("id", "c")).run().await;
    let _ = refused(nameless, ErrorKind::Invalid)?;
    let unknown = good().update("note", Filter::All, Object::new().with("hat", 1)).run().await;
    let _ = refused(unknown, ErrorKind::Invalid)?;
    same(all(&storage, "note").await?, vec![note("a", "A")])
}

/// Values that are nearly nothing are stored as they are, and null as absence.
pub async fn false_zero_and_empty_text_are_values(fixture: &Fixture) -> Result<()> {
    let storage = open(fixture).await?;
    let notes = storage.collection("note")?;
    let empty = note("a", "").with("size", 0);
    same(&notes.create(empty.clone()).await?, &empty)?;
    same(notes.find(json!({ "title": "", "size": 0 })).await?, vec![empty])?;
    let emptied = Object::new().with("size", Value::Null);
    same(notes.update(Filter::key("a"), emptied).await?, 1)?;
    same(all(&storage, "note").await?, vec![note("a", "")])
}
