//! Batches: steps in order, wholly or not at all.

use syncline_core::value::Key;
use syncline_core::{
    Batch, Condition, ErrorKind, Filter, Find, Object, Result, Step, StepOutcome, Value,
};

use super::support::*;
use crate::Fixture;

/// A batch without steps does nothing, and that is fine.
pub async fn an_empty_batch_succeeds(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    assert_eq!(fixture.write(Batch::new()).await?, []);
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// Each step sees what those before it did, and the answers come in the order of the steps.
pub async fn steps_apply_in_order(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("user", user("eve", "Eve")).await?;
    let batch = Batch::new()
        .create("user", user("ann", "X"))
        .update("user", Filter::eq("name", "X"), Object::new().with("name", "Y"))
        .create("user", user("bob", "X"))
        .update("user", Filter::eq("name", "Y"), Object::new().with("age", 1))
        .delete("user", Filter::eq("name", "Eve"))
        .delete("user", Filter::key("eve"))
        .guard("bob is new", "user", Condition::Exists("bob".into()))
        .update("user", Filter::key("ann"), Object::new().with("age", 2))
        .update("user", Filter::key("ann"), Object::new().with("age", 3))
        .create("thing", thing("t"));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    let created = |key: &str| StepOutcome::Created(key.into());
    let expected = [
        created("ann"),
        StepOutcome::Updated(1),
        created("bob"),
        StepOutcome::Updated(1),
        StepOutcome::Deleted(1),
        StepOutcome::Deleted(0),
        StepOutcome::Held,
        StepOutcome::Updated(1),
        StepOutcome::Updated(1),
        created("t"),
    ];
    assert_eq!(answer?, expected);
    let users = [user("ann", "Y").with("age", 3), user("bob", "X")];
    assert_eq!(all(fixture, "user").await?, users);
    assert_eq!(all(fixture, "thing").await?, [thing("t")]);
    Ok(())
}

/// Several steps where batches are not declared are refused, and nothing of them is done.
pub async fn several_steps_need_atomic_batches(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("user", user("eve", "Eve")).await?;
    let batch = Batch::new().create("user", user("ann", "Ann")).delete("user", Filter::key("eve"));
    let done = fixture.try_write(atomic_batch, batch).await?.transpose()?.is_some();
    let expected = if done { user("ann", "Ann") } else { user("eve", "Eve") };
    assert_eq!(all(fixture, "user").await?, [expected]);
    Ok(())
}

/// The steps that can fail a batch, each with the kind of its failure.
fn failing_steps() -> Vec<(Step, ErrorKind)> {
    let create = |object| Batch::new().create("user", object).steps;
    let guard = |condition| Batch::new().guard("broken", "user", condition).steps;
    let deletes = Step::Delete { collection: "user".into(), filter: Filter::All, limit: Some(1) };
    let conflicts = [
        create(user("eve", "Again")),
        create(user("new", "Again")),
        guard(Condition::Absent("eve".into())),
        guard(Condition::Absent("new".into())),
        guard(Condition::Exists("ann".into())),
        guard(Condition::Looks("bob".into(), Object::new().with("name", "Bob"))),
        guard(Condition::Unique(Object::new().with("name", "Twin"))),
    ];
    let conflicts = conflicts.into_iter().flatten().map(|step| (step, ErrorKind::Conflict));
    conflicts.chain([(deletes, ErrorKind::Invalid)]).collect()
}

/// A batch whose last step fails changes nothing at all, whatever went before and however it fails.
pub async fn a_failed_batch_leaves_nothing_behind(fixture: &Fixture) -> Result<()> {
    let [_, bob, eve] = three_users(fixture).await?;
    let _ = fixture.write(Batch::new().delete("user", Filter::key("ann"))).await?;
    let _ = fixture.create("thing", thing("t").with("count", 1).with("text", "old")).await?;
    let _ = fixture.create("visit", visit("a.org", 1)).await?;
    for (step, kind) in failing_steps() {
        let batch = Batch::new()
            .create("user", user("new", "Twin"))
            .update("user", Filter::key("bob"), Object::new().with("name", "Twin").with("age", 1))
            .update("user", Filter::key("bob"), Object::new().with("name", "Twin").with("age", 2))
            .update(
                "thing",
                Filter::All,
                Object::new().with("count", Value::Null).with("name", "n"),
            )
            .delete("thing", Filter::key("t"))
            .create("thing", thing("t").with("text", "new"))
            .delete("visit", Filter::All)
            .create("visit", visit("b.org", 1))
            .step(step.clone());
        let answer = fixture.try_write(atomic_batch, batch).await?;
        if let Some(answer) = answer {
            let _ = refused(answer, kind);
        }
        let users = [bob.clone(), eve.clone()];
        assert_eq!(all(fixture, "user").await?, users, "after {step:?}");
        let things = [thing("t").with("count", 1).with("text", "old")];
        assert_eq!(all(fixture, "thing").await?, things, "after {step:?}");
        assert_eq!(all(fixture, "visit").await?, [visit("a.org", 1)], "after {step:?}");
        // What an index or a filter sees is taken back as well.
        finds(fixture, nothing_more, "user", Filter::eq("name", "Twin"), &[]).await?;
        finds(fixture, nothing_more, "thing", Filter::eq("count", 1), &["t"]).await?;
    }
    Ok(())
}

/// A batch that fails in its midst does not carry on, and the next batch is not held up by it.
pub async fn a_failed_batch_stops_where_it_fails(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let batch = Batch::new()
        .delete("user", Filter::key("ann"))
        .create("user", user("bob", "Again"))
        .delete("user", Filter::All);
    if let Some(answer) = fixture.try_write(atomic_batch, batch).await? {
        let _ = refused(answer, ErrorKind::Conflict);
    }
    assert_eq!(ids(&all(fixture, "user").await?), ["ann", "bob", "eve"]);
    let outcome = fixture.write(Batch::new().delete("user", Filter::key("ann"))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(1)]);
    assert_eq!(ids(&all(fixture, "user").await?), ["bob", "eve"]);
    Ok(())
}

