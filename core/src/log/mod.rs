//! The words of sync: entries, lanes, segments, and the contract of a shared log.

pub mod chain;
mod codec;
mod context;
mod deflate;
mod entry;
mod exchange;
mod hash;
mod json;
mod notices;
mod segment;
mod shared;

pub use codec::Codec;
pub use context::{Context, Known};
pub use deflate::deflate;
pub use entry::{Entry, Op, Write};
pub use exchange::{Append, AppendIf, Exchange, Exchanged};
pub(crate) use hash::short_hash;
pub use hash::{LaneHash, lane_start};
pub use notices::Notices;
pub use segment::{Extension, FORMAT, Header, Segment, Span};
pub use shared::{
    After, Cursor, Damage, Fetch, Fetched, Peer, Receipt, SharedLog, Tip, VersionVector,
};
