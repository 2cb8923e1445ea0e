//! JSON as text, read and written.
//!
//! Natively `serde_json` does both. Browsers would load its code for each type that could come as JSON, and its tables
//! for numbers; all that is ever read here is a [`Json`] value, and what follows does the same with it.

#[cfg(any(target_family = "wasm", test))]
mod float;
#[cfg(any(target_family = "wasm", test))]
mod read;
#[cfg(any(target_family = "wasm", test))]
mod write;

use serde_json::Value as Json;

#[cfg(target_family = "wasm")]
pub use read::Broken;
#[cfg(not(target_family = "wasm"))]
pub use serde_json::Error as Broken;

/// How deep a value may be nested.
#[cfg(any(target_family = "wasm", test))]
const DEEPEST: usize = 127;

/// Reads a value.
///
/// # Errors
///
/// What is wrong with the text: it is not JSON, or nested deeper than 127 times.
pub fn read(text: &[u8]) -> Result<Json, Broken> {
    #[cfg(not(target_family = "wasm"))]
    return serde_json::from_slice(text);
    #[cfg(target_family = "wasm")]
    return read::read(text, DEEPEST);
}

/// Reads a value that is known not to be nested too deep for the stack.
///
/// # Errors
///
/// What is wrong with the text.
pub(crate) fn read_flat(text: &[u8]) -> Result<Json, Broken> {
    #[cfg(not(target_family = "wasm"))]
    {
        use serde::Deserialize;
        let mut reader = serde_json::Deserializer::from_slice(text);
        reader.disable_recursion_limit();
        let json = Json::deserialize(&mut reader)?;
        reader.end().map(|()| json)
    }
    #[cfg(target_family = "wasm")]
    read::read(text, usize::MAX)
}

/// A value as text, without spaces.
pub fn written(json: &Json) -> String {
    #[cfg(not(target_family = "wasm"))]
    return json.to_string();
    #[cfg(target_family = "wasm")]
    return super::canonical::json_text(json);
}

/// Appends what a scalar is written as.
pub(super) fn put_scalar(out: &mut String, scalar: &Json) {
    #[cfg(not(target_family = "wasm"))]
    out.push_str(&scalar.to_string());
    #[cfg(target_family = "wasm")]
    write::put_scalar(out, scalar);
}

/// A float as `{:?}` writes it.
pub(crate) fn float_text(float: f64) -> String {
    #[cfg(not(target_family = "wasm"))]
    return format!("{float:?}");
    #[cfg(target_family = "wasm")]
    {
        if !float.is_finite() {
            return format!("{float:e}");
        }
        let mut out = String::new();
        float::put_debug(&mut out, float);
        out
    }
}

/// Appends a text in quotes.
pub(super) fn put_text(out: &mut String, text: &str) {
    #[cfg(not(target_family = "wasm"))]
    out.push_str(&Json::from(text).to_string());
    #[cfg(target_family = "wasm")]
    write::put_text(out, text);
}

#[cfg(test)]
mod tests;
