//! Where a hub is.

use std::net::IpAddr;

use crate::http::Uri;
use syncline_core::{Group, Result};
use syncline_shared_log_wire::path;

use crate::error::HttpError;

/// The checked address of a hub, and of one group there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host, port and prefix, without a slash at the end.
    base: String,
    host: String,
    is_secret: bool,
    group: Group,
}

impl Address {
    pub fn parse(url: &str, group: Group) -> Result<Self> {
        // Nothing of a group that cannot stand in a path is ever asked.
        let _ = path::of(&group, "")?;
        let uri: Uri = url.trim().parse().map_err(|_| HttpError::NoUrl)?;
        let is_secret = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(HttpError::Scheme.into()),
        };
        let authority = uri.authority().ok_or(HttpError::NoUrl)?;
        if authority.as_str().contains('@') {
            return Err(HttpError::UrlWithCredentials.into());
        }
        if uri.query().is_some() || url.contains('#') {
            return Err(HttpError::UrlWithQuery.into());
        }
        let prefix = uri.path().trim_end_matches('/');
        if prefix.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(HttpError::UrlWithDots.into());
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(HttpError::NoUrl.into());
        }
        let (scheme, usual) = if is_secret { ("https", 443) } else { ("http", 80) };
        let port = uri.port_u16().filter(|port| *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self { base: format!("{scheme}://{host}{port}{prefix}"), host, is_secret, group })
    }

    /// The URL of something of the group, or, if it begins with a slash, of the hub.
    pub fn of(&self, what: &str) -> Result<String> {
        if what.starts_with('/') {
            return Ok(format!("{}{what}", self.base));
        }
        Ok(format!("{}{}", self.base, path::of(&self.group, what)?))
    }

    /// The same address and the same group have the same name.
    pub fn name(&self) -> String {
        format!("{}{}/groups/{}", self.base, path::ROOT, path::escaped(self.group.as_str()))
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Whether the hub runs on this machine.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Whether connections are secure.
    #[cfg(not(target_family = "wasm"))]
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// Whether nobody on the way can read what is sent.
    pub fn keeps_secrets(&self) -> bool {
        self.is_secret || self.is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::ErrorKind;

    fn address(url: &str) -> Result<Address> {
        Address::parse(url, "a/b".parse()?)
    }

    #[test]
    fn the_same_place_has_the_same_name() {
        let name = "https://hub.example.org/sync/v1/groups/a%2Fb";
        for url in [
            "https://hub.example.org/sync",
            "https://hub.example.org/sync/",
            "HTTPS://Hub.Example.ORG:443/sync",
        ] {
            assert_eq!(address(url).unwrap().name(), name);
        }
        let other = address("http://hub.example.org:81").unwrap();
        assert_eq!(other.name(), "http://hub.example.org:81/v1/groups/a%2Fb");
        assert_eq!(other.of("peers").unwrap(), "http://hub.example.org:81/v1/groups/a%2Fb/peers");
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_a_way_out() {
        for (url, says) in [
            ("", "https://"),
            ("hub.example.org", "https://"),
            ("ftp://hub.example.org", "https://"),
            ("http://", "https://"),
            ("https://ann:secret@hub.example.org", "credentials"),
            ("https://hub.example.org/?a=b", "`?`"),
            ("https://hub.example.org/#a", "`?`"),
            ("https://hub.example.org/a/../b", "`..`"),
        ] {
            let error = address(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{url}");
            assert!(error.message().contains(says), "{url}: {error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        assert!(Address::parse("https://hub.example.org", "..".parse().unwrap()).is_err());
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://localhost:1", "http://127.0.0.1", "http://127.9.9.9", "http://[::1]:80"]
        {
            assert!(address(url).unwrap().is_loopback(), "{url}");
        }
        for url in ["http://localhost.evil.org", "http://10.0.0.1", "http://127.0.0.1.evil.org"] {
            assert!(!address(url).unwrap().keeps_secrets(), "{url}");
        }
        assert!(address("https://hub.example.org").unwrap().keeps_secrets());
    }
}
