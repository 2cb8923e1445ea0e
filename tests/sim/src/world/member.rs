//! One replica: its database, its clock, and its process while it lives.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use syncline::middleware::{CustomPk, SyncLog};
use syncline::{Backend, ClientLog, ClientLogConfig, Group, Result, Schema, StorageManager};

use crate::app::App;
use crate::check::{RemoteRow, Watch};
use crate::dice::Dice;
use crate::disk::{Disk, Store, Trouble};
use crate::link::Weather;
use crate::time::WallClock;

/// One replica.
#[derive(Debug)]
pub(crate) struct Member {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) store: Store,
    pub(crate) raw: Arc<dyn Backend>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) clock: Arc<WallClock>,
    /// Makes its ids and its faults.
    pub(crate) dice: Dice,
    /// The version of the application.
    pub(crate) version: u32,
    pub(crate) schema: Arc<Schema>,
    /// What runs: one or two applications on the same database, as tabs of a browser; nothing while it is
    /// not started.
    pub(crate) processes: Vec<Process>,
    /// Copies of the database from earlier, with the version of that time.
    pub(crate) backups: Vec<(Arc<dyn Backend>, u32)>,
    pub(crate) watch: Watch,
    pub(crate) remotes: Vec<RemoteRow>,
    /// Stored batches at the last look.
    pub(crate) looked: u64,
}

/// A running application.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) manager: StorageManager,
    pub(crate) log: ClientLog,
}

impl Member {
    /// Whether its database changed since it was looked at.
    pub(crate) fn has_changed(&mut self) -> bool {
        let stored = self.trouble.stored.load(Ordering::Relaxed);
        std::mem::replace(&mut self.looked, stored) != stored
    }

    /// One of its processes, if there is any.
    pub(crate) fn process(&self, dice: &Dice) -> Option<Process> {
        dice.pick(&self.processes).cloned()
    }

    /// What starting its process takes.
    pub(crate) fn start(
        &self,
        app: &Arc<dyn App>,
        group: &Group,
    ) -> impl Future<Output = Result<Process>> + Send + use<> {
        let disk =
            Disk { raw: self.raw.clone(), trouble: self.trouble.clone(), dice: self.dice.clone() };
        let random = Arc::new(self.dice.clone());
        let config = ClientLogConfig::new(group.clone(), self.clock.clone(), random);
        let (config, schema) = (app.configure(config), self.schema.clone());
        async move {
            let log = SyncLog::with(config);
            let manager = StorageManager::builder(Arc::new(disk))
                .schema(schema)
                .with(CustomPk::default())
                .with(log.clone())
                .build()
                .await?;
            Ok(Process { manager, log: log.client()?.clone() })
        }
    }
}
