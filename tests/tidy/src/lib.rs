//! Finding and reading the files of the repository, for the checks in `tests/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The root of the workspace.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}

/// What `cargo metadata` says about the crates of the workspace, their dependencies not followed.
///
/// # Panics
///
/// If cargo can't be asked: then nothing here can be checked.
pub fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root; empty for the facade.
    pub folder: String,
    /// What cargo says about it.
    pub metadata: Value,
}

impl Package {
    /// The names of what it depends on, for its users or its build: tests and benches are free.
    pub fn dependencies(&self) -> Vec<&str> {
        let dependencies = self.metadata["dependencies"].as_array().into_iter().flatten();
        dependencies
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str())
            .collect()
    }

    /// The part of the repository it belongs to: the first folder, or nothing for the facade.
    pub fn part(&self) -> &str {
        self.folder.split('/').next().unwrap_or_default()
    }

    /// Its Rust files, from the root.
    pub fn rust_files(&self) -> Vec<PathBuf> {
        let nested = |file: &Path| self.folder.is_empty() && !file.starts_with("src");
        let files = files().into_iter().filter(|file| is_rust(file) && !nested(file));
        files.filter(|file| file.starts_with(&self.folder)).collect()
    }
}

/// All crates of the workspace.
///
/// # Panics
///
/// If cargo's answer is not what it has always been.
pub fn packages() -> Vec<Package> {
    let metadata = metadata();
    let root = metadata["workspace_root"].as_str().expect("a workspace has a root");
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    let package = |package: &Value| {
        let manifest = package["manifest_path"].as_str().expect("a package has a manifest");
        let folder = Path::new(manifest).parent().expect("a manifest lies in a folder");
        let folder = folder.strip_prefix(root).expect("members lie inside the workspace");
        Package {
            name: package["name"].as_str().expect("a package has a name").to_owned(),
            folder: folder.to_string_lossy().replace('\\', "/"),
            metadata: package.clone(),
        }
    };
    packages.iter().map(package).collect()
}

/// All files of the repository, from its root, those left out that builds, git and fuzzing make.
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let made = [".git", "artifacts", "corpus", "dist", "dist-tests", "node_modules"];
        let is_made = made.contains(&&*name);
        if is_made || name.starts_with("target") {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            walk(&path, found);
        } else if let Ok(inside) = path.strip_prefix(root()) {
            found.push(inside.to_owned());
        }
    }
}

/// The text of a file, given from the root; nothing if it is not text.
pub fn text(file: &Path) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}

/// Whether this is a Rust file.
pub fn is_rust(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "rs")
}

/// Whether a file holds nothing but tests: it lies in a crate's `tests` folder, or bears that name.
pub fn is_test(file: &Path) -> bool {
    let inside = packages_folder(file);
    let folder = inside.starts_with("tests");
    folder || file.file_stem().is_some_and(|stem| stem == "tests")
}

/// The path within the crate that the file belongs to.
fn packages_folder(file: &Path) -> &Path {
    let owner = file
        .ancestors()
        .skip(1)
        .find(|folder| root().join(folder).join("Cargo.toml").exists())
        .unwrap_or(Path::new(""));
    file.strip_prefix(owner).unwrap_or(file)
}

/// The lines of a Rust file before its module of tests.
pub fn lines_without_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = lines.windows(2).position(|pair| {
        pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    lines[..begins.unwrap_or(lines.len())].to_vec()
}

/// A line of Rust without its comment; good enough for lines that rustfmt has seen.
pub fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") {
        return "";
    }
    line.find(" // ").map_or(line, |at| &line[..at])
}

/// Whether `line` has `word` with no letter, digit or underscore next to it.
pub fn has_word(line: &str, word: &str) -> bool {
    let joins = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !behind.is_some_and(joins)
    })
}
