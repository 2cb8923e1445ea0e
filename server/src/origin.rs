//! Pages of which origins may ask a hub, and by which names it is asked.
//!
//! A browser lets every page that its user visits send requests to `localhost`. A hub that lets in everyone is
//! protected by its address alone, so it must not answer pages from elsewhere: neither those that say so
//! (`origin`) nor those whose own name was made to point here, which a browser takes for the hub's pages.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use syncline_core::{Error, ErrorKind, Result};
use syncline_shared_log_wire::{
    NUMBER_HEADER, PROTOCOL_HEADER, REQUEST_HEADER, SUM_HEADER, TIME_HEADER,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::Hub;

/// For how long a browser need not ask again whether it may ask. Browsers take no longer time than this.
const REMEMBERED: Duration = Duration::from_secs(2 * 3600);

/// The origins (such as `https://app.example`) whose pages may ask a hub.
///
/// If nothing is said, that follows from who is [let in](crate::auth::Authenticate::is_open): a hub that asks for
/// tokens answers every page, since a page must know a token, and browsers send none by themselves. A hub that
/// lets in everyone answers pages of its own machine only, and only if it is asked by an address or by a name of
/// loopback. Named origins take the place of that, for both: others are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Said);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    Any,
    Only(Vec<String>),
}

impl Origins {
    /// Those of all pages, whoever is let in.
    pub fn any() -> Self {
        Self(Said::Any)
    }

    /// Those that these texts name: each `scheme://host` or `scheme://host:port`, or `*` for any. None says
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if one is no origin.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_server::Origins;
    ///
    /// assert_eq!(Origins::parse(["*"])?, Origins::any());
    /// assert_eq!(Origins::parse([])?, Origins::default());
    /// assert!(Origins::parse(["https://app.example/path"]).is_err());
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut only = Vec::new();
        for text in texts {
            if text == "*" {
                return Ok(Self::any());
            }
            only.push(written(text).ok_or_else(|| {
                let message =
                    "an origin is `scheme://host` or `scheme://host:port`, with nothing behind it";
                Error::invalid(message).with("origin", text)
            })?);
        }
        Ok(Self(if only.is_empty() { Said::Nothing } else { Said::Only(only) }))
    }

    /// Whether a page of this origin may ask a hub that lets in everyone, or only whom it knows.
    fn allow(&self, origin: &HeaderValue, is_open: bool) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        match &self.0 {
            Said::Any => true,
            Said::Nothing => !is_open || host_of(origin).as_deref().is_some_and(is_loopback),
            Said::Only(only) => written(origin).is_some_and(|origin| only.contains(&origin)),
        }
    }

    /// Whether a hub that lets in everyone may be asked by this name.
    fn allow_name(&self, host: &str) -> bool {
        let is_named =
            |only: &[String]| only.iter().any(|one| host_of(one).as_deref() == Some(host));
        match &self.0 {
            Said::Any => true,
            Said::Nothing => is_local_name(host),
            Said::Only(only) => is_local_name(host) || is_named(only),
        }
    }
}

/// An origin as browsers write it.
fn written(text: &str) -> Option<String> {
    let (scheme, authority) = text.split_once("://")?;
    let is_scheme =
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let authority: Authority = authority.parse().ok()?;
    if scheme.is_empty()
        || !is_scheme
        || authority.host().is_empty()
        || authority.as_str().contains('@')
    {
        return None;
    }
    let usual = [("http", 80), ("https", 443)];
    let scheme = scheme.to_ascii_lowercase();
    let host = authority.host().to_ascii_lowercase();
    Some(match authority.port_u16() {
        Some(port) if !usual.contains(&(&scheme, port)) => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

fn host_of(origin: &str) -> Option<String> {
    let authority: Authority = origin.split_once("://")?.1.parse().ok()?;
    Some(authority.host().to_ascii_lowercase())
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether this names the machine itself, whatever a name service says.
fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_name = name == "localhost" || name.ends_with(".localhost");
    is_name || address(host).is_some_and(|address| address.to_canonical().is_loopback())
}

/// Whether nobody else can make this name lead here: an address is no name.
fn is_local_name(host: &str) -> bool {
    is_loopback(host) || address(host).is_some()
}

/// By which names a request asks: one, unless somebody is up to something.
fn names<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
    let hosts = headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    hosts.chain(uri.authority().map(|authority| authority.as_str().as_bytes()))
}

/// Whether this page is the hub's own: its origin is where the request went.
fn is_own(origin: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> bool {
    let origin = origin.to_str().unwrap_or_default().split_once("://");
    let Some((_, authority)) = origin else { return false };
    names(uri, headers).any(|name| name.eq_ignore_ascii_case(authority.as_bytes()))
}

/// Refuses what comes from pages that may not ask.
pub(crate) fn check(hub: &Hub, request: &Request) -> Result<()> {
    let (origins, is_open) = (&hub.config().origins, hub.gate().is_open());
    let (uri, headers) = (request.uri(), request.headers());
    if is_open {
        for name in names(uri, headers) {
            let name = Authority::try_from(name).map(|name| name.host().to_ascii_lowercase());
            if !name.is_ok_and(|name| origins.allow_name(&name)) {
                let message = "a hub that lets in everyone is asked by its address or as `localhost`: another \
                    name may lead here for a page from elsewhere; ask so, or have the hub allow this origin";
                return Err(Error::new(ErrorKind::Denied, message));
            }
        }
    }
    for origin in headers.get_all(header::ORIGIN) {
        if !origins.allow(origin, is_open) && !is_own(origin, uri, headers) {
            let message = "pages of this origin may not ask this hub; have it allow the origin";
            let told = String::from_utf8_lossy(origin.as_bytes()).into_owned();
            return Err(Error::new(ErrorKind::Denied, message).with("origin", told));
        }
    }
    Ok(())
}

/// Tells browsers which pages may ask, what they may send and what they may see.
///
/// No cookies and no passwords of the browser's: who asks is said by a token that the page sends itself.
pub(crate) fn layer(hub: &Hub) -> CorsLayer {
    let sent = [PROTOCOL_HEADER, REQUEST_HEADER, SUM_HEADER].map(HeaderName::from_static);
    // Not `content-encoding`: whoever sees it behind a browser would unfold a second time.
    let seen =
        [TIME_HEADER, REQUEST_HEADER, NUMBER_HEADER, SUM_HEADER].map(HeaderName::from_static);
    let seen = seen.into_iter().chain([
        header::RETRY_AFTER,
        header::WWW_AUTHENTICATE,
        header::ALLOW,
        header::UPGRADE,
    ]);
    CorsLayer::new()
        .allow_origin(allowed(hub))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(
            sent.into_iter()
                .chain([
                    header::AUTHORIZATION,
                    header::CONTENT_TYPE,
                    header::CONTENT_ENCODING,
                    HeaderName::from_static("last-event-id"),
                ])
                .collect::<Vec<_>>(),
        )
        .expose_headers(seen.collect::<Vec<_>>())
        .max_age(REMEMBERED)
        .allow_private_network(true)
}

fn allowed(hub: &Hub) -> AllowOrigin {
    let (origins, is_open) = (hub.config().origins.clone(), hub.gate().is_open());
    let is_any = origins.0 == Said::Any || (origins.0 == Said::Nothing && !is_open);
    if is_any {
        return AllowOrigin::any();
    }
    AllowOrigin::predicate(move |origin: &HeaderValue, head: &Parts| {
        origins.allow(origin, is_open) || is_own(origin, &head.uri, &head.headers)
    })
}
