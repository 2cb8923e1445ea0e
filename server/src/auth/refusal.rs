//! Why somebody is not let in, and what is wrong with the files that say who is.

use std::path::Path;

use syncline_core::{Error, ErrorKind};

/// Why a token is refused. Never holds any part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("this hub needs a token; send one in the header `authorization: Bearer …`")]
    Missing,
    #[error("this is not a token that this hub knows; ask for another one")]
    Unknown,
    #[error("this is longer than any token; ask for another one")]
    TooLong,
    #[error("this token is not signed in a way that this hub accepts; ask for another one")]
    Algorithm,
    #[error("this token's signature does not hold; ask for another one")]
    Signature,
    #[error("this token lacks what a hub needs to know, or says it wrongly; ask for another one")]
    Claims,
    #[error("this token has expired; ask for another one")]
    Expired,
    #[error("this token is not valid yet; wait, or set the clock of who made it")]
    NotYet,
    #[error(
        "this token is valid for longer than this hub accepts; ask for one with a shorter life"
    )]
    TooLongLived,
    #[error("this token is meant for another service; ask for one for this hub")]
    Audience,
    #[error("this token comes from somebody whom this hub does not trust; ask for another one")]
    Issuer,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(ErrorKind::Denied, refusal.to_string())
    }
}

/// What is wrong with a file of tokens or keys. Never holds any of its contents.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("a file of tokens or keys cannot be read; check its path and its rights")]
    Unreadable(#[source] std::io::Error),
    #[error("a file of tokens or keys is larger than 16 MB; this cannot be the right one")]
    TooLarge,
    #[error("a line of a token file is not `hash subject scope group…`: {why}")]
    Line { line: usize, why: &'static str },
    #[error("a secret has fewer than 32 bytes; make one with `head -c 32 /dev/urandom`")]
    WeakSecret,
    #[error("this is not the public key of an Ed25519 pair as PEM (`BEGIN PUBLIC KEY`)")]
    NoPublicKey,
    #[error("this is not the private key of an Ed25519 pair as PEM (`BEGIN PRIVATE KEY`)")]
    NoPrivateKey,
    #[error("this is not a JSON Web Key Set: {0}")]
    KeySet(&'static str),
}

impl FileError {
    /// The error as it is told, with the file that it is about.
    pub(crate) fn of(self, path: &Path) -> Error {
        let message = self.to_string();
        let kind = match &self {
            Self::Unreadable(_) => ErrorKind::NotFound,
            _ => ErrorKind::Invalid,
        };
        let error = Error::new(kind, message).with("path", path.display());
        match self {
            Self::Unreadable(source) => error.caused_by(source),
            Self::Line { line, .. } => error.with("line", line),
            _ => error,
        }
    }
}

/// Reads a file of tokens or keys.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    const LARGEST: u64 = 16 << 20;
    let size = std::fs::metadata(path).map_err(FileError::Unreadable)?.len();
    if size > LARGEST {
        return Err(FileError::TooLarge);
    }
    std::fs::read(path).map_err(FileError::Unreadable)
}
