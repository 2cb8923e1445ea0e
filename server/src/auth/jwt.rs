//! Signed tokens: made elsewhere, checked here without asking anybody.

use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use syncline_core::Result;

use super::keys::Keys;
use super::refusal::Refusal;
use super::{Access, Authenticate, Groups, LONGEST_TOKEN, Scope, subject};

/// What a signed token must say beyond being signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtRules {
    /// For whom it must be meant (`aud`), if that is looked at.
    pub audience: Option<String>,
    /// Who must have made it (`iss`), if that is looked at.
    pub issuer: Option<String>,
    /// How far the clock of who made it may be off: 30 seconds.
    pub leeway: Duration,
    /// How far in the future its end may lie, if that is bounded.
    pub longest_life: Option<Duration>,
}

impl Default for JwtRules {
    fn default() -> Self {
        let leeway = Duration::from_secs(30);
        Self { audience: None, issuer: None, leeway, longest_life: None }
    }
}

/// Lets in who brings a JSON Web Token that one of the keys signed.
///
/// Its claims: `sub` (who), `exp` (until when; a token without an end is refused), `groups` (a list like that of
/// [`Groups::parse`]), `scope` (`read`, `write` or `admin`; of several words the greatest that is one of these),
/// and `nbf`, `aud` and `iss` as ever.
#[derive(Debug)]
pub struct Jwt {
    keys: Keys,
    rules: JwtRules,
}

impl Jwt {
    /// Checks tokens with these keys.
    pub fn new(keys: Keys, rules: JwtRules) -> Self {
        super::make::choose_cryptography();
        Self { keys, rules }
    }

    /// The claims of a token that one of the keys signed with the algorithm that it is for.
    fn verified(&self, token: &str) -> Result<Claims, Refusal> {
        let header = decode_header(token).map_err(|_| Refusal::Unknown)?;
        // A header that says "refuse this unless you know my extension" is refused: none is known.
        if header.crit.is_some() {
            return Err(Refusal::Algorithm);
        }
        let mut refusal = Refusal::Algorithm;
        for keys in self.keys.now() {
            for key in keys.iter() {
                let is_named = header.kid.is_none() || key.name.is_none() || header.kid == key.name;
                if key.algorithm != header.alg || !is_named {
                    continue;
                }
                match decode(token, &key.key, &only_the_signature(key.algorithm)) {
                    Ok(data) => return Ok(data.claims),
                    Err(error) => refusal = why(&error),
                }
            }
        }
        Err(refusal)
    }

    fn access(&self, claims: Claims, now: i64) -> Result<Access, Refusal> {
        let expires = self.check_times(&claims, now)?;
        self.check_sides(&claims)?;
        let subject = claims.sub.as_deref().and_then(subject).ok_or(Refusal::Claims)?;
        let scope = claims.scope.as_deref().unwrap_or_default().split(' ').filter_map(Scope::named);
        let scope = scope.max().ok_or(Refusal::Claims)?;
        let groups = claims.groups.iter().flatten().map(String::as_str);
        let groups = Groups::parse(groups).map_err(|_| Refusal::Claims)?;
        Ok(Access { subject, groups, scope, expires: Some(expires) })
    }

    /// Until when it is valid.
    fn check_times(&self, claims: &Claims, now: i64) -> Result<i64, Refusal> {
        let leeway = millis(self.rules.leeway);
        let end = to_millis(claims.exp.ok_or(Refusal::Claims)?);
        let expires = end.saturating_add(leeway);
        if expires <= now {
            return Err(Refusal::Expired);
        }
        let soon = now.saturating_add(leeway);
        if claims.nbf.is_some_and(|from| to_millis(from) > soon) {
            return Err(Refusal::NotYet);
        }
        let longest = self.rules.longest_life.map(millis);
        if longest.is_some_and(|longest| end > soon.saturating_add(longest)) {
            return Err(Refusal::TooLongLived);
        }
        Ok(expires)
    }

    /// From whom, and for whom.
    fn check_sides(&self, claims: &Claims) -> Result<(), Refusal> {
        let is_meant = |wanted: &String| match &claims.aud {
            Some(Audience::One(one)) => one == wanted,
            Some(Audience::Many(many)) => many.contains(wanted),
            None => false,
        };
        if !self.rules.audience.iter().all(is_meant) {
            return Err(Refusal::Audience);
        }
        if self.rules.issuer.is_some() && self.rules.issuer != claims.iss {
            return Err(Refusal::Issuer);
        }
        Ok(())
    }
}

#[async_trait]
impl Authenticate for Jwt {
    async fn authenticate(&self, token: Option<&str>, now_millis: i64) -> Result<Access> {
        let token = token.ok_or(Refusal::Missing)?;
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::TooLong.into());
        }
        Ok(self.access(self.verified(token)?, now_millis)?)
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    aud: Option<Audience>,
    iss: Option<String>,
    groups: Option<Vec<String>>,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Times and sides are checked here, by the clock that was handed in.
fn only_the_signature(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn why(error: &jsonwebtoken::errors::Error) -> Refusal {
    use jsonwebtoken::errors::ErrorKind;

    match error.kind() {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::Json(_) | ErrorKind::InvalidClaimFormat(_) => Refusal::Claims,
        ErrorKind::InvalidAlgorithm => Refusal::Algorithm,
        _ => Refusal::Unknown,
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970, perhaps with a fraction, as milliseconds. What is beyond all times becomes the last one.
fn to_millis(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}
