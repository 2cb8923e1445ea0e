//! Files may arrive in any order, under any name, twice, late, and damaged at first.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use common::{Place, page, sealer};
use proptest::prelude::*;
use syncline_conformance::lanes::{Follower, open, replica};
use syncline_core::SharedLog;
use syncline_core::log::{Segment, Tip};

/// What becomes of one file of the original folder.
#[derive(Clone, Debug)]
struct Arrival {
    /// When it arrives, among the others.
    turn: u32,
    name: Name,
    /// Whether a part of it, or something else, lies there at first.
    damaged: Option<Damaged>,
}

#[derive(Clone, Copy, Debug)]
enum Name {
    /// Its own.
    Own,
    /// None that tells anything.
    Any,
    /// Its own and a copy.
    Twice,
    /// With more behind it.
    Conflict,
    /// Its own, among those of another lane.
    Astray,
}

#[derive(Clone, Copy, Debug)]
enum Damaged {
    Empty,
    Half,
    Flipped,
    Zeros,
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let name = prop_oneof![
        4 => Just(Name::Own),
        1 => Just(Name::Any),
        1 => Just(Name::Twice),
        1 => Just(Name::Conflict),
        1 => Just(Name::Astray),
    ];
    let damaged = prop_oneof![
        Just(Damaged::Empty),
        Just(Damaged::Half),
        Just(Damaged::Flipped),
        Just(Damaged::Zeros),
    ];
    (any::<u32>(), name, proptest::option::weighted(0.3, damaged))
        .prop_map(|(turn, name, damaged)| Arrival { turn, name, damaged })
}

/// Three lanes, one of them forked, in segments of one to three entries.
fn segments(plan: &[(u8, usize)]) -> Vec<Segment> {
    let mut lanes = [sealer(1), sealer(2), sealer(3), sealer(3)];
    plan.iter()
        .map(|(lane, entries)| {
            let lane = usize::from(*lane) % lanes.len();
            // The fourth continues like the third for a while, then it goes its own way.
            let is_apart = lane == 3 && lanes[3].tip().seq > 3;
            let text = if is_apart { "the other" } else { "the same" };
            lanes[lane].notes(std::iter::repeat_n(text, *entries))
        })
        .collect()
}

/// Every entry, by its place. A forked lane may lead to one place in runs of different lengths, and not all
/// of those need to come; every entry has to.
fn entries(segments: &[Segment]) -> BTreeSet<Tip> {
    let mut places = BTreeSet::new();
    for segment in segments {
        let mut place = segment.span().root();
        for entry in open(segment).expect("it is whole") {
            place = Tip { seq: entry.seq, hash: place.hash.then(&entry.to_bytes()), ..place };
            let _ = places.insert(place);
        }
    }
    places
}

impl Arrival {
    fn paths(&self, place: &Place, segment: &Segment) -> Vec<PathBuf> {
        let own = place.file(segment);
        let any = place.path().join(format!("{}.copy", self.turn));
        match self.name {
            Name::Own => vec![own],
            Name::Any => vec![any],
            Name::Twice => vec![any, own],
            Name::Astray => {
                let name = own.file_name().expect("it has a name");
                vec![place.lane((self.turn % 5) as u8).join(name)]
            }
            Name::Conflict => vec![own.with_extension("sync-conflict-20261120.seg")],
        }
    }

    fn arrive(&self, place: &Place, segment: &Segment, is_whole: bool) {
        let bytes = segment.bytes();
        let mut contents = bytes.to_vec();
        match self.damaged.filter(|_| !is_whole) {
            None => {}
            Some(Damaged::Empty) => contents.clear(),
            Some(Damaged::Half) => contents.truncate(bytes.len() / 2),
            Some(Damaged::Flipped) => contents[bytes.len() / 3] ^= 4,
            Some(Damaged::Zeros) => contents.fill(0),
        }
        for path in self.paths(place, segment) {
            let folder = path.parent().expect("it lies in a folder");
            fs::create_dir_all(folder).expect("it can be made");
            fs::write(path, &contents).expect("it can be written");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// The follower refuses whatever continues nothing that it has.
    #[test]
    fn whatever_is_fetched_is_a_chain_and_in_the_end_everything_came_once(
        plan in proptest::collection::vec(((0_u8..4), (1_usize..4), arrival()), 1..25),
        limit_entries in 1_u64..12,
        restarts in any::<u16>(),
    ) {
        let lanes: Vec<(u8, usize)> = plan.iter().map(|(lane, entries, _)| (*lane, *entries)).collect();
        let mut files: Vec<(Segment, Arrival)> =
            segments(&lanes).into_iter().zip(plan.iter().map(|(_, _, arrival)| arrival.clone())).collect();
        files.sort_by_key(|(_, arrival)| arrival.turn);

        let is_astray = files.iter().any(|(_, arrival)| matches!(arrival.name, Name::Astray));
        let place = Place::new();
        let mut log = place.again();
        let mut follower = Follower::new(replica(99));
        follower.request.limit_entries = limit_entries;
        for (turn, (segment, arrival)) in files.iter().enumerate() {
            arrival.arrive(&place, segment, false);
            if restarts & (1 << (turn % 16)) != 0 {
                log = place.again();
            }
            let _ = page(&mut follower, &log);
        }
        for (segment, arrival) in &files {
            arrival.arrive(&place, segment, true);
            let _ = page(&mut follower, &log);
        }
        while page(&mut follower, &log).more {}

        let mut received: Vec<_> = follower.received.iter().map(|one| *one.span()).collect();
        let all: Vec<Segment> = files.into_iter().map(|(segment, _)| segment).collect();
        prop_assert_eq!(entries(&follower.received), entries(&all));
        received.sort_unstable();
        // A new process takes a file that went astray for another, and may see a gap where there is none.
        let is_once = received.windows(2).all(|two| two[0] != two[1]);
        prop_assert!(is_once || is_astray, "one came twice");

        let last = page(&mut follower, &log);
        prop_assert!(last.segments.is_empty() && last.damaged.is_empty(), "{:?}", last);
        let peers = pollster::block_on(log.peers()).unwrap();
        let heads: BTreeSet<Tip> = peers.into_iter().flat_map(|peer| peer.heads).collect();
        prop_assert!(heads.is_subset(&follower.known().tips.into_iter().collect()));
    }
}
