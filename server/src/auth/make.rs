//! Making what opens a hub: random tokens for a file, signed tokens, and the keys that sign them.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, encode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use syncline_core::id::hex;
use syncline_core::{Error, Result};
use syncline_shared_log_wire::path::escaped;

use super::keys::secret_in;
use super::refusal::FileError;
use super::{GroupPattern, Groups, Scope, subject};

/// A random token, and the line that makes a [`TokenFile`](super::TokenFile) know it.
pub struct StaticToken {
    /// The token, for who is to be let in. It is not kept anywhere.
    pub token: String,
    /// The line for the file. The token does not follow from it.
    pub line: String,
}

impl StaticToken {
    /// Makes one for somebody.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if the subject is not 1 to 200 bytes of printable text, or
    /// if there is no group and the scope is not [`Scope::Admin`].
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_server::auth::{Groups, Scope, StaticToken};
    ///
    /// let made = StaticToken::generate("ann-phone", Scope::Write, &Groups::parse(["family"])?)?;
    /// assert!(made.line.ends_with(" ann-phone write family"));
    /// assert!(!made.line.contains(&made.token));
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn generate(who: &str, scope: Scope, groups: &Groups) -> Result<Self> {
        let who = checked(who)?;
        let groups = match groups {
            Groups::All => "*".to_owned(),
            Groups::Only(patterns) if patterns.is_empty() && scope != Scope::Admin => {
                return Err(Error::invalid("a token needs a group; `*` means all"));
            }
            Groups::Only(patterns) => patterns.iter().map(written).collect::<Vec<_>>().join(" "),
        };
        let token = format!("syncline_{}", hex(&random()?));
        let hash = hex(&Sha256::digest(token.as_bytes()));
        let line = format!("{hash} {} {} {groups}", escaped(&who), scope.name());
        Ok(Self { token, line: line.trim_end().to_owned() })
    }
}

impl fmt::Debug for StaticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticToken").field("line", &self.line).finish_non_exhaustive()
    }
}

fn written(pattern: &GroupPattern) -> String {
    match pattern {
        GroupPattern::Named(group) => escaped(group.as_str()),
        GroupPattern::Beginning(beginning) => format!("{}*", escaped(beginning)),
    }
}

/// What a signed token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtClaims {
    /// Who it belongs to.
    pub subject: String,
    /// In which groups.
    pub groups: Groups,
    /// How much.
    pub scope: Scope,
    /// Until when, in milliseconds since 1970; whole seconds are written.
    pub expires: i64,
    /// From when, in milliseconds since 1970, if not at once.
    pub not_before: Option<i64>,
    /// For whom it is meant, if the hub looks at that.
    pub audience: Option<String>,
    /// Who made it, if the hub looks at that.
    pub issuer: Option<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    sub: &'a str,
    groups: Vec<String>,
    scope: &'static str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
}

/// Signs tokens.
pub struct JwtMaker {
    algorithm: Algorithm,
    key: EncodingKey,
}

impl JwtMaker {
    /// Signs with a secret (HS256): the bytes of the file that [`Keys::with_secret_file`](super::Keys) reads.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if it has fewer than 32 bytes.
    pub fn with_secret(secret: &[u8]) -> Result<Self> {
        let secret = secret_in(secret).map_err(told)?;
        Ok(Self::new(Algorithm::HS256, EncodingKey::from_secret(secret)))
    }

    /// Signs with the private key of an Ed25519 pair, as PEM (EdDSA).
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if it is none.
    pub fn with_private_key(pem: &[u8]) -> Result<Self> {
        let no_key = || told(FileError::NoPrivateKey);
        let parsed = pem::parse(pem).map_err(|_| no_key())?;
        let _ = Ed25519KeyPair::from_pkcs8(parsed.contents()).map_err(|_| no_key())?;
        Ok(Self::new(Algorithm::EdDSA, EncodingKey::from_ed_der(parsed.contents())))
    }

    fn new(algorithm: Algorithm, key: EncodingKey) -> Self {
        choose_cryptography();
        Self { algorithm, key }
    }

    /// Makes a token that says this.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if the subject is not 1 to 200 bytes of printable text.
    pub fn make(&self, claims: &JwtClaims) -> Result<String> {
        let groups = match &claims.groups {
            Groups::All => vec!["*".to_owned()],
            Groups::Only(patterns) => patterns.iter().map(ToString::to_string).collect(),
        };
        let written = Written {
            sub: &checked(&claims.subject)?,
            groups,
            scope: claims.scope.name(),
            exp: claims.expires.div_euclid(1000),
            nbf: claims.not_before.map(|millis| millis.div_euclid(1000)),
            aud: claims.audience.as_deref(),
            iss: claims.issuer.as_deref(),
        };
        encode(&Header::new(self.algorithm), &written, &self.key)
            .map_err(|error| Error::internal("a token could not be signed").caused_by(error))
    }
}

impl fmt::Debug for JwtMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtMaker").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The two keys of EdDSA: one makes tokens, the other lets a hub check them.
pub struct Ed25519Pair {
    /// For who makes tokens, as PEM. Nobody else may have it.
    pub private_pem: String,
    /// For the hub, as PEM.
    pub public_pem: String,
}

impl Ed25519Pair {
    /// Makes a pair.
    ///
    /// # Errors
    ///
    /// [`Internal`](syncline_core::ErrorKind::Internal) if the machine has no randomness.
    pub fn generate() -> Result<Self> {
        let failed = |_| Error::internal("this machine has no randomness; check its kernel");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let private = pair.to_pkcs8v1().map_err(failed)?;
        // What every public key of this kind begins with, after RFC 8410.
        let mut public = vec![0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        public.extend_from_slice(pair.public_key().as_ref());
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let written = |tag, bytes: &[u8]| pem::encode_config(&pem::Pem::new(tag, bytes), config);
        Ok(Self {
            private_pem: written("PRIVATE KEY", private.as_ref()),
            public_pem: written("PUBLIC KEY", &public),
        })
    }
}

impl fmt::Debug for Ed25519Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Pair").field("public_pem", &self.public_pem).finish_non_exhaustive()
    }
}

/// A random secret for HS256, as text for a file.
///
/// # Errors
///
/// [`Internal`](syncline_core::ErrorKind::Internal) if the machine has no randomness.
pub fn secret() -> Result<String> {
    random().map(|bytes| hex(&bytes))
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::internal("this machine has no randomness; check its kernel"))?;
    Ok(bytes)
}

fn checked(who: &str) -> Result<String> {
    subject(who)
        .ok_or_else(|| Error::invalid("who a token is for is named by 1 to 200 bytes of text"))
}

fn told(why: FileError) -> Error {
    Error::invalid(why.to_string())
}

/// Says which cryptography checks and makes signatures, in case another crate of the program turns on another.
pub(super) fn choose_cryptography() {
    // An error only says that it was chosen before.
    let _ = crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
