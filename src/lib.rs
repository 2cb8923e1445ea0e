#![doc = include_str!("../README.md")]

pub use syncline_core::*;

/// The contract of storage, the one door to it, and the backends that were chosen as features.
pub mod backend {
    pub use syncline_core::backend::*;

    #[cfg(feature = "backend-memory")]
    pub use syncline_backend_memory as memory;
}
