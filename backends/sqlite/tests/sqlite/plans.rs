//! How SQLite finds what is asked for. A plan that turns into a scan or a sort is a bug nobody sees.

use syncline_core::{Collection, Continuation, Direction, FieldType, Filter, Find, Key, Value};

use super::support::*;

/// Objects with a text key, with a counted key and with a key of two fields, alike otherwise.
fn schemas() -> std::sync::Arc<syncline_core::Schema> {
    let fields = |name: &str| {
        Collection::define(name.to_owned())
            .optional("priority", FieldType::Int)
            .optional("done", FieldType::Boolean)
            .optional("title", FieldType::String)
            .index(["priority"])
            .index(["title", "done"])
    };
    schema(
        1,
        [
            fields("text"),
            fields("counted").field("id", FieldType::Int).key(["id"]),
            fields("pair").field("a", FieldType::String).field("b", FieldType::Int).key(["a", "b"]),
        ],
    )
}

#[track_caller]
fn check(find: Find, expected: &[&str]) {
    let backend = memory(&schemas());
    assert_eq!(backend.explain(&find).expect("explains"), expected, "{find:?}");
}

fn range() -> Filter {
    Filter::gte("priority", 100).and(Filter::lt("priority", 200))
}

#[test]
fn a_key_is_looked_up() {
    check(
        Find::new("text", Filter::eq("id", "a")),
        &["SEARCH text USING INDEX sqlite_autoindex_text_1 (id=?)"],
    );
    check(
        Find::new("counted", Filter::eq("id", 1)),
        &["SEARCH counted USING INTEGER PRIMARY KEY (rowid=?)"],
    );
    check(
        Find::new("pair", Filter::eq("a", "x").and(Filter::eq("b", 1))),
        &["SEARCH pair USING INDEX sqlite_autoindex_pair_1 (a=? AND b=?)"],
    );
}

#[test]
fn many_keys_are_looked_up_in_order_without_sorting() {
    let keys = |keys: [i64; 2]| Filter::Keys(keys.map(Key::from).to_vec());
    check(
        Find::new("text", Filter::is_in("id", ["a", "b"])),
        &[
            "SEARCH text USING INDEX sqlite_autoindex_text_1 (id=?)",
            "LIST SUBQUERY 1",
            "SCAN rarray VIRTUAL TABLE INDEX 1:",
        ],
    );
    check(
        Find::new("counted", keys([1, 2])),
        &[
            "SEARCH counted USING INTEGER PRIMARY KEY (rowid=?)",
            "LIST SUBQUERY 1",
            "SCAN rarray VIRTUAL TABLE INDEX 1:",
        ],
    );
}

#[test]
fn a_range_of_keys_is_walked_in_order() {
    check(
        Find::new("text", Filter::gt("id", "a")),
        &["SEARCH text USING INDEX sqlite_autoindex_text_1 (id>?)"],
    );
    check(
        Find::new("counted", Filter::gt("id", 7)),
        &["SEARCH counted USING INTEGER PRIMARY KEY (rowid>?)"],
    );
    check(
        Find::new("text", Filter::prefix("id", "a")),
        &["SEARCH text USING INDEX sqlite_autoindex_text_1 (id>? AND id<?)"],
    );
}

#[test]
fn an_index_leads_to_few_objects_that_are_sorted_here() {
    for collection in ["text", "counted", "pair"] {
        let table = format!("SEARCH {collection} USING INDEX idx_{collection}");
        check(
            Find::new(collection, range()),
            &[&format!("{table}(priority) (priority>? AND priority<?)")],
        );
        check(
            Find::new(collection, Filter::eq("priority", 1)),
            &[&format!("{table}(priority) (priority=?)")],
        );
        check(
            Find::new(collection, Filter::eq("title", "x").and(Filter::eq("done", true))),
            &[&format!("{table}(title,done) (title=? AND done=?)")],
        );
        check(
            Find::new(collection, range()).order_by("priority", Direction::Ascending),
            &[&format!("{table}(priority) (priority>? AND priority<?)")],
        );
    }
}

#[test]
fn later_pages_still_use_the_index() {
    let mut find = Find::new("text", range());
    find.after = Some(Continuation { order: Vec::new(), key: vec!["m".into()] });
    check(
        find,
        &[
            "SEARCH text USING INDEX idx_text(priority) (priority>? AND priority<?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ],
    );
}

#[test]
fn everything_is_walked_in_the_order_of_the_key_without_sorting() {
    check(Find::new("text", Filter::All), &["SCAN text USING INDEX sqlite_autoindex_text_1"]);
    check(Find::new("counted", Filter::All), &["SCAN counted"]);
    check(Find::new("pair", Filter::All), &["SCAN pair USING INDEX sqlite_autoindex_pair_1"]);
    check(
        Find::new("text", Filter::ne("priority", 1)),
        &["SCAN text USING INDEX sqlite_autoindex_text_1"],
    );

    let behind = |key: &[Value]| Continuation { order: Vec::new(), key: key.to_vec() };
    let mut find = Find::new("text", Filter::All);
    find.after = Some(behind(&["m".into()]));
    check(find, &["SEARCH text USING INDEX sqlite_autoindex_text_1 (id>?)"]);
    let mut find = Find::new("pair", Filter::All);
    find.after = Some(behind(&["m".into(), 1.into()]));
    check(find, &["SEARCH pair USING INDEX sqlite_autoindex_pair_1 (a>?)"]);
}

#[test]
fn an_order_that_has_an_index_is_walked_and_entered_where_a_page_begins() {
    let sorted = |collection: &str, direction| {
        Find::new(collection.to_owned(), Filter::All).order_by("priority", direction)
    };
    let behind = |value: Value| Some(Continuation { order: vec![value], key: vec![1.into()] });
    for direction in [Direction::Ascending, Direction::Descending] {
        check(
            sorted("counted", direction),
            &match direction {
                Direction::Ascending => vec!["SCAN counted USING INDEX idx_counted(priority)"],
                Direction::Descending => vec![
                    "SCAN counted USING INDEX idx_counted(priority)",
                    "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",
                ],
            },
        );
    }
    let mut find = sorted("counted", Direction::Ascending);
    find.after = behind(5.into());
    check(find, &["SEARCH counted USING INDEX idx_counted(priority) (priority>?)"]);
    let mut find = sorted("counted", Direction::Descending);
    find.after = behind(5.into());
    check(
        find,
        &[
            "SEARCH counted USING INDEX idx_counted(priority) (priority<?)",
            "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",
            "SEARCH counted USING INDEX idx_counted(priority) (priority=?)",
        ],
    );
}
