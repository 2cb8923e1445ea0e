//! What a hub and its clients say to each other, without any network: bodies, paths, headers and errors.
//!
//! `docs/protocol.md` tells it in words; the tests of this crate pin the exact bytes.

pub mod admin;
mod body;
#[cfg(any(target_family = "wasm", test))]
mod crc;
pub mod item;
pub mod lease;
pub mod notice;
mod object;
pub mod path;
mod peer;
mod problem;
mod sum;
mod welcome;

pub use body::{
    Part, exchanged_parts, read_exchange, read_exchanged, read_segments, read_vector,
    write_exchange, write_exchanged, write_segments, write_vector,
};
pub use object::read_object;
pub use peer::{PeerJson, PeersJson, TipJson};
pub use problem::{Problem, kind_name, kind_named};
pub use sum::{SUM_HEADER, crc_of, sum_holds, sum_of, sum_of_parts};
pub use welcome::Welcome;

/// The version of the protocol that this crate speaks.
pub const PROTOCOL: u32 = 1;

/// The header in which both sides name the version that they speak.
pub const PROTOCOL_HEADER: &str = "syncline-protocol";

/// The header of every answer that tells what time it is, in milliseconds since 1970.
pub const TIME_HEADER: &str = "syncline-time";

/// The header of answers about a group's log that names its newest number: what a notice must exceed to be
/// news.
pub const NUMBER_HEADER: &str = "syncline-number";

/// The header in which a client names its request, and the hub says which request it answers: 1 to 64 letters,
/// digits, `-` and `_`. So an answer is never taken for that to another request, whatever a proxy on the way does.
pub const REQUEST_HEADER: &str = "syncline-request";

/// Whether this can name a request.
pub fn is_request_name(name: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    (1..=64).contains(&name.len()) && name.iter().all(fits)
}

/// The media type of bodies in bytes.
pub const BYTES: &str = "application/vnd.syncline";

/// The media type of errors: an RFC 9457 problem with the members `kind` and `context`.
pub const PROBLEM: &str = "application/problem+json";
