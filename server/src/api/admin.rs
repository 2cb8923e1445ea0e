//! What an operator is told.

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use syncline_core::log::{Peer, Tip};
use syncline_core::{Error, ErrorKind};
use syncline_shared_log_wire::PROTOCOL;
use syncline_shared_log_wire::PeerJson;
use syncline_shared_log_wire::admin::{GroupDetail, GroupJson, GroupsJson, HubStatus, MemberJson};

use super::{Answered, json};
use crate::Hub;
use crate::auth::Scope;
use crate::store::GroupSummary;
use crate::text::{self, Query};

/// The most groups in one answer.
const MOST: u64 = 1_000;

pub(super) async fn status(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    hub.identify(&head).await?.check_scope(Scope::Admin)?;
    json(&HubStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocols: vec![PROTOCOL],
        now: hub.now(),
        started: hub.insight().started(),
        ready: hub.is_ready().await,
        totals: hub.totals().await?,
        errors: hub.insight().errors(None),
    })
}

pub(super) async fn groups(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    hub.identify(&head).await?.check_scope(Scope::Admin)?;
    let query = Query::of(&head.uri)?;
    let limit = query.number("limit")?.unwrap_or(100).clamp(1, MOST) as usize;
    let all = hub.groups().await?;
    let begin = match query.text("after") {
        Some(after) => all.partition_point(|group| group.group.as_str() <= after),
        None => 0,
    };
    let end = begin.saturating_add(limit).min(all.len());
    let groups: Vec<GroupJson> = all[begin..end].iter().map(summary).collect();
    let more_after = groups.last().filter(|_| end < all.len()).map(|group| group.group.clone());
    json(&GroupsJson { groups, more_after })
}

pub(super) async fn group(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    hub.identify(&head).await?.check_scope(Scope::Admin)?;
    let group = text::group(&head.uri, 3)?;
    let all = hub.groups().await?;
    let found = all.binary_search_by(|other| other.group.cmp(&group));
    let Ok(found) = found else {
        let message = "there is no such group; it begins to exist with what is first synced to it";
        return Err(Error::new(ErrorKind::NotFound, message).with("group", group).into());
    };
    let peers = hub.store().peers(&group).await?;
    json(&GroupDetail {
        group: summary(&all[found]),
        members: members(&peers),
        leases: hub.store().leases(&group, hub.now()).await?,
        errors: hub.insight().errors(Some(group.as_str())),
    })
}

pub(super) async fn metrics(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    if !hub.config().open_metrics {
        hub.identify(&head).await?.check_scope(Scope::Admin)?;
    }
    let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media)], hub.metrics().await?).into_response())
}

/// Whoever can read this knows that the process is up.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

pub(super) async fn ready(State(hub): State<Hub>) -> Answered {
    if hub.is_ready().await {
        return Ok("ready\n".into_response());
    }
    let message = "the hub cannot read and write now, or is about to stop; try again later";
    Err(Error::new(ErrorKind::Unavailable, message).into())
}

fn summary(summary: &GroupSummary) -> GroupJson {
    let GroupSummary { group, number, segments, entries, bytes, ahead, items, epoch, changed } =
        summary;
    GroupJson {
        group: group.as_str().to_owned(),
        number: *number,
        segments: *segments,
        entries: *entries,
        bytes: *bytes,
        ahead: *ahead,
        items: *items,
        epoch: *epoch,
        changed: *changed,
    }
}

/// Each member, with how far it is behind the lanes of the others.
fn members(peers: &[Peer]) -> Vec<MemberJson> {
    let mut heads: Vec<Tip> = peers.iter().flat_map(|peer| peer.heads.iter().copied()).collect();
    heads.sort_unstable();
    let mut members: Vec<MemberJson> = peers.iter().map(|peer| member(peer, &heads)).collect();
    members.sort_unstable_by(|one, other| one.replica.cmp(&other.replica));
    members
}

fn member(peer: &Peer, heads: &[Tip]) -> MemberJson {
    let known = &peer.acknowledged.tips;
    let (mut behind, mut behind_lanes) = (0_u64, 0);
    for head in heads.iter().filter(|head| head.replica != peer.replica) {
        if known.binary_search(head).is_ok() {
            continue;
        }
        // Of a lane that was forked it is not known here which branch a place belongs to: what is nearest to
        // the end of this one counts.
        let of_lane = known.iter().filter(|tip| tip.replica == head.replica);
        let nearest = of_lane.map(|tip| tip.seq).filter(|seq| *seq <= head.seq).max();
        let missing = head.seq - nearest.unwrap_or(0);
        behind = behind.saturating_add(missing);
        behind_lanes += u64::from(missing > 0);
    }
    let PeerJson { replica, heads, acknowledged } = PeerJson::from(peer);
    MemberJson { replica, heads, acknowledged, behind, behind_lanes }
}
