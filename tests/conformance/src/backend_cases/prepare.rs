//! Making storage ready, once and again.

use syncline_core::{
    Batch, Collection, FieldType, Filter, Find, Object, Registry, Result, StepOutcome,
};

use super::support::*;
use crate::Fixture;

fn note() -> syncline_core::schema::Definition {
    Collection::define("note").field("title", FieldType::String)
}

fn titled(id: &str, title: &str) -> Object {
    Object::new().with("id", id).with("title", title)
}

async fn prepare(
    fixture: &Fixture,
    definitions: impl IntoIterator<Item = syncline_core::schema::Definition>,
) -> Result<()> {
    fixture.prepare(&crate::schema::finish(Registry::new().collections(1, definitions))).await
}

/// Preparing again for the same schema changes nothing.
pub async fn preparing_twice_keeps_what_is_stored(fixture: &Fixture) -> Result<()> {
    let users = three_users(fixture).await?;
    let _ = fixture.create("ticket", Object::new().with("title", "a")).await?;
    for _ in 0..2 {
        fixture.prepare(&crate::schema::schema()).await?;
        assert_eq!(all(fixture, "user").await?, users);
    }
    let _ = fixture.create("user", user("zoe", "Zoe")).await?;
    assert_eq!(fixture.create("ticket", Object::new()).await?, 2.into(), "counting goes on");
    Ok(())
}

/// A field that is added is absent from older objects, and can be set and asked for like any other.
pub async fn a_field_can_be_added(fixture: &Fixture) -> Result<()> {
    prepare(fixture, [note()]).await?;
    fixture.fill("note", [titled("b", "B"), titled("a", "A")]).await?;
    let fuller = note().optional("stars", FieldType::Int).optional("done", FieldType::Boolean);
    prepare(fixture, [fuller.index(["stars"])]).await?;
    assert_eq!(all(fixture, "note").await?, [titled("a", "A"), titled("b", "B")]);

    let starred = |id: &str, title: &str, stars: i64| titled(id, title).with("stars", stars);
    let _ = fixture.create("note", starred("c", "C", 3)).await?;
    let stars = Object::new().with("stars", 5);
    let _ = fixture.write(Batch::new().update("note", Filter::key("a"), stars)).await?;
    let expected = [starred("a", "A", 5), titled("b", "B"), starred("c", "C", 3)];
    assert_eq!(all(fixture, "note").await?, expected);
    finds(fixture, nothing_more, "note", Filter::eq("stars", 5), &["a"]).await?;
    finds_in_order(fixture, order_by_one, descending("note", "stars"), &["a", "c", "b"]).await
}

/// A collection that is added is empty, and the others keep what they hold.
pub async fn a_collection_can_be_added(fixture: &Fixture) -> Result<()> {
    prepare(fixture, [note()]).await?;
    fixture.fill("note", [titled("b", "B"), titled("a", "A")]).await?;
    let book = Collection::define("book").field("isbn", FieldType::Int).key(["isbn"]);
    prepare(fixture, [note(), book]).await?;
    assert_eq!(all(fixture, "book").await?, []);
    let _ = fixture.create("book", Object::new().with("isbn", 7)).await?;
    assert_eq!(all(fixture, "book").await?, [Object::new().with("isbn", 7)]);
    assert_eq!(all(fixture, "note").await?, [titled("a", "A"), titled("b", "B")]);
    Ok(())
}

/// An index can be added over what is stored, a unique one over what is not unique: merging may have
/// stored it so.
pub async fn an_index_can_be_added(fixture: &Fixture) -> Result<()> {
    prepare(fixture, [note()]).await?;
    fixture.fill("note", [titled("c", "X"), titled("b", "Y"), titled("a", "X")]).await?;
    prepare(fixture, [note().unique(["title"])]).await?;
    finds(fixture, nothing_more, "note", Filter::eq("title", "X"), &["a", "c"]).await?;
    let _ = fixture.create("note", titled("d", "X")).await?;
    finds(fixture, nothing_more, "note", Filter::eq("title", "X"), &["a", "c", "d"]).await?;
    prepare(fixture, [note().index(["id", "title"])]).await?;
    finds(fixture, nothing_more, "note", Filter::eq("title", "X"), &["a", "c", "d"]).await
}

