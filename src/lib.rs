#![doc = include_str!("../README.md")]

pub use syncline_core::*;

/// The contract of stations, and the stations themselves.
pub mod middleware {
    pub use syncline_core::middleware::*;

    #[cfg(feature = "middleware")]
    pub use syncline_middleware::*;
}

/// The contract of storage, the one door to it, and the backends that were chosen as features.
pub mod backend {
    pub use syncline_core::backend::*;

    #[cfg(all(feature = "backend-indexeddb", target_family = "wasm"))]
    pub use syncline_backend_indexeddb as indexeddb;
    #[cfg(feature = "backend-memory")]
    pub use syncline_backend_memory as memory;

    #[cfg(feature = "backend-sqlite")]
    pub use syncline_backend_sqlite as sqlite;
}

/// The contract of the place where replicas meet, and the logs that were chosen as features.
pub mod shared_log {
    pub use syncline_core::log::SharedLog;

    #[cfg(feature = "shared-log-fs")]
    pub use syncline_shared_log_fs as fs;
    #[cfg(feature = "shared-log-http")]
    pub use syncline_shared_log_http as http;
    #[cfg(feature = "shared-log-memory")]
    pub use syncline_shared_log_memory as memory;
}

/// The hub: a server that keeps the shared logs of many groups, as a library.
#[cfg(feature = "server")]
pub mod server {
    pub use syncline_server::*;

    #[cfg(feature = "server-sqlite")]
    pub use syncline_server_sqlite as sqlite;
}
