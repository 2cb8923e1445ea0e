//! Keys that the backend counts, and placeholders for keys.

use syncline_core::operation::{Create, Replace};
use syncline_core::value::Key;
use syncline_core::{Batch, ErrorKind, Filter, Object, Result, Step, StepOutcome};

use super::support::*;
use crate::Fixture;

fn ticket(title: &str) -> Object {
    Object::new().with("title", title)
}

fn numbered(id: i64, title: &str) -> Object {
    ticket(title).with("id", id)
}

fn placed(collection: &str, object: Object, placeholder: &str) -> Step {
    let placeholder = Some(placeholder.to_owned());
    Step::Create(Create { collection: collection.into(), object, placeholder, replace: Vec::new() })
}

fn replacing(collection: &str, object: Object, fields: &[(&str, &str)]) -> Step {
    let replace = fields
        .iter()
        .map(|(field, placeholder)| Replace {
            field: (*field).into(),
            placeholder: (*placeholder).to_owned(),
        })
        .collect();
    Step::Create(Create { collection: collection.into(), object, placeholder: None, replace })
}

/// Objects of a collection with counted keys are numbered from 1.
pub async fn counted_keys_are_one_two_three(fixture: &Fixture) -> Result<()> {
    for (title, id) in [("c", 1), ("a", 2), ("b", 3)] {
        assert_eq!(fixture.create("ticket", ticket(title)).await?, Key::from(id));
    }
    let expected = [numbered(1, "c"), numbered(2, "a"), numbered(3, "b")];
    assert_eq!(all(fixture, "ticket").await?, expected);
    assert_eq!(get(fixture, "ticket", 2).await?, Some(numbered(2, "a")));
    Ok(())
}

/// Counting goes on within a batch and behind it.
pub async fn counted_keys_rise_within_a_batch(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("ticket", ticket("a")).await?;
    let batch = Batch::new().create("ticket", ticket("b")).create("ticket", ticket("c"));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    let created = |id: i64| StepOutcome::Created(Key::from(id));
    assert_eq!(answer?, [created(2), created(3)]);
    assert_eq!(fixture.create("ticket", ticket("d")).await?, Key::from(4));
    Ok(())
}

/// What pointed to a deleted object must not point to a new one.
pub async fn a_counted_key_is_never_given_again(fixture: &Fixture) -> Result<()> {
    for title in ["a", "b"] {
        let _ = fixture.create("ticket", ticket(title)).await?;
    }
    let _ = fixture.write(Batch::new().delete("ticket", Filter::key(2))).await?;
    assert_eq!(fixture.create("ticket", ticket("c")).await?, Key::from(3));
    let _ = fixture.write(Batch::new().delete("ticket", Filter::All)).await?;
    assert_eq!(fixture.create("ticket", ticket("d")).await?, Key::from(4));
    Ok(())
}

/// A key may be given where keys are counted; counting then goes on behind it.
pub async fn a_given_key_is_kept_where_keys_are_counted(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("ticket", ticket("a")).await?;
    assert_eq!(fixture.create("ticket", numbered(10, "b")).await?, Key::from(10));
    assert_eq!(fixture.create("ticket", ticket("c")).await?, Key::from(11));
    assert_eq!(fixture.create("ticket", numbered(5, "d")).await?, Key::from(5));
    assert_eq!(fixture.create("ticket", ticket("e")).await?, Key::from(12));
    let taken = Batch::new().create("ticket", numbered(5, "f"));
    tells(&refused(fixture.write(taken).await, ErrorKind::Conflict), "ticket");
    Ok(())
}

/// A later step can use the key that was counted for an earlier one, as often as it likes.
pub async fn a_placeholder_stands_for_a_counted_key(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("ticket", ticket("before")).await?;
    let email = |id: &str| Object::new().with("id", id).with("address", "a@b.org");
    let batch = Batch::new()
        .step(placed("ticket", ticket("first"), "one"))
        .step(placed("ticket", ticket("second"), "two"))
        .step(replacing("email", email("e2"), &[("ticket", "two")]))
        .step(replacing("email", email("e1"), &[("ticket", "one")]))
        .step(replacing("email", email("e3"), &[("ticket", "two")]));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    assert_eq!(answer?[..2], [StepOutcome::Created(2.into()), StepOutcome::Created(3.into())]);
    let expected = [("e1", 2), ("e2", 3), ("e3", 3)].map(|(id, key)| email(id).with("ticket", key));
    assert_eq!(all(fixture, "email").await?, expected);
    Ok(())
}

/// A placeholder works for a key that was given as well, and it can fill key fields.
pub async fn a_placeholder_stands_for_a_given_key(fixture: &Fixture) -> Result<()> {
    let email = Object::new().with("id", "e1").with("address", "ann@a.org");
    let batch = Batch::new()
        .step(placed("user", user("ann", "Ann"), "ann"))
        .step(replacing("email", email.clone(), &[("user", "ann")]))
        .step(replacing("visit", Object::new().with("time", 5), &[("url", "ann")]));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    assert_eq!(answer?[2], StepOutcome::Created(visit_key("ann", 5)));
    assert_eq!(all(fixture, "email").await?, [email.with("user", "ann")]);
    assert_eq!(all(fixture, "visit").await?, [visit("ann", 5)]);
    Ok(())
}
