//! A real hub on this machine.
// Each test uses a part of it.
#![allow(dead_code)]

#[path = "../../../../server/tests/common/store.rs"]
#[allow(clippy::unwrap_used)]
mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline_core::clock::StepClock;
use syncline_server::auth::Open;
use syncline_server::{Hub, HubConfig, Tls};
use tokio::net::{TcpListener, TcpStream};

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

/// Something before a hub that counts connections; its address.
pub async fn count_connections(url: &str) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let front = format!("http://{}", listener.local_addr().expect("an address"));
    let (behind, count) = (url.replace("http://", ""), Arc::new(AtomicU64::new(0)));
    let counted = count.clone();
    drop(tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let _ = counted.fetch_add(1, Ordering::SeqCst);
            let mut hub = TcpStream::connect(&behind).await.expect("the hub listens");
            drop(tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut hub).await;
            }));
        }
    }));
    (front, count)
}
