//! Names of collections, fields and aliases, and their plurals.

use crate::value::Quoted;
use crate::{Error, Result};

/// The longest name, in bytes: as much as PostgreSQL keeps of an identifier.
pub const LONGEST_NAME: usize = 63;

/// Holds if a collection, a field or an alias may be named so.
///
/// A name is 1 to 63 ASCII letters, digits, `_` and `-`, and does not begin with a digit or `-`: so
/// it is a file name everywhere and an identifier, once quoted, in every database.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if it may not.
pub fn check_name(name: &str) -> Result<()> {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && name.len() <= LONGEST_NAME && name.bytes().all(inside) {
        return Ok(());
    }
    Err(Error::invalid(
        "a name is 1 to 63 ASCII letters, digits, `_` and `-`, and begins with a letter or `_`",
    )
    .with("name", Quoted(name)))
}

/// The simple English plural: `email` → `emails`, `city` → `cities`, `box` → `boxes`.
pub(super) fn plural(name: &str) -> String {
    let vowel = |byte: Option<&u8>| byte.is_some_and(|byte| b"aeiouAEIOU".contains(byte));
    if let Some(stem) = name.strip_suffix('y')
        && !stem.is_empty()
        && !vowel(stem.as_bytes().last())
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| name.ends_with(end));
    format!("{name}{}", if hisses { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_simple_english() {
        for (one, many) in [
            ("email", "emails"),
            ("city", "cities"),
            ("day", "days"),
            ("box", "boxes"),
            ("address", "addresses"),
            ("branch", "branches"),
            ("y", "ys"),
        ] {
            assert_eq!(plural(one), many);
        }
    }

    #[test]
    fn names_are_safe_as_identifiers_and_file_names() {
        let longest = "x".repeat(LONGEST_NAME);
        for good in ["a", "_a", "sync_entry", "admin1", "random-key", &longest] {
            check_name(good).unwrap();
        }
        let too_long = "x".repeat(LONGEST_NAME + 1);
        for bad in ["", "1a", "-a", "a b", "a.b", "a\"", "$eq", "größe", "a\0", "../a", &too_long]
        {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
