//! How long files and functions are, tests aside.

use std::path::{Path, PathBuf};

use syncline_tidy::{files, is_rust, is_test, lines_without_tests, text};

const LONGEST_FILE: usize = 500;
const LONGEST_FUNCTION: usize = 70;

/// What may be longer for now. This list may only shrink.
const LONGER: &[&str] = &[];

#[test]
fn no_file_is_longer_than_one_idea() {
    let offences: Vec<String> = library_files()
        .into_iter()
        .filter_map(|file| {
            let lines = lines_without_tests(&text(&file)).len();
            (lines > LONGEST_FILE).then(|| format!("{} has {lines} lines", file.display()))
        })
        .filter(|offence| !is_listed(offence))
        .collect();
    assert!(offences.is_empty(), "split these files:\n{}", offences.join("\n"));
}

#[test]
fn no_function_is_longer_than_a_page() {
    let mut offences = Vec::new();
    for file in library_files() {
        let text = text(&file);
        for (name, lines) in functions(&lines_without_tests(&text)) {
            let offence = format!("{}: {name} has {lines} lines", file.display());
            if lines > LONGEST_FUNCTION && !is_listed(&offence) {
                offences.push(offence);
            }
        }
    }
    assert!(offences.is_empty(), "split these functions:\n{}", offences.join("\n"));
}

#[test]
fn what_may_be_longer_is_still_there() {
    let gone: Vec<_> = LONGER.iter().filter(|file| !text(Path::new(file)).is_empty()).collect();
    assert_eq!(gone.len(), LONGER.len(), "take files that are gone off the list");
}

#[test]
fn functions_are_measured_from_name_to_brace() {
    let source = "fn one() {}\n\ntrait A {\n    fn four(\n        of: u8,\n        and: u8,\n    );\n    \
                  pub fn three() {\n        four();\n    }\n}";
    let found = functions(&source.lines().collect::<Vec<_>>());
    assert_eq!(found, [("one", 1), ("four", 4), ("three", 3)].map(|(n, l)| (n.to_owned(), l)));
}

fn library_files() -> Vec<PathBuf> {
    files().into_iter().filter(|file| is_rust(file) && !is_test(file)).collect()
}

fn is_listed(offence: &str) -> bool {
    LONGER.iter().any(|file| offence.starts_with(file))
}

/// Every function with its number of lines. rustfmt has put the closing brace under the line that
/// begins the function, so no parser is needed.
fn functions(lines: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let [close, declared] = ["}", ")"].map(|end| " ".repeat(indent) + end);
        let one_line = line.ends_with('}') || line.ends_with(';');
        let ends = |line: &&str| {
            line.starts_with(&close) || line.starts_with(&declared) && line.ends_with(';')
        };
        let end = if one_line { None } else { lines[at..].iter().position(ends) };
        found.push((name, end.unwrap_or(0) + 1));
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let (before, behind) = line.trim_start().split_once("fn ")?;
    let is_declaration = before
        .split_whitespace()
        .all(|word| matches!(word, "async" | "const" | "unsafe") || word.starts_with("pub"));
    let name: String =
        behind.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (is_declaration && !name.is_empty()).then_some(name)
}
