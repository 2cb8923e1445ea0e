//! Asking a hub about itself.

use std::fmt;
use std::sync::Arc;

use crate::http::Method;
use serde::de::DeserializeOwned;
use syncline_core::{Group, Result};
use syncline_shared_log_wire::admin::{GroupJson, GroupsJson, HubStatus};
use syncline_shared_log_wire::path::{self, escaped};

use crate::address::Address;
use crate::caller::{Caller, Question};
use crate::client::Client;
use crate::config::HttpLogConfig;
use crate::error::HttpError;

const JSON: &str = "application/json";

/// Asks a hub about itself, for an operator: it takes a token with the scope `admin`.
pub struct HubClient {
    caller: Caller,
}

impl HubClient {
    /// Asks this hub.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](syncline_core::ErrorKind::Invalid) if this is no address of a hub.
    ///
    /// # Example
    ///
    /// ```
    /// use syncline_shared_log_http::{HttpLogConfig, HubClient};
    ///
    /// let config = HttpLogConfig::of_hub("https://hub.example.org")?.token("an operator's");
    /// let hub = HubClient::new(config)?;
    /// # Ok::<(), syncline_core::Error>(())
    /// ```
    pub fn new(config: HttpLogConfig) -> Result<Self> {
        let address = Address::parse(&config.url, config.group.clone())?;
        let client = Client::new(&config, &address)?;
        Ok(Self { caller: Caller::new(Arc::new(client), address, config) })
    }

    /// How the hub is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`](syncline_core::ErrorKind::Denied) without the scope, and
    /// [`ErrorKind::Unavailable`](syncline_core::ErrorKind::Unavailable) if the hub is out of reach.
    pub async fn status(&self) -> Result<HubStatus> {
        self.ask("admin/status".to_owned()).await
    }

    /// What every group has, by name.
    ///
    /// # Errors
    ///
    /// As [`status`](Self::status).
    pub async fn groups(&self) -> Result<Vec<GroupJson>> {
        let mut groups = Vec::new();
        let mut after = None::<String>;
        loop {
            let query = after.map(|after| format!("?after={}", escaped(&after)));
            let path = format!("admin/groups{}", query.unwrap_or_default());
            let page: GroupsJson = self.ask(path).await?;
            groups.extend(page.groups);
            after = page.more_after;
            if after.is_none() {
                return Ok(groups);
            }
        }
    }

    async fn ask<T: DeserializeOwned>(&self, what: String) -> Result<T> {
        let question = Question::new(Method::GET, format!("{}/{what}", path::ROOT), JSON);
        let answer = self.caller.ask(question).await?;
        let answer = serde_json::from_slice(&answer.body);
        answer.map_err(|_| HttpError::Misfit { asked: "admin" }.into())
    }
}

impl fmt::Debug for HubClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubClient").finish_non_exhaustive()
    }
}

impl HttpLogConfig {
    /// A hub as a whole, without one of its groups: for a [`HubClient`].
    ///
    /// # Errors
    ///
    /// None at present: the name it uses in place of a group is one.
    pub fn of_hub(url: impl Into<String>) -> Result<Self> {
        Ok(Self::new(url, "-".parse::<Group>()?))
    }
}
