//! Collects definitions and builds a schema, or says why not.

/// Collects definitions, version by version, then builds a [`Schema`](super::Schema).
#[derive(Clone, Debug, Default)]
pub struct Registry {}
