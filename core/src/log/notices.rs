//! Live notice: that a shared log has something new.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{MaybeSend, MaybeSync, Result};

/// Tells when a shared log has something new.
///
/// # Contract
///
/// - [`changed`](Self::changed) returns when the log has something that this client may not have seen. What this
///   client fetched or appended itself is no news to it. Each piece of news is told once: who asks
///   again waits for more.
/// - It also returns when the log is in reach again after it was not, for then it may have news.
/// - It may be stopped at any time, and asked again: nothing is missed in between.
/// - Notices make a sync come sooner. Nobody may rely on them: one that is lost costs time, not data.
#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
pub trait Notices: Debug + MaybeSend + MaybeSync {
    /// Waits until the log has something that this client may not have seen.
    ///
    /// # Errors
    ///
    /// - [`Unavailable`](crate::ErrorKind::Unavailable) if the log is out of reach: ask again later.
    /// - [`Denied`](crate::ErrorKind::Denied) without the right to.
    /// - [`Unsupported`](crate::ErrorKind::Unsupported) if the log tells no news: do not ask again.
    async fn changed(&self) -> Result<()>;
}
