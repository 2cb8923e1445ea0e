//! Several processes on one database.

use std::process::Child;

use crate::harness::Place;

#[track_caller]
fn assert_succeeds(child: Child) -> String {
    let output = child.wait_with_output().expect("the command is ours");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).expect("text")
}

fn imported(child: Child) -> u64 {
    let report: serde_json::Value =
        serde_json::from_str(&assert_succeeds(child)).expect("a report");
    report["imported"].as_u64().expect("a count")
}

#[test]
fn two_imports_of_two_files_both_come_in() {
    let place = Place::with_database();
    let (a, b) = (place.cities("a.jsonl", 2), place.cities("b.jsonl", 3));
    let first = place.spawn("--json import a.db city a.jsonl");
    let second = place.spawn("--json import a.db city b.jsonl");
    // They begin alike, and are two files all the same.
    assert_eq!((imported(first), imported(second)), (a, b));
    assert_eq!(place.count("a.db", "city"), a + b);
    assert_eq!(place.json("doctor a.db")["healthy"], true);
}

#[test]
fn imports_of_one_file_share_the_work() {
    let place = Place::with_database();
    let all = place.cities("cities.jsonl", 4);
    let both = [(); 4].map(|()| place.spawn("--json import a.db city cities.jsonl"));
    assert_eq!(both.map(imported).iter().sum::<u64>(), all);
    assert_eq!(place.count("a.db", "city"), all);
    assert_eq!(place.json("status a.db")["written"], all);
}

#[test]
fn syncs_at_once_all_succeed() {
    let place = Place::with_database();
    let all = place.cities("cities.jsonl", 2);
    place.ok("import a.db city cities.jsonl");
    let both = [(); 4].map(|()| place.spawn("sync a.db --log folder:meet"));
    both.into_iter().for_each(|child| drop(assert_succeeds(child)));
    place.ok("init b.db --schema schema.json");
    let both = [(); 4].map(|()| place.spawn("sync b.db --log folder:meet"));
    both.into_iter().for_each(|child| drop(assert_succeeds(child)));
    assert_eq!(place.count("b.db", "city"), all);
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("b.db"));
}
