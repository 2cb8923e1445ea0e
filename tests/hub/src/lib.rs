//! Hubs as processes, and ways to them that lie.

mod process;
mod proxy;

pub use process::{HubProcess, free_port};
pub use proxy::{Mischief, Proxy};

use syncline::shared_log::http::{HttpLog, HttpLogConfig, Retry};

/// A client of a hub that tries everything once, so that tests see each failure.
pub fn client(url: &str) -> HttpLog {
    let mut config = HttpLogConfig::new(url, "test".parse().expect("a group"));
    config.retry = Retry::never();
    HttpLog::with(config).expect("the address is one")
}
