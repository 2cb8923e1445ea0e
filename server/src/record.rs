//! What the hub notes of every request. Never a token, never a path as it came.

/// What was asked and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) method: &'a str,
    /// The pattern of the path.
    pub(crate) route: &'a str,
    pub(crate) group: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) status: u16,
    /// The kind of a refusal.
    pub(crate) kind: Option<&'a str>,
    /// Bytes of the request's body, as they came.
    pub(crate) received: u64,
    /// Bytes of the answer's body before any compression; 0 if that cannot be told beforehand.
    pub(crate) sent: u64,
    /// How long it took until the answer began.
    pub(crate) micros: u64,
}

impl Record<'_> {
    /// Tells it to whoever listens.
    pub(crate) fn tell(&self) {
        let Self { method, route, group, subject, status, kind, received, sent, micros } = self;
        let [group, subject, kind] = [group, subject, kind].map(|text| text.unwrap_or_default());
        if *status >= 500 {
            tracing::warn!(
                method, route, group, subject, status, kind, received, sent, micros, "answered"
            );
        } else {
            tracing::info!(
                method, route, group, subject, status, kind, received, sent, micros, "answered"
            );
        }
    }
}
