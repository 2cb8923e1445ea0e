//! The usual transport: reqwest, which is the browser's own `fetch` in a browser.

#[cfg(not(target_family = "wasm"))]
use std::sync::{PoisonError, RwLock};
#[cfg(not(target_family = "wasm"))]
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::address::Address;
#[cfg(not(target_family = "wasm"))]
use crate::caller::compresses;
use crate::config::HttpLogConfig;
use crate::error::HttpError;
use crate::transport::{Chunks, Fault, FaultKind, Transport};

/// A pool of connections to one hub.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug)]
pub(crate) struct Client {
    pool: RwLock<reqwest::Client>,
    config: HttpLogConfig,
    address: Address,
}

/// The browser's own connections.
#[cfg(target_family = "wasm")]
#[derive(Debug)]
pub(crate) struct Client(reqwest::Client);

#[cfg(not(target_family = "wasm"))]
impl Client {
    pub fn new(config: &HttpLogConfig, address: &Address) -> Result<Self, HttpError> {
        let pool = RwLock::new(Self::pool(config, address)?);
        Ok(Self { pool, config: config.clone(), address: address.clone() })
    }

    fn client(&self) -> reqwest::Client {
        self.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn pool(config: &HttpLogConfig, address: &Address) -> Result<reqwest::Client, HttpError> {
        let builder = reqwest::Client::builder()
            .connect_timeout(config.timeouts.connect)
            // Before a hub ends it, which it does after 90 seconds.
            .pool_idle_timeout(Duration::from_secs(60))
            .gzip(compresses(config.compression, address))
            // A hub never sends elsewhere; a login page of a network does.
            .redirect(reqwest::redirect::Policy::none())
            // The policy of this crate is the only one.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true);
        let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
        let builder = match (address.is_secret(), &config.trusted) {
            // The machine's certificates take time to read, and may be missing in a container.
            (false, _) => builder.tls_certs_only([]),
            (true, None) => builder,
            (true, Some(pem)) => builder.tls_certs_merge(certificates(pem)?),
        };
        builder.build().map_err(|error| HttpError::NoClient(fault(error)))
    }
}

#[cfg(not(target_family = "wasm"))]
fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem);
    certificates.ok().filter(|all| !all.is_empty()).ok_or(HttpError::Certificates)
}

#[cfg(target_family = "wasm")]
impl Client {
    pub fn new(_: &HttpLogConfig, _: &Address) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder().build();
        client.map(Self).map_err(|error| HttpError::NoClient(fault(error)))
    }

    fn client(&self) -> reqwest::Client {
        self.0.clone()
    }
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Transport for Client {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Box<dyn Chunks>>, Fault> {
        let (head, body) = request.into_parts();
        let request = self
            .client()
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body);
        // A browser would keep answers to questions that are asked again and again.
        #[cfg(target_family = "wasm")]
        let request = request.fetch_cache_no_store().fetch_credentials_omit();
        let mut answer = request.send().await.map_err(fault)?;
        let mut response = http::Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response.map(|()| body_of(answer)))
    }

    #[cfg(not(target_family = "wasm"))]
    fn forget_connections(&self) {
        // If there can be no new ones, those that there are have to do.
        if let Ok(fresh) = Self::pool(&self.config, &self.address) {
            *self.pool.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

#[cfg(not(target_family = "wasm"))]
fn body_of(answer: reqwest::Response) -> Box<dyn Chunks> {
    Box::new(Body(answer))
}

#[cfg(not(target_family = "wasm"))]
struct Body(reqwest::Response);

#[cfg(not(target_family = "wasm"))]
#[async_trait]
impl Chunks for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        self.0.chunk().await.map_err(fault)
    }
}

#[cfg(target_family = "wasm")]
type Stream = dyn futures_core::Stream<Item = reqwest::Result<Bytes>>;

#[cfg(target_family = "wasm")]
fn body_of(answer: reqwest::Response) -> Box<dyn Chunks> {
    Box::new(Body(Box::pin(answer.bytes_stream())))
}

#[cfg(target_family = "wasm")]
struct Body(std::pin::Pin<Box<Stream>>);

#[cfg(target_family = "wasm")]
#[async_trait(?Send)]
impl Chunks for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let next = std::future::poll_fn(|context| self.0.as_mut().poll_next(context)).await;
        next.transpose().map_err(fault)
    }
}

fn fault(error: reqwest::Error) -> Fault {
    #[cfg(not(target_family = "wasm"))]
    let is_unreachable = error.is_connect();
    // A browser does not tell why; that the request was not sent is what mostly happened.
    #[cfg(target_family = "wasm")]
    let is_unreachable = error.is_request();
    let kind = if error.is_timeout() {
        FaultKind::Late
    } else if is_unreachable || error.is_builder() {
        FaultKind::Unreachable
    } else {
        FaultKind::Broken
    };
    Fault::new(kind).caused_by(told(&error.without_url()))
}

/// An error and all its causes in one line: the outermost alone says next to nothing.
fn told(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}
