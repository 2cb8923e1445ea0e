//! Imports: what is bad is named by its line, and nothing comes in twice.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::Place;

/// Cities by number, one JSON object a line.
fn lines(numbers: std::ops::Range<u32>) -> String {
    numbers.map(|number| city(number) + "\n").collect()
}

fn city(number: u32) -> String {
    json!({"name": format!("n{number}"), "lat": number, "lng": 0, "country": "X"}).to_string()
}

#[test]
fn a_bad_line_is_named_and_the_corrected_file_goes_on_there() {
    let place = Place::with_database();
    let (good, rest) = (lines(0..4_500), lines(4_501..6_000));
    place.write("c.jsonl", &format!("{good}{{\"name\": \"n4500\", \"lat\": 1,\n{rest}"));
    let error = place.fails("import a.db city c.jsonl");
    assert_eq!((&error["kind"], &error["context"]["line"]), (&json!("Invalid"), &json!("4501")));
    assert_eq!(error["context"]["imported"], "4500");
    assert_eq!(place.count("a.db", "city"), 4_500, "what was good before it stays");
    assert_eq!(place.fails("import a.db city c.jsonl")["context"]["line"], "4501");
    assert_eq!(place.count("a.db", "city"), 4_500);

    place.write("corrected.jsonl", &lines(0..6_000));
    let report = place.json("import a.db city corrected.jsonl");
    assert_eq!((&report["imported"], &report["before"]), (&json!(1_500), &json!(4_500)));
    assert_all_once(&place, 6_000);
}

#[track_caller]
fn assert_all_once(place: &Place, count: u64) {
    let both = place.sqlite("a.db", "SELECT count(*), count(DISTINCT name) FROM city");
    assert_eq!(both, format!("{count}|{count}"));
    assert_eq!(place.json("doctor a.db")["healthy"], true);
}

#[test]
fn an_import_that_is_done_is_done_under_any_name() {
    let place = Place::with_database();
    place.write("c.jsonl", &lines(0..100));
    assert_eq!(place.json("import a.db city c.jsonl")["already"], false);
    place.write("other.jsonl", &lines(0..100));
    for file in ["c.jsonl", "./c.jsonl", "other.jsonl"] {
        let report = place.json(&format!("import a.db city {file}"));
        let nothing = json!({"collection": "city", "imported": 0, "before": 100, "skipped": 0, "bad": [], "already": true});
        assert_eq!(report, nothing);
    }
    assert!(place.ok("import a.db city c.jsonl").contains("--again"));
    assert_eq!(place.json("import a.db city c.jsonl --again")["imported"], 100);
    assert_eq!(place.count("a.db", "city"), 200);
}

#[test]
fn a_file_that_begins_like_another_is_another_file() {
    let place = Place::with_database();
    place.write("c.jsonl", lines(0..10).trim_end());
    place.ok("import a.db city c.jsonl");
    place.write("c.jsonl", &lines(0..15));
    assert_eq!(place.json("import a.db city c.jsonl")["imported"], 15);
    // Also where an import stopped, once a corrected file went on there.
    let stopped = format!("{}broken", lines(20..30));
    place.write("bad.jsonl", &stopped);
    assert_eq!(place.fails("import a.db city bad.jsonl")["context"]["line"], "11");
    place.write("good.jsonl", &lines(20..40));
    assert_eq!(place.json("import a.db city good.jsonl")["before"], 10);
    place.write("third.jsonl", &lines(20..35));
    assert_eq!(place.json("import a.db city third.jsonl")["imported"], 15);
    assert_eq!(place.fails("import a.db city bad.jsonl")["context"]["line"], "11");
    assert_eq!(place.count("a.db", "city"), 10 + 15 + 20 + 15);
}

#[test]
fn a_cell_that_begins_like_a_file_is_the_same_wherever_an_import_goes_on() {
    let place = Place::with_database();
    let rows =
        |latitude: &str| format!("name,lat,lng,country\na,1,0,X\n\u{feff}b,{latitude},0,X\n");
    place.write("bad.csv", &rows("no number"));
    assert_eq!(place.fails("import a.db city bad.csv")["context"]["line"], "3");
    place.write("good.csv", &rows("2"));
    assert_eq!(place.json("import a.db city good.csv")["before"], 1);
    let names = place.sqlite("a.db", "SELECT hex(name) FROM city ORDER BY lat");
    assert_eq!(names, "61\nEFBBBF62", "the mark is a part of the second name");
}

#[test]
fn bad_records_can_be_skipped_and_are_listed() {
    let place = Place::with_database();
    let bad = [
        "{\"name\": \"no end\"",
        "[1]",
        "{\"name\": \"x\", \"lat\": \"1\", \"lng\": 0, \"country\": \"X\"}",
        "{\"name\": \"x\", \"lat\": 1, \"lng\": 0}",
        "{\"name\": \"x\", \"lat\": 1, \"lng\": 0, \"country\": \"X\", \"more\": 1}",
        "{\"id\": \"one\", \"name\": \"x\", \"lat\": 1, \"lng\": 0, \"country\": \"X\"}",
        "not JSON",
    ];
    let one = "{\"id\": \"one\", \"name\": \"one\", \"lat\": 1, \"lng\": 0, \"country\": \"X\"}\n";
    let mut text = format!("{one}\n{}", lines(1..100));
    for line in bad {
        text += &format!("{line}\n{}", lines(0..0));
    }
    text += &lines(100..150);
    place.write("c.jsonl", &text);
    let report = place.json("import a.db city c.jsonl --skip-bad");
    assert_eq!((&report["imported"], &report["skipped"]), (&json!(150), &json!(7)));
    let listed: Vec<u64> = report["bad"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|bad| bad["line"].as_u64())
        .collect();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (102..=108).collect::<Vec<u64>>());
    assert_all_once(&place, 150);
    assert_eq!(place.json("import a.db city c.jsonl --skip-bad")["already"], true);
}

