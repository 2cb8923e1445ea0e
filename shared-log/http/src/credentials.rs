//! Who a client says it is: asked at the moment of sending, never stored.

use std::fmt;

use async_trait::async_trait;
use syncline_core::{MaybeSend, MaybeSync, Result};

/// Gives the token that goes with a request.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Credentials: fmt::Debug + MaybeSend + MaybeSync {
    /// The token to send, if any. `refused` is the one that the hub has just refused, empty if there was
    /// none: a fresh one is asked for. Who has no other answers with nothing, and sync pauses.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from making a token, such as
    /// [`Unavailable`](syncline_core::ErrorKind::Unavailable); the request is not sent then.
    async fn token(&self, refused: Option<&str>) -> Result<Option<String>>;
}

/// No token: for hubs that ask for none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoToken;

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Credentials for NoToken {
    async fn token(&self, _: Option<&str>) -> Result<Option<String>> {
        Ok(None)
    }
}

/// One token, always the same.
#[derive(Clone)]
pub struct FixedToken(String);

impl FixedToken {
    /// This token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }
}

impl fmt::Debug for FixedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FixedToken")
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Credentials for FixedToken {
    async fn token(&self, refused: Option<&str>) -> Result<Option<String>> {
        Ok((refused != Some(&self.0)).then(|| self.0.clone()))
    }
}

/// Tokens from a function, such as one that asks a login service.
///
/// # Example
///
/// ```
/// use syncline_shared_log_http::{Credentials, TokenFrom};
///
/// # pollster::block_on(async {
/// let tokens = TokenFrom::new(|refused: Option<String>| async move {
///     Ok(Some(if refused.is_some() { "a fresh one" } else { "the one at hand" }.to_owned()))
/// });
/// assert_eq!(tokens.token(None).await?.as_deref(), Some("the one at hand"));
/// # Ok::<(), syncline_core::Error>(())
/// # }).unwrap();
/// ```
pub struct TokenFrom<F>(F);

impl<F> TokenFrom<F> {
    /// Asks this function; it gets the token that was refused, if one was.
    pub fn new<Answer>(function: F) -> Self
    where
        F: Fn(Option<String>) -> Answer,
        Answer: Future<Output = Result<Option<String>>>,
    {
        Self(function)
    }
}

impl<F> fmt::Debug for TokenFrom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenFrom")
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<F, Answer> Credentials for TokenFrom<F>
where
    F: Fn(Option<String>) -> Answer + MaybeSend + MaybeSync,
    Answer: Future<Output = Result<Option<String>>> + MaybeSend,
{
    async fn token(&self, refused: Option<&str>) -> Result<Option<String>> {
        (self.0)(refused.map(str::to_owned)).await
    }
}
