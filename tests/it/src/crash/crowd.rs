//! Processes that write and sync until they are killed, two on each database.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use syncline::sync::{SyncEvent, SyncObserver};
use syncline::{
    ErrorKind, Filter, Object, Operation, Outcome, SharedLog, SyncOptions, do_sync, run,
};

use super::child::Teller;
use super::stage::schema;
use super::{Edit, Ledger, Meeting, Place, Storage};
use crate::Replica;

const PLACE: &str = "SYNCLINE_CROWD_PLACE";
const TASK: &str = "SYNCLINE_CROWD_TASK";

/// Between the entries of one batch, as a child tells them.
const BETWEEN: char = '\t';

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It writes.
    Writer,
    /// It syncs.
    Syncer,
}

/// What a process is told.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it does.
    pub role: Role,
    /// On which database.
    pub database: String,
    /// Which of the processes it is; no two have the same number.
    pub number: u64,
}

/// When so many entries are not cleaned away yet, a writer waits.
const MUCH: u64 = 200;

/// How many users there are that everybody changes: few enough to meet, and enough that what goes wrong
/// with one is not overwritten at once.
const SHARED: u64 = 40;

/// The users that everybody changes.
pub fn shared_users() -> impl Iterator<Item = String> {
    (0..SHARED).map(|number| format!("s{number:02}"))
}

/// Numbers that look random and repeat.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below a border.
    pub fn below(&mut self, border: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % border
    }
}

impl Task {
    /// Gives it to a process.
    pub fn give_to(&self, child: &mut Command, place: &Path) {
        let Self { role, database, number } = self;
        let _ = child.env(PLACE, place).env(TASK, format!("{role:?} {database} {number}"));
        let _ = child.env("RUST_BACKTRACE", "0");
    }

    fn from_environment() -> Option<(Self, Place)> {
        let (place, task) = (std::env::var(PLACE).ok()?, std::env::var(TASK).ok()?);
        let [role, database, number] = task.split(' ').collect::<Vec<_>>()[..] else { return None };
        let role = if role == "Writer" { Role::Writer } else { Role::Syncer };
        let (database, number) = (database.to_owned(), number.parse().expect("a number"));
        let place = Place::at(place.as_ref(), Storage::Files, Meeting::Folder);
        Some((Self { role, database, number }, place))
    }
}

/// Opens a database of the crowd.
pub async fn open(place: &Place, database: &str, number: u64) -> Replica {
    let storage = place.open(database).expect("it opens");
    let opened = Replica::open(storage, number, schema(1), |config| config).await;
    opened.expect("it opens")
}

/// Options that cut often, and clean up often.
pub fn options() -> SyncOptions {
    SyncOptions {
        upload_entries: 20,
        download_entries: 50,
        clean_up_entries: 50,
        ..SyncOptions::default()
    }
}

/// Does what it was told until it is killed; false if it was told nothing.
pub fn work() -> bool {
    let Some((task, place)) = Task::from_environment() else { return false };
    let mut teller = Teller::new();
    teller.tell("started");
    pollster::block_on(async {
        let replica = open(&place, &task.database, task.number).await;
        teller.tell("opened");
        match task.role {
            Role::Writer => write(&task, &replica, teller).await,
            Role::Syncer => {
                sync(&replica, place.log().expect("it opens").as_ref(), teller).await;
            }
        }
    });
    true
}

async fn write(task: &Task, replica: &Replica, mut teller: Teller) {
    let mut dice = Dice::new(task.number);
    let mut own = Vec::new();
    // Ends when nobody reads any more, or it is killed.
    for number in 0.. {
        // Otherwise whoever syncs would never catch up. Counted past the log, which would look what is new.
        while number % 16 == 0 && kept_entries(replica).await > MUCH {
            teller.tell(&format!("sees {}", replica.all("user").await.len()));
        }
        let unique = format!("{}-{}-{number}", task.database, task.number);
        let edits = draw(&mut dice, &unique, &mut own);
        let mut ledger = Ledger::default();
        edits.iter().for_each(|edit| ledger.note(edit));
        let lines: Vec<&str> = ledger.lines().map(|(line, _)| line).collect();
        teller.tell(&format!("tries {}", lines.join(&BETWEEN.to_string())));
        let batch = edits.iter().fold(replica.manager.batch(), |batch, edit| edit.add_to(batch));
        match batch.run().await {
            Ok(_) => teller.tell("wrote"),
            Err(error) => teller.tell(&refused(&error)),
        }
    }
}

