//! One database, looked at after every step: what it applied, and whether its rows are what the law says.

use std::collections::{BTreeMap, BTreeSet};

use syncline::log::{Entry, Op, Tip, lane_start};
use syncline::merge::Author;
use syncline::{Backend, Group, Name, Object, ReplicaId, Schema};

use super::durable::{Durable, LaneRow};
use super::invariant::{Broken, Invariant};
use crate::app::App;
use crate::disk::all;
use crate::law::{self, Entries, ObjectId, Rows};
use crate::ledger::{Ledger, author};

/// What is known of one database from looking at it.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Option<Seen>,
    /// The entries that it applied, its own included.
    pub(crate) entries: Entries,
    /// What the law says of them, as this schema shows it.
    rows: Rows,
}

#[derive(Debug)]
struct Seen {
    replica: ReplicaId,
    frozen: Tip,
    lanes: BTreeMap<String, LaneRow>,
    /// Own entries that are not frozen.
    open: Vec<Open>,
    last: u64,
}

#[derive(Clone, Debug)]
struct Open {
    id: ObjectId,
    by: Author,
    op: Op,
}

/// What a look needs to know of the world.
pub(crate) struct Sight<'a> {
    pub(crate) raw: &'a dyn Backend,
    pub(crate) schema: &'a Schema,
    pub(crate) group: &'a Group,
    pub(crate) app: &'a dyn App,
    /// Collections with a reconciler of their own, which decides who wins.
    pub(crate) own_rules: &'a [Name],
}

type Check = Result<(), Broken>;

fn broken<T>(invariant: Invariant, seen: impl Into<String>) -> Result<T, Broken> {
    Err(Broken::new(invariant, seen))
}

impl Watch {
    /// Forgets what was seen: the database was restored, or its schema is another.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A lane of which whole batches are received that are neither applied nor parked.
    pub(crate) fn behind(&self, ledger: &Ledger) -> Option<&str> {
        let lanes = self.seen.iter().flat_map(|seen| seen.lanes.values());
        let mut behind = lanes.filter(|lane| {
            let mut waiting = ledger.back_to(lane.received, lane.applied.seq);
            waiting.any(|(_, page)| !page.entry.more)
        });
        behind.next().map(|lane| lane.id.as_str())
    }

    /// Looks at the database and holds it to every promise that one database can break.
    pub(crate) fn look(
        &mut self,
        sight: &Sight<'_>,
        ledger: &mut Ledger,
    ) -> Result<Option<Durable>, Broken> {
        let read = Durable::read(sight.raw);
        let read = read.map_err(|why| Broken::new(Invariant::LanesHaveNoGaps, why))?;
        let Some(now) = read else { return Ok(None) };
        let before = self.seen.take();
        let open = own_lane(&now, before.as_ref(), sight.group, ledger)?;
        let mut touched = BTreeSet::new();
        self.take_in(&now, before.as_ref(), ledger, &mut touched)?;
        for Open { id, by, op } in &open {
            let _ = self.entries.entry(id.clone()).or_default().insert(*by, op.clone());
            let _ = touched.insert(id.clone());
        }
        let last = now.own.last().map_or(now.frozen.seq, |(seq, _)| (*seq).max(now.frozen.seq));
        let seen = Seen {
            replica: now.replica,
            frozen: now.frozen,
            lanes: now.lanes.iter().map(|lane| (lane.id.clone(), lane.clone())).collect(),
            open,
            last,
        };
        if let Some(before) = &before {
            self.still_there(before, &seen)?;
        }
        self.judge(sight, &touched)?;
        if let Some(before) = before.filter(|before| before.replica == seen.replica) {
            self.local_writes_win(sight, &before, &seen)?;
        }
        self.seen = Some(seen);
        Ok(Some(now))
    }

    /// Brings the applied entries up to date: only what is new where that can be.
    fn take_in(
        &mut self,
        now: &Durable,
        before: Option<&Seen>,
        ledger: &Ledger,
        touched: &mut BTreeSet<ObjectId>,
    ) -> Check {
        for Open { id, by, .. } in before.iter().flat_map(|before| &before.open) {
            let _ = self.entries.entry(id.clone()).or_default().remove(by);
            let _ = touched.insert(id.clone());
        }
        let goes_on = before.filter(|before| continues(before, now, ledger));
        let old = goes_on.is_none().then(|| std::mem::take(&mut self.entries));
        let own = goes_on.map_or(0, |before| before.frozen.seq);
        self.add(ledger, now.frozen, own, &[], touched)?;
        for lane in &now.lanes {
            let from = goes_on.and_then(|before| before.lanes.get(&lane.id));
            let from = from.map_or(lane.root, |before| before.applied.seq);
            self.add(ledger, lane.applied, from, &lane.except, touched)?;
            if lane.applied.seq > lane.received.seq {
                return broken(
                    Invariant::MarksFollowStorage,
                    format!("applied, not received: {lane:?}"),
                );
            }
        }
        if let Some(old) = old {
            touched.extend(old.keys().cloned());
            self.contains(&old)?;
        }
        Ok(())
    }

