//! A deterministic world for applications that sync.
