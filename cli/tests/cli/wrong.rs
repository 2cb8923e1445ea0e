//! Wrong input: an exit code, a kind, a way out, and nothing changed.

use serde_json::json;

use crate::harness::Place;

/// What fails with which kind, and what its message must name.
const WRONG: &[(&str, &str, &str)] = &[
    ("count a.db town", "Invalid", "there are: city, email, home, user"),
    ("count a.db sync_entry", "Invalid", "there are: city"),
    ("find a.db city '{\"nmae\": \"Vila\"}'", "Invalid", "nmae"),
    ("find a.db city '{\"lat\": {\"$foo\": 1}}'", "Invalid", "$gte"),
    ("find a.db city '{\"$foo\": []}'", "Invalid", "$and"),
    ("find a.db city '{\"lat\": \"high\"}'", "Invalid", "a number"),
    ("find a.db city '[]'", "Invalid", "object"),
    ("find a.db city '{lat: 1}'", "Invalid", "not JSON"),
    ("find a.db city --order height", "Invalid", "height"),
    ("find a.db city --fields name,height", "Invalid", "height"),
    ("create a.db city '{\"name\": \"X\", \"lat\": 1, \"lng\": 2}'", "Invalid", "country"),
    (
        "create a.db city '{\"name\": \"X\", \"lat\": \"1\", \"lng\": 2, \"country\": \"X\"}'",
        "Invalid",
        "lat",
    ),
    ("create a.db city '{\"nmae\": \"X\"}'", "Invalid", "nmae"),
    ("create a.db user '{\"name\": \"Ann\"}'", "Conflict", "name"),
    ("create a.db user '{\"id\": \"ann\", \"name\": \"Other\"}'", "Conflict", "ann"),
    ("create a.db user '{\"name\": \"Cid\", \"emails\": {}}'", "Invalid", "emails"),
    (
        "create a.db user '{\"name\": \"Cid\", \"emails\": [{\"address\": 1}]}'",
        "Invalid",
        "address",
    ),
    ("create a.db user 'Ann'", "Invalid", "single quotes"),
    ("update a.db user '{\"name\": \"Bob\"}' '{\"name\": \"Ann\"}'", "Conflict", "name"),
    ("update a.db user '{}' '{\"age\": 1.5}'", "Invalid", "whole number"),
    ("update a.db user '{}' '{\"id\": \"x\"}'", "Invalid", "key"),
    ("update a.db user '{}' '{\"name\": null}'", "Invalid", "name"),
    ("delete a.db user '{}' --limit 1", "Invalid", "limit: 1"),
    ("delete a.db user '{\"nmae\": 1}'", "Invalid", "nmae"),
    ("import a.db town cities.jsonl", "Invalid", "there are"),
    ("import a.db city nothing.jsonl", "NotFound", "nothing.jsonl"),
    ("import a.db city .", "Invalid", "folder"),
    ("import a.db city cities.jsonl.gz", "Invalid", "unpack"),
    ("export a.db town out.csv", "Invalid", "there are"),
    ("export a.db city nowhere/out.csv", "NotFound", "nowhere"),
    ("init a.db --schema nothing.json", "NotFound", "nothing.json"),
    ("init a.db --schema broken.json", "Invalid", "not JSON"),
    ("init new.db --schema wrong.json", "Invalid", "no-such-type"),
    ("init nowhere/new.db --schema schema.json", "NotFound", "folder"),
    ("init a.db --schema changed.json", "Invalid", "raise its version"),
    ("sync a.db --log meet", "Invalid", "folder:PATH"),
    ("sync a.db --log http:nowhere", "Invalid", "folder:PATH"),
    ("sync a.db --log folder:schema.json", "Invalid", "schema.json"),
    ("sync a.db --log folder:meet --group others", "Denied", "--group 'default'"),
    ("status a.db --group ''", "Invalid", "group"),
    ("log a.db town", "Invalid", "there are"),
    ("adopt a.db town", "Invalid", "there are"),
    ("count text.db city", "Corrupt", "not a SQLite database"),
    ("count empty.db city", "NotFound", "syncline init"),
    ("count other.db city", "NotFound", "syncline init"),
    ("count . city", "Invalid", "folder"),
];

