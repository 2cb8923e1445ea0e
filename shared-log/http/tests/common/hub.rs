//! A real hub on this machine.
// Each test uses a part of it.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline_core::clock::StepClock;
use syncline_server::auth::Open;
use syncline_server::{Hub, HubConfig, HubStore, Tls};
use syncline_server_sqlite::SqliteStore;
use tokio::net::{TcpListener, TcpStream};

/// What time it is there: later than what is sealed in tests.
pub const NOW: i64 = 1_800_000_000_000;

/// A new store in memory.
pub fn store() -> SqliteStore {
    SqliteStore::open_in_memory().expect("SQLite starts")
}

/// A hub that serves until the test ends; its address.
pub async fn serve(store: impl HubStore, tls: Option<Tls>) -> String {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (hub, address) = start(store, tls, "127.0.0.1:0".parse().expect("an address")).await;
    // Its connections keep it.
    drop(hub);
    format!("{scheme}://localhost:{}", address.port())
}

/// A hub that serves until it is stopped, and where.
pub async fn start(
    store: impl HubStore,
    tls: Option<Tls>,
    address: SocketAddr,
) -> (Running, SocketAddr) {
    let listener = TcpListener::bind(address).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let clock = Arc::new(StepClock::new(NOW, 0));
    let hub = Hub::new(HubConfig::default(), Arc::new(store), Arc::new(Open), clock);
    let serving = hub.clone();
    let task = tokio::spawn(async move {
        serving.serve(vec![listener], tls, std::future::pending()).await.expect("it ends well");
    });
    (Running { hub, task }, address)
}

/// A hub that serves.
pub struct Running {
    hub: Hub,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Ends, after what it accepted.
    pub async fn stop(self) {
        self.hub.stop();
        self.task.await.expect("it ends");
    }
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
