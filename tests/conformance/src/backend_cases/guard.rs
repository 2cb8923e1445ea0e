//! Guards: what must hold at their place in a batch.

use serde_json::json;
use syncline_core::{Batch, Condition, ErrorKind, Filter, Object, Result, StepOutcome, Value};

use super::support::*;
use crate::Fixture;

/// The guard holds, or fails by its name, as a batch of its own.
async fn check(
    fixture: &Fixture,
    collection: &str,
    condition: Condition,
    holds: bool,
) -> Result<()> {
    let batch = Batch::new().guard("the guard's name", collection, condition.clone());
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    if holds {
        assert_eq!(answer?, [StepOutcome::Held], "{condition:?}");
    } else {
        let error = refused(answer, ErrorKind::Conflict);
        assert_eq!(error.guard(), Some("the guard's name"), "{condition:?}");
        tells(&error, collection);
    }
    Ok(())
}

fn looks(id: &str, look: Object) -> Condition {
    Condition::Looks(id.into(), look)
}

/// An object is there, or it is not.
pub async fn guards_ask_whether_an_object_is_there(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let _ = fixture.create("visit", visit("a.org", 1)).await?;
    for (key, there) in [("ann", true), ("zoe", false), ("Ann", false)] {
        check(fixture, "user", Condition::Exists(key.into()), there).await?;
        check(fixture, "user", Condition::Absent(key.into()), !there).await?;
        check(fixture, "thing", Condition::Absent(key.into()), true).await?;
    }
    for (key, there) in [(("a.org", 1), true), (("a.org", 2), false), (("b.org", 1), false)] {
        let key = || visit_key(key.0, key.1);
        check(fixture, "visit", Condition::Exists(key()), there).await?;
        check(fixture, "visit", Condition::Absent(key()), !there).await?;
    }
    Ok(())
}

/// An object looks so: in the fields that are named, and only in those.
pub async fn guards_ask_how_an_object_looks(fixture: &Fixture) -> Result<()> {
    let ann = user("ann", "Ann").with("age", 30).with("active", false);
    fixture.fill("user", [user("bob", "Bob"), ann.clone()]).await?;
    let with = |field: &str, value: Value| Object::new().with(field, value);
    for (look, holds) in [
        (Object::new(), true),
        (ann.clone(), true),
        (with("name", "Ann".into()), true),
        (with("name", "Bob".into()), false),
        (with("age", 30.into()), true),
        (with("age", 31.into()), false),
        (with("active", false.into()), true),
        (with("active", true.into()), false),
        (ann.with("name", "ann"), false),
    ] {
        check(fixture, "user", looks("ann", look), holds).await?;
    }
    check(fixture, "user", looks("zoe", Object::new()), false).await?;
    check(fixture, "user", looks("zoe", with("age", Value::Null)), false).await
}

/// Null in a guard is met by what is null or absent, and by nothing else.
pub async fn guards_take_null_for_absent(fixture: &Fixture) -> Result<()> {
    fixture.fill("user", [user("bob", "").with("age", 0), user("ann", "Ann")]).await?;
    let null = |field: &str| Object::new().with(field, Value::Null);
    check(fixture, "user", looks("ann", null("age")), true).await?;
    check(fixture, "user", looks("ann", null("age").with("name", "Ann")), true).await?;
    check(fixture, "user", looks("ann", null("name")), false).await?;
    check(fixture, "user", looks("bob", null("age")), false).await?;
    check(fixture, "user", looks("bob", null("name")), false).await?;
    check(fixture, "user", looks("bob", Object::new().with("active", false)), false).await
}

/// Values of each type are compared as they are.
pub async fn guards_compare_values_of_each_type(fixture: &Fixture) -> Result<()> {
    let json = json!({"a": [1, null]});
    let full = thing("t")
        .with("flag", true)
        .with("blob", vec![0_u8, 1])
        .with("date", Value::Timestamp(-5))
        .with("ratio", 0.1)
        .with("count", i64::MAX)
        .with("json", json)
        .with("text", "a\0b");
    let _ = fixture.create("thing", full.clone()).await?;
    let other = Object::new()
        .with("flag", false)
        .with("blob", vec![0_u8])
        .with("date", Value::Timestamp(5))
        .with("ratio", 0.2)
        .with("count", i64::MAX - 1)
        .with("json", json!({"a": [1]}))
        .with("text", "a");
    check(fixture, "thing", looks("t", full), true).await?;
    for (field, value) in other.iter() {
        let look = Object::new().with(field.clone(), value.clone());
        check(fixture, "thing", looks("t", look), false).await?;
    }
    Ok(())
}

