//! Several ways to be let in.

use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::{ErrorKind, Result};

use super::refusal::Refusal;
use super::{Access, Authenticate};

/// Lets in whom any of these lets in, asked in their order.
#[derive(Clone, Debug)]
pub struct AnyOf {
    gates: Vec<Arc<dyn Authenticate>>,
}

impl AnyOf {
    /// Asks these. Nobody is let in if there are none.
    pub fn new(gates: impl IntoIterator<Item = Arc<dyn Authenticate>>) -> Self {
        Self { gates: gates.into_iter().collect() }
    }
}

#[async_trait]
impl Authenticate for AnyOf {
    /// Of several refusals the last one is told; that a gate could not tell comes before all of them.
    async fn authenticate(&self, token: Option<&str>, now_millis: i64) -> Result<Access> {
        let mut refused = Refusal::Unknown.into();
        let mut unsure = None;
        for gate in &self.gates {
            match gate.authenticate(token, now_millis).await {
                Ok(access) => return Ok(access),
                Err(error) if error.kind() == ErrorKind::Denied => refused = error,
                Err(error) => unsure = Some(error),
            }
        }
        Err(unsure.unwrap_or(refused))
    }

    fn is_open(&self) -> bool {
        self.gates.iter().any(|gate| gate.is_open())
    }
}
