//! Words in texts.

use syncline_core::query::Test;
use syncline_core::{
    Batch, Capability, Collection, ErrorKind, FieldType, Filter, Find, Object, Operation, Registry,
    Result,
};

use super::support::*;
use crate::Fixture;

fn full_text(can: Capability) -> bool {
    can.full_text
}

fn words(words: &[&str]) -> Filter {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Filter::Field("text".into(), Test::Words(words))
}

fn page(id: &str, text: &str) -> Object {
    Object::new().with("id", id).with("text", text)
}

fn pages() -> syncline_core::schema::Definition {
    Collection::define("page")
        .optional("text", FieldType::Text)
        .optional("title", FieldType::Text)
        .optional("stars", FieldType::Int)
}

/// Prepares pages with an index of words, if the backend can; else it must refuse.
async fn prepared(fixture: &Fixture) -> Result<bool> {
    let pages = pages().full_text("text").full_text("title");
    let schema = crate::schema::finish(Registry::new().collections(1, [pages]));
    let answer = fixture.attempt(full_text, Operation::Prepare(schema)).await?;
    answer.map(|answer| answer.map(drop)).transpose().map(|answer| answer.is_some())
}

/// A word finds the texts that hold it, and the question is refused where words are not declared.
pub async fn words_find_their_texts(fixture: &Fixture) -> Result<()> {
    if !prepared(fixture).await? {
        // No schema with such an index can be prepared, so this comes past the manager's checks.
        let find = Operation::Find(Find::new("thing", words(&["easy"])));
        let error = fixture.run_unchecked(find).await.expect_err("words are not declared");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        return Ok(());
    }
    let stored = [
        page("c", "testing this stuff is not always easy"),
        page("a", "Easy come, EASY go!"),
        page("b", "uneasy, easygoing; hard"),
        Object::new().with("id", "d").with("title", "easy"),
        page("e", "Über-größe: 42 tests"),
    ];
    fixture.fill("page", stored).await?;
    let cases: [(&[&str], &[&str]); 11] = [
        (&["easy"], &["a", "c"]),
        (&["EASY"], &["a", "c"]),
        (&["easy", "go"], &["a"]),
        (&["always", "testing"], &["c"]),
        (&["easy", "hard"], &[]),
        (&["eas"], &[]),
        (&["easygoing"], &["b"]),
        (&["42"], &["e"]),
        (&["über", "größe"], &["e"]),
        (&["uber"], &[]),
        (&["zebra"], &[]),
    ];
    for (wanted, expected) in cases {
        finds(fixture, full_text, "page", words(wanted), expected).await?;
    }
    Ok(())
}

/// What means something to a search language is only a word or between words here.
pub async fn words_are_no_search_language(fixture: &Fixture) -> Result<()> {
    if !prepared(fixture).await? {
        return Ok(());
    }
    fixture.fill("page", [page("b", "cats and dogs"), page("a", "cats or birds near it")]).await?;
    let cases: [(&[&str], &[&str]); 11] = [
        // Without letters and digits it asks for nothing, be it known to any table of letters or not.
        (&["\u{e69a6}"], &["a", "b"]),
        (&["\u{e69a6}", "dogs"], &["b"]),
        (&["and"], &["b"]),
        (&["OR"], &["a"]),
        (&["NEAR"], &["a"]),
        (&["NOT"], &[]),
        (&["cat*"], &[]),
        (&["\"cats\""], &["a", "b"]),
        (&["cats dogs"], &["b"]),
        (&["text:cats"], &[]),
        (&["cats'", "-and"], &["b"]),
    ];
    for (wanted, expected) in cases {
        finds(fixture, full_text, "page", words(wanted), expected).await?;
    }
    Ok(())
}

/// Words are found as texts are now, not as they were.
pub async fn words_follow_writes(fixture: &Fixture) -> Result<()> {
    if !prepared(fixture).await? {
        return Ok(());
    }
    let stored = ["d", "b", "c", "a"].map(|id| page(id, "old words").with("title", "same"));
    fixture.fill("page", stored).await?;
    let new = Object::new().with("text", "new words");
    let _ = fixture.write(Batch::new().update("page", Filter::key("a"), new)).await?;
    let empty = Object::new().with("text", syncline_core::Value::Null);
    let _ = fixture.write(Batch::new().update("page", Filter::key("b"), empty)).await?;
    let _ = fixture.write(Batch::new().delete("page", Filter::key("c"))).await?;
    finds(fixture, full_text, "page", words(&["old"]), &["d"]).await?;
    finds(fixture, full_text, "page", words(&["new"]), &["a"]).await?;
    finds(fixture, full_text, "page", words(&["words"]), &["a", "d"]).await?;

    let failing = Batch::new()
        .create("page", page("z", "old and new words"))
        .delete("page", Filter::key("a"))
        .create("page", page("d", "taken"));
    if let Some(answer) = fixture.try_write(atomic_batch, failing).await? {
        let _ = refused(answer, ErrorKind::Conflict);
    }
    finds(fixture, full_text, "page", words(&["words"]), &["a", "d"]).await
}

/// Words combine with other demands.
pub async fn words_combine_with_other_demands(fixture: &Fixture) -> Result<()> {
    if !prepared(fixture).await? {
        return Ok(());
    }
    let starred = |id: &str, text: &str, stars: i64| page(id, text).with("stars", stars);
    let stored = [
        starred("c", "red fish", 1),
        starred("a", "blue fish", 2),
        starred("d", "red hen", 2),
        starred("b", "red fish", 2),
        Object::new().with("id", "e").with("stars", 2),
    ];
    fixture.fill("page", stored).await?;
    let both = |can| full_text(can) && compare(can);
    let fish = || words(&["fish"]);
    let two = fish().and(Filter::eq("stars", 2));
    finds(fixture, both, "page", two, &["a", "b"]).await?;
    let either = words(&["hen"]).or(words(&["blue"]));
    finds(fixture, both, "page", either, &["a", "d"]).await?;
    finds(fixture, both, "page", fish().negated(), &["d", "e"]).await?;
    let mut find = descending("page", "stars");
    find.filter = fish();
    find.page_objects = 2;
    let ordered = |can| full_text(can) && order_by_one(can);
    finds_in_order(fixture, ordered, find, &["a", "b", "c"]).await
}

/// An index of words can be added over texts that are stored already.
pub async fn an_index_of_words_can_be_added(fixture: &Fixture) -> Result<()> {
    let bare = crate::schema::finish(Registry::new().collections(1, [pages()]));
    fixture.prepare(&bare).await?;
    fixture.fill("page", [page("b", "second text"), page("a", "first text")]).await?;
    if !prepared(fixture).await? {
        assert_eq!(ids(&all(fixture, "page").await?), ["a", "b"]);
        return Ok(());
    }
    finds(fixture, full_text, "page", words(&["text"]), &["a", "b"]).await?;
    let _ = fixture.create("page", page("c", "third text")).await?;
    finds(fixture, full_text, "page", words(&["text"]), &["a", "b", "c"]).await?;
    finds(fixture, full_text, "page", words(&["first"]), &["a"]).await
}
