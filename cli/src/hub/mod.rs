//! Hubs: running one, letting clients in, and asking it about itself.

mod serve;
mod status;
pub mod token;
mod watch;

pub use serve::{serve, told_to_stop};
pub use status::status;
pub use watch::{Watching, watch};

use std::path::Path;

use syncline::{Error, Result};

use crate::args::hub::Asking;
use crate::output::io_failed;

/// The variable that holds a token.
const VARIABLE: &str = "SYNCLINE_TOKEN";

/// The token that was named, if one was.
pub fn token_of(asking: &Asking) -> Result<Option<String>> {
    let token = match &asking.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|error| {
                io_failed("the file with the token cannot be read", file, error)
            })?;
            text.trim().to_owned()
        }
        None => match std::env::var(VARIABLE) {
            Ok(token) => token.trim().to_owned(),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Error::invalid("a token is text").with("variable", VARIABLE));
            }
        },
    };
    if token.is_empty() {
        return Err(Error::invalid("the token is empty; leave it away if the hub asks for none"));
    }
    Ok(Some(token))
}

fn read(message: &'static str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| io_failed(message, path, error))
}