    /// Adds the entries of a lane behind `from` up to a place.
    fn add(
        &mut self,
        ledger: &Ledger,
        to: Tip,
        from: u64,
        except: &[(u64, u64)],
        touched: &mut BTreeSet<ObjectId>,
    ) -> Check {
        let (mut left, mut ends) = (to.seq.saturating_sub(from), true);
        for (tip, page) in ledger.back_to(to, from) {
            if ends && page.entry.more {
                let seen =
                    format!("{}/{} is applied without the rest of its batch", tip.replica, tip.seq);
                return broken(Invariant::BatchesAreWhole, seen);
            }
            (left, ends) = (left - 1, false);
            if except.iter().any(|(first, last)| (*first..=*last).contains(&tip.seq)) {
                continue;
            }
            let Some(write) = &page.entry.write else { continue };
            let id = (write.collection.clone(), write.key.clone());
            let by = author(&tip, &page.entry);
            let _ = self.entries.entry(id.clone()).or_default().insert(by, write.op.clone());
            let _ = touched.insert(id);
        }
        if left > 0 {
            let seen = format!("{left} entries up to {to:?} were never written by anybody");
            return broken(Invariant::LanesHaveNoGaps, seen);
        }
        Ok(())
    }

    fn contains(&self, old: &Entries) -> Check {
        for (id, entries) in old {
            let now = self.entries.get(id);
            let gone = entries.keys().find(|by| !now.is_some_and(|now| now.contains_key(by)));
            if let Some(by) = gone {
                let seen = format!("{id:?} was written by {by:?}, and that is gone");
                return broken(Invariant::NothingDisappears, seen);
            }
        }
        Ok(())
    }

    /// Own entries that were open before are open still, or frozen; their stamps may be others.
    fn still_there(&self, before: &Seen, now: &Seen) -> Check {
        for Open { id, by, op } in &before.open {
            let own = [before.replica, now.replica];
            let same =
                |(other, written): (&Author, &Op)| own.contains(&other.replica) && written == op;
            if !self.entries.get(id).is_some_and(|entries| entries.iter().any(same)) {
                let seen = format!("{id:?}: own write {} is gone: {op:?}", by.seq);
                return broken(Invariant::NothingDisappears, seen);
            }
        }
        Ok(())
    }

    /// Rows equal the law.
    fn judge(&mut self, sight: &Sight<'_>, touched: &BTreeSet<ObjectId>) -> Check {
        for id in touched {
            let entries = self.entries.get(id).filter(|entries| !entries.is_empty());
            let wanted = entries.and_then(|entries| sight.app.merged(&id.0, entries));
            let _ = match wanted.map(|row| shown(sight.schema, id, row)) {
                Some(row) => self.rows.insert(id.clone(), row),
                None => self.rows.remove(id),
            };
        }
        let mut rows = 0;
        for definition in sight.schema.own_collections() {
            for row in all(sight.raw, definition.name()) {
                let Some(key) = definition.key_of(&row) else {
                    return broken(
                        Invariant::RowsEqualLaw,
                        format!("a row without a key: {row:?}"),
                    );
                };
                let id = (definition.name().clone(), key);
                let wanted = self.rows.get(&id);
                rows += 1;
                if wanted.is_none_or(|wanted| *wanted != definition.without_key(row.clone())) {
                    return self.differs(&id, Some(&row));
                }
            }
        }
        let known = |id: &&ObjectId| sight.schema.get(&id.0).is_some();
        if rows != self.rows.keys().filter(known).count() {
            let is_stored = |id: &ObjectId| {
                let definition = sight.schema.get(&id.0);
                let stored = all(sight.raw, &id.0);
                definition.is_some_and(|definition| {
                    stored.iter().any(|row| definition.key_of(row).as_ref() == Some(&id.1))
                })
            };
            if let Some(id) = self.rows.keys().filter(known).find(|id| !is_stored(id)) {
                return self.differs(id, None);
            }
        }
        sight.app.check(&self.rows).or_else(|why| broken(Invariant::ApplicationHolds, why))
    }

    fn differs(&self, id: &ObjectId, row: Option<&Object>) -> Check {
        let mut seen = format!("{id:?}\n  row {row:?}\n  law {:?}", self.rows.get(id));
        for (by, op) in self.entries.get(id).into_iter().flatten() {
            seen.push_str(&format!("\n  {} {}/{} {op:?}", by.stamp, by.replica, by.seq));
        }
        broken(Invariant::RowsEqualLaw, seen)
    }

