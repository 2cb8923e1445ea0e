//! Who may import whom. Change a table here and you have changed the architecture.

use serde_json::Value;
use syncline_tidy::{Package, lines_without_tests, metadata, packages, text};

/// What crates of each part may depend on inside this workspace. Dependencies of tests and benches
/// are free; these are the ones that users compile.
const MAY_USE: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("backends", &["core"]),
    ("middleware", &["core"]),
    ("shared-log", &["core"]),
    ("server", &["core", "shared-log/wire", "server"]),
    ("", &["core", "backends", "middleware", "shared-log", "server"]),
    ("cli", &[""]),
    ("wasm", &[""]),
    ("examples", &[""]),
    ("benches", &["", "core", "backends", "middleware", "shared-log", "server"]),
    ("tests", &["", "core", "backends", "middleware", "shared-log", "server", "tests"]),
    ("xtask", &[]),
];

/// The arrows between single crates that the table above does not show.
const MAY_ALSO_USE: &[(&str, &str)] = &[("shared-log/http", "shared-log/wire")];

/// What parts may depend on outside, where that is short enough to be listed.
const OUTSIDE: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "async-trait",
            "flate2",
            "futures-core",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
        ],
    ),
    ("middleware", &["async-trait", "futures-core", "serde_json", "thiserror", "uuid"]),
    (
        "backends/indexeddb",
        &["async-trait", "js-sys", "thiserror", "tokio", "wasm-bindgen", "wasm-bindgen-futures"],
    ),
    ("backends/memory", &["async-trait", "thiserror"]),
    ("shared-log/memory", &["async-trait", "thiserror"]),
    ("shared-log/fs", &["async-trait", "tempfile", "thiserror"]),
    ("", &[]),
    ("xtask", &["serde_json"]),
];

#[test]
fn crates_depend_only_downwards() {
    let packages = packages();
    let mut offences = Vec::new();
    for package in &packages {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(part, _)| *part == package.part())
            .unwrap_or_else(|| panic!("say in MAY_USE what `{}` may use", package.folder));
        for name in package.dependencies() {
            let Some(other) = packages.iter().find(|other| other.name == name) else { continue };
            let by_part = allowed.iter().any(|to| *to == other.part() || *to == other.folder);
            let by_crate = MAY_ALSO_USE
                .iter()
                .any(|(from, to)| *from == package.folder && *to == other.folder);
            if !by_part && !by_crate {
                offences.push(format!("{} -> {}", package.name, other.name));
            }
        }
    }
    assert!(offences.is_empty(), "these arrows point the wrong way:\n{}", offences.join("\n"));
}

#[test]
fn what_comes_from_outside_is_listed() {
    let packages = packages();
    let inside = |name: &str| packages.iter().any(|package| package.name == name);
    let mut offences = Vec::new();
    for package in &packages {
        let Some((_, allowed)) = OUTSIDE.iter().find(|(folder, _)| *folder == package.folder)
        else {
            continue;
        };
        for name in package.dependencies() {
            if !inside(name) && !allowed.contains(&name) {
                offences.push(format!("{} -> {name}", package.name));
            }
        }
    }
    assert!(offences.is_empty(), "not in OUTSIDE:\n{}", offences.join("\n"));
}

#[test]
fn crates_are_named_after_their_folders() {
    for package in packages() {
        let path = package.folder.as_str();
        let wanted = match path.split_once('/') {
            None if path.is_empty() => "syncline".to_owned(),
            None if path == "xtask" => "xtask".to_owned(),
            None => format!("syncline-{path}"),
            Some(("backends", name)) => format!("syncline-backend-{name}"),
            Some(("tests" | "examples", name)) => format!("syncline-{name}"),
            Some((part, name)) => format!("syncline-{part}-{name}"),
        };
        assert_eq!(package.name, wanted, "one grammar for names, in `{path}/`");
    }
}

#[test]
fn choices_are_features_of_the_same_name() {
    let packages = packages();
    let facade = packages.iter().find(|package| package.folder.is_empty()).expect("a facade");
    for package in packages.iter().filter(|package| is_choice(package)) {
        let feature = package.name.trim_start_matches("syncline-");
        let turns_on = facade.metadata["features"][feature].to_string();
        let wanted = format!("\"dep:{}\"", package.name);
        assert!(turns_on.contains(&wanted), "the facade's feature `{feature}` turns on {wanted}");
    }
}

#[test]
fn backends_and_logs_name_their_types_alike() {
    for package in packages().into_iter().filter(is_choice) {
        let Some((part, name)) = package.folder.split_once('/') else { continue };
        let kind = if part == "backends" { "backend" } else { "log" };
        let wanted = format!("pub struct {}{kind}", name.replace('-', ""));
        let defines = package.rust_files().iter().any(|file| {
            let text = text(file);
            lines_without_tests(&text).iter().any(|line| line.to_lowercase().starts_with(&wanted))
        });
        assert!(defines, "{} has no `{wanted}` (in its own capitals)", package.name);
    }
}

#[test]
fn crates_share_what_the_workspace_says() {
    for package in packages() {
        let manifest = text(&std::path::Path::new(&package.folder).join("Cargo.toml"));
        for line in ["edition.workspace = true", "rust-version.workspace = true"] {
            assert!(manifest.contains(line), "{} lacks `{line}`", package.name);
        }
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has own lints", package.name);
    }
}

/// `cargo run -- demo` at the root must not have to be told which binary is meant.
#[test]
fn there_is_one_binary_to_run() {
    let metadata = metadata();
    let members = metadata["workspace_default_members"].as_array().expect("default members");
    let packages = metadata["packages"].as_array().expect("packages");
    let binaries: Vec<&Value> = packages
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"][0] == "bin")
        .map(|target| &target["name"])
        .collect();
    let is_here = packages.iter().any(|package| package["name"] == "syncline-cli");
    assert_eq!(binaries, if is_here { vec!["syncline"] } else { vec![] });
}

/// What an application can do without; `wire` only carries plain data.
fn is_choice(package: &Package) -> bool {
    matches!(package.part(), "backends" | "middleware" | "shared-log")
        && package.folder != "shared-log/wire"
}
