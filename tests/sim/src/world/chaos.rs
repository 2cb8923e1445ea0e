//! What goes wrong.

use std::sync::atomic::Ordering;

use super::live::{Live, unexpected};
use crate::check::Broken;
use crate::disk::copy;

/// Something that may go wrong in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A process dies between any two durable steps, and is started again.
    Crash,
    /// An application drops a write or a sync that is under way.
    Cancel,
    /// A disk is full for a while.
    FullDisk,
    /// Calls of a database fail before they have an effect.
    BusyDisk,
    /// Batches are stored although an error is answered.
    ForgetfulDisk,
    /// Requests are lost, repeated and late; answers are lost.
    Network,
    /// A replica reaches nothing for a while.
    Partition,
    /// A clock steps by minutes, forward or back.
    ClockStep,
    /// A clock leaps by ten years, forward or back.
    ClockLeap,
    /// A database is copied, and both go on.
    Copy,
    /// A database is rolled back to an earlier copy.
    Rollback,
    /// A shared log forgets its latest segments.
    RestoredLog,
    /// A hub crashes in the middle of what it is doing.
    HubCrash,
    /// A replica goes on with a newer version of the application.
    Upgrade,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Crash,
        Self::Cancel,
        Self::FullDisk,
        Self::BusyDisk,
        Self::ForgetfulDisk,
        Self::Network,
        Self::Partition,
        Self::ClockStep,
        Self::ClockLeap,
        Self::Copy,
        Self::Rollback,
        Self::RestoredLog,
        Self::HubCrash,
        Self::Upgrade,
    ];
}

const TEN_YEARS: i64 = 10 * 365 * 24 * 3_600 * 1_000;

/// The most replicas, copies included.
pub(super) const CROWD: usize = 5;

impl Live {
    /// Something goes wrong with a replica, or is put right again.
    pub(crate) fn go_wrong(&mut self, who: usize) -> Result<(), Broken> {
        if self.members[who].processes.is_empty() && self.tasks.of(who, "start") == 0 {
            self.start(who);
            return Ok(());
        }
        let Some(fault) = self.dice.pick(&self.faults).copied() else { return Ok(()) };
        self.summary.faults += 1;
        match fault {
            Fault::Crash => {
                self.crash(who);
                if self.dice.percent(50) {
                    self.tell(|| format!("replica {} loses its power", who + 1));
                    for place in &self.places {
                        place.cut_power(who, &self.dice).map_err(unexpected)?;
                    }
                }
            }
            Fault::Cancel => {
                if let Some(what) = self.tasks.cancel(who, &self.dice) {
                    self.tell(|| format!("replica {}: its {what} is dropped", who + 1));
                }
            }
            Fault::FullDisk | Fault::BusyDisk | Fault::ForgetfulDisk => self.trouble(who, fault),
            Fault::Network | Fault::Partition => self.weather(who, fault),
            Fault::ClockStep => self.step_clock(who, self.dice.between(-1_800_000, 1_800_000)),
            Fault::ClockLeap => {
                let leap = if self.dice.percent(50) { TEN_YEARS } else { -TEN_YEARS };
                self.step_clock(who, leap);
            }
            Fault::Copy => self.copy(who)?,
            Fault::Rollback => self.roll_back(who)?,
            Fault::RestoredLog => {
                if self.dice.percent(30) {
                    let place = self.dice.below(self.places.len());
                    let restored = self.places[place].restore(&self.dice).map_err(unexpected)?;
                    let Some(to) = restored else { return Ok(()) };
                    self.log_restored = true;
                    self.tell(|| format!("log {} is restored to {to}", place + 1));
                    self.forget_lost_promises();
                }
            }
            Fault::HubCrash => {
                let place = self.dice.below(self.places.len());
                if self.places[place].restart() {
                    self.tell(|| format!("hub {} crashes", place + 1));
                }
            }
            Fault::Upgrade => self.upgrade(who)?,
        }
        Ok(())
    }

    /// The process dies; its database stays as it is.
    pub(crate) fn crash(&mut self, who: usize) {
        self.tasks.kill(who);
        self.members[who].processes.clear();
        self.tell(|| format!("replica {} crashes", who + 1));
    }

