//! A small world: a few replicas, a shared log, and beside them what they ought to know.

use std::fmt;
use std::sync::Arc;

use syncline::merge::{Author, Discard};
use syncline::shared_log::memory::MemoryLog;
use syncline::sync::Stage;
use syncline::value::canonical::put_number;
use syncline::{ReplicaId, SharedLog, Stamp};

use super::letters::{Act, Alphabet, Kind, Letter, Part, Write, deeds, key};
use super::replica::digest_of;
use super::step::{Outcome, Shared, Steps, Stored};
use crate::law::{self, Event, Held, Set};
use crate::lost::{Change, Story};

/// How far a received stamp moves a clock at most: five minutes.
const DRIFT: i64 = 5 * 60 * 1000;

/// A state of a small world.
#[derive(Clone)]
pub struct World {
    replicas: Vec<Replica>,
    shared: Shared,
    /// What time the log says it is, if it knows.
    time: Option<i64>,
    /// The events that the log holds, in the order they came.
    log: Vec<usize>,
    events: Vec<Event>,
    /// For each event, the object it is about.
    objects: Vec<usize>,
    /// For each event, what its writer had applied.
    knew: Vec<Set>,
    /// For each event, all that were written with it.
    batches: Vec<Set>,
    /// How many batches were written.
    writes: usize,
    path: Option<Arc<Path>>,
}

/// One replica: its storage, and what it ought to know.
#[derive(Clone, Debug)]
struct Replica {
    stored: Stored,
    /// The events that are applied.
    applied: Set,
    /// The events that are received, applied or not.
    received: Set,
    /// How many events of the log were fetched.
    fetched: usize,
    rows: [Option<Held>; 2],
    /// How many values that lost were told.
    told: usize,
}

/// The last letter, and those before it.
struct Path {
    before: Option<Arc<Path>>,
    letter: Letter,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut path, mut next) = (Vec::new(), self.path.as_ref());
        while let Some(last) = next {
            path.push(format!("{:?}", last.letter));
            next = last.before.as_ref();
        }
        path.reverse();
        f.debug_struct("World").field("path", &path).field("events", &self.events).finish()
    }
}

impl World {
    /// Replicas with these clocks that have written nothing and know of no log.
    pub async fn new(clocks: &[i64], time: Option<i64>, log: MemoryLog) -> Self {
        let mut replicas = Vec::new();
        for (number, clock) in clocks.iter().enumerate() {
            let stored = Stored::new(number, *clock).await;
            replicas.push(Replica {
                stored,
                applied: 0,
                received: 0,
                fetched: 0,
                rows: [None; 2],
                told: 0,
            });
        }
        Self {
            replicas,
            shared: Shared::new(log).await,
            time,
            log: Vec::new(),
            events: Vec::new(),
            objects: Vec::new(),
            knew: Vec::new(),
            batches: Vec::new(),
            writes: 0,
            path: None,
        }
    }

    /// The same, where every replica has met the log once.
    pub async fn joined(mut self, steps: &Steps) -> Self {
        for number in 0..self.replicas.len() {
            let act = Act::Sync(Part::Whole);
            self = self.after(Letter { replica: number, application: 0, act }, steps).await;
        }
        self
    }

    /// The letters that may come next.
    pub fn letters(&self, alphabet: &Alphabet) -> Vec<Letter> {
        let mut letters = Vec::new();
        for (number, replica) in self.replicas.iter().enumerate() {
            // Only what is not there can be created, and only what is there be changed.
            let may = |(object, kind): &(usize, Kind)| {
                replica.rows[*object].is_none() == (*kind == Kind::Create)
            };
            let left = self.writes < alphabet.writes;
            let writes = alphabet.write.iter().filter(|write| left && write.iter().all(may));
            let syncs = alphabet.sync.iter().map(|part| Act::Sync(*part));
            for act in writes.map(|write| Act::Write(write)).chain(syncs) {
                let by = |application| Letter { replica: number, application, act };
                letters.extend((0..alphabet.applications).map(by));
            }
        }
        letters
    }

    /// The world after one more letter, everything about it compared with the law.
    pub async fn after(&self, letter: Letter, steps: &Steps) -> Self {
        let (mut world, number) = (self.clone(), letter.replica);
        let outcome = steps.step(&self.replicas[number].stored, &self.shared, letter).await;
        let Some(outcome) = outcome else { return world };
        world.path = Some(Arc::new(Path { before: self.path.clone(), letter }));
        match letter.act {
            Act::Write(write) => world.written(number, write, &outcome),
            Act::Sync(part) => world.synced(number, part, &outcome),
        }
        let Replica { applied, .. } = world.replicas[number];
        let rows = [0, 1].map(|object| law::object(&world.events, world.of(object, applied)));
        assert_eq!(outcome.rows, rows, "the rows equal the law");
        let replica = &mut world.replicas[number];
        (replica.rows, replica.stored) = (rows, outcome.replica.clone());
        world.shared = outcome.shared.clone();
        world
    }

