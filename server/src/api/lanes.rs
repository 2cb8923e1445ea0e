//! Lanes: join, append, fetch, acknowledge, and all of them in one.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use syncline_core::log::{Append, AppendIf, Codec, Exchange, Exchanged, Segment};
use syncline_core::{Error, ErrorKind, Group, ReplicaId, Stamp};
use syncline_shared_log_wire::{
    BYTES, NUMBER_HEADER, PeerJson, PeersJson, SUM_HEADER, exchanged_parts, read_exchange,
    read_segments, read_vector, sum_of_parts,
};

use super::{Answered, json};
use crate::admit::Admitted;
use crate::auth::Scope;
use crate::body::Taken;
use crate::budget::Held;
use crate::compress::Dense;
use crate::failure::Failure;
use crate::sent::Sent;
use crate::{Answer, Hub, text};

/// What a segment takes in memory beside its bytes.
const BESIDE: usize = 256;

pub(super) async fn exchange(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let (request, held) = asked(&hub, &head, body).await?;
    if request.append.as_ref().is_some_and(|append| !append.segments.is_empty()) {
        admitted.access.check_scope(Scope::Write)?;
    }
    let (answer, held) = run(&hub, &admitted, request, held).await?;
    bytes(answer, held)
}

pub(super) async fn fetch(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let (request, held) = asked(&hub, &head, body).await?;
    if request.fetch.is_none()
        || request.join
        || request.acknowledge.is_some()
        || request.append.is_some()
    {
        return Err(Failure::invalid("this path only fetches; exchange does all at once"));
    }
    let (answer, held) = run(&hub, &admitted, request, held).await?;
    bytes(answer, held)
}

pub(super) async fn append(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Write).await?;
    let Taken { bytes: body, held } = hub.bytes(&head, body).await?;
    let segments = read_segments(&body)?;
    drop(body);
    let replica = segments.first().map_or_else(ReplicaId::default, |first| first.span().replica);
    let append = Append { segments, only_if: AppendIf::Always, frozen: false };
    let request = Exchange { append: Some(append), ..Exchange::of(replica) };
    let (answer, held) = run(&hub, &admitted, request, held).await?;
    bytes(answer, held)
}

pub(super) async fn join(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let request = Exchange { join: true, ..Exchange::of(text::part(&head.uri, 4)?.parse()?) };
    let (answer, _) = run(&hub, &admitted, request, hub.budget().hold()).await?;
    Ok((StatusCode::NO_CONTENT, number(answer.number)).into_response())
}

pub(super) async fn acknowledge(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, body) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let replica = text::part(&head.uri, 4)?.parse()?;
    let Taken { bytes, held } = hub.bytes(&head, body).await?;
    let request = Exchange { acknowledge: Some(read_vector(&bytes)?), ..Exchange::of(replica) };
    let (answer, _) = run(&hub, &admitted, request, held).await?;
    Ok((StatusCode::NO_CONTENT, number(answer.number)).into_response())
}

pub(super) async fn peers(State(hub): State<Hub>, request: Request) -> Answered {
    let (head, _) = request.into_parts();
    let admitted = hub.admit(&head, Scope::Read).await?;
    let peers = hub.store().peers(&admitted.group).await?;
    json(&PeersJson { peers: peers.iter().map(PeerJson::from).collect() })
}

async fn asked(hub: &Hub, head: &Parts, body: Body) -> Result<(Exchange, Held), Failure> {
    let Taken { bytes, held } = hub.bytes(head, body).await?;
    Ok((read_exchange(&bytes)?, held))
}