/// At most one object has these values; null belongs to nobody.
pub async fn guards_ask_whether_values_are_unique(fixture: &Fixture) -> Result<()> {
    let aged = |id: &str, name: &str, age: Option<i64>| user(id, name).with("age", age);
    let stored = [
        aged("a", "X", Some(1)),
        aged("b", "X", Some(2)),
        aged("c", "Y", Some(1)),
        aged("d", "Z", None),
        aged("e", "Z", None),
    ];
    fixture.fill("user", stored).await?;
    let unique = |values: Object| Condition::Unique(values);
    let named = |name: &str| Object::new().with("name", name);
    for (values, holds) in [
        (named("nobody"), true),
        (named("Y"), true),
        (named("X"), false),
        (named("X").with("age", 1), true),
        (named("Z"), false),
        (named("Z").with("age", Value::Null), true),
        (Object::new().with("age", 1), false),
        (Object::new().with("age", Value::Null), true),
    ] {
        check(fixture, "user", unique(values), holds).await?;
    }
    check(fixture, "thing", unique(Object::new().with("name", "X")), true).await
}

/// A guard sees what the steps before it did, and not what those behind it do.
pub async fn guards_see_the_steps_before_them(fixture: &Fixture) -> Result<()> {
    let _ = three_users(fixture).await?;
    let name = |name: &str| Object::new().with("name", name);
    let batch = Batch::new()
        .guard("1", "user", Condition::Absent("zoe".into()))
        .create("user", user("zoe", "Zoe"))
        .guard("2", "user", Condition::Exists("zoe".into()))
        .guard("3", "user", Condition::Unique(name("Zoe")))
        .update("user", Filter::key("zoe"), name("Ann"))
        .guard("4", "user", looks("zoe", name("Ann")))
        .delete("user", Filter::key("ann"))
        .guard("5", "user", Condition::Unique(name("Ann")))
        .guard("6", "user", Condition::Absent("ann".into()))
        .create("user", user("yan", "Ann"));
    let Some(answer) = fixture.try_write(atomic_batch, batch).await? else { return Ok(()) };
    assert_eq!(answer?.iter().filter(|outcome| **outcome == StepOutcome::Held).count(), 6);

    let batch = Batch::new()
        .guard("before", "user", Condition::Exists("zoe".into()))
        .create("user", user("xan", "Bob"))
        .guard("twins", "user", Condition::Unique(name("Bob")))
        .guard("after", "user", Condition::Absent("zoe".into()));
    let error = refused(fixture.write(batch).await, ErrorKind::Conflict);
    assert_eq!(error.guard(), Some("twins"), "the first guard that fails");
    assert_eq!(ids(&all(fixture, "user").await?), ["bob", "eve", "yan", "zoe"]);
    Ok(())
}

/// A guard that fails keeps the steps around it from happening.
pub async fn a_failed_guard_stops_the_batch(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    let batch = Batch::new()
        .delete("user", Filter::key("bob"))
        .guard("seen", "user", looks("ann", Object::new().with("name", "Anna")))
        .update("user", Filter::key("ann"), Object::new().with("name", "Anne"));
    if let Some(answer) = fixture.try_write(atomic_batch, batch).await? {
        assert_eq!(refused(answer, ErrorKind::Conflict).guard(), Some("seen"));
    }
    assert_eq!(all(fixture, "user").await?, users);
    Ok(())
}

/// Read, guard what was read, write, and try again on a conflict: ten tasks at once lose nothing.
pub async fn guarded_writers_lose_no_update(fixture: &Fixture) -> Result<()> {
    let _ = fixture.create("user", user("counter", "C").with("age", 0)).await?;
    if !fixture.capability().atomic_batch {
        return check(fixture, "user", Condition::Exists("counter".into()), true).await;
    }
    let add_one = || async {
        for _ in 0..1_000 {
            let seen = get(fixture, "user", "counter").await?.unwrap_or_default();
            crate::together::pause().await;
            let age = seen.value("age").as_int().unwrap_or_default();
            let batch = Batch::new().guard("seen", "user", looks("counter", seen)).update(
                "user",
                Filter::key("counter"),
                Object::new().with("age", age + 1),
            );
            match fixture.write(batch).await {
                Err(error) if error.guard() == Some("seen") => {}
                Err(error) if error.kind().is_temporary() => {}
                answer => return answer.map(drop),
            }
        }
        Err(syncline_core::Error::internal("no try out of a thousand came through"))
    };
    for outcome in crate::together::all((0..10).map(|_| add_one())).await {
        outcome?;
    }
    let counter = get(fixture, "user", "counter").await?;
    assert_eq!(counter, Some(user("counter", "C").with("age", 10)));
    Ok(())
}
