//! Small worlds: events on one object, and who knew of what.

use std::fmt;

use syncline::merge::Author;

use super::reconciling::{Held, Reconciling};
use crate::law::{Deed, Event, Set};

/// Whether the values that are written differ from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Each event writes its own.
    Distinct,
    /// All write the same.
    Equal,
}

/// Who had applied what when it wrote, besides the earlier events of its own lane: for each event, counted
/// from the smallest, the set of smaller ones that its writer knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knowing(pub [Set; 4]);

impl Knowing {
    /// Nobody knew of anybody.
    pub const NOTHING: Self = Self([0; 4]);

    /// Everything that up to three writers may have known.
    pub fn all(authors: &[Author]) -> Vec<Self> {
        assert!(authors.len() <= 3);
        let mut all = Vec::new();
        for bits in 0..8 {
            let knowing = [0, bits & 1, bits >> 1, 0];
            let is_meant = (0..4).all(|writer| {
                let others = (0..writer).filter(|at| {
                    authors.get(writer).is_some_and(|by| by.replica != authors[*at].replica)
                });
                knowing[writer] & !others.fold(0, |set, at| set | 1 << at) == 0
            });
            if is_meant {
                all.push(Self(knowing));
            }
        }
        all
    }
}

/// Which calls of the reconciler are gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// From every set to every greater one, in every order, and with events that come again.
    EveryCut,
    /// One event after the other, all at once in every order, and each event that comes again alone.
    OneOrAll,
}

/// Events on one object, in rising order.
pub struct World {
    pub events: Vec<Event>,
    pub knowing: Knowing,
}

/// What may happen, `at` being the number of the event.
fn deeds(at: usize, values: Values) -> [Deed; 6] {
    let number = i64::try_from(at).expect("a small number");
    let (a, b) = match values {
        Values::Distinct => (Some(10 + number), Some(20 + number)),
        Values::Equal => (Some(7), Some(7)),
    };
    [
        Deed::Create([Some(a), None]),
        Deed::Create([Some(a), Some(b)]),
        Deed::Update([Some(a), None]),
        Deed::Update([None, Some(b)]),
        Deed::Update([Some(None), None]),
        Deed::Delete,
    ]
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.events).finish()?;
        write!(f, " {:?}", self.knowing)
    }
}

impl World {
    /// Every world in which these authors wrote something.
    pub fn each(authors: &[Author], knowing: Knowing, values: Values, mut then: impl FnMut(&Self)) {
        let mut world = Self { events: Vec::new(), knowing };
        for number in 0..6_usize.pow(u32::try_from(authors.len()).expect("a small number")) {
            world.events.clear();
            let mut rest = number;
            for (at, author) in authors.iter().enumerate() {
                let deed = deeds(at, values)[rest % 6];
                world.events.push(Event { author: *author, deed });
                rest /= 6;
            }
            then(&world);
        }
    }

    /// Holds the reconciler to the law on every way through this world.
    pub fn check(&self, calls: Calls) {
        let everything: Set = (1 << self.events.len()) - 1;
        let mut reconciling = Reconciling::new(self);
        let mut held: Vec<Option<Held>> = vec![None; usize::from(everything) + 1];
        held[0] = Some(Held::default());
        for set in 0..=everything {
            let now = held[usize::from(set)].clone().expect("smaller sets come first");
            reconciling.check_at_rest(set, &now);
            each_call(calls, set, everything, &mut |call| {
                let after = reconciling.call(set, &now, call);
                let reached = call.iter().fold(set, |set, at| set | 1 << at);
                let known = held[usize::from(reached)].get_or_insert_with(|| after.clone());
                assert_eq!(*known, after, "{call:?} behind {set:b} of {self:#?}");
            });
        }
    }
}

/// Every call that may come when a set is known.
fn each_call(calls: Calls, set: Set, everything: Set, then: &mut impl FnMut(&[usize])) {
    let events = || (0..8).filter(|at| everything & 1 << at != 0);
    for again in events().filter(|at| set & 1 << at != 0) {
        then(&[again]);
        if calls == Calls::EveryCut {
            for new in events().filter(|at| set & 1 << at == 0) {
                then(&[again, new]);
                then(&[new, again]);
                then(&[new, new]);
            }
        }
    }
    let mut call = Vec::new();
    each_order(everything & !set, &mut call, &mut |call| {
        let is_whole = set == 0 && call.len() == everything.count_ones() as usize;
        if calls == Calls::EveryCut || call.len() == 1 || is_whole {
            then(call);
        }
    });
}

fn each_order(left: Set, call: &mut Vec<usize>, then: &mut impl FnMut(&[usize])) {
    for at in (0..8).filter(|at| left & 1 << at != 0) {
        call.push(at);
        then(call);
        each_order(left & !(1 << at), call, then);
        let _ = call.pop();
    }
}
