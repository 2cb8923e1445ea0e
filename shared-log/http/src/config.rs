//! How an `HttpLog` works.

use std::sync::Arc;
use std::time::Duration;

use syncline_core::timer::Backoff;
use syncline_core::{Group, Random, Timer};

use crate::credentials::{Credentials, FixedToken, NoToken};
use crate::system::{Jitter, SystemTimer};

/// How an [`HttpLog`](crate::HttpLog) works.
///
/// # Example
///
/// ```
/// use syncline_shared_log_http::{Compression, HttpLog, HttpLogConfig};
///
/// let mut config = HttpLogConfig::new("https://hub.example.org", "family".parse()?).token("secret");
/// config.compression = Compression::Always;
/// assert!(!format!("{config:?}").contains("secret"));
/// let log = HttpLog::with(config)?;
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpLogConfig {
    /// The hub's address: `https://` or `http://`, a host, perhaps a port and a path.
    pub url: String,
    /// Whose log it is.
    pub group: Group,
    /// Who the client says it is.
    pub credentials: Arc<dyn Credentials>,
    /// Whether a token may travel where anybody on the way can read it: over `http://` to another machine.
    pub allow_plain_token: bool,
    /// Certificates that are trusted beside the machine's own, as PEM: for hubs with a certificate of their own
    /// making. A browser trusts what it trusts.
    pub trusted: Option<Vec<u8>>,
    /// Which failed requests are tried again, and how often.
    pub retry: Retry,
    /// Whether bodies are compressed on the way.
    pub compression: Compression,
    /// How long what may take.
    pub timeouts: Timeouts,
    /// The most bytes of one answer, as they are behind any compression; more is refused while it comes.
    pub answer_bytes: usize,
    /// About the most bytes of one append; what is more goes in several requests.
    pub append_bytes: usize,
    /// Waits.
    pub timer: Arc<dyn Timer>,
    /// Spreads retries.
    pub random: Arc<dyn Random>,
}

impl HttpLogConfig {
    /// A hub's log of a group, with the usual settings and without a token.
    pub fn new(url: impl Into<String>, group: Group) -> Self {
        Self {
            url: url.into(),
            group,
            credentials: Arc::new(NoToken),
            allow_plain_token: false,
            trusted: None,
            retry: Retry::default(),
            compression: Compression::default(),
            timeouts: Timeouts::default(),
            answer_bytes: 64 << 20,
            append_bytes: 8 << 20,
            timer: Arc::new(SystemTimer),
            random: Arc::new(Jitter),
        }
    }

    /// Sends this token.
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.credentials(Arc::new(FixedToken::new(token)))
    }

    /// Asks these credentials for a token whenever something is sent.
    #[must_use]
    pub fn credentials(mut self, credentials: Arc<dyn Credentials>) -> Self {
        self.credentials = credentials;
        self
    }
}

/// Which failed requests are tried again, and how often.
///
/// Every request of an `HttpLog` may be repeated without further effect. Tried again are those to which no answer
/// began, and those that a hub or proxy answered with 408, 425, 429, 502, 503 or 504; if it says when
/// (`Retry-After`), not before. Everything else is an error at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a request is tried, the first time included.
    pub tries: u32,
    /// How long to wait in between.
    pub backoff: Backoff,
    /// No try begins later than this after the first one began.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        let backoff =
            Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(10) };
        Self { tries: 4, backoff, longest: Duration::from_secs(60) }
    }
}

impl Retry {
    /// Tries everything once.
    pub fn never() -> Self {
        Self { tries: 1, ..Self::default() }
    }
}

/// Whether bodies are compressed on the way (gzip).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Where it saves time: not on the way to this machine itself.
    #[default]
    Auto,
    /// To every hub.
    Always,
    /// To none.
    Never,
}

/// How long what may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect; a browser has its own limit.
    pub connect: Duration,
    /// Until an answer begins, behind the time that sending takes.
    pub answer: Duration,
    /// The slowest sending that is waited for, in bytes a second.
    pub slowest: u32,
    /// Until the next piece of an answer comes.
    pub pause: Duration,
    /// How long a stream of notices may be silent; a hub breaks its silence every 15 seconds.
    pub silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            slowest: 8 << 10,
            pause: Duration::from_secs(30),
            silence: Duration::from_secs(45),
        }
    }
}
