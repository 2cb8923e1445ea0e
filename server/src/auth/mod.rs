//! Who may do what: the question that a hub asks before it does anything for a client.

mod any_of;
mod groups;
mod jwt;
mod keys;
mod make;
mod refusal;
mod tokens;
mod watched;

use std::fmt::Debug;

use async_trait::async_trait;
use syncline_core::{Error, ErrorKind, Group, Result};

pub use any_of::AnyOf;
pub use groups::{GroupPattern, Groups};
pub use jwt::{Jwt, JwtRules};
pub use keys::Keys;
pub use make::{Ed25519Pair, JwtClaims, JwtMaker, StaticToken, secret};
pub use tokens::TokenFile;

/// The most bytes of a token.
pub const LONGEST_TOKEN: usize = 8 << 10;

/// Tells who stands behind a token.
///
/// An application that embeds a hub can bring its own; [`Open`] is for a hub that only its own machine reaches.
#[async_trait]
pub trait Authenticate: Debug + Send + Sync {
    /// Whom this token belongs to, and what it allows. The token is what followed `Bearer` in the header
    /// `authorization`; none if there was no such header.
    ///
    /// # Errors
    ///
    /// [`Denied`](syncline_core::ErrorKind::Denied) if the token is missing, unknown, expired or no token at all:
    /// the client is answered 401. [`Unavailable`](syncline_core::ErrorKind::Unavailable) if that cannot be told
    /// now.
    async fn authenticate(&self, token: Option<&str>, now_millis: i64) -> Result<Access>;

    /// Whether it lets in everyone, with a token or without. A hub behind such a gate answers pages in browsers
    /// only if they are of its own machine, unless its [origins](crate::HubConfig::origins) say otherwise.
    fn is_open(&self) -> bool {
        false
    }
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who it is, as the hub's own log and its limits name them.
    pub subject: String,
    /// In which groups.
    pub groups: Groups,
    /// How much.
    pub scope: Scope,
    /// Until when, in milliseconds since 1970, if it ends: notices are not sent beyond it.
    pub expires: Option<i64>,
}

impl Access {
    /// Whether this is allowed in that group.
    ///
    /// # Errors
    ///
    /// [`Denied`](syncline_core::ErrorKind::Denied), which says what would be needed.
    pub fn check(&self, group: &Group, scope: Scope) -> Result<()> {
        if !self.groups.has(group) {
            let message = "this token is not for this group; ask for one that is";
            return Err(Error::new(ErrorKind::Denied, message).with("group", group));
        }
        self.check_scope(scope)
    }

    /// Whether this is allowed, wherever that is.
    ///
    /// # Errors
    ///
    /// [`Denied`](syncline_core::ErrorKind::Denied), which says what would be needed.
    pub fn check_scope(&self, scope: Scope) -> Result<()> {
        if self.scope < scope {
            let message = "this token does not allow that; ask for one with the scope it needs";
            return Err(Error::new(ErrorKind::Denied, message).with("scope", scope.name()));
        }
        Ok(())
    }

    /// Whether it has ended at this time.
    pub fn has_ended(&self, now_millis: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now_millis)
    }
}

/// How much somebody may do. Each allows what those before it allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// To read, and to be a member that says what it has read.
    Read,
    /// To append, upload and take leases.
    Write,
    /// To see the hub's own state.
    Admin,
}

impl Scope {
    /// Its name in tokens and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}

/// The name of who somebody is, if it can be one: it stands in logs.
fn subject(text: &str) -> Option<String> {
    let is_name = (1..=200).contains(&text.len()) && !text.chars().any(char::is_control);
    is_name.then(|| text.to_owned())
}

/// Everyone may do everything: for a hub that only its own machine reaches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

#[async_trait]
impl Authenticate for Open {
    async fn authenticate(&self, _token: Option<&str>, _now_millis: i64) -> Result<Access> {
        Ok(Access {
            subject: "anyone".to_owned(),
            groups: Groups::All,
            scope: Scope::Admin,
            expires: None,
        })
    }

    fn is_open(&self) -> bool {
        true
    }
}
