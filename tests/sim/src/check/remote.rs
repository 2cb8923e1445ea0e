//! What a database says of a shared log, held against what it has stored.

use std::sync::Arc;

use syncline::log::{After, Fetch, Segment, Span, VersionVector};
use syncline::{ReplicaId, SharedLog};

use super::durable::{Durable, RemoteRow};
use super::invariant::{Broken, Invariant};
use crate::ledger::Ledger;
use crate::tasks::at_once;

/// A cursor, an acknowledgement or a mark is never ahead of what is stored.
///
/// Marks are not looked at where the log, or the database, is another than it was.
pub(crate) fn check_remotes(
    now: &Durable,
    before: &[RemoteRow],
    logs: &[Arc<dyn SharedLog>],
    is_another: bool,
    ledger: &Ledger,
) -> Result<(), Broken> {
    let has = |tip: &_| now.has(tip, |from, to| ledger.leads_to(from, to));
    for row in now.remotes.iter().filter(|row| !before.contains(row)) {
        let ahead = |what: String| Err(Broken::new(Invariant::MarksFollowStorage, what));
        if let Some(tip) = row.acknowledged.tips.iter().find(|tip| !has(tip)) {
            return ahead(format!("{tip:?} is acknowledged at {} and not stored", row.name));
        }
        let is_own = row.replica == now.replica.to_string();
        let Some(log) = logs.iter().find(|log| log.name() == row.name) else { continue };
        let Some((all, rest)) = read(log.as_ref(), row) else { continue };
        for span in all.iter().filter(|span| !rest.contains(span)) {
            if !has(&span.tip()) {
                return ahead(format!(
                    "the cursor at {} is behind {span:?}, which is not stored",
                    row.name
                ));
            }
        }
        let peers = at_once(log.peers()).and_then(Result::ok).unwrap_or_default();
        let of_own = peers.iter().filter(|peer| peer.replica == now.replica);
        let mut heads = of_own.flat_map(|peer| &peer.heads);
        if is_own && !is_another && row.shared > 0 && !heads.any(|tip| tip.seq >= row.shared) {
            return ahead(format!("{} does not hold own entry {}", row.name, row.shared));
        }
    }
    Ok(())
}

/// A log was told no more than what is stored.
pub(crate) fn check_acknowledgements<'a>(
    now: &Durable,
    logs: impl Iterator<Item = &'a dyn SharedLog>,
    ledger: &Ledger,
) -> Result<(), Broken> {
    for log in logs {
        let peers = at_once(log.peers()).and_then(Result::ok).unwrap_or_default();
        let own = peers.iter().filter(|peer| peer.replica == now.replica);
        for tip in own.flat_map(|peer| &peer.acknowledged.tips) {
            if !now.has(tip, |from, to| ledger.leads_to(from, to)) {
                let seen = format!("{} was told that {tip:?} is stored", log.name());
                return Err(Broken::new(Invariant::MarksFollowStorage, seen));
            }
        }
    }
    Ok(())
}

/// Everything that a log holds, and what lies behind a cursor; nothing where the log knows it not.
fn read(log: &dyn SharedLog, row: &RemoteRow) -> Option<(Vec<Span>, Vec<Span>)> {
    let all = spans(log, After::Known(VersionVector::default()))?;
    let rest = match &row.cursor {
        Some(cursor) => spans(log, After::Cursor(cursor.clone()))?,
        None => all.clone(),
    };
    Some((all, rest))
}

fn spans(log: &dyn SharedLog, after: After) -> Option<Vec<Span>> {
    let request = Fetch {
        replica: ReplicaId([0xee; 16]),
        after,
        limit_bytes: usize::MAX,
        limit_entries: u64::MAX,
    };
    let fetched = at_once(log.fetch(&request))?.ok()?;
    Some(fetched.segments.iter().map(Segment::span).copied().collect())
}
