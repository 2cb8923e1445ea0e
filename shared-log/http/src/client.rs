//! The usual transport: reqwest.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::address::Address;
use crate::caller::compresses;
use crate::config::HttpLogConfig;
use crate::error::HttpError;
use crate::transport::{Chunks, Fault, FaultKind, Transport};

/// A pool of connections to one hub.
#[derive(Debug)]
pub(crate) struct Client {
    pool: RwLock<reqwest::Client>,
    config: HttpLogConfig,
    address: Address,
}

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

fn certificates(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem);
    certificates.ok().filter(|all| !all.is_empty()).ok_or(HttpError::Certificates)
}

#[async_trait]
impl Transport for Client {
    async fn send(
        &self,
        request: crate::http::Request<Bytes>,
    ) -> Result<crate::http::Response<Box<dyn Chunks>>, Fault> {
        let (head, body) = request.into_parts();
        let request = self
            .client()
            .request(head.method, head.uri.to_string())
            .headers(head.headers)
            .body(body);
        let mut answer = request.send().await.map_err(fault)?;
        let mut response = crate::http::Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response.map(|()| body_of(answer)))
    }

    fn forget_connections(&self) {
        // If there can be no new ones, those that there are have to do.
        if let Ok(fresh) = Self::pool(&self.config, &self.address) {
            *self.pool.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

fn body_of(answer: reqwest::Response) -> Box<dyn Chunks> {
    Box::new(Body(answer))
}

struct Body(reqwest::Response);

#[async_trait]
impl Chunks for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        self.0.chunk().await.map_err(fault)
    }
}

fn fault(error: reqwest::Error) -> Fault {
    let kind = if error.is_timeout() {
        FaultKind::Late
    } else if error.is_connect() || error.is_builder() {
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
