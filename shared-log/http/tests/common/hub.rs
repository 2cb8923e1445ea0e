//! A real hub on this machine.

#[path = "../../../../server/tests/common/store.rs"]
#[allow(clippy::unwrap_used)]
mod store;

use std::sync::Arc;

use syncline_core::clock::StepClock;
use syncline_server::auth::Open;
use syncline_server::{Hub, HubConfig, Tls};
use tokio::net::TcpListener;

pub use store::TestStore;

/// What time it is there: later than what is sealed in tests.
pub const NOW: i64 = 1_800_000_000_000;

/// A hub that serves until the test ends; its address.
pub async fn serve(store: Arc<TestStore>, tls: Option<Tls>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let scheme = if tls.is_some() { "https" } else { "http" };
    let clock = Arc::new(StepClock::new(NOW, 0));
    let hub = Hub::new(HubConfig::default(), store, Arc::new(Open), clock);
    drop(tokio::spawn(async move { hub.serve(vec![listener], tls, std::future::pending()).await }));
    format!("{scheme}://localhost:{}", address.port())
}
