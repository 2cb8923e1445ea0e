//! The keys that signed tokens are checked with, each with the one algorithm that it is for.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use syncline_core::Result;

use super::refusal::FileError;
use super::watched::Watched;

/// The shortest secret that tokens are signed with, in bytes.
pub(crate) const SHORTEST_SECRET: usize = 32;

/// Keys that signed tokens are checked with.
///
/// A key is for one algorithm, whatever a token's header says: a public key is never taken for a secret, and
/// `none` is never an algorithm. The files are read again when they changed; while one is wrong, what it last
/// said counts.
#[derive(Debug, Default)]
pub struct Keys {
    files: Vec<Watched<Vec<Key>>>,
}

impl Keys {
    /// No keys yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file whose bytes are a secret for HS256, at least 32 of them. A line break at its end does not
    /// belong to it.
    ///
    /// # Errors
    ///
    /// Like the other methods here: [`NotFound`](syncline_core::ErrorKind::NotFound) if the file cannot be
    /// read; [`Invalid`](syncline_core::ErrorKind::Invalid) if it is not what it should be.
    pub fn with_secret_file(self, path: impl Into<PathBuf>) -> Result<Self> {
        self.with(Watched::open(path, |bytes| {
            let secret = secret_in(bytes)?;
            Ok(vec![Key::new(Algorithm::HS256, DecodingKey::from_secret(secret))])
        })?)
    }

    /// Adds a file with the public key of an Ed25519 pair as PEM, for EdDSA.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn with_public_key_file(self, path: impl Into<PathBuf>) -> Result<Self> {
        self.with(Watched::open(path, |bytes| {
            let pem = pem::parse(bytes).map_err(|_| FileError::NoPublicKey)?;
            if pem.tag() != "PUBLIC KEY" {
                return Err(FileError::NoPublicKey);
            }
            let key = DecodingKey::from_ed_pem(bytes).map_err(|_| FileError::NoPublicKey)?;
            Ok(vec![Key::new(Algorithm::EdDSA, key)])
        })?)
    }

    /// Adds a file with a JSON Web Key Set, as identity providers publish it: Ed25519, RSA, P-256 and P-384.
    /// Keys for other uses and of other types are passed over.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn with_key_set_file(self, path: impl Into<PathBuf>) -> Result<Self> {
        self.with(Watched::open(path, key_set)?)
    }

    fn with(mut self, file: Watched<Vec<Key>>) -> Result<Self> {
        self.files.push(file);
        Ok(self)
    }

    /// What the files hold now.
    pub(super) fn now(&self) -> Vec<Arc<Vec<Key>>> {
        self.files.iter().map(Watched::now).collect()
    }
}

/// One key, for one algorithm.
pub(super) struct Key {
    /// What it is for.
    pub algorithm: Algorithm,
    /// Its name in a key set.
    pub name: Option<String>,
    /// The key.
    pub key: DecodingKey,
}

impl Key {
    fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { algorithm, name: None, key }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("algorithm", &self.algorithm).field("name", &self.name).finish()
    }
}

/// The secret in a file's bytes.
pub(super) fn secret_in(bytes: &[u8]) -> Result<&[u8], FileError> {
    let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.len() < SHORTEST_SECRET { Err(FileError::WeakSecret) } else { Ok(secret) }
}

fn key_set(bytes: &[u8]) -> Result<Vec<Key>, FileError> {
    let set: JwkSet = serde_json::from_slice(bytes)
        .map_err(|_| FileError::KeySet("it is not JSON with a member `keys`"))?;
    let mut names = HashSet::new();
    let mut keys = Vec::new();
    for jwk in &set.keys {
        let Some(algorithm) = algorithm(jwk) else { continue };
        let key = DecodingKey::from_jwk(jwk).map_err(|_| FileError::KeySet("a key is broken"))?;
        let name = jwk.common.key_id.clone();
        if !names.insert(name.clone()) {
            return Err(FileError::KeySet("two keys have the same `kid`, or several have none"));
        }
        keys.push(Key { algorithm, name, key });
    }
    if keys.is_empty() {
        return Err(FileError::KeySet("it has no public key for signatures that a hub knows"));
    }
    Ok(keys)
}

/// The one algorithm that a key is for; none if it is for nothing here. Symmetric keys have no place in what is
/// published.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let named = jwk.common.key_algorithm;
    let only = |wanted, algorithm| {
        named.is_none_or(|named: KeyAlgorithm| named == wanted).then_some(algorithm)
    };
    match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            only(KeyAlgorithm::EdDSA, Algorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            only(KeyAlgorithm::ES256, Algorithm::ES256)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => {
            only(KeyAlgorithm::ES384, Algorithm::ES384)
        }
        AlgorithmParameters::RSA(_) => match named {
            None | Some(KeyAlgorithm::RS256) => Some(Algorithm::RS256),
            Some(KeyAlgorithm::RS384) => Some(Algorithm::RS384),
            Some(KeyAlgorithm::RS512) => Some(Algorithm::RS512),
            Some(KeyAlgorithm::PS256) => Some(Algorithm::PS256),
            Some(KeyAlgorithm::PS384) => Some(Algorithm::PS384),
            Some(KeyAlgorithm::PS512) => Some(Algorithm::PS512),
            Some(_) => None,
        },
        _ => None,
    }
}
