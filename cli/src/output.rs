//! What is printed: results on stdout, failures and progress on stderr.

use std::io::{self, BufWriter, Stdout, Write};
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use syncline::{Error, ErrorKind, Result};

/// How results are printed.
#[derive(Debug)]
pub struct Output {
    json: bool,
    is_silent: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, is_silent: false }
    }

    /// The same, but results are not printed.
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a result, in the form that was asked for.
    pub fn result(&self, json: impl FnOnce() -> Json, text: impl FnOnce() -> String) -> Result<()> {
        if self.json { self.line(&json().to_string()) } else { self.line(&text()) }
    }

    /// Prints text for people, and nothing if JSON was asked for.
    pub fn say(&self, text: &str) -> Result<()> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    fn line(&self, text: &str) -> Result<()> {
        if self.is_silent {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(stdout_failed)
    }

    /// Prints lines as things happen, whoever holds it.
    #[cfg(feature = "hub")]
    pub fn lines(&self) -> Lines {
        Lines { json: self.json }
    }

    /// Prints a remark on stderr.
    pub fn remark(&self, text: &str) {
        remark(text);
    }

    /// Prints why a command failed: for people on stderr, and as JSON on stdout if that was asked for.
    pub fn failure(&self, error: &Error) {
        remark(&format!("error: {error}"));
        if self.json {
            print_failure(&json!({"error": error_json(error)}));
        }
    }
}

/// Prints lines as things happen.
#[cfg(feature = "hub")]
#[derive(Clone, Debug)]
pub struct Lines {
    json: bool,
}

#[cfg(feature = "hub")]
impl Lines {
    /// Prints one, as JSON or for people.
    pub fn line(&self, json: &Json, text: &str) {
        let mut stdout = io::stdout().lock();
        let written =
            if self.json { writeln!(stdout, "{json}") } else { writeln!(stdout, "{text}") };
        if written.and_then(|()| stdout.flush()).is_err() {
            // Nobody reads any more, as after `| head`: there is nothing left to do.
            std::process::exit(0);
        }
    }
}

/// Prints a failure as JSON.
pub fn print_failure(json: &Json) {
    // Nobody is left to tell if stdout is gone as well.
    let _ = writeln!(io::stdout(), "{json}");
}

fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// An error with all it knows.
pub fn error_json(error: &Error) -> Json {
    let mut json = Map::new();
    json.insert("kind".into(), error.kind().to_string().into());
    json.insert("message".into(), error.to_string().into());
    if let Some(guard) = error.guard() {
        json.insert("guard".into(), guard.into());
    }
    let context: Map<String, Json> =
        error.context().map(|(key, value)| (key.to_owned(), value.into())).collect();
    if !context.is_empty() {
        json.insert("context".into(), context.into());
    }
    json.into()
}

/// Prints objects as they come: one a line, or as one JSON list.
#[derive(Debug)]
pub struct Objects {
    stdout: BufWriter<Stdout>,
    as_list: bool,
    count: u64,
}

impl Objects {
    pub fn new(output: &Output) -> Self {
        Self { stdout: BufWriter::new(io::stdout()), as_list: output.is_json(), count: 0 }
    }

    /// Prints one of them: as JSON, or as text for people.
    pub fn item(
        &mut self,
        json: impl FnOnce() -> Json,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        match self.as_list {
            true => self.print(&json()),
            false => {
                self.count += 1;
                writeln!(self.stdout, "{}", text()).map_err(stdout_failed)
            }
        }
    }

    pub fn print(&mut self, object: &Json) -> Result<()> {
        let before = match (self.as_list, self.count) {
            (true, 0) => "[",
            (true, _) => ",\n",
            (false, _) => "",
        };
        let after = if self.as_list { "" } else { "\n" };
        self.count += 1;
        write!(self.stdout, "{before}{object}{after}").map_err(stdout_failed)
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn flush(&mut self) -> Result<()> {
        self.stdout.flush().map_err(stdout_failed)
    }

    pub fn end(mut self) -> Result<()> {
        let end = match (self.as_list, self.count) {
            (true, 0) => "[]\n",
            (true, _) => "]\n",
            (false, _) => "",
        };
        write!(self.stdout, "{end}").and_then(|()| self.stdout.flush()).map_err(stdout_failed)
    }
}

pub fn stdout_failed(error: io::Error) -> Error {
    io_failed("stdout cannot be written", Path::new("-"), error)
}

/// Whether an error only says that nobody reads stdout any more, as after `| head`.
pub fn is_closed_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(|source: &io::Error| source.kind() == io::ErrorKind::BrokenPipe)
}

/// A file that cannot be read or written.
pub fn io_failed(message: &'static str, path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, message).with("path", path.display()).with("reason", &error).caused_by(error)
}

/// A count with its noun, in the number that fits.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped_all = [0, 999, 1_000, 171_075, 12_345_678].map(grouped);
        assert_eq!(grouped_all, ["0", "999", "1,000", "171,075", "12,345,678"]);
        assert_eq!(count(1, "object"), "1 object");
        assert_eq!(count(2_000, "object"), "2,000 objects");
    }
}
