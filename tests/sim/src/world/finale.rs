//! The end of a world: faults stop, everybody syncs until all is quiet, then everything is compared.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use syncline::log::{After, Fetch, Tip, VersionVector};
use syncline::sync::{discards, doctor, fingerprint};
use syncline::{ReplicaId, Result, SyncOptions, SyncReport, do_sync};

use super::live::{Live, unexpected};
use crate::check::{Broken, Ending, Invariant, end};
use crate::law::Entries;
use crate::ledger::author;
use crate::tasks::at_once;

/// Within so many rounds all is exchanged, whatever happened before.
const ROUNDS: u64 = 8;

/// So many steps are enough for any task of these worlds.
const STEPS: usize = 200_000;

impl Live {
    /// Faults stop, and everything that must be the same is compared.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        self.meet()?;
        self.old_versions_progress()?;
        for who in 0..self.members.len() {
            while self.members[who].version < self.app.versions() {
                self.upgrade(who)?;
                self.settle()?;
            }
        }
        self.exchange()?;
        self.compare()
    }

    /// Faults stop, and everybody syncs until all is quiet.
    pub(crate) fn meet(&mut self) -> Result<(), Broken> {
        self.tell(|| "faults stop".into());
        for who in 0..self.members.len() {
            self.crash(who);
            let member = &self.members[who];
            member.trouble.end();
            member.weather.clear();
            self.start(who);
        }
        self.settle()?;
        self.exchange()
    }

    /// What a replica of an older version cannot apply holds up nothing else.
    fn old_versions_progress(&self) -> Result<(), Broken> {
        for (number, member) in (1..).zip(&self.members) {
            if let Some(lane) = member.watch.behind(&self.ledger) {
                let seen = format!("replica {number} could apply more of lane {lane}");
                return Err(Broken::new(Invariant::ProgressIsMade, seen));
            }
        }
        Ok(())
    }

    /// Lets everything that is under way come to its end.
    fn settle(&mut self) -> Result<(), Broken> {
        for _ in 0..STEPS {
            if self.tasks.is_empty() && self.go_on().map(|goes| !goes)? {
                return Ok(());
            }
            let _ = self.go_on()?;
        }
        Err(Broken::new(Invariant::ProgressIsMade, "a task never comes to its end"))
    }

    /// Everybody syncs with every log until nothing moves.
    fn exchange(&mut self) -> Result<(), Broken> {
        for round in 1..=ROUNDS {
            let mut quiet = true;
            for who in 0..self.members.len() {
                for place in 0..self.places.len() {
                    self.places[place].arrive().map_err(unexpected)?;
                    let report = self.sync_now(who, place)?;
                    self.tell(|| format!("replica {}: has synced: {}", who + 1, told(&report)));
                    quiet &=
                        report.finished && report.received + report.shared + report.integrated == 0;
                }
            }
            self.summary.rounds = round;
            if quiet {
                return Ok(());
            }
        }
        Err(Broken::new(Invariant::ProgressIsMade, format!("{ROUNDS} rounds were not enough")))
    }

    fn sync_now(&mut self, who: usize, place: usize) -> Result<SyncReport, Broken> {
        let Some(process) = self.members[who].process(&self.dice) else {
            let seen = format!("replica {} does not start", who + 1);
            return Err(Broken::new(Invariant::ProgressIsMade, seen));
        };
        let (link, log) = (self.link(who, place), process.log);
        let options =
            SyncOptions { clean_up_entries: self.clean_up_entries(), ..SyncOptions::default() };
        self.do_now(async move { do_sync(&log, &link, &options).await })
    }

    /// Lets one thing happen until it is done, with all that is under way.
    fn do_now<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T, Broken> {
        let answer = Arc::new(Mutex::new(None));
        let place = answer.clone();
        self.tasks.spawn(
            None,
            "end",
            Box::pin(async move {
                let done = work.await;
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            }),
        );
        for _ in 0..STEPS {
            if let Some(done) = answer.lock().unwrap_or_else(PoisonError::into_inner).take() {
                for who in 0..self.members.len() {
                    self.look(who)?;
                }
                return done.map_err(unexpected);
            }
            let _ = self.go_on()?;
            for who in 0..self.members.len() {
                self.look(who)?;
            }
        }
        Err(Broken::new(Invariant::ProgressIsMade, "a sync never comes to its end"))
    }

    fn compare(&mut self) -> Result<(), Broken> {
        let mut prints = Vec::new();
        let mut reported =
            std::mem::take(&mut *self.mail.discards.lock().unwrap_or_else(PoisonError::into_inner));
        for who in 0..self.members.len() {
            let Some(process) = self.members[who].process(&self.dice) else { continue };
            let log = process.log.clone();
            prints.push(self.do_now(async move { fingerprint(&log).await })?);
            let log = process.log.clone();
            let findings = self.do_now(async move { doctor(&log).await })?;
            if !findings.is_empty() {
                let seen = format!("the doctor of replica {} finds {findings:?}", who + 1);
                return Err(Broken::new(Invariant::RowsEqualLaw, seen));
            }
            reported.extend(self.do_now(async move { discards(&process.log).await })?);
        }
        let shared = self.whole(&self.in_logs());
        self.summary.ending = format!("{:?}", prints.first());
        end(&Ending {
            watches: self.members.iter().map(|member| &member.watch).collect(),
            prints,
            shared,
            reported,
            ledger: &self.ledger,
            promises: &self.promises,
            copied: self.copied,
            own_rules: &self.own_rules,
        })
    }

    /// The places of all entries that the shared logs hold.
    pub(crate) fn in_logs(&self) -> BTreeSet<Tip> {
        let everything = Fetch {
            replica: ReplicaId([0xee; 16]),
            after: After::Known(VersionVector::default()),
            limit_bytes: usize::MAX,
            limit_entries: u64::MAX,
        };
        let mut tips = BTreeSet::new();
        let sites = 0..self.members.len();
        let logs = self.places.iter().flat_map(|place| sites.clone().map(|who| place.log(who)));
        for log in logs {
            let fetched = at_once(log.fetch(&everything));
            for segment in fetched.and_then(Result::ok).into_iter().flat_map(|page| page.segments) {
                let span = *segment.span();
                tips.extend(self.ledger.back_to(span.tip(), span.first - 1).map(|(tip, _)| tip));
            }
        }
        tips
    }

    /// The entries at these places, as far as their batches end there too.
    pub(crate) fn whole(&self, tips: &BTreeSet<Tip>) -> Entries {
        let (mut entries, mut whole) = (Entries::new(), BTreeSet::new());
        let mut from_behind: Vec<&Tip> = tips.iter().collect();
        from_behind.sort_by_key(|tip| std::cmp::Reverse(tip.seq));
        for tip in from_behind {
            let Some(page) = self.ledger.get(tip) else { continue };
            let goes_on = || {
                let next = Tip { seq: tip.seq + 1, ..*tip };
                let mut behind = self.ledger.at(&next).filter(|(_, page)| page.before == tip.hash);
                behind.any(|(next, _)| whole.contains(next))
            };
            if page.entry.more && !goes_on() {
                continue;
            }
            let _ = whole.insert(*tip);
            if let Some(write) = &page.entry.write {
                let id = (write.collection.clone(), write.key.clone());
                let by = author(tip, &page.entry);
                let _ = entries.entry(id).or_default().insert(by, write.op.clone());
            }
        }
        entries
    }

    /// The most that was asked at once.
    pub(crate) fn largest(&self) -> (usize, usize) {
        let troubles = || self.members.iter().map(|member| &member.trouble);
        let page = troubles().map(|trouble| trouble.page.load(Ordering::Relaxed)).max();
        let batch = troubles().map(|trouble| trouble.steps.load(Ordering::Relaxed)).max();
        (page.unwrap_or(0), batch.unwrap_or(0))
    }
}

/// A report in few words.
pub(crate) fn told(report: &SyncReport) -> String {
    format!(
        "received {}, shared {}, applied {}, parked {}, lost {}{}",
        report.received,
        report.shared,
        report.integrated,
        report.parked,
        report.discarded,
        if report.finished { "" } else { ", not finished" },
    )
}
