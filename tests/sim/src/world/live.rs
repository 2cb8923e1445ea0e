//! A world while it runs: dice choose who goes on, what users do and what goes wrong.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use syncline::log::Codec;
use syncline::merge::Discard;
use syncline::sync::{Stage, SyncEvent, SyncObserver};
use syncline::{ClientLogConfig, ErrorKind, Group, Name, Result, SharedLog, SyncOptions, do_sync};

use super::chaos::Fault;
use super::member::{Member, Process};
use super::{Summary, World};
use crate::app::{App, Promises, User};
use crate::check::Sight;
use crate::check::{Broken, Invariant, check_acknowledgements, check_remotes};
use crate::dice::Dice;
use crate::disk::{Store, Trouble};
use crate::ledger::Ledger;
use crate::link::{Echoes, Link, Traffic, Weather};
use crate::place::{Ground, Meeting, Place};
use crate::tasks::Tasks;
use crate::time::{Time, WallClock};
use crate::trace::Trace;

/// How many tasks of one kind a process has at most.
const AT_ONCE: usize = 3;

/// A world under way.
pub(crate) struct Live {
    pub(crate) app: Arc<dyn App>,
    pub(crate) group: Group,
    pub(crate) dice: Dice,
    pub(crate) time: Arc<Time>,
    pub(crate) trace: Arc<Trace>,
    pub(crate) tasks: Tasks,
    pub(crate) members: Vec<Member>,
    pub(crate) places: Vec<Place>,
    pub(crate) ledger: Ledger,
    pub(crate) promises: Arc<Promises>,
    pub(crate) mail: Arc<Mail>,
    pub(crate) echoes: Arc<Echoes>,
    pub(crate) traffic: Arc<Traffic>,
    /// What goes wrong in this world.
    pub(crate) faults: Vec<Fault>,
    /// Whether a database was copied or rolled back: then lanes fork, and what nobody else has may be gone.
    pub(crate) copied: bool,
    pub(crate) log_restored: bool,
    pub(crate) acts_left: usize,
    pub(crate) good_clocks: bool,
    /// Collections with a reconciler of their own.
    pub(crate) own_rules: Vec<Name>,
    pub(crate) summary: Summary,
}

/// What tasks tell the world.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    letters: Mutex<Vec<Letter>>,
    pub(crate) discards: Mutex<Vec<Discard>>,
}

#[derive(Debug)]
pub(crate) enum Letter {
    Started(usize, Result<Process>),
    Failed { who: usize, what: &'static str, error: syncline::Error },
}

impl Mail {
    pub(crate) fn send(&self, letter: Letter) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
    }

    fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn discarded(&self, discards: &[Discard]) {
        self.discards.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(discards);
    }
}

impl SyncObserver for Mail {
    fn on_event(&self, event: &SyncEvent) {
        if let SyncEvent::Discarded(discards) = event {
            self.discarded(discards);
        }
    }
}

impl Live {
    pub(crate) fn new(world: &World, app: Arc<dyn App>, dice: Dice) -> Self {
        let time = Arc::new(Time::default());
        let group: Group = "world".parse().unwrap_or_else(|_| unreachable!("it is a valid name"));
        let faults = match world.all_faults {
            true => world.faults.clone(),
            false => {
                let chosen = |_: &&Fault| dice.percent(40);
                world.faults.iter().filter(chosen).copied().collect()
            }
        };
        Self {
            app,
            group,
            trace: Arc::new(Trace::new(world.trace)),
            tasks: Tasks::default(),
            members: Vec::new(),
            places: Vec::new(),
            ledger: Ledger::default(),
            promises: Arc::default(),
            mail: Arc::default(),
            echoes: Arc::default(),
            traffic: Arc::default(),
            faults,
            copied: false,
            log_restored: false,
            acts_left: world.acts.unwrap_or_else(|| 10 + dice.below(31)),
            good_clocks: dice.percent(30),
            own_rules: Vec::new(),
            summary: Summary::default(),
            time,
            dice,
        }
    }

    pub(crate) fn story(&self) -> Vec<String> {
        self.trace.lines()
    }

