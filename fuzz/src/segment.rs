//! Segments: sealed bytes, bodies of every codec, what chains them.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use sha2::{Digest, Sha256};
use syncline_conformance::lanes::{self, Sealer, replica};
use syncline_core::log::chain::Chains;
use syncline_core::log::{
    After, Codec, Cursor, Entry, Fetch, LaneHash, Segment, Span, Tip, VersionVector,
};
use syncline_core::{ErrorKind, ReplicaId, SharedLog};
use syncline_shared_log_memory::MemoryLog;

use crate::family;

/// How many things there are to choose from.
pub const CHOICES: u8 = 8;

/// Reads the bytes as a segment, as a body, as a cursor, or makes up lanes from them.
pub fn check(data: &[u8]) {
    let Some((choice, data)) = crate::choice(data) else { return };
    match choice % CHOICES {
        0 => whole(data),
        1 => whole(&seal(&Segment::MAGIC, data)),
        codec @ 2..=5 => body(Codec::ALL[usize::from(codec) - 2], data),
        6 => cursor(data),
        _ => chains(data),
    }
}

/// Magic and contents with the checksum that holds, which no fuzzer could guess.
pub fn seal(magic: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut bytes = [&magic[..], contents].concat();
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum[..16]);
    bytes
}

/// What parses is sealed to the same bytes again.
fn whole(bytes: &[u8]) {
    let Ok(segment) = Segment::parse(bytes) else { return };
    assert_eq!(&segment.bytes()[..], bytes);
    let header = segment.header();
    let again = Segment::seal(header.clone(), segment.body());
    assert_eq!(&again.bytes()[..], bytes, "a second spelling of {header:?}");
    assert_eq!(again, segment);
    let span = segment.span();
    assert_eq!(span.last - span.first + 1, header.entries);
    let Ok(codec) = Codec::from_number(header.codec) else { return };
    let Ok(entries) = codec.decode(span.first, segment.body()) else { return };
    hold(span.first, &entries);
    if codec == Codec::Packed {
        assert_eq!(canonical(&entries).1, segment.body(), "a second spelling of {entries:?}");
    }
    match lanes::open(&segment) {
        Ok(opened) => assert_eq!(opened, entries),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
    }
}

fn body(codec: Codec, data: &[u8]) {
    let Ok(entries) = codec.decode(1, data) else { return };
    hold(1, &entries);
    if codec == Codec::Packed {
        assert_eq!(canonical(&entries).1, data, "a second spelling of {entries:?}");
    }
}

/// Entries survive each codec, and have one hash whatever carried them.
fn hold(first: u64, entries: &[Entry]) {
    let (hash, bytes) = canonical(entries);
    for codec in Codec::ALL {
        let body = codec.encode(first, &bytes).expect("entries can be encoded");
        let again = codec.decode(first, &body).unwrap_or_else(|error| {
            panic!("{codec:?} cannot read what it wrote: {error}\n{entries:?}")
        });
        assert_eq!(again, entries, "{codec:?}");
        assert_eq!(canonical(&again).0, hash, "{codec:?}");
    }
}

/// The running hash behind the entries, and their canonical bytes.
fn canonical(entries: &[Entry]) -> (LaneHash, Vec<u8>) {
    let (mut hash, mut bytes) = (LaneHash::default(), Vec::new());
    for entry in entries {
        let entry = entry.to_bytes();
        hash = hash.then(&entry);
        bytes.extend_from_slice(&entry);
    }
    (hash, bytes)
}

thread_local! {
    static LOG: OnceCell<MemoryLog> = const { OnceCell::new() };
}

/// A cursor that no log issued is refused or answered, and never leads to an empty page with more.
fn cursor(data: &[u8]) {
    let ask = |log: &MemoryLog| {
        let after = After::Cursor(Cursor(data.to_vec()));
        let question =
            Fetch { replica: replica(1), after, limit_bytes: 1 << 20, limit_entries: 100 };
        match pollster::block_on(log.fetch(&question)) {
            Ok(page) => assert!(!page.more || !page.segments.is_empty()),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Rejoin | ErrorKind::Invalid), "{error}");
            }
        }
    };
    LOG.with(|log| ask(log.get_or_init(log_with_lanes)));
}

fn log_with_lanes() -> MemoryLog {
    let log = MemoryLog::new(family());
    for number in 1..4 {
        let mut sealer = Sealer::new(&family(), replica(number));
        let segments = [sealer.notes(["a", "b"]), sealer.notes(["c"])];
        let _ = pollster::block_on(log.append(&segments)).expect("they continue their lane");
    }
    log
}

/// A span between few places, so that many hang together.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Run {
    lane: bool,
    first: u8,
    length: u8,
    before: u8,
    after: u8,
}

/// Whatever hangs together how: what is lacking continues what is known, and everything ends.
fn chains(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok((runs, known)) = <(Vec<Run>, Vec<Run>)>::arbitrary(&mut data) else { return };
    let mut chains = Chains::default();
    for run in &runs {
        let _ = chains.insert(run.span());
    }
    let known = VersionVector::new(known.iter().map(|run| run.span().tip()));
    let lacking = chains.lacking(&known);
    let held = with_what_led_there(&known, &runs);
    let mut delivered = Chains::default();
    for span in &lacking {
        let continues = delivered.continues(span) || held.contains(&span.root());
        assert!(continues, "{span:?} continues nothing");
        assert!(delivered.insert(*span), "{span:?} comes twice");
    }
    let _ = chains.gaps(&known);
    for replica in chains.replicas() {
        let _ = chains.heads(replica);
    }
}

/// Whoever knows a place knows the places before it.
fn with_what_led_there(known: &VersionVector, runs: &[Run]) -> BTreeSet<Tip> {
    let mut held: BTreeSet<Tip> = known.tips.iter().copied().collect();
    loop {
        let spans = runs.iter().map(Run::span);
        let roots: Vec<Tip> =
            spans.filter(|span| held.contains(&span.tip())).map(|span| span.root()).collect();
        let before = held.len();
        held.extend(roots);
        if held.len() == before {
            return held;
        }
    }
}

impl Run {
    fn span(&self) -> Span {
        let first = u64::from(self.first % 8) + 1;
        Span {
            replica: ReplicaId([u8::from(self.lane); 16]),
            first,
            last: first + u64::from(self.length % 3),
            before: LaneHash([if first == 1 { 0 } else { self.before % 4 }; 16]),
            after: LaneHash([self.after % 4; 16]),
        }
    }
}
