//! Leases: a name that one holder has for a while.

use axum::extract::{Request, State};
use syncline_core::{Error, Result};
use syncline_shared_log_wire::is_request_name;
use syncline_shared_log_wire::lease::{LeaseRequest, Leases};

use super::{Answered, json};
use crate::auth::Scope;
use crate::failure::Failure;
use crate::{Hub, LeaseChange, text};

pub(super) async fn list(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    json(&Leases { leases: hub.store().leases(&admitted.group, hub.now()).await? })
}

pub(super) async fn take(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let name = text::part(&head.uri, 4)?;
    text::check_name(&name, "lease")?;
    let (request, _held) = hub.json::<LeaseRequest>(&head, body).await?;
    let change = change(&hub, name, request)?;
    json(&hub.store().lease(&admitted.group, change, &hub.terms()).await?)
}

pub(super) async fn release(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let name = text::part(&head.uri, 4)?;
    text::check_name(&name, "lease")?;
    let token = text::Query::of(&head.uri)?.number("token")?;
    let token = token.ok_or_else(|| Failure::invalid("give the lease's token: `?token=N`"))?;
    let change = LeaseChange::Release { name, token };
    json(&hub.store().lease(&admitted.group, change, &hub.terms()).await?)
}

/// What a request for a name means.
pub(super) fn change(hub: &Hub, name: String, request: LeaseRequest) -> Result<LeaseChange> {
    let longest = hub.config().longest_lease.as_millis();
    let LeaseRequest { holder, millis, token, attempt } = request;
    text::check_name(&holder, "holder")?;
    if attempt.as_ref().is_some_and(|attempt| !is_request_name(attempt.as_bytes())) {
        let message =
            "an attempt has 1 to 64 letters, digits, `-` and `_`; make up another name for it";
        return Err(Error::invalid(message));
    }
    let millis = i64::try_from(millis)
        .ok()
        .filter(|millis| (1..=longest).contains(&millis.cast_unsigned().into()));
    let Some(millis) = millis else {
        let message = "a lease lasts at least 1 millisecond and not longer than the hub allows";
        return Err(Error::invalid(message).with("limit", longest));
    };
    Ok(match token {
        Some(token) => LeaseChange::Renew { name, token, millis },
        None => LeaseChange::Take { name, holder, millis, attempt },
    })
}
