//! Whether a request may be answered at all: who asks, about what, how often.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use syncline_core::{Error, ErrorKind, Group};

use crate::Hub;
use crate::auth::{Access, Scope};
use crate::failure::Failure;
use crate::frame::Visit;
use crate::strangers::Household;
use crate::text;

/// A request about a group that may be answered.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) group: Group,
    pub(crate) access: Access,
}

impl Hub {
    /// Who asks, about which group, and whether that is allowed.
    pub(crate) async fn admit(&self, head: &Parts, scope: Scope) -> Result<Admitted, Failure> {
        let access = self.identify(head).await?;
        let group = text::group(&head.uri, 2)?;
        note(head, |visit| {
            tracing::Span::current().record("group", group.as_str());
            visit.group.get_or_init(|| group.as_str().to_owned());
        });
        access.check(&group, scope)?;
        if let Err(seconds) = self.rates().count((&access.subject, group.as_str()), self.now()) {
            let message = "too many requests; come back later, or ask for more at once";
            let error = Error::new(ErrorKind::Unavailable, message);
            return Err(Failure::later(error, StatusCode::TOO_MANY_REQUESTS, seconds));
        }
        Ok(Admitted { group, access })
    }

    /// Who asks.
    pub(crate) async fn identify(&self, head: &Parts) -> Result<Access, Failure> {
        let token = bearer(head)?;
        // Who serves this hub may not know from where a request comes; and without a token nothing is guessed.
        let attempt = Household::of(head).zip(token);
        if let Some((from, token)) = attempt {
            self.strangers().check(from, token, self.now())?;
        }
        let access = self.known(token).await;
        match (&access, attempt) {
            (Ok(_), Some((_, token))) => self.strangers().passed(token),
            (Err(error), Some((from, token))) if error.kind() == ErrorKind::Denied => {
                self.strangers().failed(from, token, self.now());
            }
            _ => {}
        }
        let access = access.map_err(refused)?;
        note(head, |visit| {
            tracing::Span::current().record("subject", &access.subject);
            visit.subject.get_or_init(|| access.subject.clone());
        });
        Ok(access)
    }

    async fn known(&self, token: Option<&str>) -> Result<Access, Error> {
        let now = self.now();
        let access = self.gate().authenticate(token, now).await?;
        if access.has_ended(now) {
            let message = "this token has expired; get another one";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        Ok(access)
    }
}

/// The token of a request, if it has one.
fn bearer(head: &Parts) -> Result<Option<&str>, Failure> {
    let mut values = head.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    match (token, values.next()) {
        (Some(token), None) if !token.is_empty() => Ok(Some(token)),
        _ => {
            let message = "the hub takes one header `authorization: Bearer TOKEN`";
            Err(refused(Error::new(ErrorKind::Denied, message)))
        }
    }
}

/// Whoever is not known is told how to say who they are.
fn refused(error: Error) -> Failure {
    if error.kind() != ErrorKind::Denied {
        return error.into();
    }
    Failure::with_status(error, StatusCode::UNAUTHORIZED)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn note(head: &Parts, add: impl FnOnce(&Visit)) {
    if let Some(visit) = head.extensions.get::<Arc<Visit>>() {
        add(visit);
    }
}
