//! A place with everyone who takes part: what they wrote, and what must hold of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use syncline::sync::{Problem, doctor, fingerprint};
use syncline::{
    Backend, Collection, FieldType, Key, Name, Object, Registry, ReplicaId, Result, Schema,
    SharedLog, SyncOptions,
};

use super::act::{Heard, in_pieces_of};
use super::{Activity, Edit, Ledger, Place};
use crate::{Replica, law};

/// The replica that is interrupted.
pub(super) const MAIN: &str = "one";

/// Everyone who takes part in an activity.
#[derive(Debug)]
pub struct Stage {
    /// What is done.
    pub activity: Activity,
    /// Where.
    pub place: Place,
    /// What all of them wrote so far.
    pub ledger: Ledger,
    /// What the replica that is interrupted told of values that lost.
    pub heard: Arc<Heard>,
    /// Those that are not interrupted.
    pub others: Vec<Replica>,
    opened: AtomicU64,
    /// The first id of the replica that is interrupted.
    id: OnceLock<ReplicaId>,
}

/// Version 1: users, notes, books whose keys the database counts, and their pages. Version 2 adds phones and
/// tags.
pub(super) fn schema(version: u32) -> Schema {
    let user = Collection::define("user")
        .field("name", FieldType::String)
        .optional("nick", FieldType::String)
        .optional("age", FieldType::Int);
    let with_phone = user.clone().optional("phone", FieldType::String).index(["phone"]);
    let note = Collection::define("note").optional("text", FieldType::Text);
    let book =
        Collection::define("book").field("id", FieldType::AutoPk).field("title", FieldType::String);
    let page = Collection::define("page").field("text", FieldType::Text).child_of("book");
    let tag = Collection::define("tag").field("word", FieldType::String);
    let first = Registry::new().collections(1, [user, note, book, page]);
    let registry = if version == 1 { first } else { first.collections(2, [with_phone, tag]) };
    registry.finish().expect("the schema is sound")
}

impl Stage {
    /// Everything that comes before the activity.
    pub async fn prepare(activity: Activity, place: Place) -> Self {
        let mut stage = Self::empty(activity, place, 0);
        activity.prepare(&mut stage).await;
        stage
    }

    /// Nobody yet. Databases are opened under numbers from `opened` on, of which no two may be the same.
    pub(super) fn empty(activity: Activity, place: Place, opened: u64) -> Self {
        Self {
            activity,
            place,
            ledger: Ledger::default(),
            heard: Arc::default(),
            others: Vec::new(),
            opened: AtomicU64::new(opened),
            id: OnceLock::new(),
        }
    }

    /// Closes every database.
    pub fn close(&mut self) {
        self.others.clear();
    }

    /// The same in another place, which holds a copy of this one.
    pub async fn moved_to(&self, place: Place) -> Self {
        let mut stage = Self::empty(self.activity, place, 1_000);
        stage.ledger = self.ledger.clone();
        for (name, version) in self.activity.others() {
            let other = stage.open(name, *version).await;
            stage.others.push(other);
        }
        stage
    }

    /// Opens a database under a version of the schema, as a new process does: the clock begins again.
    pub(super) async fn open(&self, name: &str, version: u32) -> Replica {
        let storage = self.place.open(name).expect("it opens");
        let opened = self.open_on(storage, version).await;
        opened.expect("it opens")
    }

    /// Opens the replica that is interrupted, on this storage.
    ///
    /// # Errors
    ///
    /// Whatever the storage reports.
    pub async fn open_main(&self, storage: Arc<dyn Backend>) -> Result<Replica> {
        self.open_on(storage, self.activity.version()).await
    }

    async fn open_on(&self, storage: Arc<dyn Backend>, version: u32) -> Result<Replica> {
        // No two openings draw the same replica id.
        let number = self.opened.fetch_add(1, Ordering::SeqCst);
        Replica::open(storage, number, schema(version), |config| config).await
    }

    /// The log, for those that are not interrupted.
    pub(super) fn log(&self) -> Arc<dyn SharedLog> {
        self.place.log().expect("it opens")
    }

    /// Writes a batch that nothing interrupts.
    pub(super) async fn write(&mut self, replica: &Replica, edits: Vec<Edit>) {
        let batch = edits.iter().fold(replica.manager.batch(), |batch, edit| edit.add_to(batch));
        let _ = batch.run().await.expect("it writes");
        edits.iter().for_each(|edit| self.ledger.note(edit));
    }

