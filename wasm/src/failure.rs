//! Errors on their way to JavaScript.

use serde_json::Value as Json;
use syncline::value::json::map;
use syncline::value::json_text;
use syncline::{Error, ErrorKind};
use wasm_bindgen::JsValue;

use crate::json::object;

/// An error on its way to JavaScript, where `ts/errors.ts` makes a class of it: JSON as text.
#[derive(Debug)]
pub struct Failure(Error);

/// What every function that JavaScript calls returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        JsValue::from_str(&json_text::written(&to_json(&failure.0)))
    }
}

/// An error as `ts/errors.ts` reads it.
fn to_json(error: &Error) -> Json {
    let context = error.context().map(|(key, value)| (key.to_owned(), value.into()));
    let mut json = object!(
        "kind": kind(error.kind()),
        "message": error.to_string(),
        "context": map(context),
    );
    if let Some(guard) = error.guard() {
        json["guard"] = guard.into();
    }
    json
}

/// What JavaScript calls a kind.
pub(crate) fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ClockSkew => "clock-skew",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::Denied => "denied",
        ErrorKind::Forked => "forked",
        ErrorKind::Full => "full",
        ErrorKind::Invalid => "invalid",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Rejoin => "rejoin",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::WrongKey => "wrong-key",
        _ => "internal",
    }
}

/// Reads JSON that our own TypeScript wrote.
pub(crate) fn read_json(text: &str) -> Result<Json> {
    let broken = |error| Error::invalid("this is not JSON").caused_by(error);
    json_text::read(text.as_bytes()).map_err(|error| Failure(broken(error)))
}
