//! Holds the list of a suite to the cases that are written.

/// Every case in `files` is in the list of the suite's macro, in alphabetical order, and no other is.
pub(crate) fn check_cases(suite: &str, files: &[&str]) {
    let listed: Vec<&str> = suite
        .lines()
        .skip_while(|line| !line.contains("$open =>"))
        .skip(1)
        .take_while(|line| line.trim() != "}")
        .map(str::trim)
        .collect();
    let mut written: Vec<&str> = files
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.strip_prefix("pub async fn "))
        .filter_map(|rest| rest.split('(').next())
        .collect();
    written.sort_unstable();
    assert_eq!(listed, written, "the list is the cases, in alphabetical order");
}

/// Every module that gives cases is among `files`.
pub(crate) fn check_files(modules: &str, files: &[&str]) {
    let modules = modules.lines().filter(|line| line.starts_with("pub use ")).count();
    assert_eq!(files.len(), modules);
}
