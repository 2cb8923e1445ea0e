//! Errors on the wire: a status for everyone, a kind for Syncline.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use syncline_core::sorted::SortedMap;
use syncline_core::value::json_text;
use syncline_core::{Error, ErrorKind};

/// An error as a hub answers it, after RFC 9457.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The [`ErrorKind`], by its name.
    pub kind: String,
    /// What happened, and what to do.
    pub detail: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub context: SortedMap<String, String>,
}

/// The keys of context that travel; the story of others stays in the hub's own log.
const KEYS: &[&str] = &[
    "allowed",
    "bytes",
    "entries",
    "epoch",
    "first",
    "got",
    "group",
    "holder",
    "last",
    "limit",
    "name",
    "offset",
    "replica",
    "scope",
    "seconds",
    "supported",
    "token",
];

impl Problem {
    /// Reads a problem, if it is one. It is what `Deserialize` does too, in less code for browsers to load.
    pub fn read(body: &[u8]) -> Option<Self> {
        let json: Json = json_text::read(body).ok()?;
        let text = |name| Some(json.get(name)?.as_str()?.to_owned());
        let context = match json.get("context") {
            Some(context) => {
                let members = context.as_object()?.iter();
                let pairs =
                    members.map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                pairs.collect::<Option<_>>()?
            }
            None => SortedMap::new(),
        };
        Some(Self {
            status: u16::try_from(json.get("status")?.as_u64()?).ok()?,
            kind: text("kind")?,
            detail: text("detail")?,
            context,
        })
    }

    /// What a hub answers for an error, with the status that fits its kind.
    pub fn new(error: &Error) -> Self {
        let context = error.context().filter(|(key, _)| KEYS.contains(key));
        Self {
            status: status(error.kind()),
            kind: kind_name(error.kind()).to_owned(),
            detail: error.message().to_owned(),
            context: context.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        }
    }

    /// The same with another status, where HTTP has one that fits better.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The error that a client reports. A kind that this version does not know is judged by the status.
    pub fn into_error(self) -> Error {
        let kind = kind_named(&self.kind).unwrap_or(match self.status {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            408 | 425 | 429 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        });
        let mut error = Error::new(kind, self.detail);
        for (key, value) in self.context {
            if let Some(key) = KEYS.iter().find(|known| **known == key) {
                error = error.with(key, value);
            }
        }
        error
    }
}

const KINDS: &[(ErrorKind, &str, u16)] = &[
    (ErrorKind::ClockSkew, "ClockSkew", 422),
    (ErrorKind::Conflict, "Conflict", 409),
    (ErrorKind::Corrupt, "Corrupt", 422),
    (ErrorKind::Denied, "Denied", 403),
    (ErrorKind::Forked, "Forked", 409),
    (ErrorKind::Full, "Full", 507),
    (ErrorKind::Internal, "Internal", 500),
    (ErrorKind::Invalid, "Invalid", 400),
    (ErrorKind::NotFound, "NotFound", 404),
    (ErrorKind::Rejoin, "Rejoin", 410),
    (ErrorKind::Unavailable, "Unavailable", 503),
    (ErrorKind::Unsupported, "Unsupported", 415),
    (ErrorKind::WrongKey, "WrongKey", 422),
];

/// A kind's name on the wire.
pub fn kind_name(kind: ErrorKind) -> &'static str {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or("Internal", |(_, name, _)| name)
}

/// The kind of this name, if this version knows it.
pub fn kind_named(name: &str) -> Option<ErrorKind> {
    KINDS.iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| *kind)
}

fn status(kind: ErrorKind) -> u16 {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or(500, |(.., status)| *status)
}