async fn kept_entries(replica: &Replica) -> u64 {
    let count = Operation::Count("sync_entry".into(), Filter::All);
    let counted = run(replica.backend.as_ref(), count).await;
    counted.and_then(Outcome::counted).expect("it counts")
}

/// A batch whose entries nobody else writes.
fn draw(dice: &mut Dice, unique: &str, own: &mut Vec<String>) -> Vec<Edit> {
    let note = || Edit::Create("note", Object::new().with("id", unique).with("text", "x"));
    let nick = || Object::new().with("nick", unique);
    let shared = format!("s{:02}", dice.below(SHARED));
    match dice.below(6) {
        0 if own.len() > 2 => {
            let at = dice.below(own.len() as u64) as usize;
            vec![Edit::delete("note", &own.swap_remove(at))]
        }
        1 => vec![Edit::update("user", &shared, nick())],
        2 => {
            let tens = &shared[..2];
            let ten = shared_users().filter(|id| id.starts_with(tens)).collect();
            vec![Edit::Update("user", Filter::prefix("id", tens), ten, nick())]
        }
        3 => {
            let user = Object::new().with("id", unique).with("name", "x");
            vec![Edit::Create("user", user), note(), Edit::update("user", &shared, nick())]
        }
        _ => {
            own.push(unique.to_owned());
            vec![note()]
        }
    }
}

async fn sync(replica: &Replica, log: &dyn SharedLog, teller: Teller) {
    let teller = Arc::new(Telling(Mutex::new(teller)));
    let options = SyncOptions { observer: Some(teller.clone()), ..options() };
    loop {
        match do_sync(&replica.log, log, &options).await {
            Ok(report) => {
                teller.tell(&format!("synced {} {}", report.received, report.shared));
            }
            Err(error) => teller.tell(&refused(&error)),
        }
    }
}

/// Tells what a sync does, so that it is killed in the middle of that.
#[derive(Debug)]
struct Telling(Mutex<Teller>);

impl Telling {
    fn tell(&self, line: &str) {
        self.0.lock().expect("one thread").tell(line);
    }
}

impl SyncObserver for Telling {
    fn on_event(&self, event: &SyncEvent) {
        let event = format!("{event:?}");
        let name = event.split(|end: char| !end.is_alphanumeric()).next();
        self.tell(name.expect("it has a name"));
    }
}

/// Another process may hold the database for too long; nothing else may be in the way.
fn refused(error: &syncline::Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    "refused".to_owned()
}

/// What processes told of the batches that they tried to write.
#[derive(Debug, Default)]
pub struct Tries {
    /// The entries of each, and whether it was answered for.
    batches: Vec<(Vec<String>, bool)>,
    /// How often a sync came to its end.
    pub syncs: u64,
    /// How often a database was busy for too long.
    pub refused: u64,
}

impl Tries {
    /// Notes what one process told.
    pub fn hear<'a>(&mut self, told: impl Iterator<Item = &'a str>) {
        for line in told {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "tries" => {
                    let entries = rest.split(BETWEEN).map(str::to_owned).collect();
                    self.batches.push((entries, false));
                }
                "wrote" => self.batches.last_mut().expect("it was tried").1 = true,
                "synced" => self.syncs += 1,
                "refused" => self.refused += 1,
                _ => {}
            }
        }
    }

    /// Adds what others told.
    pub fn add(&mut self, other: Self) {
        self.batches.extend(other.batches);
        self.syncs += other.syncs;
        self.refused += other.refused;
    }

    /// How many batches were answered for.
    pub fn written(&self) -> usize {
        self.batches.iter().filter(|(_, is_done)| *is_done).count()
    }

    /// Holds a log to it: what was answered for is there, everything is there once, batches are whole, and
    /// there is nothing else but what was there before.
    pub fn check(&self, before: &Ledger, log: &Ledger) {
        let mut there: BTreeMap<&str, u64> = log.lines().collect();
        for (line, count) in before.lines() {
            assert_eq!(there.remove(line), Some(count), "{line}");
        }
        for (entries, is_done) in &self.batches {
            let counts: Vec<u64> = entries
                .iter()
                .map(|entry| there.remove(entry.as_str()).unwrap_or_default())
                .collect();
            let is_there = counts.iter().all(|count| *count == 1);
            let is_whole = is_there || counts.iter().all(|count| *count == 0);
            assert!(is_whole, "a batch is there in part, or twice: {entries:?} {counts:?}");
            assert!(is_there || !is_done, "it was answered for and is lost: {entries:?}");
        }
        assert!(there.is_empty(), "nobody wrote {there:?}");
    }
}