#[test]
fn a_taken_unique_value_stops_at_its_line() {
    let place = Place::with_database();
    let names =
        ["Ann", "Bob", "Cid", "Bob", "Dan"].map(|name| json!({"name": name}).to_string() + "\n");
    place.write("u.jsonl", &names.concat());
    let error = place.fails("import a.db user u.jsonl");
    assert_eq!((&error["kind"], &error["context"]["line"]), (&json!("Conflict"), &json!("4")));
    assert_eq!(place.count("a.db", "user"), 3);
    assert_eq!(place.json("import a.db user u.jsonl --skip-bad")["imported"], 1);
    assert_eq!(place.count("a.db", "user"), 4);
}

#[test]
fn csv_is_read_by_the_types_of_its_fields() {
    let place = Place::with_database();
    let csv = "\u{feff}name,age,active,born,tags\r\n\
        \"Ann, \"\"A\"\"\",7,true,2001-02-03T04:05:06Z,\"[1,2]\"\r\n\
        \"two\nlines\",,,,\r\n";
    place.write("u.csv", csv);
    assert_eq!(place.json("import a.db user u.csv")["imported"], 2);
    let found = place.json("find a.db user --order name --fields name,age,active,born,tags");
    assert_eq!(found[0]["name"], "Ann, \"A\"");
    assert_eq!((&found[0]["age"], &found[0]["active"]), (&json!(7), &json!(true)));
    assert_eq!(
        (&found[0]["born"], &found[0]["tags"]),
        (&json!("2001-02-03T04:05:06.000Z"), &json!([1, 2]))
    );
    assert_eq!(found[1]["name"], "two\nlines");
    assert_eq!(found[1]["age"], Value::Null);
}

#[test]
fn bad_csv_is_named_by_its_line() {
    for end in ["\n", "\r\n"] {
        let place = Place::with_database();
        let bad = ["name,age", "Ann,1", "Bob,x", "Cid", "Dan,4", "Eve,5,6", "Fay,7", ""].join(end);
        place.write("u.csv", &bad);
        assert_eq!(place.fails("import a.db user u.csv")["context"]["line"], "3", "{end:?}");
        assert_eq!(place.count("a.db", "user"), 1);
        place.write("u.csv", &bad.replace('x', "2"));
        assert_eq!(place.fails("import a.db user u.csv")["context"]["line"], "4", "{end:?}");
        assert_eq!(place.count("a.db", "user"), 2, "the corrected line came in, once");
        let report = place.json("import a.db user u.csv --skip-bad");
        assert_eq!(
            (&report["imported"], &report["bad"][1]["line"]),
            (&json!(2), &json!(6)),
            "{end:?}"
        );
        assert_eq!(
            place.sqlite(
                "a.db",
                "SELECT group_concat(name) FROM (SELECT name FROM user ORDER BY name)"
            ),
            "Ann,Bob,Dan,Fay"
        );
    }
    let place = Place::with_database();
    place.write("u.csv", "name,nmae\nAnn,x\n");
    let error = place.fails("import a.db user u.csv --skip-bad");
    assert!(
        error["message"].to_string().contains("nmae"),
        "no line can be read under such a header"
    );
}

#[test]
fn a_list_is_read_item_by_item() {
    let place = Place::with_database();
    let items: Vec<String> = (0..3_000).map(city).collect();
    place.write("c.json", &format!("\n[{}\n]\n", items.join(",\n")));
    assert_eq!(place.json("import a.db city c.json")["imported"], 3_000);
    assert_all_once(&place, 3_000);

    for (text, line) in [
        (format!("[{},\n{}", city(9_000), &city(9_001)[..20]), "2"),
        (format!("[{}\n{}]", city(9_000), city(9_001)), "2"),
        (format!("[{},\n\n{{\"a\": }}]", city(9_000)), "3"),
        (format!("[{}]\nmore", city(9_000)), "2"),
        (format!("[{},\n]", city(9_000)), "2"),
    ] {
        let place = Place::with_database();
        place.write("c.json", &text);
        let error = place.fails("import a.db city c.json");
        assert_eq!(error["context"]["line"], line, "{text}: {error}");
        assert_eq!(place.count("a.db", "city"), 1);
        place.write("c.json", &format!("[{},\n{}]", city(9_000), city(9_001)));
        assert_eq!(place.json("import a.db city c.json")["imported"], 1, "{text}");
    }
}

#[test]
fn stdin_is_imported_in_the_form_it_has() {
    let place = Place::with_database();
    let csv = "name,lat,lng,country\nn3,1,2,X\n".to_owned();
    for text in [lines(0..2), format!("[{}]", city(2)), csv] {
        let mut child =
            place.command("import a.db city -").stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        assert!(child.wait().expect("it ends").success());
    }
    assert_all_once(&place, 4);
}

#[test]
fn an_empty_file_is_imported_at_once() {
    let place = Place::with_database();
    for (name, text) in [("e.jsonl", ""), ("e.json", "[]"), ("e.csv", "name,lat,lng,country\n")] {
        place.write(name, text);
        assert_eq!(place.json(&format!("import a.db city {name}"))["imported"], 0, "{name}");
    }
}
