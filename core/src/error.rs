//! One error: a [kind](ErrorKind) to branch on, a story to print.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What every fallible function of Syncline returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason an operation failed, told as what the caller should do next.
///
/// Branch on this. Everything else in an [`Error`] is for people to read and may change in any
/// release. A new kind is added only when a caller would act on it differently than on every
/// kind below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// This replica's clock, or the one it talks to, is off by more than the allowed drift.
    ///
    /// Set the clock; the context says by how much. Nothing is lost meanwhile.
    ClockSkew,

    /// What the request relied on does not hold: a key or a unique value is taken, or a guard failed.
    ///
    /// Nothing was written. Read again and decide; [`Error::guard`] names the guard that failed.
    Conflict,

    /// Stored data is not what any known version of this library writes.
    ///
    /// Repeating the call will not help. Restore the data, or open it with the version that wrote it.
    Corrupt,

    /// Credentials are missing or do not allow this, or the log belongs to another group.
    ///
    /// Sync pauses and keeps its queue. Give other credentials, or name the right group.
    Denied,

    /// The same place in a lane was written twice with different contents.
    ///
    /// A database was cloned or rolled back. Nothing is lost: sync goes on under a new replica id.
    Forked,

    /// The disk, or the quota, is full.
    ///
    /// The database stays usable. Make room and repeat the call.
    Full,

    /// A promise inside this library was broken.
    ///
    /// Nothing the caller did could cause it. Please report it.
    Internal,

    /// The request contradicts the schema or itself.
    ///
    /// Correct the request; the same one fails every time.
    Invalid,

    /// What the request names does not exist.
    ///
    /// Create it first, or correct the name.
    NotFound,

    /// The shared log no longer knows the cursor.
    ///
    /// Fetch again from the version vector; sync does so by itself.
    Rejoin,

    /// The storage, or the network on the way to it, cannot answer now.
    ///
    /// The same request may be repeated unchanged.
    Unavailable,

    /// The backend does not do this and says so in its [`Capability`](crate::Capability), or the
    /// data was made by a newer version.
    ///
    /// Ask for less, choose another backend, or update.
    Unsupported,

    /// Data is encrypted with a key that is not at hand.
    ///
    /// Give the key; what could not be read is kept.
    WrongKey,
}

impl ErrorKind {
    /// Whether repeating the same request later can succeed.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A failed operation: a [kind](ErrorKind) to branch on and a story to print.
///
/// # Example
///
/// ```
/// use syncline_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Invalid, "there is no such field").with("field", "nmae");
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert_eq!(error.to_string(), "there is no such field (field: nmae)");
/// ```
#[derive(Debug)]
pub struct Error(Box<Story>);

#[derive(Debug)]
struct Story {
    kind: ErrorKind,
    message: Cow<'static, str>,
    guard: Option<Cow<'static, str>>,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind, with a message that tells the way out.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Story { kind, message, guard: None, context: Vec::new(), source: None }))
    }

    /// A request that contradicts the schema or itself.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Stored or received bytes that no known version writes.
    pub fn corrupt(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// A broken promise inside this library.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Adds one pair of context, such as the collection that was asked for.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Adds what caused this.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the guard that failed.
    #[must_use]
    pub fn at_guard(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.guard = Some(name.into());
        self
    }

    /// What the caller should branch on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What happened, without the context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The name of the guard that failed, if one did.
    pub fn guard(&self) -> Option<&str> {
        self.0.guard.as_deref()
    }

    /// The context pairs, in the order they were added.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(key, value)| (*key, value.as_str()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let guard = self.0.guard.iter().map(|name| ("guard", name.as_ref()));
        for (position, (key, value)) in guard.chain(self.context()).enumerate() {
            f.write_str(if position == 0 { " (" } else { ", " })?;
            write!(f, "{key}: {value}")?;
        }
        if self.0.guard.is_some() || !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
