//! Random histories of several replicas over one object, delivered in every way.

use std::collections::BTreeMap;

use proptest::prelude::*;
use syncline_conformance::law;
use syncline_core::log::Op;
use syncline_core::merge::{Author, Discard, History, Incoming};
use syncline_core::{Name, Object, ReplicaId, Stamp, Value};

use crate::support::{Held, collection, row_of};

/// Few stamps, replicas and places, so that ties are frequent.
fn author() -> impl Strategy<Value = Author> {
    (0_u64..6, 1_u8..6, 1_u64..4, 0_u32..2).prop_map(|(stamp, replica, seq, tie)| Author {
        stamp: Stamp::from_bits(stamp).expect("a small stamp"),
        replica: ReplicaId([replica; 16]),
        seq,
        tie,
    })
}

/// Of few fields; one that the collection does not have, and values that its field cannot hold.
fn fields() -> impl Strategy<Value = Object> {
    let value = prop_oneof![
        1 => Just(Value::Null),
        4 => (0_i64..3).prop_map(Value::from),
        1 => Just(Value::from("text")),
    ];
    let name = prop_oneof![Just("a"), Just("b"), Just("title"), Just("unknown")];
    proptest::collection::btree_map(name, value, 0..3).prop_map(|fields| {
        fields.into_iter().map(|(name, value)| (Name::from(name), value)).collect()
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => fields().prop_map(Op::Create),
        4 => fields().prop_map(Op::Update),
        2 => Just(Op::Delete),
    ]
}

/// A history, and an order in which its entries come: some twice, cut into calls, stored in between or not.
#[derive(Clone, Debug)]
struct Story {
    entries: Vec<(Author, Op)>,
    calls: Vec<(Vec<usize>, bool)>,
}

fn story() -> impl Strategy<Value = Story> {
    proptest::collection::btree_map(author(), op(), 1..9)
        .prop_flat_map(|entries| {
            let count = entries.len();
            let twice = proptest::collection::vec(0..count, 0..4);
            let order = twice.prop_map(move |twice| (0..count).chain(twice).collect::<Vec<_>>());
            let cuts = proptest::collection::vec((1_usize..4, any::<bool>()), count + 4);
            (Just(entries), order.prop_shuffle(), cuts)
        })
        .prop_map(|(entries, order, cuts)| {
            let (mut calls, mut rest) = (Vec::new(), order.as_slice());
            for (length, stored) in cuts {
                let (now, later) = rest.split_at(length.min(rest.len()));
                calls.push((now.to_vec(), stored));
                rest = later;
            }
            Story { entries: entries.into_iter().collect(), calls }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_row_equals_the_law_after_every_call(story in story()) {
        let collection = collection();
        let mut held = Held::default();
        let mut known = BTreeMap::new();
        for (call, is_stored) in story.calls {
            let before = held.row.clone();
            let incoming = call.iter().map(|at| {
                let (author, op) = story.entries[*at].clone();
                let _ = known.insert(author, op.clone());
                Incoming { author, op }
            });
            let incoming: Vec<Incoming> = incoming.collect();
            let answer = held.take(&collection, &incoming);
            let wanted = law::object(&known);
            prop_assert_eq!(held.history.object(), wanted.clone());
            let wanted = wanted.map(|object| row_of(&collection, object));
            prop_assert_eq!(&held.row, &wanted);
            prop_assert_eq!(answer.steps.len(), usize::from(before != wanted), "the smallest batch");
            // What a delete hides is lost too, also if it bears a later stamp.
            let hides = |lost: &Discard| known[&lost.winner] == Op::Delete;
            prop_assert!(answer.discards.iter().all(|lost| lost.loser < lost.winner || hides(lost)));
            if is_stored {
                held.store();
            }
        }
    }

    #[test]
    fn a_history_is_the_same_whatever_the_order_and_the_repetition(story in story()) {
        let mut sorted = History::default();
        for (author, op) in &story.entries {
            sorted.add(*author, op);
        }
        let mut delivered = History::default();
        for at in story.calls.iter().flat_map(|(call, _)| call) {
            let (author, op) = &story.entries[*at];
            delivered.add(*author, op);
        }
        prop_assert_eq!(&delivered, &sorted);
        prop_assert_eq!(delivered.to_bytes(None), sorted.to_bytes(None));
    }

    #[test]
    fn bytes_of_anything_are_a_history_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = History::from_bytes(&bytes, None);
        let _ = History::greatest_in(&bytes);
    }
}
