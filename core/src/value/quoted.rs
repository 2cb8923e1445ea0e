//! Texts in quotes, for messages.

use std::fmt;

/// A text in quotes, as a message has it.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    #[cfg(not(target_family = "wasm"))]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }

    /// As JSON has it, because which letters cannot be printed is a table of the standard library that browsers
    /// would load for messages alone.
    #[cfg(target_family = "wasm")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut quoted = String::new();
        super::json_text::put_text(&mut quoted, self.0);
        f.write_str(&quoted)
    }
}
