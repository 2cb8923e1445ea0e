//! Changing objects.

use syncline_core::{Batch, Filter, Find, Object, Result, StepOutcome, Value};

use super::support::*;
use crate::Fixture;

async fn update(fixture: &Fixture, filter: Filter, changes: Object) -> Result<Vec<StepOutcome>> {
    fixture.write(Batch::new().update("user", filter, changes)).await
}

/// An update by key changes one object and leaves its other fields alone.
pub async fn an_update_changes_the_object_with_the_key(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("age", 30).with("email", "a@a.org");
    fixture.fill("user", [user("bob", "Bob").with("age", 30), ann.clone()]).await?;
    let changes = Object::new().with("age", 31).with("active", false);
    let outcome = update(fixture, Filter::key("ann"), changes).await?;
    assert_eq!(outcome, [StepOutcome::Updated(1)]);
    let expected = [ann.with("age", 31).with("active", false), user("bob", "Bob").with("age", 30)];
    assert_eq!(all(fixture, "user").await?, expected);
    Ok(())
}

/// An update changes every object that meets the filter, and no other.
pub async fn an_update_changes_what_meets_the_filter(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, age: i64| user(id, "X").with("age", age);
    fixture.fill("user", [aged("d", 1), aged("c", 2), aged("b", 1), user("a", "X")]).await?;
    let active = || Object::new().with("active", true);
    let outcome = update(fixture, Filter::eq("age", 1), active()).await?;
    assert_eq!(outcome, [StepOutcome::Updated(2)]);
    finds(fixture, nothing_more, "user", Filter::eq("active", true), &["b", "d"]).await?;

    let older = Batch::new().update("user", Filter::gte("age", 2), active());
    if let Some(answer) = fixture.try_write(compare, older).await? {
        assert_eq!(answer?, [StepOutcome::Updated(1)]);
        finds(fixture, nothing_more, "user", Filter::eq("active", true), &["b", "c", "d"]).await?;
    }
    let outcome = update(fixture, Filter::All, Object::new().with("name", "Y")).await?;
    assert_eq!(outcome, [StepOutcome::Updated(4)]);
    finds(fixture, nothing_more, "user", Filter::eq("name", "X"), &[]).await
}

/// Changing nothing is fine, and says so.
pub async fn updating_nothing_succeeds(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    let changes = || Object::new().with("name", "Z");
    assert_eq!(update(fixture, Filter::key("zoe"), changes()).await?, [StepOutcome::Updated(0)]);
    let outcome = update(fixture, Filter::eq("age", 1), changes()).await?;
    assert_eq!(outcome, [StepOutcome::Updated(0)]);
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// An update counts the objects it is about, those that look so already included.
pub async fn an_update_counts_what_meets_the_filter(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    let same = Object::new().with("name", "Ann");
    let two = Filter::Keys(["ann", "zoe", "ann"].map(Into::into).into());
    assert_eq!(update(fixture, two, same).await?, [StepOutcome::Updated(1)]);
    let nothing = update(fixture, Filter::All, Object::new()).await?;
    assert_eq!(nothing, [StepOutcome::Updated(3)], "no changes to three objects");
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// A field set to null is emptied: absent when read, found by null, and free to be set again.
pub async fn a_field_set_to_null_is_emptied(fixture: &Fixture) -> Result<()> {
    let full = |id: &str| user(id, "X").with("age", 1).with("email", "x@x.org");
    fixture.fill("user", [full("b"), full("a")]).await?;
    let empty = Object::new().with("email", Value::Null).with("active", Value::Null);
    let _ = update(fixture, Filter::key("a"), empty).await?;
    let emptied = user("a", "X").with("age", 1);
    assert_eq!(all(fixture, "user").await?, [emptied.clone(), full("b")]);
    finds(fixture, nothing_more, "user", Filter::eq("email", Value::Null), &["a"]).await?;
    let _ =
        update(fixture, Filter::eq("email", Value::Null), Object::new().with("email", "")).await?;
    assert_eq!(get(fixture, "user", "a").await?, Some(emptied.with("email", "")));
    Ok(())
}

/// An update may change the very field it filters by; each object is changed once.
pub async fn an_update_may_change_what_it_filters_by(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, age: i64| user(id, "X").with("age", age);
    fixture.fill("user", [aged("c", 1), aged("a", 1), aged("b", 2)]).await?;
    let outcome = update(fixture, Filter::eq("age", 1), Object::new().with("age", 2)).await?;
    assert_eq!(outcome, [StepOutcome::Updated(2)]);
    finds(fixture, nothing_more, "user", Filter::eq("age", 2), &["a", "b", "c"]).await?;
    finds(fixture, nothing_more, "user", Filter::eq("age", 1), &[]).await
}

/// Sorting and filtering see what an update wrote.
pub async fn an_update_is_seen_by_later_questions(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, age: i64| user(id, "X").with("age", age);
    fixture.fill("user", [aged("a", 1), aged("c", 3), aged("b", 2)]).await?;
    let _ = update(fixture, Filter::key("a"), Object::new().with("age", 9)).await?;
    let _ = update(fixture, Filter::key("b"), Object::new().with("age", Value::Null)).await?;
    finds_in_order(fixture, order_by_one, ascending("user", "age"), &["b", "c", "a"]).await?;
    finds(fixture, compare, "user", Filter::gt("age", 0), &["a", "c"]).await
}

/// An update of one collection leaves others alone, whatever their keys.
pub async fn an_update_stays_in_its_collection(fixture: &Fixture) -> Result<()> {
    let email = Object::new().with("id", "x").with("address", "x@x.org").with("user", "x");
    let _ = fixture.create("email", email.clone()).await?;
    let _ = fixture.create("user", user("x", "X")).await?;
    let _ = update(fixture, Filter::All, Object::new().with("name", "Y")).await?;
    assert_eq!(all(fixture, "email").await?, [email]);
    let found = fixture.find(Find::new("user", Filter::eq("name", "Y"))).await?;
    assert_eq!(ids(&found), ["x"]);
    Ok(())
}