    fn trouble(&mut self, who: usize, fault: Fault) {
        let trouble = &self.members[who].trouble;
        let drawn = if self.dice.percent(50) { 0 } else { 1 + self.dice.below(30) as u32 };
        match fault {
            Fault::FullDisk => trouble.full.store(drawn > 0, Ordering::Relaxed),
            Fault::BusyDisk => trouble.fails.store(drawn, Ordering::Relaxed),
            _ => trouble.forgets.store(drawn, Ordering::Relaxed),
        }
        self.tell(|| format!("replica {}: {fault:?} {drawn} %", who + 1));
    }

    fn weather(&mut self, who: usize, fault: Fault) {
        let weather = &self.members[who].weather;
        if fault == Fault::Partition {
            let cut = !weather.cut.fetch_xor(true, Ordering::Relaxed);
            self.tell(|| {
                format!("replica {} is {}", who + 1, if cut { "cut off" } else { "back" })
            });
            return;
        }
        let [loses, forgets, repeats] = [(); 3].map(|()| self.dice.below(40) as u32);
        weather.loses.store(loses, Ordering::Relaxed);
        weather.forgets.store(forgets, Ordering::Relaxed);
        weather.repeats.store(repeats, Ordering::Relaxed);
        weather.delay.store(self.dice.below(20_000) as u32, Ordering::Relaxed);
        self.tell(|| {
            format!(
                "replica {}: loses {loses} %, forgets {forgets} %, repeats {repeats} %",
                who + 1
            )
        });
    }

    fn step_clock(&mut self, who: usize, millis: i64) {
        self.members[who].clock.step(millis);
        self.tell(|| format!("replica {}: its clock moves by {} s", who + 1, millis / 1_000));
    }

    fn copy(&mut self, who: usize) -> Result<(), Broken> {
        let member = &self.members[who];
        let Some(process) = member.process(&self.dice) else { return Ok(()) };
        if self.members.len() >= CROWD {
            return Ok(());
        }
        let (store, version) = (member.store, member.version);
        let raw = copy(member.raw.as_ref(), process.log.schema(), store).map_err(unexpected)?;
        self.copied = true;
        self.tell(|| format!("replica {} is copied", who + 1));
        let new = self.add(store, raw, version)?;
        self.look_afresh(new)
    }

    fn roll_back(&mut self, who: usize) -> Result<(), Broken> {
        let member = &mut self.members[who];
        let backup = if self.dice.percent(50) { member.backups.pop() } else { None };
        let Some((raw, version)) = backup else {
            let Some(process) = member.process(&self.dice) else { return Ok(()) };
            let copied = copy(member.raw.as_ref(), process.log.schema(), member.store);
            member.backups.push((copied.map_err(unexpected)?, member.version));
            self.tell(|| format!("replica {} is backed up", who + 1));
            return Ok(());
        };
        self.crash(who);
        let schema = self.app.schema(version).map_err(unexpected)?;
        let member = &mut self.members[who];
        (member.raw, member.version, member.schema) = (raw, version, schema.into());
        self.copied = true;
        self.tell(|| format!("replica {} is rolled back to version {version}", who + 1));
        self.look_afresh(who)?;
        self.forget_lost_promises();
        self.start(who);
        Ok(())
    }

    /// Goes on with a newer version.
    pub(crate) fn upgrade(&mut self, who: usize) -> Result<(), Broken> {
        let version = self.members[who].version + 1;
        if version > self.app.versions() {
            return Ok(());
        }
        self.tasks.kill(who);
        let schema = self.app.schema(version).map_err(unexpected)?;
        let member = &mut self.members[who];
        (member.version, member.schema) = (version, schema.into());
        member.processes.clear();
        self.tell(|| format!("replica {} is upgraded to version {version}", who + 1));
        self.look_afresh(who)?;
        self.start(who);
        Ok(())
    }

    /// Looks at a database as if for the first time.
    pub(crate) fn look_afresh(&mut self, who: usize) -> Result<(), Broken> {
        let member = &mut self.members[who];
        member.watch.forget();
        member.remotes.clear();
        let _ = member.trouble.stored.fetch_add(1, Ordering::Relaxed);
        self.look(who)
    }

    /// Takes back what was promised and is gone with a disk: nobody else had it.
    fn forget_lost_promises(&mut self) {
        let shared = self.whole(&self.in_logs());
        let members = &self.members;
        self.promises.keep(|_, promise| {
            let everywhere = members.iter().map(|member| &member.watch.entries).chain([&shared]);
            let mut entries = everywhere.filter_map(|entries| entries.get(&promise.id));
            entries.any(|entries| entries.values().any(|op| promise.is_kept_by(op)))
        });
    }
}
