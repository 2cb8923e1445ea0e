//! Every command does what it says, in words and in JSON.

use serde_json::{Value, json};

use crate::harness::{Place, schema};

const VILA: &str = r#"{"name": "Vila", "lat": 42.53, "lng": 1.56, "country": "AD"}"#;

#[test]
fn init_makes_a_database_and_says_so_again() {
    let place = Place::new();
    let first = place.json("init a.db --schema schema.json");
    assert_eq!(first, json!({"db": "a.db", "version": 1, "before": null, "to_adopt": []}));
    assert_eq!(place.json("init a.db --schema schema.json")["before"], 1);
    assert!(place.ok("init b.db --schema schema.json").contains("b.db is ready"));
}

#[test]
fn init_with_a_newer_schema_upgrades_in_place() {
    let place = Place::with_database();
    place.ok(&format!("create a.db city '{VILA}'"));
    place.write(
        "2.json",
        &schema(2, &json!({"people": {"type": "int", "optional": true}})).to_string(),
    );
    let upgraded = place.json("init a.db --schema 2.json");
    assert_eq!((&upgraded["before"], &upgraded["version"]), (&json!(1), &json!(2)));
    assert_eq!(place.json(r#"update a.db city {} '{"people": 1400}'"#), json!({"updated": 1}));
    let stored = place.json("schema a.db");
    assert_eq!(stored["version"], 2);
    assert_eq!(stored["history"][0]["version"], 1, "what was before is remembered");
    // The older schema would lose what the newer one holds.
    assert_eq!(place.fails("init a.db --schema schema.json")["kind"], "Unsupported");
}

#[test]
fn create_prints_the_object_with_its_key_and_children() {
    let place = Place::with_database();
    let ann = r#"{"name": "Ann", "tags": ["a", {"b": null}], "photo": "AAEC", "active": true,
        "born": "1990-05-01T00:00:00Z", "emails": [{"address": "a@example.com"}, {"address": "b@example.com"}],
        "home": {"street": "Main"}}"#
        .replace('\n', " ");
    let created = place.json(&format!("create a.db user '{ann}'"));
    let object = &created["object"];
    assert_eq!(created["key"], object["id"]);
    assert_eq!(object["tags"], json!(["a", {"b": null}]));
    assert_eq!(object["born"], "1990-05-01T00:00:00.000Z");
    assert_eq!(object["emails"][1]["address"], "b@example.com");
    assert_eq!(object["emails"][1]["user"], created["key"]);
    assert_eq!(object["home"]["street"], "Main");
    assert_eq!(place.count("a.db", "email"), 2);
    let printed: Value = serde_json::from_str(&place.ok(r#"create a.db user '{"name": "Bob"}'"#))
        .expect("an object, for scripts and people alike");
    assert_eq!(printed["name"], "Bob");
}

#[test]
fn find_sorts_cuts_and_selects() {
    let place = Place::with_database();
    for (name, lat) in [("C", 3), ("A", 1), ("B", 2), ("D", 4)] {
        place.ok(&format!(
            r#"create a.db city '{{"id": "{name}", "name": "{name}", "lat": {lat}, "lng": 0, "country": "X"}}'"#
        ));
    }
    let found =
        place.json(r#"find a.db city '{"lat": {"$lt": 4}}' --order -lat --skip 1 --limit 1"#);
    let b = json!([{"id": "B", "name": "B", "lat": 2.0, "lng": 0.0, "country": "X"}]);
    assert_eq!(found, b);
    assert_eq!(
        place.json("find a.db city --order name --fields lat --limit 1"),
        json!([{"id": "A", "lat": 1.0}])
    );
    let lines = place.ok("find a.db city --order country,-name --fields name");
    let names: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert_eq!(
        names.iter().map(|object| object["name"].as_str()).collect::<Vec<_>>(),
        ["D", "C", "B", "A"].map(Some)
    );
    assert_eq!(place.json(r#"find a.db city '{"name": "E"}'"#), json!([]));
}

#[test]
fn update_delete_and_count_say_how_many() {
    let place = Place::with_database();
    let cities = place.cities("cities.jsonl", 1);
    place.ok("import a.db city cities.jsonl");
    assert_eq!(place.json("count a.db city"), json!({"count": cities}));
    assert_eq!(place.ok("count a.db city").trim(), cities.to_string());
    let andorra = place.json(r#"count a.db city '{"country": "AD"}'"#)["count"].clone();
    let changes = r#"{"admin1": "00", "admin2": null}"#;
    let updated = place.json(&format!(r#"update a.db city '{{"country": "AD"}}' '{changes}'"#));
    assert_eq!(updated, json!({"updated": andorra}));
    let deleted = place.json(r#"delete a.db city '{"admin1": "00", "country": "AD"}' --limit 50"#);
    assert_eq!(deleted, json!({"deleted": andorra}));
    assert_eq!(place.ok(r#"delete a.db city '{"country": "AF"}'"#), "deleted 9 objects\n");
    let left = cities - andorra.as_u64().expect("a count") - 9;
    assert_eq!(place.count("a.db", "city"), left);
}

#[test]
fn rows_are_columns_for_any_sqlite_tool() {
    let place = Place::with_database();
    place.ok(&format!("create a.db city '{VILA}'"));
    let row = place.sqlite("a.db", "SELECT name, lat, country, admin1 IS NULL FROM city");
    assert_eq!(row, "Vila|42.53|AD|1");
}

#[test]
fn an_export_is_what_an_import_takes() {
    let place = Place::with_database();
    let cities = place.cities("cities.jsonl", 1);
    place.ok("import a.db city cities.jsonl");
    place.ok(r#"create a.db city '{"name": "Say \"hi\", you\nthere", "lat": -0.5, "lng": 1e-9, "country": ""}'"#);
    // Empty text where null is allowed has no cell of its own in CSV.
    place.ok(r#"update a.db city '{"admin2": ""}' '{"admin2": null}'"#);
    place.ok(r#"update a.db city '{"admin1": ""}' '{"admin1": null}'"#);
    for file in ["out.jsonl", "out.json", "out.csv"] {
        let exported = place.json(&format!("export a.db city {file}"));
        assert_eq!(exported, json!({"exported": cities + 1, "file": file}));
        let db = format!("{file}.db");
        place.ok(&format!("init {db} --schema schema.json"));
        place.ok(&format!("import {db} city {file}"));
        assert_eq!(place.fingerprint("a.db"), place.fingerprint(&db), "{file}");
    }
    assert_eq!(place.ok("export a.db city"), place.read("out.jsonl"));
    assert_eq!(place.ok("export a.db city --format csv"), place.read("out.csv"));
    assert_eq!(place.ok("export a.db email --format json"), "[]\n");
}

#[test]
fn sync_status_log_and_discards_tell_one_story() {
    let place = Place::with_database();
    place.ok("init b.db --schema schema.json");
    let key = place.json(&format!("create a.db city '{VILA}'"))["key"].clone();
    let sent = place.json("sync a.db --log folder:meet");
    assert_eq!((&sent["shared"], &sent["finished"]), (&json!(1), &json!(true)));
    assert_eq!(place.json("sync b.db --log folder:meet")["integrated"], 1);
    place.ok(r#"update a.db city {} '{"name": "A", "lat": 1}'"#);
    place.ok(r#"update b.db city {} '{"name": "B", "lng": 2}'"#);
    assert_eq!(place.json("status a.db")["pending"], 1);
    for db in ["a.db", "b.db", "a.db"] {
        place.ok(&format!("sync {db} --log folder:meet --codec json-deflate"));
    }
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("b.db"));
    let city = place.json("find a.db city")[0].clone();
    assert_eq!(
        (&city["name"], &city["lat"], &city["lng"]),
        (&json!("B"), &json!(1.0), &json!(2.0))
    );

    let log = place.json(&format!("log a.db city {}", key.as_str().expect("text")));
    let ops: Vec<&str> =
        log.as_array().expect("a list").iter().filter_map(|of| of["op"].as_str()).collect();
    assert_eq!(ops, ["create", "update", "update"]);
    assert_eq!(place.ok("log b.db").lines().count(), 3);
    assert_eq!(place.json("log b.db user"), json!([]));

    let lost: Vec<Value> = ["a.db", "b.db"]
        .iter()
        .flat_map(|db| place.json(&format!("discards {db}")).as_array().cloned().expect("a list"))
        .collect();
    assert!(lost.iter().all(|lost| lost["field"] == "name" && lost["lost"] == "A"), "{lost:?}");
    assert!(!lost.is_empty());
    for db in ["a.db", "b.db"] {
        let before = place.json(&format!("discards {db}"));
        assert_eq!(place.json(&format!("discards {db} --take")), before);
        assert_eq!(place.json(&format!("discards {db}")), json!([]));
    }
    let status = place.json("status a.db");
    assert_eq!(
        (&status["pending"], &status["written"], &status["group"]),
        (&json!(0), &json!(2), &json!("default"))
    );
    assert!(status["remotes"][0]["last_success"].is_string());
}

#[test]
fn an_edit_that_meets_a_delete_is_told_whoever_was_first() {
    for delete_first in [true, false] {
        let place = Place::with_database();
        place.ok("init b.db --schema schema.json");
        place.ok(&format!("create a.db city '{VILA}'"));
        for db in ["a.db", "b.db"] {
            place.ok(&format!("sync {db} --log folder:meet"));
        }
        let mut lines = ["delete a.db city {}", "update b.db city {} '{\"name\": \"Lost\"}'"];
        if !delete_first {
            lines.reverse();
        }
        for line in lines {
            place.ok(line);
        }
        for db in ["a.db", "b.db", "a.db", "b.db"] {
            place.ok(&format!("sync {db} --log folder:meet"));
        }
        assert_eq!((place.count("a.db", "city"), place.count("b.db", "city")), (0, 0));
        let lost = place.json("discards b.db");
        assert_eq!(lost[0]["lost"], "Lost", "the delete came first: {delete_first}");
        assert_eq!(lost[0]["concurrent"], true);
    }
}

#[test]
fn a_single_batch_says_that_there_is_more() {
    let place = Place::with_database();
    place.cities("cities.jsonl", 12);
    place.ok("import a.db city cities.jsonl --durability normal");
    assert_eq!(place.json("sync a.db --log folder:meet --single-batch")["finished"], false);
    assert_eq!(place.json("sync a.db --log folder:meet")["finished"], true);
}

#[test]
fn the_doctor_notices_what_others_did() {
    let place = Place::with_database();
    place.ok(&format!("create a.db city '{VILA}'"));
    assert_eq!(place.json("doctor a.db"), json!({"healthy": true, "findings": [], "doubts": []}));
    let _ = place.sqlite("a.db", "UPDATE city SET name = 'Elsewhere'");
    let answer = place.run("--json doctor a.db");
    let report: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!((answer.code, &report["healthy"]), (1, &json!(false)));
    assert_eq!(report["findings"][0]["problem"], "UnloggedChange");
}

#[test]
fn an_existing_database_is_adopted() {
    let place = Place::new();
    let sql = "CREATE TABLE city (id TEXT PRIMARY KEY NOT NULL, name TEXT, lat REAL, lng REAL, country TEXT);
        INSERT INTO city VALUES ('v', 'Vila', 42.5, 1.5, 'AD'), ('t', 'El Tarter', 42.6, 1.7, 'AD')";
    let _ = place.sqlite("a.db", sql);
    assert_eq!(place.json("init a.db --schema schema.json")["to_adopt"], json!(["city"]));
    assert_eq!(place.json("adopt a.db city")["adopted"], 2);
    assert_eq!(
        place.json("adopt a.db"),
        json!({"adopted": 0, "collections": {"city": 0, "email": 0, "home": 0, "user": 0}})
    );
    place.ok("init b.db --schema schema.json");
    place.ok("sync a.db --log folder:meet");
    place.ok("sync b.db --log folder:meet");
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("b.db"));
}

#[test]
fn counted_keys_are_adopted_only_as_it_is_said() {
    let counted = |db: &str| {
        let place = Place::new();
        let notes = json!({"fields": {"id": {"type": "auto-pk"}, "title": {"type": "string"}}});
        let schema = json!({"version": 1, "collections": {"note": notes}});
        place.write("notes.json", &schema.to_string());
        let sql = "CREATE TABLE note (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT);
            INSERT INTO note (title) VALUES ('one'), ('two')";
        let _ = place.sqlite(db, sql);
        place.ok(&format!("init {db} --schema notes.json"));
        place
    };
    let place = counted("a.db");
    let error = place.fails("adopt a.db");
    assert!(error["message"].to_string().contains("--new-keys"), "{error}");
    assert_eq!(place.json("adopt a.db --new-keys")["adopted"], 2);
    assert_eq!(place.sqlite("a.db", "SELECT count(*) FROM note WHERE id > 1000"), "2");
    assert_eq!(place.json("doctor a.db")["healthy"], true);
    let created = place.json("create a.db note '{\"title\": \"three\"}'");
    assert!(created["key"].as_i64().is_some_and(|key| key > 1_000), "no other replica picks it");

    let place = counted("b.db");
    assert_eq!(place.json("adopt b.db --common-origin")["adopted"], 2);
    assert_eq!(place.sqlite("b.db", "SELECT max(id) FROM note"), "2");
}

#[test]
fn every_command_has_help_with_an_example() {
    let place = Place::new();
    let all = [
        "init",
        "adopt",
        "import",
        "export",
        "create",
        "update",
        "delete",
        "find",
        "count",
        "sync",
        "status",
        "log",
        "discards",
        "fingerprint",
        "doctor",
        "schema",
        "demo",
    ];
    let overview = place.ok("--help");
    for command in all {
        assert!(overview.contains(&format!("  {command} ")), "{command}");
        let help = place.ok(&format!("{command} --help"));
        assert!(
            help.contains("Example") && help.contains(&format!("syncline {command}")),
            "{help}"
        );
    }
}
