//! Paths: where a hub answers what.

use syncline_core::{Error, Group, Result};

/// Without a token: the versions that a hub speaks, and what time it is.
pub const ROOT: &str = "/v1";

/// The path of something of a group, such as `exchange` or `items/upload`.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](syncline_core::ErrorKind::Invalid) if the group's name cannot stand in a path: `.`
/// and `..` mean something else there.
///
/// # Example
///
/// ```
/// use syncline_shared_log_wire::path;
///
/// assert_eq!(path::of(&"a/b".parse()?, "exchange")?, "/v1/groups/a%2Fb/exchange");
/// # Ok::<(), syncline_core::Error>(())
/// ```
pub fn of(group: &Group, what: &str) -> Result<String> {
    if matches!(group.as_str(), "." | "..") {
        return Err(Error::invalid(
            "a group of a hub cannot be named `.` or `..`; choose another name",
        ));
    }
    Ok(format!("{ROOT}/groups/{}/{what}", escaped(group.as_str())))
}

/// Text as one part of a path.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
