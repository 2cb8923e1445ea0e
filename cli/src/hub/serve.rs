//! Running a hub.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use syncline::middleware::SystemClock;
use syncline::server::auth::{AnyOf, Authenticate, Jwt, JwtRules, Keys, Open, TokenFile};
use syncline::server::sqlite::{SqliteStore, SqliteStoreConfig};
use syncline::server::{Hub, HubConfig, Origins, Tls};
use syncline::{Error, ErrorKind, Result};
use tokio::net::{TcpListener, TcpSocket};
use tracing_subscriber::EnvFilter;

use super::read;
use crate::args::{Durability, hub::Serve};
use crate::output::Output;

/// Runs a hub until it is told to stop.
pub async fn serve(durability: Durability, output: &Output, serve: &Serve) -> Result<()> {
    let gate = gate(serve)?;
    let is_open = gate.is_none();
    if is_open && let Some(public) = serve.listen.iter().find(|at| !at.ip().is_loopback()) {
        return Err(Error::invalid(
            "without tokens everyone may do everything, so a hub listens on loopback only; name --tokens, \
             --jwt-secret, --jwt-key or --jwks",
        )
        .with("listen", public));
    }
    let origins = Origins::parse(serve.allow_origin.iter().map(String::as_str))?;
    if is_open && origins == Origins::any() {
        return Err(Error::invalid(
            "without tokens every page that anybody visits here could read and change everything; name the \
             origins, or --tokens",
        ));
    }
    let tls = tls(serve)?;
    let config = HubConfig {
        origins,
        app: app(serve)?,
        quota_bytes: serve.quota.saturating_mul(1 << 20),
        rate: serve.rate,
        burst: serve.rate.saturating_mul(2),
        wrong_tokens: serve.wrong_tokens,
        groups: serve.groups,
        budget_bytes: serve.memory.saturating_mul(1 << 20),
        ..HubConfig::default()
    };
    start_logging(output.is_json());
    let store = SqliteStore::open(&serve.store, store_config(durability))?;
    let gate = gate.unwrap_or_else(|| Arc::new(Open));
    let hub = Hub::new(config, Arc::new(store), gate, Arc::new(SystemClock));
    let mut listeners = Vec::new();
    let mut addresses = Vec::new();
    for at in &serve.listen {
        let listener = listen(*at).map_err(|error| not_listening(*at, error))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let bound = listener.local_addr().map_err(|error| not_listening(*at, error))?;
        addresses.push(format!("{scheme}://{bound}"));
        listeners.push(listener);
    }
    let says = if is_open { "; for this machine alone, without tokens" } else { "" };
    output.result(
        || json!({"listening": addresses, "store": serve.store, "open": is_open}),
        || format!("the hub is at {}{says}", addresses.join(" and ")),
    )?;
    hub.serve(listeners, tls, told_to_stop()).await
}

fn store_config(durability: Durability) -> SqliteStoreConfig {
    use syncline::server::sqlite::Durability as Survives;

    let durability = match durability {
        Durability::Full => Survives::Full,
        Durability::Normal => Survives::Normal,
    };
    SqliteStoreConfig { durability, ..SqliteStoreConfig::default() }
}

/// The application's folder, if there is one to be served.
fn app(serve: &Serve) -> Result<Option<PathBuf>> {
    let Some(folder) = &serve.app else { return Ok(None) };
    if !folder.join("index.html").is_file() {
        let message = "this folder has no index.html; build the application, or name the folder that it is built to";
        return Err(Error::new(ErrorKind::NotFound, message).with("path", folder.display()));
    }
    Ok(Some(folder.clone()))
}

/// Who lets clients in, if anything was said about that.
fn gate(serve: &Serve) -> Result<Option<Arc<dyn Authenticate>>> {
    let mut gates: Vec<Arc<dyn Authenticate>> = Vec::new();
    if let Some(file) = &serve.tokens {
        gates.push(Arc::new(TokenFile::open(file)?));
    }
    let mut keys = Keys::new();
    if let Some(file) = &serve.jwt_secret {
        keys = keys.with_secret_file(file)?;
    }
    if let Some(file) = &serve.jwt_key {
        keys = keys.with_public_key_file(file)?;
    }
    if let Some(file) = &serve.jwks {
        keys = keys.with_key_set_file(file)?;
    }
    if serve.jwt_secret.is_some() || serve.jwt_key.is_some() || serve.jwks.is_some() {
        let rules = JwtRules { audience: serve.audience.clone(), ..JwtRules::default() };
        gates.push(Arc::new(Jwt::new(keys, rules)));
    }
    Ok((!gates.is_empty()).then(|| Arc::new(AnyOf::new(gates)) as Arc<dyn Authenticate>))
}

fn tls(serve: &Serve) -> Result<Option<Tls>> {
    let (Some(certificate), Some(key)) = (&serve.tls_cert, &serve.tls_key) else { return Ok(None) };
    let certificate = read("the certificate cannot be read", certificate)?;
    Tls::from_pem(&certificate, &read("the certificate's key cannot be read", key)?).map(Some)
}

/// Listens, with room for many who come at once, as after a restart.
fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(4_096)
}

fn not_listening(at: SocketAddr, error: std::io::Error) -> Error {
    let message = "the hub cannot listen there; is another one running, or is the address not this machine's?";
    Error::new(ErrorKind::Unavailable, message).with("listen", at).caused_by(error)
}

/// The hub's own log goes to stderr: as JSON if that was asked for. The variable `RUST_LOG` says how much.
fn start_logging(as_json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Somebody who embeds the command may have a log already.
    let _ = if as_json { log.json().try_init() } else { log.try_init() };
}

/// Ready at Ctrl-C, and at the signal with which services are stopped.
pub async fn told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};

        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
