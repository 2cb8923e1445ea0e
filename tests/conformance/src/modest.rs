//! Backends that do less than they could.

use async_trait::async_trait;
use syncline_core::{Backend, Capability, Operation, Outcome, Result};

/// Wraps a backend and declares nothing, so that everything optional must be refused.
#[derive(Debug)]
pub struct Modest<B>(pub B);

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<B: Backend> Backend for Modest<B> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        self.0.execute(operation).await
    }
}

/// Wraps a backend and declares only a part of what it can do, such as all but batches.
#[derive(Debug)]
pub struct Partly<B>(pub B, pub Capability);

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl<B: Backend> Backend for Partly<B> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capability(&self) -> Capability {
        self.1
    }

    async fn execute(&self, operation: Operation) -> Result<Outcome> {
        self.0.execute(operation).await
    }
}
