//! Removing objects.

use syncline_core::{Batch, ErrorKind, Filter, Result, Step, StepOutcome};

use super::support::*;
use crate::Fixture;

fn limited(filter: Filter, limit: u64) -> Step {
    Step::Delete { collection: "user".into(), filter, limit: Some(limit) }
}

/// A delete by key removes one object.
pub async fn a_delete_removes_the_object_with_the_key(fixture: &Fixture) -> Result<()> {
    let [ann, _, eve] = three_users(fixture).await?;
    let outcome = fixture.write(Batch::new().delete("user", Filter::key("bob"))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(1)]);
    assert_eq!(all(fixture, "user").await?, [ann, eve]);
    assert_eq!(get(fixture, "user", "bob").await?, None);
    Ok(())
}

/// A delete removes every object that meets the filter, and no other.
pub async fn a_delete_removes_what_meets_the_filter(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, age: i64| user(id, "X").with("age", age);
    let stored = [aged("d", 1), aged("e", 3), aged("c", 2), aged("b", 1), user("a", "X")];
    fixture.fill("user", stored).await?;
    let outcome = fixture.write(Batch::new().delete("user", Filter::eq("age", 1))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(2)]);
    assert_eq!(ids(&all(fixture, "user").await?), ["a", "c", "e"]);

    let some = Batch::new().delete("user", Filter::is_in("age", [3, 2, 7]));
    if let Some(answer) = fixture.try_write(compare, some).await? {
        assert_eq!(answer?, [StepOutcome::Deleted(2)]);
        assert_eq!(ids(&all(fixture, "user").await?), ["a"]);
    }
    Ok(())
}

/// A delete may name an object by all that it holds.
pub async fn a_delete_by_the_whole_object_removes_it(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("age", 30).with("active", false);
    let [older, same] = [ann.clone().with("age", 31), ann.clone()];
    fixture.fill("user", [older.with("id", "b"), same.with("id", "c"), ann.clone()]).await?;
    let whole = ann.iter().map(|(field, value)| Filter::eq(field.clone(), value.clone()));
    let outcome = fixture.write(Batch::new().delete("user", Filter::And(whole.collect()))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(1)]);
    assert_eq!(ids(&all(fixture, "user").await?), ["b", "c"]);
    Ok(())
}

/// A delete of everything empties one collection and leaves the others.
pub async fn a_delete_of_all_empties_one_collection(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    fixture.fill("thing", [thing("ann"), thing("bob")]).await?;
    let outcome = fixture.write(Batch::new().delete("user", Filter::All)).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(3)]);
    assert_eq!(all(fixture, "user").await?, []);
    assert_eq!(ids(&all(fixture, "thing").await?), ["ann", "bob"]);
    Ok(())
}

/// Removing nothing is fine, and says so.
pub async fn deleting_nothing_succeeds(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    for filter in [Filter::key("zoe"), Filter::eq("age", 1)] {
        let outcome = fixture.write(Batch::new().delete("user", filter)).await?;
        assert_eq!(outcome, [StepOutcome::Deleted(0)]);
    }
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// What refers to an object stays when the object goes.
pub async fn a_delete_does_not_cascade(fixture: &Fixture) -> Result<()> {
    let email = syncline_core::Object::new().with("id", "e").with("user", "ann");
    let _ = three_users(fixture).await?;
    let _ = fixture.create("email", email.clone()).await?;
    let _ = fixture.write(Batch::new().delete("user", Filter::key("ann"))).await?;
    assert_eq!(all(fixture, "email").await?, [email]);
    Ok(())
}

/// A delete within its limit is like any other.
pub async fn a_delete_within_its_limit_succeeds(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let outcome = fixture.write(Batch::new().step(limited(Filter::eq("age", 1), 0))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(0)], "none, where none is allowed");
    let two = Filter::Keys(["eve", "ann", "zoe", "ann"].map(Into::into).into());
    let outcome = fixture.write(Batch::new().step(limited(two, 2))).await?;
    assert_eq!(outcome, [StepOutcome::Deleted(2)]);
    assert_eq!(ids(&all(fixture, "user").await?), ["bob"]);
    Ok(())
}

/// A delete that is too broad removes nothing, and says how many objects it met.
pub async fn a_delete_beyond_its_limit_is_refused(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    for (filter, limit, count) in [
        (Filter::All, 2, 3),
        (Filter::All, 0, 3),
        (Filter::key("ann"), 0, 1),
        (Filter::Keys(["ann", "bob"].map(Into::into).into()), 1, 2),
    ] {
        let answer = fixture.write(Batch::new().step(limited(filter, limit))).await;
        let error = refused(answer, ErrorKind::Invalid);
        tells(&error, &format!("count: {count}"));
        tells(&error, &format!("limit: {limit}"));
        assert_eq!(all(fixture, "user").await?, users);
    }
    Ok(())
}