/// Holds an exchange to the limits, has the store answer it, and tells those who wait.
async fn run(
    hub: &Hub,
    admitted: &Admitted,
    mut request: Exchange,
    mut held: Held,
) -> Result<(Answer, Held), Failure> {
    let (config, terms, group) = (hub.config(), hub.terms(), &admitted.group);
    if admitted.access.scope < Scope::Write {
        // Others keep what a member has not acknowledged. Whoever only reads could make up any number of
        // members, and have them keep everything for ever.
        (request.join, request.acknowledge) = (false, None);
    }
    let mut weight = 0;
    if let Some(append) = &request.append {
        check_append(hub, group, append, terms.now, terms.latest)?;
        weight = weigh(&append.segments);
    }
    if let Some(fetch) = &mut request.fetch {
        fetch.limit_bytes = fetch.limit_bytes.min(config.fetch_bytes);
        fetch.limit_entries = fetch.limit_entries.min(config.fetch_entries);
        weight += fetch.limit_bytes;
    }
    held.resize(weight).await?;
    let answer = hub.store().exchange(group, request, &terms).await?;
    if answer.is_news {
        hub.notices().tell(group, answer.number);
    }
    let fetched = answer.exchanged.fetched.as_ref();
    held.resize(fetched.map_or(0, |fetched| weigh(&fetched.segments))).await?;
    Ok((answer, held))
}

fn check_append(
    hub: &Hub,
    group: &Group,
    append: &Append,
    now: i64,
    latest: i64,
) -> Result<(), Failure> {
    let config = hub.config();
    let (mut entries, mut greatest) = (0_u64, Stamp::ZERO);
    for segment in &append.segments {
        let header = segment.header();
        if header.group != *group {
            let message = "a segment belongs to another group; append it there";
            let error = Error::new(ErrorKind::Denied, message);
            return Err(error.with("group", &header.group).into());
        }
        if segment.bytes().len() > config.segment_bytes {
            let message = "a segment is too large; cut smaller ones";
            let error = Error::invalid(message).with("bytes", segment.bytes().len());
            return Err(Failure::too_large(error.with("limit", config.segment_bytes)));
        }
        entries = entries.saturating_add(header.entries);
        greatest = greatest.max(header.greatest);
    }
    if entries > config.entries {
        let message = "too many entries in one request; append them in parts";
        let error = Error::invalid(message).with("entries", entries);
        return Err(Failure::too_large(error.with("limit", config.entries)));
    }
    if greatest.millis() > latest && !append.frozen {
        let message = "the newest entry is from the future, by the hub's clock; set the clock";
        let error = Error::new(ErrorKind::ClockSkew, message);
        return Err(error.with("offset", now.saturating_sub(greatest.millis())).into());
    }
    Ok(())
}

fn weigh(segments: &[Segment]) -> usize {
    segments.iter().map(|segment| segment.bytes().len() + BESIDE).sum()
}

/// The answer in bytes. They hold their part of the budget until the last one is sent.
fn bytes(answer: Answer, held: Held) -> Answered {
    let parts = exchanged_parts(&answer.exchanged);
    let is_dense = is_dense(&answer.exchanged);
    let sum = HeaderValue::try_from(sum_of_parts(parts.iter().map(AsRef::as_ref)));
    let mut response = Body::new(Sent::new(parts, held)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(BYTES));
    headers.extend(sum.ok().map(|sum| (HeaderName::from_static(SUM_HEADER), sum)));
    headers.extend(
        number(answer.number)
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), value)),
    );
    if is_dense {
        response.extensions_mut().insert(Dense);
    }
    Ok(response)
}

/// Whether most of an answer is compressed or encrypted already.
fn is_dense(exchanged: &Exchanged) -> bool {
    let (mut dense, mut all) = (0, 0);
    for segment in exchanged.fetched.iter().flat_map(|fetched| &fetched.segments) {
        let header = segment.header();
        let plain = [Codec::Json.number(), Codec::Packed.number()];
        let is_plain = header.key_epoch == 0 && plain.contains(&header.codec);
        all += segment.bytes().len();
        dense += if is_plain { 0 } else { segment.bytes().len() };
    }
    dense * 2 > all
}

fn number(number: u64) -> [(&'static str, HeaderValue); 1] {
    [(NUMBER_HEADER, HeaderValue::from(number))]
}