    pub(crate) fn summary(&self) -> Summary {
        let troubles = self.members.iter().map(|member| &member.trouble);
        let batches = troubles.map(|trouble| trouble.stored.load(Ordering::Relaxed)).sum();
        let (page, batch) = self.largest();
        Summary {
            requests: self.traffic.requests.load(Ordering::Relaxed),
            batches,
            page,
            batch,
            millis: self.time.now(),
            ..self.summary.clone()
        }
    }

    /// Begins, lets things happen, and ends.
    pub(crate) fn live(&mut self, world: &World) -> Result<(), Broken> {
        self.begin(world)?;
        // In some worlds everybody meets once in between, so that there is something to clean away.
        let mut meets_at = if self.dice.percent(50) { self.acts_left / 2 } else { 0 };
        while self.acts_left > 0 {
            if self.acts_left <= meets_at {
                meets_at = 0;
                self.meet()?;
            }
            if self.dice.percent(70) && self.go_on()? {
                continue;
            }
            self.happen()?;
        }
        self.end()
    }

    fn begin(&mut self, world: &World) -> Result<(), Broken> {
        let faults: Vec<String> = self.faults.iter().map(|fault| format!("{fault:?}")).collect();
        self.tell(|| format!("seed {}; what may go wrong: {}", world.seed, faults.join(", ")));
        let replicas = world.replicas.unwrap_or_else(|| 2 + self.dice.below(3));
        self.make_places(world, replicas).map_err(unexpected)?;
        let clock = Arc::new(WallClock::new(self.time.clone(), 0, 0));
        let config = ClientLogConfig::new(self.group.clone(), clock, Arc::new(self.dice.fork()));
        let chosen = self.app.configure(config).reconcilers;
        self.own_rules = chosen.into_iter().map(|(name, _)| name).collect();
        for number in 0..replicas {
            let drawn = if self.dice.percent(75) {
                Store::ALL[0]
            } else {
                Store::ALL[Store::ALL.len() - 1]
            };
            let store =
                world.stores.as_ref().and_then(|stores| stores.get(number % stores.len().max(1)));
            let raw = store.copied().unwrap_or(drawn).empty().map_err(unexpected)?;
            let version = 1 + self.dice.below(self.app.versions() as usize) as u32;
            let _ = self.add(store.copied().unwrap_or(drawn), raw, version)?;
        }
        Ok(())
    }

    /// Makes the logs at which replicas meet.
    fn make_places(&mut self, world: &World, replicas: usize) -> Result<()> {
        let hub = |dice: &Dice| match dice.percent(50) {
            #[cfg(feature = "hub")]
            true => Meeting::Router,
            _ => Meeting::Hub,
        };
        let drawn = match self.dice.below(6) {
            0 => vec![Meeting::Memory],
            1 => vec![hub(&self.dice), Meeting::Memory],
            2 => vec![Meeting::Folder],
            _ => vec![hub(&self.dice)],
        };
        let ground = Ground {
            group: &self.group,
            time: &self.time,
            dice: &self.dice,
            sites: replicas.max(super::chaos::CROWD),
        };
        for (number, meeting) in (1..).zip(world.meetings.as_ref().unwrap_or(&drawn)) {
            self.places.push(Place::new(*meeting, number, &ground)?);
        }
        Ok(())
    }

    /// Adds a replica with this database, and starts it.
    pub(crate) fn add(
        &mut self,
        store: Store,
        raw: Arc<dyn syncline::Backend>,
        version: u32,
    ) -> Result<usize, Broken> {
        let schema = Arc::new(self.app.schema(version).map_err(unexpected)?);
        // In some worlds clocks are so good that stamps are equal.
        let (ahead, drift) = match self.good_clocks {
            true => (0, 0),
            false => (self.dice.between(-2_000, 2_000), self.dice.between(-50_000, 50_000)),
        };
        let member = Member {
            number: self.members.len() + 1,
            store,
            raw,
            trouble: Arc::new(Trouble::default()),
            weather: Arc::new(Weather::default()),
            clock: Arc::new(WallClock::new(self.time.clone(), ahead, drift)),
            dice: self.dice.fork(),
            version,
            schema,
            processes: Vec::new(),
            backups: Vec::new(),
            watch: Default::default(),
            remotes: Vec::new(),
            looked: 0,
        };
        member.weather.delay.store(self.dice.below(300) as u32, Ordering::Relaxed);
        self.tell(|| {
            format!("replica {} begins on {store:?} with version {version}", member.number)
        });
        self.members.push(member);
        self.start(self.members.len() - 1);
        Ok(self.members.len() - 1)
    }

