//! Custom field types: prepared for storage, restored for the application.

use syncline_core::{Collection, FieldType, Filter, Object, Result};

use super::support::*;
use crate::Fixture;

fn thing(reads: bool) -> syncline_core::schema::Definition {
    Collection::define("thing")
        .optional("text", Marked::field_type(reads))
        .optional("other", FieldType::Int)
}

fn named(id: &str) -> Object {
    Object::new().with("id", id)
}

/// What a create answers with is what a find will show.
pub async fn a_custom_field_is_prepared_and_restored(fixture: &Fixture) -> Result<()> {
    let storage = open_with(fixture, [thing(true)]).await?;
    let things = storage.collection("thing")?;
    let created = things.create(named("a").with("text", "bla")).await?;
    same(&created, &named("a").with("text", "Found: Stored: bla"))?;
    same(things.find_by_key("a").await?, Some(created))
}

/// An absent custom field of a new object is for its type to fill.
pub async fn an_omitted_custom_field_is_prepared_too(fixture: &Fixture) -> Result<()> {
    let storage = open_with(fixture, [thing(true)]).await?;
    let things = storage.collection("thing")?;
    let _ = things.create(named("a")).await?;
    let wanted = named("a").with("text", "Found: Stored: undefined");
    same(things.find_by_key("a").await?, Some(wanted))
}

/// An update that does not set a custom field leaves it alone.
pub async fn an_update_of_another_field_leaves_a_custom_field_alone(
    fixture: &Fixture,
) -> Result<()> {
    let storage = open_with(fixture, [thing(true)]).await?;
    let things = storage.collection("thing")?;
    let _ = things.create(named("a")).await?;
    let _ = things.create(named("b").with("text", "bla")).await?;
    same(things.update(Filter::All, Object::new().with("other", 3)).await?, 2)?;
    let wanted = [
        named("a").with("other", 3).with("text", "Found: Stored: undefined"),
        named("b").with("other", 3).with("text", "Found: Stored: bla"),
    ];
    same(all(&storage, "thing").await?, wanted.to_vec())
}

/// An update of a custom field prepares the value.
pub async fn an_update_prepares_a_custom_field(fixture: &Fixture) -> Result<()> {
    let storage = open_with(fixture, [thing(true)]).await?;
    let things = storage.collection("thing")?;
    let _ = things.create(named("a").with("text", "old")).await?;
    same(things.update(Filter::key("a"), Object::new().with("text", "new")).await?, 1)?;
    let wanted = named("a").with("text", "Found: Stored: new");
    same(all(&storage, "thing").await?, vec![wanted])
}

/// A type need not do anything when it is read.
pub async fn a_custom_field_may_be_prepared_only(fixture: &Fixture) -> Result<()> {
    let storage = open_with(fixture, [thing(false)]).await?;
    let things = storage.collection("thing")?;
    let _ = things.create(named("a")).await?;
    let _ = things.create(named("b").with("text", "bla")).await?;
    let wanted =
        [named("a").with("text", "Stored: undefined"), named("b").with("text", "Stored: bla")];
    same(all(&storage, "thing").await?, wanted.to_vec())
}

/// Who looks for a value says it as the application knows it.
pub async fn a_filter_prepares_the_values_of_custom_fields(fixture: &Fixture) -> Result<()> {
    let storage = open_with(fixture, [thing(true)]).await?;
    let things = storage.collection("thing")?;
    let _ = things.create(named("a").with("text", "bla")).await?;
    let _ = things.create(named("b").with("text", "other")).await?;
    let wanted = vec![named("a").with("text", "Found: Stored: bla")];
    same(things.find(Filter::eq("text", "bla")).await?, wanted.clone())?;
    same(things.find(Filter::is_in("text", ["bla", "blub"])).await?, wanted.clone())?;
    same(things.query(Filter::ne("text", "other")).page_size(1).all().await?, wanted)?;
    same(things.find(Filter::eq("text", "Stored: bla")).await?, vec![])
}
