//! Reading a file of records without a database: for those who try it with files that no one would write.

use std::path::Path;

use syncline::{Collection, Error, Result};

pub use crate::args::Format;
use crate::import::records::Records;
pub use crate::import::records::{Place, Record};
use crate::import::source::Source;

/// The records of a file behind a place, up to its end or to where they can't be told apart; the format
/// is guessed if none is given.
///
/// # Errors
///
/// [`ErrorKind::Invalid`](syncline::ErrorKind::Invalid) if not even the beginning can be understood.
pub fn read(
    file: &Path,
    format: Option<Format>,
    from: Place,
    collection: &Collection,
) -> Result<(Vec<Record>, Option<Error>)> {
    let source = Source::new(file)?;
    let mut input = source.open(from.bytes)?;
    let format = match format {
        Some(format) => format,
        None => source.format(&mut input)?,
    };
    let mut records = Records::new(&source, input, format, from, collection)?;
    let mut all = Vec::new();
    loop {
        match records.next() {
            Ok(Some(record)) => all.push(record),
            Ok(None) => return Ok((all, None)),
            Err(error) => return Ok((all, Some(error))),
        }
    }
}
