//! Tokens that a file lists: nothing to run beside the hub, and gone when their line is.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use syncline_core::id::unhex;
use syncline_core::{Group, Result};

use super::refusal::{FileError, Refusal};
use super::watched::Watched;
use super::{Access, Authenticate, GroupPattern, Groups, LONGEST_TOKEN, Scope, subject};

/// Lets in whose token a file lists.
///
/// Each line of the file is a token's SHA-256 as 64 hexadecimal digits, who it belongs to, `read`, `write` or
/// `admin`, and the groups it is for: names, `team-*` for all that begin so, or `*` for all. What has a space, a
/// `%`, or a `*` of its own in a name is written as in a path: `%20`, `%25`, `%2A`. Empty lines and what follows a
/// `#` at the beginning of a line or behind a space are ignored.
///
/// ```text
/// # hash                                                          who         scope  groups
/// 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  ann-phone   write  family team-*
/// ```
///
/// The file is read again when it changed; while it is wrong, what it last said counts.
///
/// Tokens are found by their hash: how long that takes may tell something of the hashes, from which no token
/// follows. So tokens have to be random, like those of [`StaticToken::generate`](super::StaticToken::generate).
#[derive(Debug)]
pub struct TokenFile {
    file: Watched<Listed>,
}

type Listed = HashMap<[u8; 32], Access>;

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`NotFound`](syncline_core::ErrorKind::NotFound) if it cannot be read;
    /// [`Invalid`](syncline_core::ErrorKind::Invalid), with the number of the line, if it is wrong.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self { file: Watched::open(path, parse)? })
    }
}

#[async_trait]
impl Authenticate for TokenFile {
    async fn authenticate(&self, token: Option<&str>, _now_millis: i64) -> Result<Access> {
        let token = token.ok_or(Refusal::Missing)?;
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::TooLong.into());
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let access = self.file.now().get(&hash).cloned();
        Ok(access.ok_or(Refusal::Unknown)?)
    }
}

fn parse(bytes: &[u8]) -> Result<Listed, FileError> {
    let mut listed = Listed::new();
    for (position, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let wrong = |why| FileError::Line { line: position + 1, why };
        let line = str::from_utf8(line).map_err(|_| wrong("it is not UTF-8"))?;
        let line = line.trim_start_matches('\u{feff}');
        let words: Vec<&str> =
            line.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
        if words.is_empty() {
            continue;
        }
        let (hash, access) = entry(&words).map_err(wrong)?;
        if listed.insert(hash, access).is_some() {
            return Err(wrong("an earlier line has the same hash"));
        }
    }
    Ok(listed)
}

fn entry(words: &[&str]) -> Result<([u8; 32], Access), &'static str> {
    let [hash, who, scope, groups @ ..] = words else {
        return Err("something is missing");
    };
    let hash = unhex(hash).and_then(|bytes| bytes.try_into().ok());
    let hash = hash.ok_or("the hash is not 64 hexadecimal digits")?;
    let who = unescaped(who).ok_or("in the subject, a `%` is not followed by two digits")?;
    let subject = subject(&who).ok_or("the subject is not 1 to 200 bytes of printable text")?;
    let scope = Scope::named(scope).ok_or("the scope is not `read`, `write` or `admin`")?;
    if groups.is_empty() && scope != Scope::Admin {
        return Err("it names no group; `*` means all");
    }
    let groups = groups_named(groups)?;
    Ok((hash, Access { subject, groups, scope, expires: None }))
}

fn groups_named(words: &[&str]) -> Result<Groups, &'static str> {
    let mut patterns = BTreeSet::new();
    for word in words {
        if *word == "*" {
            return Ok(Groups::All);
        }
        let (text, is_beginning) = match word.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (*word, false),
        };
        if text.contains('*') {
            return Err("a `*` stands elsewhere than at the end of a group; write `%2A`");
        }
        let name = unescaped(text).ok_or("in a group, a `%` is not followed by two digits")?;
        let group: Group = name.parse().map_err(|_| "a group has no valid name")?;
        let _ = patterns.insert(match is_beginning {
            true => GroupPattern::Beginning(name),
            false => GroupPattern::Named(group),
        });
    }
    Ok(Groups::Only(patterns))
}

/// Text whose odd bytes were written as in a path.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.extend(unhex(part.get(..2)?)?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
