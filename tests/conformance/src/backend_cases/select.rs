//! Selected fields.

use syncline_core::{Filter, Find, Object, Result};

use super::support::*;
use crate::Fixture;

/// A selection holds the chosen fields and the key, and nothing else.
pub async fn selected_fields_come_with_the_key(fixture: &Fixture) -> Result<()> {
    let full = |id: &str| user(id, "Name").with("email", "x@x.org").with("age", 3);
    fixture.fill("user", [full("b"), full("a"), user("c", "Bare")]).await?;
    let find = |fields: &[&str]| Find::new("user", Filter::All).select(fields.to_vec());
    let some = |id: &str| Object::new().with("id", id);

    let found = fixture.find(find(&["email"])).await?;
    let email = |id: &str| some(id).with("email", "x@x.org");
    assert_eq!(found, [email("a"), email("b"), some("c")]);
    let found = fixture.find(find(&["name", "age", "name"])).await?;
    let two = |id: &str| some(id).with("age", 3).with("name", "Name");
    assert_eq!(found, [two("a"), two("b"), some("c").with("name", "Bare")]);
    assert_eq!(fixture.find(find(&["id"])).await?, ["a", "b", "c"].map(some));
    assert_eq!(fixture.find(find(&[])).await?, ["a", "b", "c"].map(some));
    Ok(())
}

/// Every field of a compound key comes along.
pub async fn selected_fields_come_with_a_compound_key(fixture: &Fixture) -> Result<()> {
    let noted = |url, time| visit(url, time).with("note", "n");
    fixture.fill("visit", [noted("b", 1), noted("a", 2)]).await?;
    let find = |fields: &[&str]| Find::new("visit", Filter::All).select(fields.to_vec());
    assert_eq!(fixture.find(find(&["time"])).await?, [visit("a", 2), visit("b", 1)]);
    assert_eq!(fixture.find(find(&["note"])).await?, [noted("a", 2), noted("b", 1)]);
    Ok(())
}

/// A filter may ask for what the selection leaves out.
pub async fn filters_see_fields_that_are_not_selected(fixture: &Fixture) -> Result<()> {
    let full = |id: &str, age: i64| user(id, "X").with("age", age);
    fixture.fill("user", [full("c", 1), full("b", 2), full("a", 1)]).await?;
    let find = Find::new("user", Filter::eq("age", 1)).select(["name"]);
    assert_eq!(fixture.find(find).await?, [user("a", "X"), user("c", "X")]);
    Ok(())
}
