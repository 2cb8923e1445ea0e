//! The operator's page: three files that are part of the hub, and nothing from elsewhere.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::Hub;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Only the hub's own files and answers; no markup from text, no frames, no forms that go anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The page is at `/` too where nothing else is.
pub(crate) fn routes(is_first: bool) -> Router<Hub> {
    let page = || get(|| file("text/html; charset=utf-8", PAGE));
    let routes = Router::new()
        .route("/hub", page())
        .route("/hub/page.css", get(|| file("text/css; charset=utf-8", STYLE)))
        .route("/hub/page.js", get(|| file("text/javascript; charset=utf-8", SCRIPT)));
    if is_first { routes.route("/", page()) } else { routes }
}

async fn file(media: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, media),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, text)
}
