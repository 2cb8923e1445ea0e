//! A deterministic world for applications that sync.

pub mod folder;
