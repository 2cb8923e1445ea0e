//! What an answer says, whoever gave it.

use std::time::Duration;

use crate::http::StatusCode;
use crate::http::header::{
    CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use crate::http::response::Parts;
use bytes::Bytes;
use syncline_core::{Error, Result};
use syncline_shared_log_wire::{PROBLEM, PROTOCOL, Problem};

use crate::caller::Begun;
use crate::error::HttpError;
use crate::names;

/// The newest number of the group, as an answer tells it.
pub(crate) fn number(headers: &HeaderMap) -> Option<u64> {
    text(headers, &names::NUMBER)?.parse().ok()
}

/// How many bytes the body has, if that is told beforehand.
pub(crate) fn length(headers: &HeaderMap) -> Option<usize> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// The version that the other side speaks, if it says so and it is another one.
pub(crate) fn other_protocol(headers: &HeaderMap) -> Option<String> {
    let theirs = text(headers, &names::PROTOCOL)?;
    (theirs != PROTOCOL.to_string()).then(|| theirs.to_owned())
}

/// Refuses what is not of the media type that was asked for: then it was no hub that answered.
pub(crate) fn check_media(begun: &Begun, accept: Option<&HeaderValue>) -> Result<()> {
    let is_hub = match accept.and_then(|accept| accept.to_str().ok()) {
        Some("*/*") | None => {
            let empty = begun.status() == StatusCode::NO_CONTENT;
            empty || begun.headers().contains_key(&names::PROTOCOL)
        }
        Some(wanted) => media(begun.headers()).eq_ignore_ascii_case(wanted),
    };
    match is_hub {
        true => Ok(()),
        false => Err(no_hub(begun.status(), begun.headers()).into()),
    }
}

/// The error that an answer is which is no success.
pub(crate) fn refusal(head: &Parts, body: &Bytes, sent: usize) -> Error {
    let is_problem = media(&head.headers).eq_ignore_ascii_case(PROBLEM);
    let problem = is_problem.then(|| Problem::read(body)).flatten();
    if head.status == StatusCode::UPGRADE_REQUIRED {
        let theirs = problem.and_then(|problem| problem.context.get("supported").cloned());
        let theirs = theirs.unwrap_or_else(|| "another version".to_owned());
        return HttpError::Protocol { ours: PROTOCOL, theirs }.into();
    }
    if let Some(problem) = problem {
        return problem.into_error();
    }
    match head.status {
        StatusCode::UNAUTHORIZED => HttpError::Refused.into(),
        StatusCode::PAYLOAD_TOO_LARGE => HttpError::BodyRefused { bytes: sent }.into(),
        status => {
            let error = Error::from(no_hub(status, &head.headers));
            match text(&head.headers, &LOCATION) {
                Some(elsewhere) => error.with("location", without_query(elsewhere)),
                None => error,
            }
        }
    }
}

/// How long to wait, if the answer says so: in seconds, or until a time by the clock of who answers.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let wait = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (seconds(wait)?, seconds(text(headers, &DATE)?)?);
    Some(Duration::from_secs(until.saturating_sub(now)))
}

/// The seconds since 1970 of a date.
#[cfg(not(target_family = "wasm"))]
fn seconds(date: &str) -> Option<u64> {
    let since = httpdate::parse_http_date(date).ok()?.duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// The seconds since 1970 of a date, which a browser can read.
#[cfg(target_family = "wasm")]
fn seconds(date: &str) -> Option<u64> {
    let millis = js_sys::Date::parse(date);
    (millis >= 0.0).then_some((millis / 1_000.0) as u64)
}

fn no_hub(status: StatusCode, headers: &HeaderMap) -> HttpError {
    HttpError::NotAHub { status: status.as_u16(), media: media(headers).to_owned() }
}

/// The media type, without its parameters.
pub(crate) fn media(headers: &HeaderMap) -> &str {
    let media = text(headers, &CONTENT_TYPE).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// What comes behind may be a secret of somebody's.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_wait_is_told_in_seconds_or_by_the_answerers_clock() {
        let seconds = headers(&[(RETRY_AFTER, "7")]);
        assert_eq!(retry_after(&seconds), Some(Duration::from_secs(7)));
        let date = (RETRY_AFTER, "Fri, 20 Nov 2026 10:00:09 GMT");
        let now = (DATE, "Fri, 20 Nov 2026 10:00:00 GMT");
        assert_eq!(retry_after(&headers(&[date.clone(), now])), Some(Duration::from_secs(9)));
        let later = (DATE, "Fri, 20 Nov 2026 11:00:00 GMT");
        assert_eq!(retry_after(&headers(&[date.clone(), later])), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers(&[date])), None, "whose clock?");
        assert_eq!(retry_after(&headers(&[(RETRY_AFTER, "soon")])), None);
    }
}
