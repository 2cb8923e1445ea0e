//! The hub itself: what all handlers share, and the routes put together.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use syncline_core::Clock;
use syncline_shared_log_wire::{PROTOCOL, Welcome, path};

use crate::auth::Authenticate;
use crate::{HubConfig, HubStore};

/// A hub. Cheap to copy: all copies are the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: HubConfig,
    store: Arc<dyn HubStore>,
    gate: Arc<dyn Authenticate>,
    clock: Arc<dyn Clock>,
}

impl Hub {
    /// A hub with these limits, over this store, for whom the gate lets in, by this clock.
    pub fn new(
        config: HubConfig,
        store: Arc<dyn HubStore>,
        gate: Arc<dyn Authenticate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { shared: Arc::new(Shared { config, store, gate, clock }) }
    }

    /// Everything that the hub answers, as a service. A plain request needs neither timers nor tasks.
    pub fn router(&self) -> Router {
        Router::new().route(path::ROOT, get(welcome)).with_state(self.clone())
    }

    /// The limits.
    pub fn config(&self) -> &HubConfig {
        &self.shared.config
    }

    /// Where everything is kept.
    pub fn store(&self) -> &Arc<dyn HubStore> {
        &self.shared.store
    }

    /// Who tells whom a token belongs to.
    pub fn gate(&self) -> &Arc<dyn Authenticate> {
        &self.shared.gate
    }

    /// What time it is, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.shared.clock.now_millis()
    }
}

async fn welcome(State(hub): State<Hub>) -> Json<Welcome> {
    Json(Welcome { protocols: vec![PROTOCOL], time: hub.now() })
}
