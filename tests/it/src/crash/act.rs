//! What a replica does in an activity, step by step.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use syncline::client::Origin;
use syncline::sync::{SyncEvent, SyncObserver, status};
use syncline::{Result, SharedLog, SyncOptions, Value, do_sync};

use super::{Edit, Ledger};
use crate::Replica;

/// One thing that an application does; it is tried again until it is done.
#[derive(Clone, Debug)]
pub enum Act {
    /// Writes one batch.
    Write(Vec<Edit>),
    /// Syncs, in pieces of so many entries.
    Sync(u64),
    /// Puts the rows of a collection into the log, which comes to these entries.
    Adopt(&'static str, Vec<Edit>),
    /// The same, under new keys.
    AdoptWithNewKeys(&'static str, Vec<Edit>),
}

impl Act {
    /// Does it.
    ///
    /// # Errors
    ///
    /// Whatever storage and log report.
    pub async fn carry_out(
        &self,
        replica: &Replica,
        log: &dyn SharedLog,
        heard: &Arc<Heard>,
    ) -> Result<()> {
        match self {
            Self::Write(edits) => {
                let batch = replica.manager.batch();
                let batch = edits.iter().fold(batch, |batch, edit| edit.add_to(batch));
                batch.run().await.map(drop)
            }
            Self::Sync(entries) => {
                let options =
                    SyncOptions { observer: Some(heard.clone()), ..in_pieces_of(*entries) };
                do_sync(&replica.log, log, &options).await.map(drop)
            }
            Self::Adopt(collection, _) => {
                replica.log.adopt(collection, Origin::Unknown).await.map(drop)
            }
            Self::AdoptWithNewKeys(collection, _) => {
                let next = AtomicI64::new(1_000);
                let fresh = || Value::Int(next.fetch_add(1, Ordering::SeqCst));
                replica.log.adopt_with_new_keys(collection, fresh).await.map(drop)
            }
        }
    }

    /// Whether an attempt that failed was carried out all the same; never only in part.
    ///
    /// `before` is how many entries the replica had written before the attempt.
    pub async fn has_happened(&self, replica: &Replica, before: u64) -> bool {
        let edits = match self {
            Self::Write(edits) | Self::Adopt(_, edits) | Self::AdoptWithNewKeys(_, edits) => edits,
            // It may be repeated as often as one likes.
            Self::Sync(_) => return false,
        };
        let entries: u64 = edits.iter().map(Edit::entries).sum();
        let added = written(replica).await - before;
        assert!(added == 0 || added == entries, "{added} of {entries} entries of {self:?}");
        added == entries
    }

    /// Notes what it must come to.
    pub fn note(&self, ledger: &mut Ledger) {
        if let Self::Write(edits) | Self::Adopt(_, edits) | Self::AdoptWithNewKeys(_, edits) = self
        {
            edits.iter().for_each(|edit| ledger.note(edit));
        }
    }
}

/// How many entries a replica has written, under its present id.
pub(super) async fn written(replica: &Replica) -> u64 {
    status(&replica.log).await.expect("a status").written
}

/// Options for syncing in pieces of so many entries; cleaning up is worth it soon.
pub(super) fn in_pieces_of(entries: u64) -> SyncOptions {
    SyncOptions {
        upload_entries: entries,
        download_entries: entries,
        clean_up_entries: 15,
        ..SyncOptions::default()
    }
}

/// Remembers the values that lost, as a replica told them.
#[derive(Debug, Default)]
pub struct Heard(Mutex<BTreeSet<String>>);

impl Heard {
    /// All of them.
    pub fn all(&self) -> BTreeSet<String> {
        self.0.lock().expect("no test fails here").clone()
    }

    /// Adds what was heard elsewhere.
    pub fn add(&self, lost: String) {
        let _ = self.0.lock().expect("no test fails here").insert(lost);
    }
}

impl SyncObserver for Heard {
    fn on_event(&self, event: &SyncEvent) {
        if let SyncEvent::Discarded(discards) = event {
            for lost in discards {
                let (field, value) = (lost.field.as_deref().unwrap_or("all"), &lost.lost);
                self.add(format!("{} {} {field} {value:?}", lost.collection, lost.key));
            }
        }
    }
}
