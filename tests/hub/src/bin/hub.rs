//! A hub as a process of its own, to be killed: `hub-under-test STORE PORT`.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use syncline::Result;
use syncline::middleware::SystemClock;
use syncline::server::auth::Open;
use syncline::server::sqlite::{SqliteStore, SqliteStoreConfig};
use syncline::server::{Hub, HubConfig};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().expect("the store's file is named");
    let port = arguments.next().and_then(|port| port.parse().ok()).expect("a port is named");
    let store = SqliteStore::open(Path::new(&store), SqliteStoreConfig::default())?;
    let hub = Hub::new(
        HubConfig { rate: 0, ..HubConfig::default() },
        Arc::new(store),
        Arc::new(Open),
        Arc::new(SystemClock),
    );
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let mut stdout = std::io::stdout();
    writeln!(stdout, "ready").and_then(|()| stdout.flush()).expect("somebody listens");
    // Ends with whoever started it, also if that was killed.
    let orphaned = tokio::task::spawn_blocking(|| drop(std::io::stdin().read(&mut [0])));
    hub.serve(vec![listener], None, async { drop(orphaned.await) }).await
}
