//! Paths and queries, read strictly: what is not exactly right is refused and never mended.

use axum::http::Uri;
use syncline_core::{Error, Group, Result};

/// The longest name of a lease, an item or their holder, in bytes.
const LONGEST_NAME: usize = 512;

/// The part of a path at this position, decoded; `/v1/groups/a%2Fb/peers` has `a/b` at 2.
pub(crate) fn part(uri: &Uri, position: usize) -> Result<String> {
    let part = uri.path().split('/').nth(position + 1);
    decoded(part.unwrap_or_default(), false)
}

/// The group that a path names at this position.
pub(crate) fn group(uri: &Uri, position: usize) -> Result<Group> {
    let name = part(uri, position)?;
    if matches!(name.as_str(), "." | "..") {
        let message = "a group of a hub cannot be named `.` or `..`; choose another name";
        return Err(Error::invalid(message));
    }
    name.parse()
}

/// Holds a name of a lease, an item or a holder to what a hub takes.
pub(crate) fn check_name(name: &str, what: &'static str) -> Result<()> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let message = "a name is 1 to 512 bytes of printable text; choose another one";
        return Err(Error::invalid(message).with("name", what).with("limit", LONGEST_NAME));
    }
    Ok(())
}

/// The pairs of a query.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Result<Self> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, true)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Error::invalid("a query says one thing twice; say it once"));
            }
            pairs.push((name, decoded(value, true)?));
        }
        Ok(Self(pairs))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &'static str) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        let wrong = || {
            Error::invalid("a query has something else where a number stands").with("name", name)
        };
        number.map(Some).ok_or_else(wrong)
    }
}

fn decoded(text: &str, plus_is_space: bool) -> Result<String> {
    let wrong = || Error::invalid("a path or query is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                // Two hexadecimal digits are one byte.
                bytes.push((high << 4 | low) as u8);
            }
            b'+' if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_part_of_a_path_is_decoded_once() {
        assert_eq!(part(&uri("/v1/groups/a%2Fb+c/peers"), 2).unwrap(), "a/b+c");
        assert_eq!(part(&uri("/v1/groups/%252e/peers"), 2).unwrap(), "%2e");
        for wrong in ["/v1/groups/%", "/v1/groups/%2", "/v1/groups/%zz", "/v1/groups/%ff"] {
            assert!(part(&uri(wrong), 2).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_mean_something_else_are_no_groups() {
        for wrong in [".", "..", "%2e", "%2E%2e", "%00", "a%0Ab", "", "%C2%80"] {
            assert!(group(&uri(&format!("/v1/groups/{wrong}/peers")), 2).is_err(), "{wrong}");
        }
        assert!(group(&uri(&format!("/v1/groups/{}/peers", "a".repeat(201))), 2).is_err());
        assert_eq!(group(&uri("/v1/groups/%C3%A4/peers"), 2).unwrap().as_str(), "\u{e4}");
    }

    #[test]
    fn a_query_says_each_thing_once_and_numbers_in_digits() {
        let query = Query::of(&uri("/?after=5&&text=a+b%26&empty")).unwrap();
        assert_eq!(query.number("after").unwrap(), Some(5));
        assert_eq!(query.text("text"), Some("a b&"));
        assert_eq!(query.text("empty"), Some(""));
        assert_eq!(query.number("missing").unwrap(), None);
        for wrong in ["-1", "+5", "", "1e3", "99999999999999999999", "5%20"] {
            let query = Query::of(&uri(&format!("/?after={wrong}"))).unwrap();
            assert!(query.number("after").is_err(), "{wrong}");
        }
        assert!(Query::of(&uri("/?after=5&after=6")).is_err());
        assert!(Query::of(&uri("/?after=%f")).is_err());
    }
}
