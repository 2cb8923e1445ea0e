//! Scalars as JSON text, letter for letter as `serde_json` has them.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::float;

/// Appends a scalar; what is none is nothing here.
pub(super) fn put_scalar(out: &mut String, scalar: &Json) {
    match scalar {
        Json::Null | Json::Array(_) | Json::Object(_) => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::String(text) => put_text(out, text),
        Json::Number(number) => {
            // Writing into a string cannot fail.
            let _ = match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(int), ..) => write!(out, "{int}"),
                (_, Some(int), _) => write!(out, "{int}"),
                (.., float) => {
                    float::put(out, float.unwrap_or_default());
                    Ok(())
                }
            };
        }
    }
}

/// Appends a text in quotes.
pub(super) fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        let short = match letter {
            '"' | '\\' => letter,
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\0'..='\u{1f}' => {
                // Writing into a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
                continue;
            }
            _ => {
                out.push(letter);
                continue;
            }
        };
        out.push('\\');
        out.push(short);
    }
    out.push('"');
}
