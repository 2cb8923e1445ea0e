//! Indexes of words.

use std::sync::Arc;

use syncline_core::query::{Test, matches};
use syncline_core::{
    Batch, Collection, ErrorKind, FieldType, Filter, Find, Key, Object, Schema, StepOutcome,
};

use super::support::*;

fn pages() -> Arc<Schema> {
    let page = Collection::define("page").optional("text", FieldType::Text).full_text("text");
    schema(1, [page.optional("stars", FieldType::Int)])
}

fn a_page(id: &str, text: &str) -> Object {
    Object::new().with("id", id).with("text", text)
}

fn words(wanted: &str) -> Filter {
    Filter::Field("text".into(), Test::Words(vec![wanted.into()]))
}

fn ids(place: &syncline_backend_sqlite::SqliteBackend, filter: Filter) -> Vec<String> {
    let found = find(place, "page", filter).expect("finds");
    found.iter().map(|object| object.value("id").to_string()).collect()
}

#[test]
fn words_are_found_as_core_finds_them() {
    let texts = [
        "It's EASY, 3-fold",
        "Größe, ÜBER alles; l'été à Évry",
        "Здравствуй, мир! МИР",
        "e\u{301}te\u{301} 42nd x²",
        "कविता और हिन्दी",
        "東京 都",
        "snake_case and 'quoted' \"words\" AND or NOT near",
        "",
        "   ...   ",
    ];
    let (schema, backend) = (pages(), memory(&pages()));
    let objects: Vec<Object> =
        texts.iter().enumerate().map(|(at, text)| a_page(&format!("{at}"), text)).collect();
    let batch = objects.iter().fold(Batch::new(), |batch, page| batch.create("page", page.clone()));
    let _ =
        write(&backend, batch.create("page", Object::new().with("id", "none"))).expect("stores");
    let collection = schema.collection("page").expect("there");
    for wanted in [
        "easy",
        "It",
        "s",
        "3",
        "fold",
        "größe",
        "grosse",
        "uber",
        "Über",
        "été",
        "ete",
        "évry",
        "мир",
        "МИР",
        "42nd",
        "42",
        "x²",
        "कविता",
        "हिन्दी",
        "東京",
        "都",
        "東",
        "snake",
        "snake_case",
        "case",
        "and",
        "NOT",
        "near",
        "\"words\"",
        "quoted words",
        "",
        "...",
        "easy fold",
        "easy мир",
    ] {
        let filter = words(wanted);
        let expected: Vec<String> = objects
            .iter()
            .filter(|object| matches(&filter, object, collection))
            .map(|object| object.value("id").to_string())
            .collect();
        assert_eq!(ids(&backend, filter), expected, "{wanted:?}");
    }
}

#[test]
fn what_other_programs_write_is_found_as_well() {
    let place = Place::new();
    let backend = place.prepared(&pages());
    let _ = write(&backend, Batch::new().create("page", a_page("a", "first"))).expect("stores");
    place.sql(
        "INSERT INTO page (id, text) VALUES ('b', 'second'), ('c', NULL);
         UPDATE page SET text = 'changed' WHERE id = 'a';
         UPDATE page SET text = 'third' WHERE id = 'c';
         UPDATE page SET stars = 3;
         DELETE FROM page WHERE id = 'b'; VACUUM;",
    );
    assert_eq!(ids(&backend, words("first")), [""; 0]);
    assert_eq!(ids(&backend, words("second")), [""; 0]);
    assert_eq!(ids(&backend, words("changed")), ["a"]);
    assert_eq!(ids(&backend, words("third")), ["c"]);
}

#[test]
fn texts_of_an_adopted_table_are_found() {
    let place = Place::foreign(
        "CREATE TABLE page (id TEXT PRIMARY KEY, text TEXT);
         INSERT INTO page VALUES ('b', 'old text'), ('a', 'older text')",
    );
    assert_eq!(ids(&place.prepared(&pages()), words("text")), ["a", "b"]);

    let place = Place::foreign("CREATE TABLE page (id TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID");
    let says = ["table: page", "WITHOUT ROWID"];
    refused(prepare(&place.open(), &pages()), ErrorKind::Invalid, &says);
}

#[test]
fn an_index_of_words_that_is_given_up_is_gone() {
    let place = Place::new();
    let backend = place.prepared(&pages());
    let _ = write(&backend, Batch::new().create("page", a_page("a", "text"))).expect("stores");
    let page = Collection::define("page").optional("text", FieldType::Text);
    let backend = place.prepared(&schema(2, [page.optional("stars", FieldType::Int)]));

    refused(find(&backend, "page", words("text")), ErrorKind::Invalid, &["text", "index"]);
    let left = "SELECT name FROM sqlite_schema WHERE name LIKE 'fts%' OR type = 'trigger'";
    assert_eq!(place.ask::<String>(left), [""; 0]);
    let _ = write(&backend, Batch::new().create("page", a_page("b", "more"))).expect("stores");
}

#[test]
fn a_table_made_anew_gets_its_index_anew() {
    let place = Place::new();
    let backend = place.prepared(&pages());
    let _ = write(&backend, Batch::new().create("page", a_page("a", "text"))).expect("stores");
    place.sql("DROP TABLE page");
    let backend = place.prepared(&pages());
    assert_eq!(ids(&backend, words("text")), [""; 0]);
    let _ = write(&backend, Batch::new().create("page", a_page("b", "text"))).expect("stores");
    assert_eq!(ids(&backend, words("text")), ["b"]);
}

#[test]
fn counted_keys_and_names_of_row_numbers_are_not_confused() {
    let page = Collection::define("page")
        .field("id", FieldType::AutoPk)
        .optional("text", FieldType::Text)
        .optional("_rowid_", FieldType::String)
        .optional("rowid", FieldType::String)
        .full_text("text");
    let backend = memory(&schema(1, [page]));
    let page = |text: &str| Object::new().with("text", text).with("rowid", "7");
    let batch = Batch::new().create("page", page("one")).create("page", page("two three"));
    let created = write(&backend, batch).expect("stores");
    assert_eq!(created, [1, 2].map(|id| StepOutcome::Created(Key::from(id))));
    assert_eq!(ids(&backend, words("three")), ["2"]);
    let changes = Object::new().with("text", "three");
    let updated = write(&backend, Batch::new().update("page", Filter::All, changes));
    assert_eq!(updated.expect("writes"), [StepOutcome::Updated(2)]);
    assert_eq!(ids(&backend, words("three")), ["1", "2"]);
}

#[test]
fn the_index_of_words_leads_to_the_objects() {
    let plan = memory(&pages()).explain(&Find::new("page", words("text"))).expect("explains");
    assert_eq!(plan[0], "SEARCH page USING INTEGER PRIMARY KEY (rowid=?)", "{plan:?}");
}

#[test]
fn preparing_again_changes_no_index_of_words() {
    let place = Place::new();
    drop(place.prepared(&pages()));
    assert_eq!(place.prepared(&pages()).counters().transactions, 0);
}
