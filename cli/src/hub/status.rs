//! Asking a hub about itself.

use serde_json::{Value as Json, json};
use syncline::Result;
use syncline::shared_log::http::wire::admin::{GroupJson, HubStatus};
use syncline::shared_log::http::{HttpLogConfig, HubClient};

use super::token_of;
use crate::args::hub::Asking;
use crate::output::{Output, count, grouped};

/// Prints what a hub keeps and how it does.
pub async fn status(output: &Output, url: &str, asking: &Asking) -> Result<()> {
    let mut config = HttpLogConfig::of_hub(url)?;
    config.allow_plain_token = asking.allow_plain_token;
    if let Some(token) = token_of(asking)? {
        config = config.token(token);
    }
    let hub = HubClient::new(config)?;
    let (status, groups) = (hub.status().await?, hub.groups().await?);
    let to_json = || -> Json { json!({"status": status, "groups": groups}) };
    output.result(to_json, || to_text(&status, &groups))
}

fn to_text(status: &HubStatus, groups: &[GroupJson]) -> String {
    let totals = &status.totals;
    let ready = if status.ready { "ready" } else { "not ready" };
    let mut text = format!(
        "version {}, {ready}, up for {} s\n{}, {} refused; {} waiting for notices\n{}, {}, {} bytes",
        status.version,
        grouped(((status.now - status.started).max(0) / 1_000).cast_unsigned()),
        count(totals.requests, "request"),
        grouped(totals.refused),
        grouped(totals.subscribers),
        count(totals.groups, "group"),
        count(totals.segments, "segment"),
        grouped(totals.bytes),
    );
    for group in groups {
        text += &format!(
            "\n  {}: number {}, {} entries, {} items, {} bytes",
            group.group.escape_debug(),
            group.number,
            grouped(group.entries),
            grouped(group.items),
            grouped(group.bytes),
        );
        if group.ahead > 0 {
            text += &format!("; {} from the future", count(group.ahead, "segment"));
        }
    }
    for error in &status.errors {
        let what = error.detail.as_deref().unwrap_or(&error.kind);
        text += &format!("\n! {} × {}: {}", error.count, error.place, what.escape_debug());
    }
    text
}