    /// The others go on while one is interrupted.
    pub async fn meanwhile(&mut self) {
        let (log, others) = (self.log(), self.others.clone());
        let age = Object::new().with("age", 7);
        self.write(&others[0], vec![Edit::update("user", self.activity.shared_user(), age)]).await;
        for other in &others {
            let _ = other.sync_with(log.as_ref(), &in_pieces_of(self.activity.piece())).await;
        }
    }

    /// Holds everyone to the law: what they show is what they applied, batches are whole, and what they told
    /// the log is true.
    pub async fn look(&self, main: &Replica) {
        let log = self.log();
        for other in &self.others {
            law::check(other).await;
            law::check_told(other, log.as_ref()).await;
        }
        // A copy shares its id with the database that it is a copy of, until it learns of that.
        if self.activity != Activity::Renew {
            law::check_told(main, log.as_ref()).await;
            // What it shared and then forgot would be a branch, and cost it its id.
            let id = main.log.replica().await.expect("an id");
            assert_eq!(*self.id.get_or_init(|| id), id, "it keeps its id");
        }
        let lawful = match self.activity.keeps_entries() {
            true => law::rows(&law::applied(main).await),
            false => law::seen(main).await,
        };
        let is_raw = |(collection, key): &(Name, Key)| {
            self.activity.raw_rows().iter().any(|raw| raw.0 == &**collection && raw.1 == *key)
        };
        let mut seen = law::seen(main).await;
        seen.retain(|id, _| lawful.contains_key(id) || !is_raw(id));
        assert_eq!(seen, lawful, "the rows equal the law");
        for found in doctor(&main.log).await.expect("the doctor sees") {
            let object = found.collection.clone().zip(found.key.clone());
            let is_raw =
                found.problem == Problem::UnloggedRow && object.as_ref().is_some_and(is_raw);
            assert!(is_raw, "{found}");
        }
    }

    /// Lets everyone sync until nothing moves; then all hold the same, which is all that was ever written,
    /// once, as the naive model merges it.
    pub async fn finish(mut self, main: Replica) {
        let mut all = vec![main];
        all.append(&mut self.others);
        let newest = self.activity.newest_version();
        for replica in &mut all {
            let opened = self.open_on(replica.backend.clone(), newest).await;
            *replica = opened.expect("it opens");
        }
        self.place.check_file(MAIN);
        let log = self.log();
        self.settle(&all, log.as_ref()).await;
        let shared = law::shared(log.as_ref()).await;
        let (rows, print) = (law::rows(&shared), fingerprint(&all[0].log).await.expect("a print"));
        let lost = self.ledger.differences(&Ledger::of(&shared));
        assert!(lost.is_empty(), "written, and in the log: {lost:#?}");
        for (position, replica) in all.iter().enumerate() {
            assert_eq!(law::seen(replica).await, rows, "replica {position} shows what was written");
            assert_eq!(fingerprint(&replica.log).await.expect("a print"), print);
            assert_eq!(doctor(&replica.log).await.expect("the doctor sees"), []);
            if position > 0 || self.activity.keeps_entries() {
                assert_eq!(
                    law::applied(replica).await,
                    shared,
                    "replica {position} applied it all"
                );
            }
        }
        let waiting = syncline::sync::discards(&all[0].log).await.expect("they are read");
        assert_eq!(waiting, [], "what lost was told");
    }

    async fn settle(&self, all: &[Replica], log: &dyn SharedLog) {
        let mut still = 0;
        for _ in 0..12 {
            let mut moved = 0;
            for (position, replica) in all.iter().enumerate() {
                let heard = (position == 0).then(|| self.heard.clone() as _);
                let options = SyncOptions { observer: heard, ..SyncOptions::default() };
                let report = replica.sync_with(log, &options).await;
                assert_eq!((&report.damaged[..], report.finished), (&[][..], true));
                moved += report.received + report.shared + report.integrated;
            }
            still = if moved == 0 { still + 1 } else { 0 };
            if still == 2 {
                return;
            }
        }
        panic!("they sync and sync, and something moves each time");
    }

    /// What must have been told of values that lost, compared with what was.
    pub fn untold(&self, expected: &BTreeSet<String>) -> Vec<String> {
        expected.difference(&self.heard.all()).cloned().collect()
    }
}
