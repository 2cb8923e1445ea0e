//! What is told of values that lost: each once, when it loses, and nothing else.

use syncline::Value;
use syncline::merge::Discard;

use crate::law::{self, Deed, Event, FIELDS, Set};

/// Events on one object, and who knew of whom.
pub struct Story<'a> {
    pub events: &'a [Event],
    /// Whether the writer of one event knew of another.
    pub knew: &'a dyn Fn(usize, usize) -> bool,
    /// Whether it is told that the one event lost against the other.
    pub tells: &'a dyn Fn(usize, usize) -> bool,
}

/// A call of the reconciler, or a sync: what was known before and what is known then.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub before: Set,
    pub after: Set,
}

/// An event that stands against a value, and how.
type Against = (usize, How);

/// How a value lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// It has to be told.
    Beaten,
    /// It only empties a field of an object that is deleted: no loss, but it may be told.
    Needless,
    /// Somebody writes the same again, carries it on and is told in its place.
    Repeated,
}

impl Story<'_> {
    /// Holds what was told to this: every value that lost by the change is told once, with somebody who
    /// stands against it, and no other value is.
    ///
    /// Where a value lost against both its own replica and another one, it may be told: that depends on
    /// which of the two came first.
    pub fn check(&self, change: Change, discards: &[&Discard]) {
        let place = |author| self.events.iter().position(|event| event.author == author);
        let mut told = vec![[0; 2]; self.events.len()];
        for discard in discards {
            let (loser, winner) = (place(discard.loser), place(discard.winner));
            let (loser, winner) = loser.zip(winner).expect("both are events of this world");
            let concurrent = !(self.knew)(loser, winner) && !(self.knew)(winner, loser);
            assert_eq!(discard.concurrent, concurrent, "{discard:#?}");
            assert!((self.tells)(loser, winner), "{discard:#?}");
            assert!(change.after & 1 << loser != 0 && change.after & 1 << winner != 0);
            for (field, name) in FIELDS.into_iter().enumerate() {
                let Some(value) = self.events[loser].deed.sets()[field] else { continue };
                if discard.field.as_deref().is_some_and(|field| field != name) {
                    continue;
                }
                told[loser][field] += 1;
                let lost = discard.field.as_ref().map_or(Value::Null, |_| Value::from(value));
                assert_eq!(discard.lost, lost, "{discard:#?}");
                let against = self.against(change.after, loser, field);
                assert!(
                    against.iter().any(|(by, how)| *by == winner && *how != How::Repeated),
                    "{discard:#?} does not stand in the way"
                );
            }
        }
        for (event, told) in told.iter().enumerate().filter(|(at, _)| change.after & 1 << at != 0) {
            for field in (0..2).filter(|field| self.events[event].deed.sets()[*field].is_some()) {
                self.check_value(change, (event, field), told[field], discards);
            }
        }
    }

    fn check_value(
        &self,
        change: Change,
        (event, field): (usize, usize),
        told: u32,
        discards: &[&Discard],
    ) {
        let before = match change.before & 1 << event != 0 {
            true => self.against(change.before, event, field),
            false => Vec::new(),
        };
        let now = self.against(change.after, event, field);
        let counts = |(by, how): &Against| *how == How::Beaten && (self.tells)(event, *by);
        let is_sure = |against: &[Against]| !against.is_empty() && against.iter().all(counts);
        let may_be = |(by, how): &Against| *how != How::Repeated && (self.tells)(event, *by);
        let must = before.is_empty() && is_sure(&now);
        let may = !is_sure(&before) && now.iter().any(may_be);
        assert!(
            told <= 1 && (told == 1 || !must) && (told == 0 || may),
            "field {field} of event {event} was told {told} times: {change:?}, {discards:#?}"
        );
    }

    /// Everything known that stands against a value of one event: deletes and writes of the field behind
    /// it; and a delete before it that its writer knew nothing of, if no create brings it to light.
    fn against(&self, known: Set, event: usize, field: usize) -> Vec<Against> {
        let Event { author, deed } = self.events[event];
        let value = deed.sets()[field].expect("the event sets the field");
        let mut against = Vec::new();
        for (by, other) in law::among(self.events, known) {
            if law::order(&author, &other.author).is_ge() {
                continue;
            }
            match other.deed {
                Deed::Delete if value.is_none() => against.push((by, How::Needless)),
                Deed::Delete => against.push((by, How::Beaten)),
                deed => match deed.sets()[field] {
                    Some(other) if other == value => against.push((by, How::Repeated)),
                    Some(_) => against.push((by, How::Beaten)),
                    None => {}
                },
            }
        }
        let born = law::born(self.events, known);
        let is_hidden = born.is_none_or(|born| law::order(&author, &born).is_lt());
        let dead = law::dead(self.events, known);
        let dead = dead.filter(|dead| law::order(dead, &author).is_lt());
        let dead = dead.and_then(|dead| self.events.iter().position(|e| e.author == dead));
        if let Some(dead) = dead.filter(|dead| !(self.knew)(event, *dead))
            && is_hidden
            && value.is_some()
            && law::greatest(self.events, known, field) == Some((author, value))
        {
            against.push((dead, How::Beaten));
        }
        against
    }
}