    /// Those of a set that are about an object.
    fn of(&self, object: usize, set: Set) -> Set {
        let about = self.objects.iter().enumerate().filter(|(_, of)| **of == object);
        set & about.fold(0, |set, (at, _)| set | 1 << at)
    }

    /// The events that a replica wrote.
    fn by(&self, number: usize) -> Set {
        let name = replica_id(number);
        let by = self.events.iter().enumerate().filter(|(_, e)| e.author.replica == name);
        by.fold(0, |set, (at, _)| set | 1 << at)
    }

    fn written(&mut self, number: usize, write: Write, outcome: &Outcome) {
        self.writes += 1;
        let own = self.by(number).count_ones() as usize;
        let deeds = deeds(number, own, write);
        assert_eq!(outcome.stamps.len(), own + deeds.len(), "each write is logged once");
        let knew = self.replicas[number].applied;
        let batch = (0..deeds.len()).fold(0, |set: Set, at| set | 1 << (self.events.len() + at));
        for ((object, deed), seq) in deeds.into_iter().zip(own..) {
            let stamp = outcome.stamps[seq];
            self.check_stamp(number, object, stamp);
            let (at, replica) = (self.events.len(), replica_id(number));
            let author = Author { stamp, replica, seq: seq as u64 + 1, tie: 0 };
            self.events.push(Event { author, deed });
            self.objects.push(object);
            self.knew.push(knew);
            self.batches.push(batch);
            self.replicas[number].applied |= 1 << at;
            self.replicas[number].received |= 1 << at;
        }
        assert_eq!(outcome.told.len(), self.replicas[number].told, "nothing loses by an own write");
        assert_eq!(outcome.shared.digest, self.shared.digest, "nobody else hears of it");
    }

    /// An own stamp is greater than everything applied to the object, of its own, and beyond the clock only
    /// as far as that takes it.
    fn check_stamp(&self, number: usize, object: usize, stamp: Stamp) {
        let Replica { applied, stored, .. } = &self.replicas[number];
        let stamps = |set: Set| law::among(&self.events, set).map(|(_, event)| event.author.stamp);
        let greatest = stamps(self.of(object, *applied)).max().unwrap_or_default();
        assert!(stamp > greatest, "an edit wins over what its user saw");
        assert!(stamp >= Stamp::at_millis(stored.clock));
        let furthest = Stamp::at_millis(stored.clock + DRIFT + 1);
        assert!(stamp < furthest || stamp == greatest.next(), "{stamp} is too far ahead");
        assert!(stamps(self.by(number)).all(|own| own != stamp), "every entry has its own stamp");
    }

    fn synced(&mut self, number: usize, part: Part, outcome: &Outcome) {
        let (before, held) = (self.replicas[number].clone(), self.held());
        let mut finished = true;
        if part.does(Stage::Receive) {
            finished &= self.receive(number, part);
        }
        if part.does(Stage::Integrate) {
            self.integrate(number);
        }
        self.restamp(number, &outcome.stamps);
        if part.does(Stage::Share) {
            finished &= self.share(number, part);
        }
        let Replica { applied, received, .. } = self.replicas[number];
        let report = outcome.report.as_ref().expect("it was a sync");
        let count = |after: Set, before: Set| u64::from((after & !before).count_ones());
        let counts = [
            count(received, before.received),
            count(applied, before.applied),
            count(self.held(), held),
            (outcome.told.len() - before.told) as u64,
        ];
        let told = [report.received, report.integrated, report.shared, report.discarded];
        assert_eq!(told, counts, "received, integrated, shared, discarded");
        assert_eq!((report.parked, report.withheld, report.finished), (0, 0, finished));
        assert_eq!(report.damaged, []);
        let change = Change { before: before.applied, after: applied };
        self.check_told(change, &outcome.told[before.told..]);
        self.replicas[number].told = outcome.told.len();
    }

    /// The events that the log holds.
    fn held(&self) -> Set {
        self.log.iter().fold(0, |set, at| set | 1 << at)
    }

    /// Fetches what is new in the log, or the next entry alone; says whether that was all.
    fn receive(&mut self, number: usize, part: Part) -> bool {
        let replica = &mut self.replicas[number];
        let most = if part == Part::Single { 1 } else { usize::MAX };
        for at in self.log.iter().skip(replica.fetched).take(most) {
            replica.received |= 1 << at;
            replica.fetched += 1;
        }
        replica.fetched == self.log.len()
    }

    /// Applies every batch that is there as a whole.
    fn integrate(&mut self, number: usize) {
        let Replica { received, applied, .. } = &mut self.replicas[number];
        let whole = self.batches.iter().filter(|batch| **batch & !*received == 0);
        *applied = whole.fold(0, |set, batch| set | batch);
    }

