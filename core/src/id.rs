//! Who writes: replicas and the groups they belong to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Error, Result};

/// One copy of the data in one database: a random 128-bit id, printed as 32 hexadecimal digits.
///
/// A copied or restored database becomes a *new* replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReplicaId(pub [u8; 16]);

impl ReplicaId {
    /// The first eight digits, enough for people to tell replicas apart.
    pub fn short(&self) -> String {
        hex(&self.0[..4])
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ReplicaId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        unhex(text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Self).ok_or_else(|| {
            Error::invalid("a replica id is 32 hexadecimal digits").with("got", text)
        })
    }
}

/// Those who share one body of data. The application names it; a log never invents it.
///
/// # Example
///
/// ```
/// use syncline_core::Group;
///
/// assert_eq!("family".parse::<Group>()?.as_str(), "family");
/// assert!("".parse::<Group>().is_err());
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Group(Arc<str>);

impl Group {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > Self::LONGEST || text.chars().any(char::is_control) {
            return Err(Error::invalid("a group is named by 1 to 200 bytes of printable text"));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Bytes from hexadecimal digits, or nothing if the text is anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let byte = |two: &[u8]| Some(nibble(two[0])? << 4 | nibble(two[1])?);
    text.as_bytes().chunks_exact(2).map(byte).collect()
}
