//! Headers.

use std::error::Error as StdError;
use std::fmt;

/// What a header is called, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderName(&'static str);

impl HeaderName {
    /// This name, which is in lower case.
    pub const fn from_static(name: &'static str) -> Self {
        Self(name)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        self.0
    }
}

impl From<&Self> for HeaderName {
    fn from(name: &Self) -> Self {
        *name
    }
}

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        $(
            #[doc = concat!("`", $text, "`")]
            pub const $name: HeaderName = HeaderName($text);
        )*
    };
}

names! {
    ACCEPT "accept"
    AUTHORIZATION "authorization"
    CONTENT_ENCODING "content-encoding"
    CONTENT_LENGTH "content-length"
    CONTENT_TYPE "content-type"
    DATE "date"
    LOCATION "location"
    RETRY_AFTER "retry-after"
}

/// What a header says.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderValue {
    text: String,
    is_sensitive: bool,
}

impl HeaderValue {
    pub(super) fn of(text: String) -> Self {
        Self { text, is_sensitive: false }
    }

    /// As text.
    ///
    /// # Errors
    ///
    /// Whatever is not of the letters that can be seen, spaces and tabs.
    pub fn to_str(&self) -> Result<&str, InvalidHeaderValue> {
        let is_text = |byte: u8| byte == b'\t' || (b' '..0x7f).contains(&byte);
        match self.text.bytes().all(is_text) {
            true => Ok(&self.text),
            false => Err(InvalidHeaderValue),
        }
    }

    /// As bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Says whether it stands in no log.
    pub fn set_sensitive(&mut self, is_sensitive: bool) {
        self.is_sensitive = is_sensitive;
    }
}

impl TryFrom<String> for HeaderValue {
    type Error = InvalidHeaderValue;

    fn try_from(text: String) -> Result<Self, InvalidHeaderValue> {
        let is_control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
        match text.bytes().any(is_control) {
            true => Err(InvalidHeaderValue),
            false => Ok(Self::of(text)),
        }
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_sensitive { "Sensitive" } else { &self.text })
    }
}

/// A text that no header can say.
#[derive(Debug)]
pub struct InvalidHeaderValue;

impl fmt::Display for InvalidHeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no header can say this")
    }
}

impl StdError for InvalidHeaderValue {}

/// Headers, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub struct HeaderMap(Vec<(HeaderName, HeaderValue)>);

impl HeaderMap {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a header, and gives what it said.
    pub fn insert(
        &mut self,
        name: impl Into<HeaderName>,
        value: HeaderValue,
    ) -> Option<HeaderValue> {
        let name = name.into();
        match self.0.iter_mut().find(|(there, _)| *there == name) {
            Some((_, there)) => Some(std::mem::replace(there, value)),
            None => {
                self.0.push((name, value));
                None
            }
        }
    }

    /// Adds a header, and says whether one of this name was there.
    pub fn append(&mut self, name: impl Into<HeaderName>, value: HeaderValue) -> bool {
        let name = name.into();
        let was_there = self.contains_key(name);
        self.0.push((name, value));
        was_there
    }

    /// What the first header of this name says.
    pub fn get(&self, name: impl Into<HeaderName>) -> Option<&HeaderValue> {
        let name = name.into();
        self.0.iter().find(|(there, _)| *there == name).map(|(_, value)| value)
    }

    /// What all headers of this name say.
    pub fn get_all(&self, name: impl Into<HeaderName>) -> GetAll<'_> {
        GetAll { headers: self, name: name.into() }
    }

    /// Whether there is a header of this name.
    pub fn contains_key(&self, name: impl Into<HeaderName>) -> bool {
        self.get(name).is_some()
    }

    /// All headers.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<'a> IntoIterator for &'a HeaderMap {
    type Item = &'a (HeaderName, HeaderValue);
    type IntoIter = std::slice::Iter<'a, (HeaderName, HeaderValue)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The headers of one name.
#[derive(Debug)]
pub struct GetAll<'a> {
    headers: &'a HeaderMap,
    name: HeaderName,
}

impl<'a> GetAll<'a> {
    /// What they say.
    pub fn iter(&self) -> ValueIter<'a> {
        ValueIter { rest: self.headers.0.iter(), name: self.name }
    }
}

/// What the headers of one name say, one after the other.
#[derive(Debug)]
pub struct ValueIter<'a> {
    rest: std::slice::Iter<'a, (HeaderName, HeaderValue)>,
    name: HeaderName,
}

impl<'a> Iterator for ValueIter<'a> {
    type Item = &'a HeaderValue;

    fn next(&mut self) -> Option<&'a HeaderValue> {
        self.rest.find(|(there, _)| *there == self.name).map(|(_, value)| value)
    }
}