    /// What was written here just now stands.
    fn local_writes_win(&self, sight: &Sight<'_>, before: &Seen, now: &Seen) -> Check {
        let by_law = |open: &Open| !sight.own_rules.contains(&open.id.0);
        let is_new = |open: &Open| open.by.seq > before.last && open.by.stamp.millis() > 0;
        let new = |open: &&Open| is_new(open) && by_law(open);
        let mut latest: BTreeMap<&ObjectId, &Open> = BTreeMap::new();
        for open in now.open.iter().filter(new) {
            let _ = latest.insert(&open.id, open);
        }
        for open in latest.into_values() {
            let Some(entries) = self.entries.get(&open.id) else { continue };
            let stands = match &open.op {
                Op::Delete => law::object(entries).is_none(),
                Op::Create(fields) | Op::Update(fields) => {
                    let winners = law::winners(entries);
                    let wins = |name| winners.get(name).is_some_and(|(by, _)| *by == open.by);
                    fields.iter().all(|(name, _)| wins(name))
                }
            };
            if !stands {
                let seen = format!("{:?} was written by {:?} and lost at once", open.id, open.by);
                return broken(Invariant::LocalWritesWin, seen);
            }
        }
        Ok(())
    }
}

/// Whether nothing but progress was made since.
fn continues(before: &Seen, now: &Durable, ledger: &Ledger) -> bool {
    let same = |lane: &LaneRow| {
        let now = now.lanes.iter().find(|other| other.id == lane.id);
        now.is_some_and(|now| {
            now.except == lane.except && ledger.leads_to(&lane.applied, &now.applied)
        })
    };
    before.replica == now.replica
        && ledger.leads_to(&before.frozen, &now.frozen)
        && before.lanes.values().all(same)
}

/// Reads what is new in the own lane: frozen entries into the ledger; the open ones come back.
fn own_lane(
    now: &Durable,
    before: Option<&Seen>,
    group: &Group,
    ledger: &mut Ledger,
) -> Result<Vec<Open>, Broken> {
    let gap = |seen: String| broken(Invariant::LanesHaveNoGaps, seen);
    let first = now.own.first().map_or(now.frozen.seq + 1, |(seq, _)| *seq);
    let known = before.filter(|before| before.replica == now.replica).map(|before| before.frozen);
    let mut at = match known {
        Some(frozen) if frozen.seq <= now.frozen.seq => frozen,
        _ if first == 1 => {
            Tip { replica: now.replica, seq: 0, hash: lane_start(group, now.replica) }
        }
        _ => {
            let reached = ledger.back_to(now.frozen, first - 1).last();
            match reached {
                Some((tip, page)) if tip.seq == first => {
                    Tip { seq: first - 1, hash: page.before, ..tip }
                }
                _ if first == now.frozen.seq + 1 => now.frozen,
                _ => return gap(format!("own entries before {first} are not known")),
            }
        }
    };
    let (mut open, mut more, start) = (Vec::new(), false, at.seq);
    for (seq, bytes) in now.own.iter().filter(|(seq, _)| *seq > start) {
        if *seq != at.seq + 1 {
            return gap(format!("own entry {seq} comes behind {}", at.seq));
        }
        let entry = Entry::from_bytes(*seq, bytes);
        let entry =
            entry.map_err(|error| Broken::new(Invariant::LanesHaveNoGaps, error.to_string()))?;
        more = entry.more;
        if *seq <= now.frozen.seq {
            at = ledger.note(at, bytes, entry);
            if *seq == now.frozen.seq && at != now.frozen {
                return gap(format!("the running hash at {seq} is another than noted"));
            }
        } else {
            at = Tip { replica: at.replica, seq: *seq, hash: at.hash.then(bytes) };
            let by = author(&at, &entry);
            let write = entry.write.map(|write| (write.collection, write.key, write.op));
            open.extend(write.map(|(collection, key, op)| Open { id: (collection, key), by, op }));
        }
    }
    if at.seq < now.frozen.seq {
        return gap(format!("own entries behind {} are missing", at.seq));
    }
    if more {
        return broken(Invariant::BatchesAreWhole, "the last own entry says that more follows");
    }
    Ok(open)
}

/// What a row of this schema can show of an object.
fn shown(schema: &Schema, id: &ObjectId, mut row: Object) -> Object {
    if let Some(definition) = schema.get(&id.0) {
        row.retain(|name, value| {
            let field = definition.field(name);
            !definition.is_key(name)
                && field.is_some_and(|field| field.kind.primitive().holds(value))
        });
    }
    row
}
