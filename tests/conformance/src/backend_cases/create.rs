//! Creating objects.

use syncline_core::value::Key;
use syncline_core::{
    Batch, ErrorKind, Filter, Find, Object, Operation, Result, StepOutcome, Value,
};

use super::support::*;
use crate::Fixture;

/// An object is found by its key, and others are not.
pub async fn a_created_object_is_found(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("age", 30).with("active", false);
    fixture.fill("user", [user("bob", "Bob"), ann.clone()]).await?;
    assert_eq!(get(fixture, "user", "ann").await?, Some(ann));
    assert_eq!(get(fixture, "user", "eve").await?, None);
    assert_eq!(get(fixture, "email", "ann").await?, None, "another collection");
    Ok(())
}

/// A create answers with the key, be it of one field or of several.
pub async fn a_create_answers_with_the_key(fixture: &Fixture) -> Result<()> {
    assert_eq!(fixture.create("user", user("ann", "Ann")).await?, Key::from("ann"));
    assert_eq!(fixture.create("visit", visit("a.org", 7)).await?, visit_key("a.org", 7));
    let file = Object::new().with("hash", vec![0_u8, 255]);
    assert_eq!(fixture.create("file", file).await?, Key::from(vec![0_u8, 255]));
    Ok(())
}

/// What was not given is absent when read, and finds nothing.
pub async fn omitted_fields_are_absent(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann");
    let bob = user("bob", "Bob").with("email", "bob@b.org").with("active", true);
    fixture.fill("user", [bob.clone(), ann.clone()]).await?;
    assert_eq!(all(fixture, "user").await?, [ann.clone(), bob]);
    finds(fixture, nothing_more, "user", Filter::eq("active", false), &[]).await?;
    finds(fixture, nothing_more, "user", Filter::eq("email", Value::Null), &["ann"]).await
}

/// Null is not stored: a field created as null is absent.
pub async fn null_fields_are_absent(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("email", Value::Null).with("age", 0);
    let _ = fixture.create("user", ann).await?;
    assert_eq!(all(fixture, "user").await?, [user("ann", "Ann").with("age", 0)]);
    Ok(())
}

/// Creating with a taken key fails, says where, and changes nothing.
pub async fn a_taken_key_is_a_conflict(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("age", 30);
    fixture.fill("user", [ann.clone(), user("bob", "Bob")]).await?;
    let again = Batch::new().create("user", user("ann", "Other"));
    let error = refused(fixture.write(again).await, ErrorKind::Conflict);
    tells(&error, "user");
    tells(&error, "ann");
    assert_eq!(error.guard(), None, "no guard was asked");
    assert_eq!(all(fixture, "user").await?, [ann, user("bob", "Bob")]);

    fixture.fill("visit", [visit("a.org", 1), visit("a.org", 2)]).await?;
    let again = Batch::new().create("visit", visit("a.org", 2).with("note", "again"));
    let error = refused(fixture.write(again).await, ErrorKind::Conflict);
    tells(&error, "visit");
    tells(&error, "a.org");
    let _ = fixture.create("visit", visit("b.org", 2)).await?;
    Ok(())
}

/// The same key twice within one batch fails like a key that was taken before.
pub async fn a_key_taken_within_the_batch_is_a_conflict(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("user", user("eve", "Eve")).await?;
    let batch = Batch::new()
        .create("user", user("ann", "Ann"))
        .create("user", user("bob", "Bob"))
        .create("user", user("ann", "Other"));
    if let Some(answer) = fixture.try_write(atomic_batch, batch).await? {
        let error = refused(answer, ErrorKind::Conflict);
        tells(&error, "user");
        tells(&error, "ann");
    }
    assert_eq!(all(fixture, "user").await?, [user("eve", "Eve")]);
    Ok(())
}

/// Each collection has keys of its own.
pub async fn collections_share_no_keys(fixture: &Fixture) -> Result<()> {
    let email = Object::new().with("id", "x").with("address", "x@x.org").with("user", "x");
    let _ = fixture.create("user", user("x", "X")).await?;
    let _ = fixture.create("email", email.clone()).await?;
    assert_eq!(all(fixture, "user").await?, [user("x", "X")]);
    assert_eq!(all(fixture, "email").await?, [email]);
    Ok(())
}

/// A key is free again once its object is deleted, and nothing of the old object comes back.
pub async fn a_deleted_key_can_be_created_again(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", [user("bob", "Bob"), user("ann", "Ann").with("age", 30)]).await?;
    let _ = fixture.write(Batch::new().delete("user", Filter::key("ann"))).await?;
    let _ = fixture.create("user", user("ann", "New")).await?;
    assert_eq!(all(fixture, "user").await?, [user("ann", "New"), user("bob", "Bob")]);

    let batch = Batch::new()
        .delete("user", Filter::key("ann"))
        .create("user", user("ann", "Newer").with("age", 1));
    if let Some(answer) = fixture.try_write(atomic_batch, batch).await? {
        let created = StepOutcome::Created("ann".into());
        assert_eq!(answer?, [StepOutcome::Deleted(1), created]);
        let expected = Some(user("ann", "Newer").with("age", 1));
        assert_eq!(get(fixture, "user", "ann").await?, expected);
    }
    Ok(())
}

/// Storage enforces nothing but the primary key, neither required fields nor references nor unique
/// indexes: merging must be able to store what other replicas wrote.
pub async fn storage_enforces_nothing_but_the_primary_key(fixture: &Fixture) -> Result<()> {
    let nameless = Object::new().with("id", "n").with("age", 1);
    let create = Batch::new().create("user", nameless.clone());
    let _ = fixture.run_unchecked(Operation::Write(create)).await?;
    assert_eq!(all(fixture, "user").await?, [nameless]);
    let emptied =
        Batch::new().update("user", Filter::key("n"), Object::new().with("age", Value::Null));
    let _ = fixture.run_unchecked(Operation::Write(emptied)).await?;
    assert_eq!(all(fixture, "user").await?, [Object::new().with("id", "n")]);

    let orphan = Object::new().with("id", "e1").with("user", "nobody");
    let _ = fixture.create("email", orphan.clone()).await?;
    assert_eq!(all(fixture, "email").await?, [orphan]);

    let same = |id: &str| user(id, "Same").with("email", "same@s.org");
    fixture.fill("user", [same("b"), same("a")]).await?;
    let found = fixture.find(Find::new("user", Filter::eq("email", "same@s.org"))).await?;
    assert_eq!(found, [same("a"), same("b")]);
    Ok(())
}