/// What a schema no longer names is kept, and is there again when a later schema names it.
pub async fn what_a_schema_drops_is_kept(fixture: &Fixture) -> Result<()> {
    let stars = || note().optional("stars", FieldType::Int);
    let book = || Collection::define("book").optional("name", FieldType::String).index(["name"]);
    prepare(fixture, [stars(), book()]).await?;
    let full = titled("a", "A").with("stars", 3);
    fixture.fill("note", [titled("b", "B"), full.clone()]).await?;
    let _ = fixture.create("book", user("x", "X")).await?;
    prepare(fixture, [note()]).await?;
    let _ = fixture.create("note", titled("c", "C")).await?;
    let changes = Object::new().with("title", "A2");
    let _ = fixture.write(Batch::new().update("note", Filter::key("a"), changes)).await?;
    prepare(fixture, [stars(), book()]).await?;
    let expected = [full.with("title", "A2"), titled("b", "B"), titled("c", "C")];
    assert_eq!(all(fixture, "note").await?, expected);
    assert_eq!(all(fixture, "book").await?, [user("x", "X")]);
    Ok(())
}

/// A field may become optional, and another required, without a change to what is stored.
pub async fn a_field_can_become_optional(fixture: &Fixture) -> Result<()> {
    prepare(fixture, [note().optional("stars", FieldType::Int)]).await?;
    fixture.fill("note", [titled("b", "B"), titled("a", "A").with("stars", 1)]).await?;
    let turned = Collection::define("note")
        .optional("title", FieldType::String)
        .field("stars", FieldType::Int);
    prepare(fixture, [turned]).await?;
    let bare = Object::new().with("id", "c").with("stars", 0);
    let _ = fixture.create("note", bare.clone()).await?;
    let expected = [titled("a", "A").with("stars", 1), titled("b", "B"), bare];
    assert_eq!(all(fixture, "note").await?, expected);
    Ok(())
}

/// Relationships of every kind can be prepared, with their indexes.
pub async fn relationships_can_be_prepared(fixture: &Fixture) -> Result<()> {
    use syncline_core::schema::RelationshipDef;
    let definitions = [
        Collection::define("author").field("name", FieldType::String).index(["name"]),
        Collection::define("post").child_of("author").index(["author"]),
        Collection::define("draft")
            .relationship(RelationshipDef::child_of("author").alias("writer").field("writerId")),
        Collection::define("profile").single_child_of("author"),
        Collection::define("follows")
            .relationship(RelationshipDef::end("author").alias("follower"))
            .relationship(
                RelationshipDef::end("author").alias("followed").reverse_alias("followers"),
            ),
    ];
    prepare(fixture, definitions).await?;
    fixture.fill("author", [user("b", "B"), user("a", "A")]).await?;
    let draft = |id: &str, writer: &str| Object::new().with("id", id).with("writerId", writer);
    fixture.fill("draft", [draft("2", "a"), draft("1", "b"), draft("3", "a")]).await?;
    finds(fixture, nothing_more, "draft", Filter::eq("writerId", "a"), &["2", "3"]).await?;
    let deleted = Batch::new().delete("draft", Filter::eq("writerId", "a"));
    assert_eq!(fixture.write(deleted).await?, [StepOutcome::Deleted(2)]);
    assert_eq!(all(fixture, "draft").await?, [draft("1", "b")]);
    Ok(())
}

/// A write is durable when its answer is there: opened again, the storage holds it.
pub async fn what_is_written_outlives_the_handle(fixture: &Fixture) -> Result<()> {
    let [ann, _, eve] = three_users(fixture).await?;
    let _ = fixture.create("ticket", Object::new().with("title", "a")).await?;
    let _ = fixture.create("visit", visit("a.org", 1).with("note", "")).await?;
    let renamed = Object::new().with("name", "Anna");
    let _ = fixture.write(Batch::new().update("user", Filter::key("ann"), renamed)).await?;
    let _ = fixture.write(Batch::new().delete("user", Filter::key("bob"))).await?;
    fixture.reopen().await?;
    fixture.prepare(&crate::schema::schema()).await?;
    assert_eq!(all(fixture, "user").await?, [ann.with("name", "Anna"), eve]);
    assert_eq!(all(fixture, "visit").await?, [visit("a.org", 1).with("note", "")]);
    finds(fixture, nothing_more, "user", Filter::eq("name", "Anna"), &["ann"]).await?;
    assert_eq!(fixture.create("ticket", Object::new()).await?, 2.into(), "counting goes on");
    Ok(())
}

/// The name and the capability stay the same while the handle lives.
pub async fn a_backend_does_not_change_its_mind(fixture: &Fixture) -> Result<()> {
    let backend = fixture.backend();
    let before = (backend.name(), backend.capability());
    assert!(!backend.name().is_empty(), "errors and logs need a name");
    let _ = three_users(fixture).await?;
    let _ = fixture.find(Find::new("user", Filter::All)).await?;
    prepare(fixture, [note()]).await?;
    assert_eq!((backend.name(), backend.capability()), before);
    Ok(())
}
