//! The custom field types that are always there: `random-key` and `url`.

use std::sync::Arc;

use super::{CustomType, FieldType, Primitive};
use crate::clock::Random;
use crate::value::Quoted;
use crate::value::Value;
use crate::{Error, Result, id};

/// The names of the types in this file.
pub(super) const NAMES: [&str; 2] = ["random-key", "url"];

/// The type of this name, with nothing handed in.
pub(super) fn built_in(name: &str) -> Option<FieldType> {
    match name {
        "random-key" => Some(FieldType::Custom(Arc::new(RandomKey::default()))),
        "url" => Some(FieldType::Custom(Arc::new(Url))),
        _ => None,
    }
}

/// Text that nobody else has: 32 random hexadecimal digits, unless the application gives its own.
///
/// A schema that is read from JSON knows this type without a generator; then an object must come with
/// its key. [`Registry::custom`](super::Registry::custom) hands the generator in.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use syncline_core::schema::{CustomType, RandomKey};
/// use syncline_core::{Random, Value};
///
/// #[derive(Debug)]
/// struct Seven;
/// impl Random for Seven {
///     fn bytes(&self) -> [u8; 16] {
///         [7; 16]
///     }
/// }
///
/// let kind = RandomKey::new(Arc::new(Seven));
/// assert_eq!(kind.prepare(None)?, Some(Value::from("07".repeat(16))));
/// assert_eq!(kind.prepare(Some("mine".into()))?, Some(Value::from("mine")));
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RandomKey {
    random: Option<Arc<dyn Random>>,
}

impl RandomKey {
    /// Makes keys from this randomness.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self { random: Some(random) }
    }
}

impl CustomType for RandomKey {
    fn name(&self) -> &'static str {
        "random-key"
    }

    fn primitive(&self) -> Primitive {
        Primitive::Text
    }

    fn prepare(&self, value: Option<Value>) -> Result<Option<Value>> {
        match (value, &self.random) {
            (Some(Value::Text(text)), _) if text.is_empty() => {
                Err(Error::invalid("a random key is not empty; leave the field out to get one"))
            }
            (Some(value @ (Value::Text(_) | Value::Null)), _) => Ok(Some(value)),
            (Some(other), _) => Err(wrong_type("random-key", &other)),
            (None, Some(random)) => Ok(Some(Value::Text(id::hex(&random.bytes())))),
            (None, None) => Err(Error::invalid(
                "a random key needs a generator; register `RandomKey::new` with the registry",
            )),
        }
    }
}

/// Text that is an absolute URL with a scheme and a host; both are stored in lower case.
///
/// # Example
///
/// ```
/// use syncline_core::schema::{CustomType, Url};
/// use syncline_core::Value;
///
/// let stored = Url.prepare(Some("HTTPS://Example.com/Path".into()))?;
/// assert_eq!(stored, Some(Value::from("https://example.com/Path")));
/// assert!(Url.prepare(Some("example.com".into())).is_err());
/// # Ok::<(), syncline_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Url;

impl CustomType for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn primitive(&self) -> Primitive {
        Primitive::Text
    }

    fn prepare(&self, value: Option<Value>) -> Result<Option<Value>> {
        match value {
            None | Some(Value::Null) => Ok(value),
            Some(Value::Text(text)) => match normalise(&text) {
                Ok(url) => Ok(Some(Value::Text(url))),
                Err(reason) => Err(Error::invalid(reason).with("url", Quoted(&text))),
            },
            Some(other) => Err(wrong_type("url", &other)),
        }
    }
}

fn wrong_type(wanted: &str, got: &Value) -> Error {
    Error::invalid("the value is of another type")
        .with("wanted", wanted)
        .with("got", got.type_name())
}

/// The URL with scheme and host in lower case, or what is wrong with it.
fn normalise(text: &str) -> Result<String, &'static str> {
    if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err("a URL holds no spaces or control characters; write them as %20 and so on");
    }
    let (scheme, rest) =
        text.split_once("://").ok_or("a URL begins with a scheme, such as `https://`")?;
    let letter = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !letter || !scheme.bytes().all(inside) {
        return Err("the scheme of a URL is letters, digits, `+`, `-` and `.`");
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let (host, port) = split_port(address)?;
    check_host(host)?;
    let mut url = format!("{}://", scheme.to_ascii_lowercase());
    if let Some(user) = user {
        url.push_str(user);
        url.push('@');
    }
    url.push_str(&host.to_ascii_lowercase());
    if let Some(port) = port {
        url.push(':');
        url.push_str(port);
    }
    url.push_str(path);
    Ok(url)
}

fn split_port(address: &str) -> Result<(&str, Option<&str>), &'static str> {
    let colon = match address.rfind(']') {
        Some(bracket) => address[bracket..].find(':').map(|at| bracket + at),
        None if address.starts_with('[') => None,
        None => address.find(':'),
    };
    let Some(colon) = colon else { return Ok((address, None)) };
    let port = &address[colon + 1..];
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || port.parse::<u16>().is_err() {
        return Err("the port of a URL is a number up to 65535");
    }
    Ok((&address[..colon], Some(port)))
}

fn check_host(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("a URL names a host after `://`");
    }
    if let Some(inner) = host.strip_prefix('[') {
        let address =
            inner.strip_suffix(']').and_then(|inner| inner.parse::<std::net::Ipv6Addr>().ok());
        return address.map(|_| ()).ok_or("the host of a URL in brackets is an IPv6 address");
    }
    if host.contains(['<', '>', '"', '\\', '^', '`', '{', '|', '}', '[', ']', '@']) {
        return Err("the host of a URL has a character that no host has");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_host_are_stored_in_lower_case_and_nothing_else_changes() {
        for (given, stored) in [
            ("HTTP://EXAMPLE.com", "http://example.com"),
            ("https://User:Pw@Host.DE:8080/A?B=C#D", "https://User:Pw@host.de:8080/A?B=C#D"),
            ("https://[2001:DB8::1]:1/X", "https://[2001:db8::1]:1/X"),
            ("web+app://Host?Q", "web+app://host?Q"),
            ("https://münchen.de/ü", "https://münchen.de/ü"),
        ] {
            assert_eq!(normalise(given), Ok(stored.to_owned()));
            assert_eq!(
                normalise(stored),
                Ok(stored.to_owned()),
                "storing it again changes nothing"
            );
        }
    }

    #[test]
    fn what_is_not_a_url_is_refused_with_the_reason() {
        for (given, reason) in [
            ("", "scheme"),
            ("example.com/x", "scheme"),
            ("mailto:ann@example.com", "scheme"),
            ("1http://x", "scheme"),
            ("file:///etc/hosts", "host"),
            ("https://?q", "host"),
            ("https://user@/x", "host"),
            ("https://a b", "spaces"),
            ("https://a\0", "control"),
            ("https://x:99999", "port"),
            ("https://x:", "port"),
            ("https://[::1/x", "IPv6"),
            ("https://[zz]", "IPv6"),
            ("https://a{b}", "character"),
        ] {
            let error = normalise(given).unwrap_err();
            assert!(error.contains(reason), "{given:?}: {error}");
        }
    }

    #[test]
    fn a_random_key_without_a_generator_must_be_given() {
        let kind = RandomKey::default();
        let error = kind.prepare(None).unwrap_err().to_string();
        assert!(error.contains("generator"), "{error}");
        assert_eq!(kind.prepare(Some("x".into())).unwrap(), Some("x".into()));
        assert!(kind.prepare(Some("".into())).is_err());
        assert!(kind.prepare(Some(1.into())).is_err());
    }
}
