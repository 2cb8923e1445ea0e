//! Which words stand where.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syncline_tidy::{
    code, files, has_word, is_rust, is_test, lines_without_tests, packages, root, text,
};

/// What core never does: no I/O, no clock, no randomness, no runtime. Of `std::net` only the sockets:
/// reading an address from text is pure.
const NEVER_IN_CORE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::process",
    "Instant::now",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "ToSocketAddrs",
    "UdpSocket",
    "rand",
    "thread",
    "tokio::fs",
    "tokio::net",
    "tokio::runtime",
    "tokio::spawn",
    "tokio::task",
    "tokio::time",
];

/// Words of storex that have another name here; GLOSSARY.md says which.
const OTHER_WORDS: &[&str] = &[
    "user_id",
    "device_id",
    "UserId",
    "DeviceId",
    "shared_until",
    "created_on",
    "needs_integration",
];

#[test]
fn core_does_no_io_and_reads_no_clock() {
    no_code_of(&["core"], NEVER_IN_CORE, "is not for core: have it handed in");
}

#[test]
fn one_idea_has_one_word() {
    let parts = ["core", "middleware", "shared-log", "server"];
    no_code_of(&parts, OTHER_WORDS, "has another name here: see GLOSSARY.md");
}

#[test]
fn types_that_the_architecture_names_exist() {
    let defined = defined_names();
    let missing: BTreeSet<String> = in_backticks(&text(Path::new("ARCHITECTURE.md")))
        .into_iter()
        .flat_map(|span| span.split("::").map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| is_type_name(word) && !defined.contains(word))
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}

#[test]
fn words_of_the_glossary_are_used() {
    let mut places = text(Path::new("ARCHITECTURE.md")).to_lowercase();
    for file in files().iter().filter(|file| is_rust(file) && !file.starts_with("tests/tidy")) {
        places.push_str(&text(file).to_lowercase());
    }
    let glossary = text(Path::new("GLOSSARY.md"));
    let words: Vec<&str> = glossary
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| here"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(|word| word.trim().trim_matches('`'))
        .collect();
    assert!(words.len() > 10, "the glossary is a table: {words:?}");
    let unused: Vec<_> =
        words.iter().filter(|word| !has_word(&places, &word.to_lowercase())).collect();
    assert!(unused.is_empty(), "nobody says these words: {unused:?}");
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    let notes = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    let offences = lines_with(&readable(), |line| notes.iter().any(|note| has_word(line, note)));
    assert!(offences.is_empty(), "do it, or take it out:\n{}", offences.join("\n"));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let own = root().to_string_lossy().into_owned();
    let homes = ["home", "Users", "root"].map(|folder| format!("/{folder}/"));
    let offences = lines_with(&readable(), |line| {
        line.contains(&own) || homes.iter().any(|home| line.contains(home.as_str()))
    });
    assert!(offences.is_empty(), "paths of one machine:\n{}", offences.join("\n"));
}

#[test]
fn every_crate_says_what_it_is() {
    for package in packages() {
        let folder = Path::new(&package.folder);
        let speaks = ["src/lib.rs", "src/main.rs"].map(|file| text(&folder.join(file)));
        let speaks =
            speaks.iter().any(|text| text.starts_with("//!") || text.starts_with("#![doc"));
        let readme = root().join(folder).join("README.md").exists();
        assert!(speaks || readme, "{} has neither README nor crate documentation", package.name);
    }
}

/// Or a simulated power cut would not see all of it.
#[test]
fn one_file_of_the_folder_log_talks_to_the_operating_system() {
    let source = Path::new("shared-log/fs/src");
    let door = source.join("file_system.rs");
    let is_part = |file: &PathBuf| file.starts_with(source) && *file != door;
    let others: Vec<_> = files().into_iter().filter(is_part).collect();
    let others: Vec<&str> = others.iter().filter_map(|file| file.to_str()).collect();
    assert!(others.len() > 5 && root().join(door).exists(), "the files are where they were");
    no_code_of(&others, &["std::fs", "std::process"], "is for file_system.rs alone");
}

fn no_code_of(parts: &[&str], words: &[&str], because: &str) {
    let mut offences = Vec::new();
    for file in files() {
        let is_part = parts.iter().any(|part| file.starts_with(part));
        if !is_part || !is_rust(&file) || is_test(&file) {
            continue;
        }
        let text = text(&file);
        for line in lines_without_tests(&text) {
            let found = words.iter().find(|word| has_word(code(line), word));
            offences.extend(found.map(|word| format!("{}: {word} {because}", file.display())));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

/// Files that people write and read, this one aside.
fn readable() -> Vec<PathBuf> {
    let is_text = |file: &Path| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["rs", "md", "toml", "json", "html", "js", "ts", "css", "sh", ""].contains(&ending)
    };
    files().into_iter().filter(|file| is_text(file)).collect()
}

fn lines_with(files: &[PathBuf], is_bad: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in text(file).lines().enumerate() {
            if is_bad(line) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

/// Everything in single backticks, blocks of code left out.
fn in_backticks(text: &str) -> Vec<String> {
    let outside_blocks = text.split("```").step_by(2);
    outside_blocks
        .flat_map(|part| part.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Whether this is one word in the shape of a type: it begins large and has small letters.
fn is_type_name(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_uppercase())
        && word.contains(|letter: char| letter.is_ascii_lowercase())
        && word.chars().all(|letter| letter.is_ascii_alphanumeric())
}

/// Types, traits and variants that the code defines.
fn defined_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files().iter().filter(|file| is_rust(file)) {
        for line in text(file).lines() {
            let line = code(line).trim_start();
            let defines = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| {
                let (before, behind) = line.split_once(word)?;
                (before.is_empty() || before.starts_with("pub")).then_some(behind)
            });
            let name: String = defines
                .unwrap_or(line)
                .chars()
                .take_while(|letter| letter.is_ascii_alphanumeric())
                .collect();
            let ending = line[name.len().min(line.len())..].chars().next();
            let is_variant = matches!(ending, None | Some(',' | '(' | ' '));
            if defines.is_some() || is_variant {
                names.insert(name);
            }
        }
    }
    names
}
