//! The demo, and what the README says.

use serde_json::Value;

use crate::harness::{Answer, CITIES, Place, SYNCLINE};

#[test]
fn the_demo_ends_with_the_same_data_on_both() {
    let place = Place::new();
    let told = place.ok("demo");
    for word in
        ["5,000", "offline", "lost against", "the same data on both", "GeoNames", "CC BY 4.0"]
    {
        assert!(told.contains(word), "{word} is missing: {told}");
    }
    assert_eq!(place.files(), ["schema.json"], "it cleans up behind itself");
}

#[test]
fn the_demo_leaves_its_files_where_it_is_told_to() {
    let place = Place::new();
    let told = place.json("demo --keep kept");
    assert_eq!((&told["same"], &told["cities"]), (&Value::from(true), &Value::from(5_000)));
    assert_eq!(told["fingerprint"]["a"], place.fingerprint("kept/a.db")["fingerprint"]);
    assert!(told["discards"].as_array().is_some_and(|lost| lost.len() >= 3), "{told}");
    assert_eq!(place.json("doctor kept/b.db")["healthy"], true);
    assert_eq!(place.fails("demo --keep kept")["kind"], "Invalid", "what is there stays");
}

#[test]
fn what_the_readme_says_works() {
    let readme = include_str!("../../../README.md");
    let section = readme.split("## The command").nth(1).expect("a section on the command");
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let lines: Vec<&str> =
        block.expect("a block").lines().filter(|line| line.starts_with("syncline ")).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    let place = Place::new();
    place.write("cities.jsonl", CITIES);
    let folder = std::path::Path::new(SYNCLINE).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    for line in lines {
        let line = line.replace("/media/stick/", "");
        let mut shell = std::process::Command::new("sh");
        shell.args(["-e", "-c", &line]).env("PATH", &path).current_dir(place.path(""));
        let answer = Answer::of(&mut shell);
        assert_eq!(answer.code, 0, "{line}: {}", answer.stderr);
    }
}
