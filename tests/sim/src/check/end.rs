//! What must hold once all is quiet.

use syncline::log::{LaneHash, Op, Tip};
use syncline::merge::{Author, Discard};
use syncline::sync::Fingerprint;
use syncline::{Name, Value};

use super::invariant::{Broken, Invariant};
use super::watch::Watch;
use crate::app::Promises;
use crate::law::Entries;
use crate::ledger::{Ledger, Page};

/// Everything that is compared in the end.
pub(crate) struct Ending<'a> {
    pub(crate) watches: Vec<&'a Watch>,
    pub(crate) prints: Vec<Fingerprint>,
    /// What the shared logs hold; the beginning of a batch whose end is gone for ever waits there.
    pub(crate) shared: Entries,
    /// The lost values that were reported by anybody.
    pub(crate) reported: Vec<Discard>,
    pub(crate) ledger: &'a Ledger,
    pub(crate) promises: &'a Promises,
    /// Whether databases were copied or rolled back.
    pub(crate) copied: bool,
    /// Collections with a reconciler of their own, which decides what is a loss.
    pub(crate) own_rules: &'a [Name],
}

/// Replicas converge, nothing that was promised is gone, and what lost was reported.
pub(crate) fn end(ending: &Ending<'_>) -> Result<(), Broken> {
    let Some(first) = ending.watches.first() else { return Ok(()) };
    for (number, watch) in (1..).zip(&ending.watches) {
        if let Some(seen) = difference(&first.entries, &watch.entries) {
            let seen = format!("replica 1 and replica {number} know other entries: {seen}");
            return Err(Broken::new(Invariant::ReplicasConverge, seen));
        }
    }
    if ending.prints.iter().any(|print| Some(print) != ending.prints.first()) {
        let seen = format!("the fingerprints differ: {:?}", ending.prints);
        return Err(Broken::new(Invariant::ReplicasConverge, seen));
    }
    if let Some(seen) = difference(&first.entries, &ending.shared) {
        let seen = format!("the logs and the replicas hold other entries: {seen}");
        return Err(Broken::new(Invariant::ProgressIsMade, seen));
    }
    promises(ending, &first.entries)?;
    // Who knew of what is told by lane, and branches of a lane share its name.
    if ending.copied { Ok(()) } else { losses(ending, &first.entries) }
}

fn difference(one: &Entries, other: &Entries) -> Option<String> {
    let lacks = |from: &Entries, of: &Entries, who: &str| {
        of.iter().find_map(|(id, entries)| {
            let there = from.get(id);
            let by =
                entries.keys().find(|by| !there.is_some_and(|there| there.contains_key(by)))?;
            Some(format!("{who} lacks {by:?} of {id:?}"))
        })
    };
    lacks(one, other, "the first").or_else(|| lacks(other, one, "the other"))
}

fn promises(ending: &Ending<'_>, entries: &Entries) -> Result<(), Broken> {
    let mut lost = None;
    ending.promises.keep(|replica, promise| {
        let written = entries.get(&promise.id);
        let kept = written.is_some_and(|all| all.values().any(|op| promise.is_kept_by(op)));
        if !kept {
            lost = Some(format!("replica {replica} was told of {promise:?}, and it is gone"));
        }
        true
    });
    lost.map_or(Ok(()), |seen| Err(Broken::new(Invariant::AcknowledgedWritesStay, seen)))
}

/// Every value that lost against a write that did not know of it was reported.
fn losses(ending: &Ending<'_>, entries: &Entries) -> Result<(), Broken> {
    for (id, entries) in entries.iter().filter(|(id, _)| !ending.own_rules.contains(&id.0)) {
        for (by, op) in entries {
            let (Op::Create(fields) | Op::Update(fields)) = op else { continue };
            for (field, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                let later = || entries.iter().filter(|(other, _)| *other > by);
                let lost = later().any(|(_, op)| ends(op, field, value));
                let seen = || {
                    later()
                        .any(|(other, op)| ends(op, field, value) && knew(ending.ledger, other, by))
                };
                let again = || later().any(|(_, op)| sets(op, field, value));
                let told = || ending.reported.iter().any(|discard| discard.loser == *by);
                if lost && !again() && !seen() && !told() {
                    let what =
                        format!("{id:?}: {field} = {value:?} of {by:?} lost unseen and unreported");
                    let all = entries.iter().map(|(by, op)| {
                        format!("\n  {} {}/{} {op:?}", by.stamp, by.replica, by.seq)
                    });
                    let what = what + &all.collect::<String>();
                    return Err(Broken::new(Invariant::LostValuesAreReported, what));
                }
            }
        }
    }
    Ok(())
}

fn sets(op: &Op, field: &str, value: &Value) -> bool {
    match op {
        Op::Create(fields) | Op::Update(fields) => fields.value(field) == value,
        Op::Delete => false,
    }
}

/// Whether a later write ends a field's value.
fn ends(op: &Op, field: &str, value: &Value) -> bool {
    match op {
        Op::Delete => true,
        other => other.sets(field) && !sets(other, field, value),
    }
}

/// Whether the writer of one entry had applied another.
fn knew(ledger: &Ledger, writer: &Author, other: &Author) -> bool {
    if writer.replica == other.replica {
        return writer.seq > other.seq;
    }
    find(ledger, writer).is_some_and(|page| page.context.knows(&other.replica, other.seq))
}

fn find<'a>(ledger: &'a Ledger, by: &Author) -> Option<&'a Page> {
    let from = Tip { replica: by.replica, seq: by.seq, hash: LaneHash([0; 16]) };
    ledger.at(&from).find(|(tip, _)| tip.hash.tie() == by.tie).map(|(_, page)| page)
}
