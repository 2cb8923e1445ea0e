//! What can go wrong between a client and its hub.

use std::time::Duration;

use syncline_core::{Error, ErrorKind};
use thiserror::Error as ThisError;

use crate::transport::{Fault, FaultKind};

/// A precise reason, for people; callers branch on the kind it becomes.
#[derive(Debug, ThisError)]
pub(crate) enum HttpError {
    #[error("this is no address of a hub; write one such as https://hub.example.org")]
    NoUrl,
    #[error("the address of a hub begins with https:// or http://")]
    Scheme,
    #[error("the address of a hub holds no credentials; give them to the log as a token")]
    UrlWithCredentials,
    #[error("the address of a hub has neither `?` nor `#`; leave out what follows")]
    UrlWithQuery,
    #[error("the address of a hub has no parts `.` or `..`; write the path out")]
    UrlWithDots,
    #[cfg_attr(
        target_family = "wasm",
        expect(dead_code, reason = "a browser trusts what it trusts")
    )]
    #[error(
        "these are no certificates in PEM (`BEGIN CERTIFICATE`); give the file with the hub's, or its maker's"
    )]
    Certificates,
    #[error("this machine cannot make secure connections")]
    NoClient(#[source] Fault),
    #[error(
        "the token was not sent, for anybody on the way could read it: use https://, or allow plain tokens"
    )]
    PlainToken,
    #[error("the token holds characters that no token has; give another one")]
    OddToken,
    #[error("{}", told(.0.kind()))]
    Fault(#[source] Fault),
    #[error(
        "what answered is no hub: a proxy, a login page of this network, or a wrong address; \
         open the network's login page, or correct the address"
    )]
    NotAHub { status: u16, media: String },
    #[error(
        "something before the hub takes no bodies of this size; raise its limit, or sync with smaller \
         `upload_bytes`"
    )]
    BodyRefused { bytes: usize },
    #[error("the hub refused the credentials; give others and go on")]
    Refused,
    #[error("the hub does not speak this version of the protocol; update whichever is older")]
    Protocol { ours: u32, theirs: String },
    #[error(
        "the answer is larger than `answer_bytes` allows; raise that limit, or sync with smaller \
         `download_bytes`"
    )]
    AnswerTooLarge { limit: usize },
    #[error("the answer did not arrive as it was sent; try again")]
    Garbled(#[source] Error),
    #[error("bits of the answer were changed on the way; try again")]
    Flipped,
    #[error("something on the way mixed up the answers; try again")]
    Mixed,
    #[error("the hub answered another question than was asked; update whichever is older")]
    Misfit { asked: &'static str },
}

fn told(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unreachable => "the hub cannot be reached; try again when there is a network",
        FaultKind::Late => "the hub did not answer in time; try again",
        FaultKind::Broken => "the connection broke before the answer was complete; try again",
    }
}

impl HttpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoUrl
            | Self::Scheme
            | Self::UrlWithCredentials
            | Self::UrlWithQuery
            | Self::UrlWithDots
            | Self::Certificates
            | Self::BodyRefused { .. }
            | Self::AnswerTooLarge { .. } => ErrorKind::Invalid,
            Self::NoClient(_) | Self::Protocol { .. } => ErrorKind::Unsupported,
            Self::PlainToken | Self::OddToken | Self::Refused => ErrorKind::Denied,
            Self::Fault(_)
            | Self::NotAHub { .. }
            | Self::Garbled(_)
            | Self::Flipped
            | Self::Mixed => ErrorKind::Unavailable,
            Self::Misfit { .. } => ErrorKind::Corrupt,
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        let story = Self::new(error.kind(), error.to_string());
        match error {
            HttpError::NotAHub { status, media } => {
                story.with("status", status).with("media", media)
            }
            HttpError::BodyRefused { bytes } => story.with("bytes", bytes),
            HttpError::Protocol { ours, theirs } => story.with("ours", ours).with("theirs", theirs),
            HttpError::AnswerTooLarge { limit } => story.with("limit", limit),
            HttpError::Misfit { asked } => story.with("asked", asked),
            HttpError::Fault(source) | HttpError::NoClient(source) => story.caused_by(source),
            HttpError::Garbled(source) => story.caused_by(source),
            _ => story,
        }
    }
}

/// Adds how long the hub asked to be left alone.
pub(crate) fn not_before(error: Error, wait: Option<Duration>) -> Error {
    if error.context().any(|(key, _)| key == "seconds") {
        return error;
    }
    match wait {
        Some(wait) => error.with("seconds", wait.as_secs()),
        None => error,
    }
}
