//! Holds replicas to the law of merging, over the entries that they have applied.

use std::collections::BTreeMap;

use syncline::log::{After, Codec, Entry, Fetch, Segment, VersionVector, lane_start};
use syncline::merge::Author;
use syncline::value::canonical::Reader;
use syncline::{Filter, Find, Object, Operation, ReplicaId, SharedLog, run};

use crate::Replica;

pub use syncline_conformance::law::{Entries, ObjectId, Rows, object, rows};

/// All objects of one of the log's own collections, past the manager.
pub async fn stored(replica: &Replica, collection: &str) -> Vec<Object> {
    let mut question = Find::new(collection, Filter::All);
    question.page_objects = usize::MAX;
    question.page_bytes = usize::MAX;
    let found = run(replica.backend.as_ref(), Operation::Find(question)).await;
    found.and_then(syncline::Outcome::found).expect("the collection is there").objects
}

/// Every entry that a replica has applied, as its own bookkeeping says: what is parked is not.
///
/// Batches are applied, or parked, as a whole.
pub async fn applied(replica: &Replica) -> Entries {
    let mut entries = Entries::new();
    let head = stored(replica, "sync_head").await.pop().expect("there is a head");
    let own: ReplicaId = text(&head, "replica").parse().expect("a replica");
    let mut hash = lane_start(replica.log.group(), own);
    let mut is_cut = false;
    for row in stored(replica, "sync_entry").await {
        let seq = number(&row, "seq");
        let entry = Entry::from_bytes(seq, bytes(&row, "entry")).expect("an entry");
        hash = hash.then(bytes(&row, "entry"));
        is_cut = entry.more;
        add(&mut entries, own, entry, hash.tie());
    }
    assert!(!is_cut, "the last own batch is whole");
    let lanes: BTreeMap<String, Lane> =
        stored(replica, "sync_lane").await.iter().map(Lane::from_row).collect();
    for row in stored(replica, "sync_segment").await {
        let lane = &lanes[text(&row, "lane")];
        // What a newer version wrote can be neither read nor applied.
        let segment = Segment::parse(bytes(&row, "bytes")).expect("a segment");
        if (segment.span().first..=segment.span().last).all(|seq| !lane.applies(seq)) {
            continue;
        }
        for (entry, tie) in read(&segment) {
            let next = lane.applies(entry.seq + 1);
            assert!(
                !entry.more || lane.applies(entry.seq) == next,
                "a batch is cut at {}",
                entry.seq
            );
            if lane.applies(entry.seq) {
                add(&mut entries, segment.span().replica, entry, tie);
            }
        }
    }
    entries
}

/// How far a lane is applied.
struct Lane {
    applied: u64,
    parked: Vec<(u64, u64)>,
}

impl Lane {
    fn from_row(row: &Object) -> (String, Self) {
        let mut ranges = Reader::new(bytes(row, "except"));
        let mut parked = Vec::new();
        while ranges.left() > 0 {
            parked.push((ranges.number().expect("a range"), ranges.number().expect("a range")));
        }
        (text(row, "id").to_owned(), Self { applied: number(row, "applied"), parked })
    }

    fn applies(&self, seq: u64) -> bool {
        let is_parked = self.parked.iter().any(|(first, last)| (*first..=*last).contains(&seq));
        seq <= self.applied && !is_parked
    }
}

/// Every entry that a shared log holds.
pub async fn shared(log: &dyn SharedLog) -> Entries {
    let everything = Fetch {
        replica: ReplicaId([0xee; 16]),
        after: After::Known(VersionVector::default()),
        limit_bytes: usize::MAX,
        limit_entries: u64::MAX,
    };
    let mut entries = Entries::new();
    for segment in log.fetch(&everything).await.expect("it answers").segments {
        for (entry, tie) in read(&segment) {
            add(&mut entries, segment.span().replica, entry, tie);
        }
    }
    entries
}

/// A segment's entries, each with its tie.
pub fn read(segment: &Segment) -> Vec<(Entry, u32)> {
    let codec = Codec::from_number(segment.header().codec).expect("a known codec");
    let entries = codec.decode(segment.span().first, segment.body()).expect("entries");
    let mut hash = segment.span().before;
    let chained = entries.into_iter().map(|entry| {
        hash = hash.then(&entry.to_bytes());
        (entry, hash.tie())
    });
    chained.collect()
}

fn add(entries: &mut Entries, replica: ReplicaId, entry: Entry, tie: u32) {
    let Some(write) = entry.write else { return };
    let author = Author { stamp: entry.stamp, replica, seq: entry.seq, tie };
    let of_object = entries.entry((write.collection, write.key)).or_default();
    let _ = of_object.insert(author, write.op);
}

/// What the application sees.
pub async fn seen(replica: &Replica) -> Rows {
    let mut rows = Rows::new();
    for definition in replica.log.logged() {
        for object in replica.all(definition.name()).await {
            let key = definition.key_of(&object).expect("every row has a key");
            let _ = rows.insert((definition.name().clone(), key), definition.without_key(object));
        }
    }
    rows
}

/// Holds a replica to the law: its rows are what the entries it applied come to, and it is well.
pub async fn check(replica: &Replica) {
    assert_eq!(seen(replica).await, rows(&applied(replica).await), "the rows equal the law");
    let findings = syncline::sync::doctor(&replica.log).await.expect("the doctor sees");
    assert_eq!(findings, []);
}

/// Holds a replica to what it told a log: it acknowledged nothing that it may lose.
pub async fn check_told(replica: &Replica, log: &dyn SharedLog) {
    let head = stored(replica, "sync_head").await.pop().expect("there is a head");
    let mut received = vec![(text(&head, "replica").to_owned(), number(&head, "frozen"))];
    for row in stored(replica, "sync_lane").await {
        received.push((text(&row, "replica").to_owned(), number(&row, "received")));
    }
    let has = |of: ReplicaId, seq: u64| {
        let of = of.to_string();
        received.iter().any(|(lane, received)| *lane == of && *received >= seq)
    };
    for peer in log.peers().await.expect("it answers") {
        if peer.replica.to_string() != received[0].0 {
            continue;
        }
        for tip in peer.acknowledged.tips {
            assert!(has(tip.replica, tip.seq), "acknowledged, and not durable: {tip:?}");
        }
    }
}

/// Holds replicas that have synced until nothing moved to each other: equal rows, equal fingerprints.
pub async fn check_equal(replicas: &[Replica]) {
    let first = seen(&replicas[0]).await;
    let print = syncline::sync::fingerprint(&replicas[0].log).await.expect("a print");
    for replica in replicas {
        check(replica).await;
        assert_eq!(seen(replica).await, first);
        assert_eq!(syncline::sync::fingerprint(&replica.log).await.expect("a print"), print);
    }
}

fn number(row: &Object, field: &str) -> u64 {
    row.value(field).as_int().and_then(|int| u64::try_from(int).ok()).expect("a number")
}

fn text<'a>(row: &'a Object, field: &str) -> &'a str {
    row.value(field).as_text().expect("text")
}

fn bytes<'a>(row: &'a Object, field: &str) -> &'a [u8] {
    row.value(field).as_bytes().expect("bytes")
}
