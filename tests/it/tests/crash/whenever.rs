//! Real processes are killed whenever it happens: one writes and one or two sync on each of two databases, which
//! meet in a folder.
//!
//! For 20 seconds, or as many as `SYNCLINE_KILL_SECONDS` says. `SYNCLINE_KILL_SEED` draws other moments.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use syncline::sync::{doctor, fingerprint};
use syncline::{Object, ReplicaId};
use syncline_it::crash::child::told;
use syncline_it::crash::crowd::{Dice, Role, Task, Tries, open, options, shared_users};
use syncline_it::crash::{Edit, Ledger, Meeting, Place, Storage};
use syncline_it::{Replica, law};

const DATABASES: [&str; 2] = ["a", "b"];

/// Who works on which database.
const CROWD: [(&str, Role); 5] = [
    ("a", Role::Writer),
    ("a", Role::Syncer),
    ("a", Role::Syncer),
    ("b", Role::Writer),
    ("b", Role::Syncer),
];

/// A process is killed after at most so many lines. One that writes tells two for each write and may live
/// long, so that much happens beside it; one that syncs tells each part of a sync.
fn longest(role: Role) -> u64 {
    if role == Role::Writer { 600 } else { 60 }
}

fn wish(name: &str, otherwise: u64) -> u64 {
    let wish = std::env::var(name).ok();
    wish.map_or(otherwise, |wish| wish.parse().expect("a number"))
}

/// After so many seconds everybody is killed, and both databases are looked at.
const ROUND: u64 = 4;

/// Starts a process again and again, and kills it after as many lines as the dice say, until it is time.
fn keep_killing(place: &Place, task: Task, mut dice: Dice, until: Instant) -> (Tries, u64) {
    let (mut tries, mut kills) = (Tries::default(), 0);
    while Instant::now() < until {
        let mut command = Command::new(env!("CARGO_BIN_EXE_interrupted"));
        Task { number: task.number + kills, ..task.clone() }.give_to(&mut command, place.root());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut said = Vec::new();
        // Few lines more often than many: opening has its moments too.
        let lines = dice.below(longest(task.role)) >> dice.below(7);
        for _ in 0..=lines {
            let length = output.read_until(b'\n', &mut said).expect("it is read");
            assert!(length > 0, "it ended by itself: {:?}", child.wait());
        }
        child.kill().expect("it is killed");
        // It went on until it died.
        let _ = output.read_to_end(&mut said).expect("it is read");
        let _ = child.wait().expect("it ends");
        kills += 1;
        tries.hear(told(&said));
    }
    (tries, kills)
}

/// Lets all processes work and die for a while; what they told, and how often they were killed.
fn round(place: &Place, dice: &mut Dice, number: u64, until: Instant) -> (Tries, u64) {
    let (mut tries, mut kills) = (Tries::default(), 0);
    std::thread::scope(|scope| {
        let mut killers = Vec::new();
        for (position, (database, role)) in (1..).zip(CROWD) {
            let number = number * 1_000_000 + position * 100_000;
            let task = Task { role, database: database.to_owned(), number };
            let dice = Dice::new(dice.below(u64::MAX));
            killers.push(scope.spawn(move || keep_killing(place, task, dice, until)));
        }
        for killer in killers {
            let (heard, killed) = killer.join().expect("its processes were well");
            tries.add(heard);
            kills += killed;
        }
    });
    (tries, kills)
}

/// The databases, as a process finds them that comes after all others died: nothing may be amiss.
async fn look(place: &Place, number: u64) -> Vec<Replica> {
    let mut all = Vec::new();
    for (position, database) in (1..).zip(DATABASES) {
        let replica = open(place, database, number * 1_000_000 + position).await;
        assert_eq!(doctor(&replica.log).await.expect("the doctor sees"), [], "in {database}");
        place.check_file(database);
        all.push(replica);
    }
    all
}

async fn begin(place: &Place) -> Ledger {
    let log = place.log().expect("it opens");
    let (mut ledger, all) = (Ledger::default(), look(place, 0).await);
    for id in shared_users() {
        let user = Object::new().with("id", id).with("name", "shared");
        ledger.note(&Edit::Create("user", user.clone()));
        let _ = all[0].create("user", user).await;
    }
    for replica in &all {
        let _ = replica.sync(log.as_ref()).await;
    }
    ledger
}

async fn ids(all: &[Replica]) -> Vec<ReplicaId> {
    let mut ids = Vec::new();
    for replica in all {
        ids.push(replica.log.replica().await.expect("an id"));
    }
    ids
}

/// Lets both sync to the end: what they were answered for is there, once, and both show it.
async fn check(place: &Place, before: &Ledger, tries: &Tries, all: &[Replica]) {
    let log = place.log().expect("it opens");
    for _ in 0..3 {
        for replica in all {
            let report = replica.sync_with(log.as_ref(), &options()).await;
            assert_eq!((report.damaged, report.finished), (vec![], true));
        }
    }
    let shared = law::shared(log.as_ref()).await;
    tries.check(before, &Ledger::of(&shared));
    let (rows, print) = (law::rows(&shared), fingerprint(&all[0].log).await.expect("a print"));
    for replica in all {
        assert_eq!(law::seen(replica).await, rows);
        assert_eq!(fingerprint(&replica.log).await.expect("a print"), print);
        assert_eq!(doctor(&replica.log).await.expect("the doctor sees"), []);
    }
}

#[test]
fn processes_that_are_killed_at_any_moment_lose_nothing_that_they_answered_for() {
    let place = Place::new(Storage::Files, Meeting::Folder);
    let before = pollster::block_on(begin(&place));
    let old_ids = pollster::block_on(async { ids(&look(&place, 0).await).await });
    let seconds = wish("SYNCLINE_KILL_SECONDS", 20);
    let mut dice = Dice::new(wish("SYNCLINE_KILL_SEED", 1));
    let (begun, mut tries, mut kills) = (Instant::now(), Tries::default(), 0);
    for number in 1..=seconds.div_ceil(ROUND) {
        let until = begun + Duration::from_secs(seconds.min(number * ROUND));
        let (heard, killed) = round(&place, &mut dice, number, until);
        tries.add(heard);
        kills += killed;
        drop(pollster::block_on(look(&place, number)));
    }
    let (written, syncs) = (tries.written(), tries.syncs);
    assert!(
        kills > seconds && written > 10 && syncs > 2,
        "{kills} kills, {written} writes, {syncs} syncs"
    );
    pollster::block_on(async {
        let all = look(&place, 0).await;
        check(&place, &before, &tries, &all).await;
        assert_eq!(ids(&all).await, old_ids, "none was taken for a copy");
    });
}
