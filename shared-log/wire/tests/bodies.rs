//! The exact bytes of every body: a client of another version, or in another language, relies on them.

mod common;

use common::{exchange, exchanged, segment, tip, vector};
use syncline_core::id::{hex, unhex};
use syncline_core::log::{
    After, Append, AppendIf, Exchange, Exchanged, Fetch, Fetched, Segment, VersionVector,
};
use syncline_core::{ErrorKind, ReplicaId};
use syncline_shared_log_wire::{
    Part, exchanged_parts, read_exchange, read_exchanged, read_segments, read_vector, sum_of,
    sum_of_parts, write_exchange, write_exchanged, write_segments, write_vector,
};

/// One line for each body: its name and its bytes.
const PINNED: &str = include_str!("bodies.txt");

#[track_caller]
fn check(name: &str, bytes: &[u8]) {
    let pinned = PINNED.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let pinned = pinned.map(|hex| unhex(hex).expect("pinned bytes are hexadecimal digits"));
    assert_eq!(
        hex(bytes),
        pinned.map(|bytes| hex(&bytes)).unwrap_or_default(),
        "the bytes of `{name}` changed: others can no longer read them"
    );
}

#[test]
fn an_exchange_that_asks_for_everything_keeps_its_bytes() {
    let bytes = write_exchange(&exchange());
    check("exchange-everything", &bytes);
    assert_eq!(read_exchange(&bytes).expect("reads back"), exchange());
}

#[test]
fn an_exchange_that_asks_for_nothing_keeps_its_bytes() {
    let nothing = Exchange::of(ReplicaId([7; 16]));
    let bytes = write_exchange(&nothing);
    check("exchange-nothing", &bytes);
    assert_eq!(read_exchange(&bytes).expect("reads back"), nothing);
}

#[test]
fn every_condition_of_an_append_keeps_its_bytes() {
    let conditions = [
        ("exchange-append-always", AppendIf::Always),
        ("exchange-append-if-lane-is-new", AppendIf::LaneEndsAt(None)),
        ("exchange-append-if-lane-ends-at", AppendIf::LaneEndsAt(Some(tip(7, 1)))),
    ];
    for (name, only_if) in conditions {
        let append = Append { segments: Vec::new(), only_if, frozen: false };
        let exchange = Exchange { append: Some(append), ..Exchange::of(ReplicaId([7; 16])) };
        let bytes = write_exchange(&exchange);
        check(name, &bytes);
        assert_eq!(read_exchange(&bytes).expect("reads back"), exchange);
    }
}

#[test]
fn a_fetch_behind_a_version_vector_keeps_its_bytes() {
    let replica = ReplicaId([7; 16]);
    let after = After::Known(vector());
    let fetch = Fetch { replica, after, limit_bytes: 1, limit_entries: u64::MAX };
    let exchange = Exchange { fetch: Some(fetch), ..Exchange::of(replica) };
    let bytes = write_exchange(&exchange);
    check("exchange-fetch-known", &bytes);
    assert_eq!(read_exchange(&bytes).expect("reads back"), exchange);
}

#[test]
fn answers_keep_their_bytes() {
    let empty = Fetched {
        segments: Vec::new(),
        cursor: syncline_core::log::Cursor(Vec::new()),
        more: false,
        own: Vec::new(),
        time: None,
        damaged: Vec::new(),
    };
    let answers = [
        ("exchanged-everything", exchanged()),
        ("exchanged-nothing", Exchanged::default()),
        ("exchanged-empty-page", Exchanged { fetched: Some(empty), receipts: None }),
        ("exchanged-no-receipts", Exchanged { fetched: None, receipts: Some(Vec::new()) }),
    ];
    for (name, answer) in answers {
        let bytes = write_exchanged(&answer);
        check(name, &bytes);
        assert_eq!(read_exchanged(&bytes).expect("reads back"), answer);
    }
}

#[test]
fn the_parts_of_an_answer_are_its_bytes_and_large_segments_are_not_copied() {
    let large = |size| Segment::seal(segment().header().clone(), &vec![7; size]);
    let mut answer = exchanged();
    let fetched = answer.fetched.as_mut().expect("a page");
    fetched.segments = vec![large(20_000), large(20_000), segment(), large(300_000)];
    let parts = exchanged_parts(&answer);
    assert!(parts.iter().all(|part| !part.as_ref().is_empty()));
    let whole = parts.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>().concat();
    assert_eq!(read_exchanged(&whole).expect("reads back"), answer);
    assert_eq!(write_exchanged(&answer), whole);
    assert_eq!(sum_of(&whole), sum_of_parts(parts.iter().map(AsRef::as_ref)));
    let is_segment = |part: &&Part| matches!(part, Part::Segment(_));
    assert_eq!((parts.len(), parts.iter().filter(is_segment).count()), (7, 3));
    let beside: usize =
        parts.iter().filter(|part| !is_segment(part)).map(|p| p.as_ref().len()).sum();
    assert!(beside < 1_000, "{beside}");
}

#[test]
fn segments_and_vectors_keep_their_bytes() {
    let segments = [segment(), segment()];
    check("segments", &write_segments(&segments));
    assert_eq!(read_segments(&write_segments(&segments)).expect("reads back"), segments);
    check("segments-none", &write_segments(&[]));
    check("vector", &write_vector(&vector()));
    assert_eq!(read_vector(&write_vector(&vector())).expect("reads back"), vector());
    check("vector-empty", &write_vector(&VersionVector::default()));
}

#[test]
fn one_body_is_never_taken_for_another() {
    let bodies = [
        write_exchange(&exchange()),
        write_exchanged(&exchanged()),
        write_segments(&[segment()]),
        write_vector(&vector()),
    ];
    for (position, body) in bodies.iter().enumerate() {
        let read = [
            read_exchange(body).is_ok(),
            read_exchanged(body).is_ok(),
            read_segments(body).is_ok(),
            read_vector(body).is_ok(),
        ];
        for (reader, is_read) in read.into_iter().enumerate() {
            assert_eq!(is_read, reader == position, "body {position} by reader {reader}");
        }
    }
}

#[test]
fn a_length_that_promises_too_much_asks_for_no_memory() {
    // 2^63 segments, of which none is there.
    let mut bytes = vec![b'S'];
    bytes.extend([0x80; 9]);
    bytes.push(1);
    assert_eq!(read_segments(&bytes).expect_err("refused").kind(), ErrorKind::Corrupt);
}