    /// Starts a replica's process.
    pub(crate) fn start(&mut self, who: usize) {
        let starting = self.members[who].start(&self.app, &self.group);
        let mail = self.mail.clone();
        self.tasks.spawn(
            Some(who),
            "start",
            Box::pin(async move {
                mail.send(Letter::Started(who, starting.await));
            }),
        );
    }

    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        self.trace.tell(self.time.now(), what);
    }

    /// Lets one task go on, or time pass until one can; false if there is none.
    pub(crate) fn go_on(&mut self) -> Result<bool, Broken> {
        for echo in self.echoes.take() {
            self.tasks.spawn(None, "echo", echo);
        }
        if self.dice.percent(5) {
            self.time.pass(self.dice.between(1, 500));
        }
        match self.tasks.step(&self.dice) {
            None => match self.time.until_next() {
                None => return Ok(false),
                Some(millis) => self.time.pass(millis),
            },
            Some(owner) => {
                self.summary.steps += 1;
                if let Some(who) = owner {
                    self.look(who)?;
                }
            }
        }
        self.read_mail()?;
        Ok(true)
    }

    fn read_mail(&mut self) -> Result<(), Broken> {
        for letter in self.mail.take() {
            match letter {
                Letter::Started(who, Ok(process)) => {
                    self.tell(|| format!("replica {} runs", who + 1));
                    self.members[who].processes.push(process);
                }
                Letter::Started(who, Err(error)) => self.judge_error(who, "start", &error)?,
                Letter::Failed { who, what, error } => self.judge_error(who, what, &error)?,
            }
        }
        Ok(())
    }

    /// Errors are of the kinds that the situation explains.
    fn judge_error(&self, who: usize, what: &str, error: &syncline::Error) -> Result<(), Broken> {
        self.tell(|| format!("replica {}: {what} fails: {error}", who + 1));
        let explained = match error.kind() {
            ErrorKind::Unavailable => true,
            ErrorKind::Full => self.faults.contains(&Fault::FullDisk),
            ErrorKind::Conflict => what == "act",
            _ => false,
        };
        if explained {
            return Ok(());
        }
        let seen = format!("replica {}: {what} answers {:?}: {error}", who + 1, error.kind());
        Err(Broken::new(Invariant::ErrorsAreExpected, seen))
    }

    /// Looks at a database if it changed.
    pub(crate) fn look(&mut self, who: usize) -> Result<(), Broken> {
        let Some(member) = self.members.get_mut(who) else { return Ok(()) };
        if !member.has_changed() {
            return Ok(());
        }
        self.summary.looks += 1;
        let sight = Sight {
            raw: member.raw.as_ref(),
            schema: &member.schema,
            group: &self.group,
            app: self.app.as_ref(),
            own_rules: &self.own_rules,
        };
        let at = |broken: Broken| {
            Broken::new(broken.invariant, format!("replica {}: {}", who + 1, broken.seen))
        };
        let Some(now) = member.watch.look(&sight, &mut self.ledger).map_err(at)? else {
            return Ok(());
        };
        if self.ledger.forks > 0 && !self.copied {
            let seen = format!("replica {} gave a number twice", who + 1);
            return Err(Broken::new(Invariant::OneNumberOneEntry, seen));
        }
        let logs: Vec<Arc<dyn SharedLog>> =
            self.places.iter().map(|place| place.log(who)).collect();
        check_remotes(&now, &member.remotes, &logs, self.log_restored || self.copied, &self.ledger)
            .map_err(at)?;
        if !self.copied {
            let quick = self.places.iter().zip(&logs).filter(|(place, _)| place.is_quick());
            let quick = quick.map(|(_, log)| log.as_ref());
            check_acknowledgements(&now, quick, &self.ledger).map_err(at)?;
        }
        member.remotes = now.remotes;
        Ok(())
    }

    /// Something happens: somebody does something, or something goes wrong.
    fn happen(&mut self) -> Result<(), Broken> {
        let who = self.dice.below(self.members.len());
        for place in 0..self.places.len() {
            if let Some(what) = self.places[place].carry(&self.dice) {
                self.tell(|| what);
            }
        }
        match self.dice.below(10) {
            0..=3 => self.act(who),
            4..=6 => {
                let place = self.dice.below(self.places.len());
                self.sync(who, place);
            }
            7 if self.members[who].processes.len() == 1 && self.dice.percent(50) => self.start(who),
            7 => self.time.pass(self.dice.between(1, 60_000)),
            _ => self.go_wrong(who)?,
        }
        Ok(())
    }

    fn act(&mut self, who: usize) {
        let Some(process) = self.members[who].process(&self.dice) else { return };
        if self.tasks.of(who, "act") >= AT_ONCE {
            return;
        }
        self.acts_left -= 1;
        self.summary.acts += 1;
        let user = User {
            manager: process.manager,
            replica: who + 1,
            dice: self.dice.fork(),
            time: self.time.clone(),
            trace: self.trace.clone(),
            promises: self.promises.clone(),
        };
        let (app, mail) = (self.app.clone(), self.mail.clone());
        self.tasks.spawn(
            Some(who),
            "act",
            Box::pin(async move {
                if let Err(error) = app.act(&user).await {
                    mail.send(Letter::Failed { who, what: "act", error });
                }
            }),
        );
    }

    /// A link from a replica to a place.
    pub(crate) fn link(&self, who: usize, place: usize) -> Link {
        Link {
            to: self.places[place].log(who),
            time: self.time.clone(),
            dice: self.members[who].dice.clone(),
            weather: self.members[who].weather.clone(),
            echoes: self.echoes.clone(),
            traffic: self.traffic.clone(),
        }
    }

    fn sync(&mut self, who: usize, place: usize) {
        let Some(process) = self.members[who].process(&self.dice) else { return };
        if self.tasks.of(who, "sync") >= AT_ONCE {
            return;
        }
        self.summary.syncs += 1;
        let (link, options) = (self.link(who, place), self.options());
        self.tell(|| format!("replica {} syncs with {}: {}", who + 1, link.name(), told(&options)));
        let (mail, trace, time) = (self.mail.clone(), self.trace.clone(), self.time.clone());
        self.tasks.spawn(
            Some(who),
            "sync",
            Box::pin(async move {
                match do_sync(&process.log, &link, &options).await {
                    Ok(report) => trace.tell(time.now(), || {
                        format!("replica {}: has synced: {}", who + 1, super::finale::told(&report))
                    }),
                    Err(error) => mail.send(Letter::Failed { who, what: "sync", error }),
                }
            }),
        );
    }

    /// When entries are cleaned away. A log that loses what everybody has acknowledged gets it back from
    /// nobody, and so it is with one that a replica meets only afterwards.
    pub(crate) fn clean_up_entries(&self) -> u64 {
        let may = !self.faults.contains(&Fault::RestoredLog) && self.places.len() == 1;
        if may { 1 + self.dice.below(10) as u64 } else { u64::MAX / 2 }
    }

    /// How somebody syncs: with small pages and segments, so that all of them have borders.
    fn options(&self) -> SyncOptions {
        let dice = &self.dice;
        let size = || if dice.percent(70) { 1 + dice.below(5) as u64 } else { 1_000 };
        let mut options = SyncOptions {
            upload_entries: size(),
            download_entries: size(),
            single_batch: dice.percent(20),
            codec: Codec::ALL[dice.below(Codec::ALL.len())],
            ..SyncOptions::default()
        };
        options.clean_up_entries = self.clean_up_entries();
        for stage in [Stage::Receive, Stage::Share, Stage::Integrate, Stage::CleanUp] {
            if dice.percent(10) {
                options.skip.push(stage);
            }
        }
        if dice.percent(50) {
            options.observer = Some(self.mail.clone());
        }
        options
    }
}

fn told(options: &SyncOptions) -> String {
    format!(
        "segments of {}, pages of {}{}{}",
        options.upload_entries,
        options.download_entries,
        if options.single_batch { ", one batch" } else { "" },
        if options.skip.is_empty() {
            String::new()
        } else {
            format!(", without {:?}", options.skip)
        },
    )
}

/// An error where there must be none.
pub(crate) fn unexpected(error: syncline::Error) -> Broken {
    Broken::new(Invariant::ErrorsAreExpected, error.to_string())
}