#[test]
fn wrong_input_is_refused_with_a_way_out_and_changes_nothing() {
    let place = Place::with_database();
    place.ok("create a.db user '{\"id\": \"ann\", \"name\": \"Ann\", \"emails\": [{\"address\": \"a\"}]}'");
    place.ok("create a.db user '{\"name\": \"Bob\"}'");
    place.cities("cities.jsonl", 1);
    place.write("cities.jsonl.gz", "");
    place.write("broken.json", "{");
    place.write(
        "wrong.json",
        r#"{"version": 1, "collections": {"a": {"fields": {"b": {"type": "no-such-type"}}}}}"#,
    );
    place.write("changed.json", r#"{"version": 1, "collections": {"city": {"fields": {}}}}"#);
    place.write("text.db", &"This is a letter, and no database. ".repeat(100));
    place.write("empty.db", "");
    let _ = place.sqlite("other.db", "CREATE TABLE city (id TEXT)");
    let (before, status) = (place.fingerprint("a.db"), place.json("status a.db"));
    let files = place.files();
    for (line, kind, names) in WRONG {
        let error = place.fails(line);
        let message = error["message"].as_str().expect("a message");
        assert_eq!(error["kind"], *kind, "{line}: {message}");
        assert!(message.contains(names), "{line} must name {names}: {message}");
        let people = place.run(line);
        assert!(people.stderr.contains(names) && people.stdout.is_empty(), "{line}: {people:?}");
        assert_eq!(place.fingerprint("a.db"), before, "{line} changed something");
    }
    let after: Vec<String> = place.files().into_iter().filter(|name| !is_beside(name)).collect();
    let files: Vec<String> = files.into_iter().filter(|name| !is_beside(name)).collect();
    assert_eq!(after, files, "no file came or went");
    assert_eq!(place.json("status a.db")["written"], status["written"]);
}

/// SQLite keeps two files beside an open database.
fn is_beside(name: &str) -> bool {
    name.ends_with("-wal") || name.ends_with("-shm")
}

#[test]
fn a_missing_database_is_never_made_by_accident() {
    let place = Place::new();
    for line in [
        "adopt a.db",
        "import a.db city schema.json",
        "export a.db city out.csv",
        "create a.db city {}",
        "update a.db city {} {}",
        "delete a.db city {}",
        "find a.db city",
        "count a.db city",
        "sync a.db --log folder:meet",
        "status a.db",
        "log a.db",
        "discards a.db",
        "fingerprint a.db",
        "doctor a.db",
        "schema a.db",
    ] {
        let error = place.fails(line);
        assert_eq!(error["kind"], "NotFound", "{line}");
        assert!(error["message"].to_string().contains("syncline init a.db"), "{line}: {error}");
    }
    assert_eq!(place.files(), ["schema.json"]);
}

#[test]
fn a_line_that_is_not_understood_is_code_2() {
    let place = Place::new();
    for line in ["", "find", "fnid a.db city", "count a.db city --limt 3", "delete a.db city"] {
        let answer = place.run(line);
        assert_eq!(answer.code, 2, "{line}");
        assert!(answer.stderr.contains("Usage"), "{line}: {}", answer.stderr);
    }
    let answer = place.run("--json find");
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!((answer.code, &json["error"]["kind"]), (2, &json!("Usage")));
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let place = Place::with_database();
    let _ = place.sqlite("a.db", "UPDATE sync_schema SET format = 99");
    for line in ["count a.db city", "sync a.db --log folder:meet", "init a.db --schema schema.json"]
    {
        let error = place.fails(line);
        assert_eq!(error["kind"], "Unsupported", "{line}");
        assert!(error["message"].to_string().contains("update"), "{error}");
    }
    assert_eq!(place.sqlite("a.db", "SELECT format FROM sync_schema"), "99");
}
