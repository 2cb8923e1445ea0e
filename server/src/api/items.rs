//! Items: upload, download, check, lock and flush.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use syncline_core::{Error, Result};
use syncline_shared_log_wire::item::{
    Check, Download, Flush, Item, ItemId, Lock, MOST, Restore, Upload,
};

use super::{Answered, json, leases};
use crate::admit::Admitted;
use crate::auth::Scope;
use crate::failure::Failure;
use crate::{Hub, ItemAnswer, ItemRequest, LeaseChange, text};

pub(super) async fn epoch(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    answer(&hub, &admitted, ItemRequest::Epoch).await
}

pub(super) async fn epochs(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    answer(&hub, &admitted, ItemRequest::Epochs).await
}

pub(super) async fn history(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let id = item_of(&head)?;
    answer(&hub, &admitted, ItemRequest::History(id)).await
}

pub(super) async fn upload(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let (upload, _held) = hub.json::<Upload>(&head, body).await?;
    check_items(&upload.items)?;
    answer(&hub, &admitted, ItemRequest::Upload(upload)).await
}

pub(super) async fn download(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let (mut download, mut held) = hub.json::<Download>(&head, body).await?;
    download.limit = Some(download.limit.unwrap_or(MOST as u64).min(MOST as u64));
    if download.limit == Some(0) {
        return Err(Failure::invalid("a page of no items leads nowhere; ask for at least one"));
    }
    held.resize(2 * hub.config().fetch_bytes).await?;
    answer(&hub, &admitted, ItemRequest::Download(download)).await
}

pub(super) async fn check(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let (check, _held) = hub.json::<Check>(&head, body).await?;
    check_number(check.items.len())?;
    for known in &check.items {
        check_id(&known.kind, &known.key)?;
    }
    answer(&hub, &admitted, ItemRequest::Check(check)).await
}

pub(super) async fn flush(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let (flush, _held) = hub.json::<Flush>(&head, body).await?;
    check_items(&flush.items)?;
    answer(&hub, &admitted, ItemRequest::Flush(flush)).await
}

pub(super) async fn restore(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let epoch = text::part(&head.uri, 5)?;
    let is_number = epoch.bytes().all(|byte| byte.is_ascii_digit());
    let epoch = epoch.parse().ok().filter(|_| is_number);
    let epoch = epoch.ok_or_else(|| Failure::invalid("an epoch is a number in digits"))?;
    let (restore, _held) = hub.json::<Restore>(&head, body).await?;
    answer(&hub, &admitted, ItemRequest::Restore(epoch, restore)).await
}

/// A lock of an item is a lease whose name is its type and key.
pub(super) async fn lock(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let (lock, _held) = hub.json::<Lock>(&head, body).await?;
    let Lock { item, lease } = lock;
    check_id(&item.kind, &item.key)?;
    let name = item.lease_name();
    let change = match (lease.millis, lease.token) {
        (0, Some(token)) => LeaseChange::Release { name, token },
        _ => leases::change(&hub, name, lease)?,
    };
    json(&hub.store().lease(&admitted.group, change, &hub.terms()).await?)
}

async fn answer(hub: &Hub, admitted: &Admitted, request: ItemRequest) -> Answered {
    match hub.store().items(&admitted.group, request, &hub.terms()).await? {
        ItemAnswer::Epoch(answer) => json(&answer),
        ItemAnswer::Uploaded(answer) => json(&answer),
        ItemAnswer::Downloaded(answer) => json(&answer),
        ItemAnswer::Checked(answer) => json(&answer),
        ItemAnswer::Epochs(answer) => json(&answer),
        ItemAnswer::History(answer) => json(&answer),
    }
}

fn item_of(head: &Parts) -> Result<ItemId> {
    let query = text::Query::of(&head.uri)?;
    let (kind, key) = (query.text("type"), query.text("key"));
    let (Some(kind), Some(key)) = (kind, key) else {
        return Err(Error::invalid("say which item: `?type=T&key=K`"));
    };
    check_id(kind, key)?;
    Ok(ItemId { kind: kind.to_owned(), key: key.to_owned() })
}

fn check_items(items: &[Item]) -> Result<(), Failure> {
    check_number(items.len())?;
    for item in items {
        check_id(&item.kind, &item.key)?;
    }
    Ok(())
}

fn check_number(number: usize) -> Result<(), Failure> {
    if number > MOST {
        let error = Error::invalid("too many items in one request; send them in parts");
        return Err(Failure::too_large(error.with("limit", MOST)));
    }
    Ok(())
}

fn check_id(kind: &str, key: &str) -> Result<()> {
    text::check_name(kind, "type")?;
    text::check_name(key, "key")
}
