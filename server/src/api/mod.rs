//! The routes of groups and of operators.

mod admin;
mod items;
mod lanes;
mod leases;
mod notices;

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Serialize;
use syncline_core::Error;
use syncline_shared_log_wire::{SUM_HEADER, sum_of};

use crate::Hub;
use crate::failure::Failure;

const DESCRIPTION: &str = include_str!("../../../docs/openapi.yaml");

/// How a route answers.
type Answered = Result<Response, Failure>;

pub(crate) fn routes() -> Router<Hub> {
    let at = |what: &str| format!("/v1/groups/{{group}}/{what}");
    Router::new()
        .route(&at("exchange"), post(lanes::exchange))
        .route(&at("fetch"), post(lanes::fetch))
        .route(&at("segments"), post(lanes::append))
        .route(&at("replicas/{replica}"), put(lanes::join))
        .route(&at("replicas/{replica}/acknowledged"), put(lanes::acknowledge))
        .route(&at("peers"), get(lanes::peers))
        .route(&at("notices"), get(notices::notices))
        .route(&at("leases"), get(leases::list))
        .route(&at("leases/{name}"), put(leases::take).delete(leases::release))
        .route(&at("items/epoch"), get(items::epoch))
        .route(&at("items/upload"), post(items::upload))
        .route(&at("items/download"), post(items::download))
        .route(&at("items/check"), post(items::check))
        .route(&at("items/lock"), post(items::lock))
        .route(&at("items/flush"), post(items::flush))
        .route(&at("items/epochs"), get(items::epochs))
        .route(&at("items/epochs/{epoch}/restore"), post(items::restore))
        .route(&at("items/history"), get(items::history))
        .route("/v1/openapi.yaml", get(description))
        .route("/v1/admin/status", get(admin::status))
        .route("/v1/admin/groups", get(admin::groups))
        .route("/v1/admin/groups/{group}", get(admin::group))
        .route("/metrics", get(admin::metrics))
        .route("/healthz", get(admin::health))
        .route("/readyz", get(admin::ready))
}

/// All routes, described for programs.
async fn description() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/yaml"), (header::CACHE_CONTROL, "no-cache")];
    (headers, DESCRIPTION)
}

fn json(value: &impl Serialize) -> Answered {
    let body = serde_json::to_vec(value)
        .map_err(|source| Error::internal("an answer is no JSON").caused_by(source))?;
    let sum = [(HeaderName::from_static(SUM_HEADER), sum_of(&body))];
    Ok((sum, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}