    /// Sends the own events that the log lacks, or the next one alone; says whether that was all.
    fn share(&mut self, number: usize, part: Part) -> bool {
        let lacking = self.by(number) & !self.held();
        let most = if part == Part::Single { 1 } else { usize::MAX };
        let sent = law::among(&self.events, lacking).map(|(at, _)| at);
        self.log.extend(sent.take(most));
        if part == Part::Settled {
            self.replicas[number].fetched = self.log.len();
        }
        if let Some(time) = self.time {
            let mut sent = law::among(&self.events, self.held());
            assert!(sent.all(|(_, event)| event.author.stamp.millis() == time), "the log's time");
        }
        lacking.count_ones() <= 1 || part != Part::Single
    }

    /// Takes over the stamps that own entries got anew, because the log knew that the clock is off. What the
    /// log holds keeps its stamp, and an edit still wins over what its user saw.
    fn restamp(&mut self, number: usize, stamps: &[Stamp]) {
        let own: Vec<usize> = law::among(&self.events, self.by(number)).map(|(at, _)| at).collect();
        assert_eq!(own.len(), stamps.len(), "no entry comes or goes");
        for (at, stamp) in own.into_iter().zip(stamps) {
            let is_held = self.held() & 1 << at != 0;
            assert!(!is_held || self.events[at].author.stamp == *stamp, "it stays as it was sent");
            self.events[at].author.stamp = *stamp;
            let seen = self.of(self.objects[at], self.knew[at]);
            let seen = law::among(&self.events, seen).map(|(_, event)| event.author.stamp);
            assert!(seen.max().is_none_or(|seen| seen < *stamp), "it wins over what its user saw");
        }
    }

    /// The values that a sync told as lost are those that lost by it, concurrently.
    fn check_told(&self, change: Change, told: &[Discard]) {
        if change.before == change.after {
            assert_eq!(told, [], "nothing was applied");
            return;
        }
        let knew = |writer: usize, other: usize| {
            let (by, of) = (self.events[writer].author, self.events[other].author);
            (by.replica == of.replica && of.seq <= by.seq) || self.knew[writer] & 1 << other != 0
        };
        let tells = |loser: usize, winner: usize| !knew(loser, winner) && !knew(winner, loser);
        for object in 0..2 {
            let discards: Vec<_> = told.iter().filter(|lost| lost.key == key(object)).collect();
            let [before, after] = [change.before, change.after].map(|set| self.of(object, set));
            let story = Story { events: &self.events, knew: &knew, tells: &tells };
            story.check(Change { before, after }, &discards);
        }
    }

    /// When nothing moves any more, everybody knows everything.
    pub async fn check_quiet(&self) {
        let everything: Set = (1 << self.events.len()) - 1;
        assert_eq!(self.held(), everything, "the log holds every entry");
        for replica in &self.replicas {
            assert_eq!(replica.received, everything, "every entry is received");
            assert_eq!(replica.applied, everything, "every entry is applied");
            assert_eq!(replica.rows, self.replicas[0].rows, "all see the same");
        }
        let own = |number: usize| u64::from(self.by(number).count_ones());
        for peer in self.shared.log.peers().await.expect("it answers") {
            for number in 0..self.replicas.len() {
                let known = peer.acknowledged.of(replica_id(number)).map(|tip| tip.seq).max();
                assert_eq!(known.unwrap_or(0), own(number), "everything is acknowledged");
            }
        }
    }

    /// One number for everything that can make a difference from here on: what storage and log hold, and
    /// what ought to be known, the events being named by who wrote them.
    pub fn digest(&self) -> u128 {
        let mut order: Vec<usize> = (0..self.events.len()).collect();
        order.sort_by_key(|at| (self.events[*at].author.replica, self.events[*at].author.seq));
        let named = |set: Set| {
            let named = order.iter().enumerate().filter(|(_, at)| set & 1 << **at != 0);
            u64::from(named.fold(0, |set: Set, (name, _)| set | 1 << name))
        };
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&self.shared.digest.to_be_bytes());
        for replica in &self.replicas {
            bytes.extend_from_slice(&replica.stored.identity.to_be_bytes());
            put_number(&mut bytes, named(replica.applied));
            put_number(&mut bytes, named(replica.received));
            put_number(&mut bytes, replica.fetched as u64);
        }
        put_number(&mut bytes, named(self.held()));
        put_number(&mut bytes, self.writes as u64);
        order.iter().for_each(|at| put_number(&mut bytes, named(self.knew[*at])));
        digest_of(&bytes)
    }
}

fn replica_id(number: usize) -> ReplicaId {
    ReplicaId([u8::try_from(number + 1).expect("a small number"); 16])
}
