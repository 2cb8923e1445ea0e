//! Which answers are compressed for clients that accept it.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};

/// Below this many bytes, compressing an answer saves nothing.
const WORTH_IT: u16 = 1024;

/// Marks an answer whose contents are compressed or encrypted already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense;

type Rule = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

pub(crate) fn layer() -> CompressionLayer<And<SizeAbove, Rule>> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(WORTH_IT.into()).and(is_worth_it as Rule))
}

/// Streams of notices must not wait in a compressor.
fn is_worth_it(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    let media = headers.get(header::CONTENT_TYPE).map(|media| media.as_bytes());
    extensions.get::<Dense>().is_none() && media != Some(b"text/event-stream")
}
