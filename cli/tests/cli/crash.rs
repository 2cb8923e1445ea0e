//! A command that is killed loses nothing it had done, and the same command finishes the work.

use std::process::Child;

use crate::harness::{Place, sqlite};

/// How many rows a table has now, without waiting for anyone.
fn rows(place: &Place, db: &str, table: &str) -> u64 {
    let count = sqlite(&place.path(db), &format!("SELECT count(*) FROM {table}"));
    count.and_then(|count| count.parse().ok()).unwrap_or_default()
}

/// Kills a command once it has done something; false if it came to its end first.
fn kill_on_progress(mut child: Child, mut has_moved: impl FnMut() -> bool) -> bool {
    loop {
        if let Some(status) = child.try_wait().expect("the command is ours") {
            assert!(status.success(), "it failed by itself");
            return false;
        }
        if has_moved() {
            child.kill().expect("the command is ours");
            return !child.wait().expect("the command is ours").success();
        }
    }
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    let place = Place::with_database();
    let all = place.cities("cities.jsonl", 8);
    let mut kills = 0;
    loop {
        let before = rows(&place, "a.db", "city");
        let child = place.spawn("import a.db city cities.jsonl");
        if !kill_on_progress(child, || rows(&place, "a.db", "city") > before) {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 2, "it was killed on the way, {kills} times");
    assert_eq!(place.count("a.db", "city"), all);
    assert_eq!(place.json("status a.db")["written"], all, "each is logged once");
    assert_eq!(place.json("import a.db city cities.jsonl")["already"], true);
    assert_eq!(place.json("doctor a.db")["healthy"], true);
}

#[test]
fn a_killed_sync_goes_on_where_it_was() {
    let place = Place::with_database();
    let all = place.cities("cities.jsonl", 8);
    place.ok("import a.db city cities.jsonl --durability normal");
    let files = |place: &Place| {
        std::fs::read_dir(place.path("meet")).map(|entries| entries.count()).unwrap_or_default()
    };
    let killed = kill_on_progress(place.spawn("sync a.db --log folder:meet"), || files(&place) > 0);
    assert!(killed, "there was a folder before the end");
    place.ok("sync a.db --log folder:meet");
    place.ok("init b.db --schema schema.json");
    for _ in 0..3 {
        let before = rows(&place, "b.db", "city") + rows(&place, "b.db", "sync_segment");
        let child = place.spawn("sync b.db --log folder:meet");
        let moved = || rows(&place, "b.db", "city") + rows(&place, "b.db", "sync_segment") > before;
        if !kill_on_progress(child, moved) {
            break;
        }
    }
    place.ok("sync b.db --log folder:meet");
    assert_eq!(place.count("b.db", "city"), all);
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("b.db"));
    assert_eq!(place.json("doctor b.db")["healthy"], true);
}
