//! What can go wrong in memory, and how callers see it.

use syncline_core::log::Span;
use syncline_core::{Error, ErrorKind, Group};

/// Everything this log can say to us. Private: callers see [`ErrorKind`] only.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemoryError {
    /// A segment continues nothing that is held.
    #[error("a segment continues nothing that the log holds; append what comes before it again")]
    Gap { span: Span },
    /// A segment belongs to another group.
    #[error("this is a log of another group; name the right group")]
    OtherGroup { here: Group, segment: Group },
    /// The log never issued this cursor, or lost what was before it.
    #[error("the log does not know this cursor; fetch from what is known")]
    UnknownCursor,
}

impl From<MemoryError> for Error {
    fn from(error: MemoryError) -> Self {
        let told = |kind| Self::new(kind, error.to_string());
        match &error {
            MemoryError::Gap { span } => told(ErrorKind::Rejoin)
                .with("replica", span.replica)
                .with("first", span.first)
                .with("last", span.last),
            MemoryError::OtherGroup { here, segment } => {
                told(ErrorKind::Denied).with("here", here).with("segment", segment)
            }
            MemoryError::UnknownCursor => told(ErrorKind::Rejoin),
        }
    }
}
