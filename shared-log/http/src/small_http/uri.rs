//! URLs.

use std::str::FromStr;

/// A URL, or what stands in place of one.
#[derive(Debug)]
pub struct Uri {
    scheme: Option<String>,
    authority: Option<Authority>,
    path: String,
    query: Option<String>,
}

impl Uri {
    /// `https`, for example; nothing if this is no URL.
    pub fn scheme_str(&self) -> Option<&str> {
        self.scheme.as_deref()
    }

    /// Host and port.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// The port, if it is there.
    pub fn port_u16(&self) -> Option<u16> {
        self.authority.as_ref()?.port
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands behind `?`.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

/// Host and port, and perhaps credentials.
#[derive(Debug)]
pub struct Authority {
    whole: String,
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// A text that is no URL.
#[derive(Debug)]
pub struct InvalidUri;

impl FromStr for Uri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        if text.is_empty() || text.bytes().any(|byte| byte <= b' ' || b"<>`\x7f".contains(&byte)) {
            return Err(InvalidUri);
        }
        let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme))
        else {
            let path = text.to_owned();
            return Ok(Self { scheme: None, authority: None, path, query: None });
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, what) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = match what.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (what, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self {
            scheme: Some(scheme.to_owned()),
            authority: Some(authority.parse()?),
            path: path.to_owned(),
            query,
        })
    }
}

fn is_scheme(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

impl FromStr for Authority {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        let fits =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%@[]".contains(&byte);
        if text.is_empty() || !text.bytes().all(fits) {
            return Err(InvalidUri);
        }
        let behind = text.rsplit_once('@').map_or(text, |(_, behind)| behind);
        // An address with colons stands in brackets.
        let end = match behind.strip_prefix('[') {
            Some(inside) => inside.find(']').ok_or(InvalidUri)? + 2,
            None => behind.find(':').unwrap_or(behind.len()),
        };
        let (host, rest) = behind.split_at(end);
        let port = match rest.strip_prefix(':') {
            Some(port) if port.contains(':') => return Err(InvalidUri),
            Some(port) => port.parse().ok(),
            None if rest.is_empty() => None,
            None => return Err(InvalidUri),
        };
        if host.contains(['[', ']']) && !behind.starts_with('[') {
            return Err(InvalidUri);
        }
        Ok(Self { whole: text.to_owned(), host: host.to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::Uri;

    #[test]
    fn browsers_take_an_address_apart_as_everybody_else() {
        for text in [
            "",
            " ",
            "*",
            "/a",
            "hub",
            "hub.example.org",
            "hub:80",
            "http:",
            "http:/",
            "http://",
            "http:///",
            "http://?a",
            "http://hub",
            "https://hub.example.org",
            "HTTPS://Hub.Example.ORG:443/sync",
            "http://hub:81/a/b?c=d#e",
            "http://hub/a#b?c",
            "http://hub#a",
            "http://hub?a",
            "http://hub:",
            "http://hub:x",
            "http://hub:70000",
            "http://hub:1:2",
            "http://[::1]",
            "http://[::1]:80/a",
            "http://[::1",
            "http://::1",
            "http://a]b",
            "http://ann:secret@hub:80/",
            "http://ann@hub",
            "http://a b",
            "http://hub/a b",
            "http://hub/<",
            "http://h\u{e4}b",
            "http://hub/a\"b",
            "http://hub/a\\b",
            "http://hub/a|b",
            "http://hub/a%20b",
            "ftp://hub",
            "http://hub\\a",
        ] {
            let (ours, theirs) = (text.parse::<Uri>(), text.parse::<http::Uri>());
            let theirs = theirs.ok().filter(|uri| uri.scheme().is_some());
            let ours = ours.ok().filter(|uri| uri.scheme.is_some());
            assert_eq!(ours.is_some(), theirs.is_some(), "{text}");
            let (Some(ours), Some(theirs)) = (ours, theirs) else { continue };
            assert!(
                ours.scheme_str().is_some_and(|ours| Some(ours) == theirs.scheme_str()
                    || ours.eq_ignore_ascii_case(theirs.scheme_str().unwrap_or_default())),
                "{text}"
            );
            assert_eq!(
                ours.authority().map(|of| of.as_str()),
                theirs.authority().map(|of| of.as_str()),
                "{text}"
            );
            assert_eq!(ours.authority().map(|of| of.host()), theirs.host(), "{text}");
            assert_eq!(ours.port_u16(), theirs.port_u16(), "{text}");
            assert_eq!((ours.path(), ours.query()), (theirs.path(), theirs.query()), "{text}");
        }
    }
}