/// Thousands of steps are one batch.
pub async fn a_large_batch_is_one_batch(fixture: &Fixture) -> Result<()> {
    let id = |n: usize| format!("{n:05}");
    let creates = (0..3_000).fold(Batch::new(), |batch, n| {
        batch.create("user", user(&id(n * 7 % 3_000), "X").with("age", 1))
    });
    let Some(answer) = fixture.try_write(atomic_batch, creates).await? else { return Ok(()) };
    assert_eq!(answer?[1], StepOutcome::Created(Key::from(id(7))));
    let mixed = (0..3_000).fold(Batch::new(), |batch, n| match n % 3 {
        0 => batch.update("user", Filter::key(id(n)), Object::new().with("age", 2)),
        1 => batch.delete("user", Filter::key(id(n))),
        _ => batch.create("user", user(&id(n + 3_000), "Y")),
    });
    let _ = fixture.write(mixed.clone()).await?;
    let held = all(fixture, "user").await?;
    assert_eq!(held.len(), 3_000);
    let updated = fixture.find(Find::new("user", Filter::eq("age", 2))).await?;
    assert_eq!(updated.len(), 1_000);

    let _ = refused(fixture.write(mixed).await, ErrorKind::Conflict);
    assert!(all(fixture, "user").await? == held, "the same batch again changes nothing");
    Ok(())
}

/// Objects with different fields in one batch keep their own.
pub async fn creates_of_one_batch_need_not_look_alike(fixture: &Fixture) -> Result<()> {
    let objects = [
        thing("d").with("count", 1).with("name", "n"),
        thing("a"),
        thing("c").with("name", "n"),
        thing("b").with("count", 1),
        thing("e").with("count", Value::Null).with("ratio", 1.5),
    ];
    let batch =
        objects.iter().cloned().fold(Batch::new(), |batch, object| batch.create("thing", object));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    assert_eq!(answer?.len(), 5);
    let [d, a, c, b, _] = objects;
    assert_eq!(all(fixture, "thing").await?, [a, b, c, d, thing("e").with("ratio", 1.5)]);

    let set =
        |changes: Object, id: &str, batch: Batch| batch.update("thing", Filter::key(id), changes);
    let batch = set(Object::new().with("count", 5), "a", Batch::new());
    let batch = set(Object::new().with("name", Value::Null), "c", batch);
    let batch = set(Object::new().with("count", 6).with("name", "m"), "d", batch);
    let _ = fixture.write(batch).await?;
    let expected = [
        thing("a").with("count", 5),
        thing("b").with("count", 1),
        thing("c"),
        thing("d").with("count", 6).with("name", "m"),
        thing("e").with("ratio", 1.5),
    ];
    assert_eq!(all(fixture, "thing").await?, expected);
    Ok(())
}
