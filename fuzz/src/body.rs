//! Bodies of a hub's protocol: what one side takes from the other.

use syncline_core::log::Segment;
use syncline_core::value::canonical::put_bytes;
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_wire::{
    read_exchange, read_exchanged, read_segments, read_vector, write_exchange, write_exchanged,
    write_segments, write_vector,
};

use crate::segment::seal;

/// How many things there are to choose from.
pub const CHOICES: u8 = 5;

/// Reads the bytes as one of the bodies, or as segments whose checksum holds.
pub fn check(data: &[u8]) {
    let Some((choice, data)) = crate::choice(data) else { return };
    match choice % CHOICES {
        0 => hold(data, read_exchange(data).map(|read| write_exchange(&read))),
        1 => hold(data, read_exchanged(data).map(|read| write_exchanged(&read))),
        2 => hold(data, read_segments(data).map(|read| write_segments(&read))),
        3 => hold(data, read_vector(data).map(|read| write_vector(&read))),
        _ => {
            let mut body = vec![b'S', 1];
            put_bytes(&mut body, &seal(&Segment::MAGIC, data));
            hold(&body, read_segments(&body).map(|read| write_segments(&read)));
        }
    }
}

/// There is one spelling, and whatever is none has not arrived.
fn hold(data: &[u8], again: Result<Vec<u8>, Error>) {
    match again {
        Ok(again) => assert_eq!(again, data, "a second spelling"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
    }
}
