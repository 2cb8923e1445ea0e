//! Serving.

/// A client took too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it came too slowly")]
pub(crate) struct Late;
