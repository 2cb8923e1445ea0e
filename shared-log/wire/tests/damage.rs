//! Whatever arrives instead of a body is refused as what it is, and never a panic.

mod common;

use common::{exchange, exchanged, segment, tip, vector};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use syncline_core::log::{
    After, Append, AppendIf, Cursor, Damage, Exchange, Exchanged, Fetch, Fetched, Receipt, Tip,
    VersionVector,
};
use syncline_core::{Error, ErrorKind, ReplicaId};
use syncline_shared_log_wire::{
    read_exchange, read_exchanged, read_segments, read_vector, write_exchange, write_exchanged,
    write_segments, write_vector,
};

fn tips() -> impl Strategy<Value = Vec<Tip>> {
    vec((0..250_u8, any::<u64>()).prop_map(|(replica, seq)| tip(replica, seq)), 0..4)
}

fn vectors() -> impl Strategy<Value = VersionVector> {
    tips().prop_map(VersionVector::new)
}

fn exchanges() -> impl Strategy<Value = Exchange> {
    let after = prop_oneof![
        vec(any::<u8>(), 0..40).prop_map(|bytes| After::Cursor(Cursor(bytes))),
        vectors().prop_map(After::Known),
    ];
    let only_if = prop_oneof![
        Just(AppendIf::Always),
        option::of(any::<u64>()).prop_map(|seq| AppendIf::LaneEndsAt(seq.map(|seq| tip(1, seq)))),
    ];
    let fetch = (after, any::<u32>(), any::<u64>());
    let append = (0..3_usize, only_if, any::<bool>());
    let all = (any::<[u8; 16]>(), any::<bool>(), option::of(vectors()), option::of(fetch));
    (all, option::of(append)).prop_map(|((replica, join, acknowledge, fetch), append)| {
        let replica = ReplicaId(replica);
        Exchange {
            replica,
            join,
            acknowledge,
            fetch: fetch.map(|(after, bytes, limit_entries)| Fetch {
                replica,
                after,
                limit_bytes: bytes as usize,
                limit_entries,
            }),
            append: append.map(|(count, only_if, frozen)| Append {
                segments: vec![segment(); count],
                only_if,
                frozen,
            }),
        }
    })
}

fn answers() -> impl Strategy<Value = Exchanged> {
    let damage = (".{0,9}", ".{0,9}", any::<bool>()).prop_map(|(place, reason, has_span)| Damage {
        place,
        reason,
        span: has_span.then(|| common::span(3, 9)),
    });
    let page = (0..3_usize, vec(any::<u8>(), 0..40), any::<bool>(), tips());
    let fetched = (page, option::of(any::<i64>()), vec(damage, 0..3)).prop_map(
        |((count, cursor, more, own), time, damaged)| Fetched {
            segments: vec![segment(); count],
            cursor: Cursor(cursor),
            more,
            own,
            time,
            damaged,
        },
    );
    let receipt = prop_oneof![Just(Receipt::Stored), Just(Receipt::Known)];
    (option::of(fetched), option::of(vec(receipt, 0..5)))
        .prop_map(|(fetched, receipts)| Exchanged { fetched, receipts })
}

type Read = fn(&[u8]) -> Result<(), Error>;

/// Every reader there is.
const READERS: [Read; 4] = [
    |bytes| read_exchange(bytes).map(drop),
    |bytes| read_exchanged(bytes).map(drop),
    |bytes| read_segments(bytes).map(drop),
    |bytes| read_vector(bytes).map(drop),
];

/// One body of each kind, in the order of the readers.
fn bodies() -> [Vec<u8>; 4] {
    [
        write_exchange(&exchange()),
        write_exchanged(&exchanged()),
        write_segments(&[segment(), segment()]),
        write_vector(&vector()),
    ]
}

#[test]
fn a_body_that_was_cut_anywhere_is_corrupt() {
    for (read, body) in READERS.iter().zip(bodies()) {
        for end in 0..body.len() {
            let error = read(&body[..end]).expect_err("a part is no body");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "cut at {end}");
        }
    }
}

#[test]
fn a_body_with_something_behind_it_is_corrupt() {
    for (read, mut body) in READERS.iter().zip(bodies()) {
        body.push(0);
        assert_eq!(read(&body).expect_err("too long").kind(), ErrorKind::Corrupt);
    }
}

/// Outside of segments nothing is checked by a sum; TLS and TCP do that. So a flipped bit may name another
/// place, but what is read then is written as exactly these bytes again.
#[test]
fn a_flipped_bit_is_corrupt_or_means_exactly_what_it_says() {
    for (which, body) in bodies().into_iter().enumerate() {
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let again = match which {
                0 => read_exchange(&flipped).map(|read| write_exchange(&read)),
                1 => read_exchanged(&flipped).map(|read| write_exchanged(&read)),
                2 => read_segments(&flipped).map(|read| write_segments(&read)),
                _ => read_vector(&flipped).map(|read| write_vector(&read)),
            };
            match again {
                Ok(again) => assert_eq!(again, flipped, "bit {bit} of body {which}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "bit {bit}"),
            }
        }
    }
}

#[test]
fn a_flipped_bit_inside_a_segment_is_never_read() {
    let one = segment();
    let body = write_segments(std::slice::from_ref(&one));
    let begins = body.len() - one.bytes().len();
    for bit in begins * 8..body.len() * 8 {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read_segments(&flipped).expect_err("damaged").kind(), ErrorKind::Corrupt);
    }
}

proptest! {
    #[test]
    fn every_exchange_reads_back(exchange in exchanges()) {
        let bytes = write_exchange(&exchange);
        proptest::prop_assert_eq!(read_exchange(&bytes).expect("reads back"), exchange);
    }

    #[test]
    fn every_answer_reads_back(answer in answers()) {
        let bytes = write_exchanged(&answer);
        proptest::prop_assert_eq!(read_exchanged(&bytes).expect("reads back"), answer);
    }

    #[test]
    fn every_vector_reads_back(known in vectors()) {
        let bytes = write_vector(&known);
        proptest::prop_assert_eq!(read_vector(&bytes).expect("reads back"), known);
    }

    #[test]
    fn every_part_of_an_answer_is_corrupt(answer in answers(), end: proptest::sample::Index) {
        let bytes = write_exchanged(&answer);
        let error = read_exchanged(&bytes[..end.index(bytes.len())]).expect_err("a part");
        proptest::prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
    }

    #[test]
    fn any_bytes_are_read_or_corrupt(first in "[XxSV]", rest in vec(any::<u8>(), 0..200)) {
        let bytes = [first.as_bytes(), &rest].concat();
        for read in READERS {
            if let Err(error) = read(&bytes) {
                proptest::prop_assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
        }
    }
}
