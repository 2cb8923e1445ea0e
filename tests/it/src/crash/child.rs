//! A process of its own that goes through an activity and tells how far it came.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{IoSlice, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use syncline::{Error, Result, SharedLog};

use super::act::{Heard, written};
use super::stage::MAIN;
use super::{Act, Activity, Meeting, Place, Stage, Storage};
use crate::Replica;
use crate::faults::{Effect, Fault, Fragile, FragileLog, Fuse};

const PLACE: &str = "SYNCLINE_CRASH_PLACE";
const ACTIVITY: &str = "SYNCLINE_CRASH_ACTIVITY";
const ABORT: &str = "SYNCLINE_CRASH_ABORT";

/// How often a child tries again what storage or log refuse.
const TRIES: usize = 3;

/// Tells the parent, by a system call that neither SQLite nor the folder log uses: what fails them, and is
/// counted to make them fail, leaves this alone.
#[derive(Debug)]
pub struct Teller(File);

impl Teller {
    /// Tells by the standard output.
    pub fn new() -> Self {
        Self(File::options().append(true).open("/dev/stdout").expect("a standard output"))
    }

    /// Tells one line.
    pub fn tell(&mut self, line: &str) {
        let line = format!("{line}\n");
        let told = self.0.write_vectored(&[IoSlice::new(line.as_bytes())]).expect("it is read");
        assert_eq!(told, line.len(), "a line is short");
    }
}

impl Default for Teller {
    fn default() -> Self {
        Self::new()
    }
}

/// The lines that a child told.
pub fn told(output: &[u8]) -> impl Iterator<Item = &str> {
    // What it was killed in the middle of was not told.
    let whole = output.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = std::str::from_utf8(&output[..whole]).expect("text");
    text.lines()
}

/// Gives a child its task.
pub fn give_task(child: &mut Command, activity: Activity, place: &Path) {
    let _ = child.env(ACTIVITY, format!("{activity:?}")).env(PLACE, place);
    // It is killed; what it would say of that is of no use.
    let _ = child.env("RUST_BACKTRACE", "0");
}

/// Lets a child abort itself at a durable step, before or after its effect.
pub fn let_abort(child: &mut Command, at: u64, after: bool) {
    let _ = child.env(ABORT, format!("{at} {after}"));
}

/// What a child does: one thread does all, because system calls are counted for each.
pub fn work() {
    let told = |name| std::env::var(name).expect("a child is told what to do");
    let (place, activity) = (told(PLACE), told(ACTIVITY));
    let named = Activity::ALL.into_iter().find(|known| format!("{known:?}") == activity);
    let activity = named.expect("a known activity");
    let place = Place::at(place.as_ref(), Storage::Files, Meeting::Folder);
    pollster::block_on(Child::new(activity, place).work());
}

struct Child {
    stage: Stage,
    fuse: Arc<Fuse>,
    teller: Teller,
    told: BTreeSet<String>,
}

impl Child {
    fn new(activity: Activity, place: Place) -> Self {
        let fuse = Fuse::of_durable_steps();
        if let Ok(wish) = std::env::var(ABORT) {
            let (at, after) = wish.split_once(' ').expect("where, and whether after its effect");
            let effect = if after == "true" { Effect::All } else { Effect::None };
            fuse.set(Some(Fault { at: at.parse().expect("a number"), effect, dies: true }));
        }
        let stage = Stage::empty(activity, place, 500);
        Self { stage, fuse, teller: Teller::new(), told: BTreeSet::new() }
    }

    async fn work(mut self) {
        let mut opened = None;
        for _ in 0..TRIES {
            match self.open().await {
                Ok(replica) => {
                    opened = Some(replica);
                    break;
                }
                Err(error) => self.note(&error),
            }
        }
        let Some((main, log)) = opened else { return };
        for (number, act) in self.stage.activity.acts().iter().enumerate() {
            if !self.act(number, act, &main, &log).await {
                return;
            }
        }
        self.teller.tell(&format!("steps {}", self.fuse.seen()));
    }

    async fn open(&self) -> Result<(Replica, FragileLog)> {
        let storage = Fragile { inner: self.stage.place.open(MAIN)?, fuse: self.fuse.clone() };
        let main = self.stage.open_main(Arc::new(storage)).await?;
        Ok((main, FragileLog { inner: self.stage.place.log()?, fuse: self.fuse.clone() }))
    }

    /// Does one thing; false if it was refused again and again.
    async fn act(&mut self, number: usize, act: &Act, main: &Replica, log: &dyn SharedLog) -> bool {
        for _ in 0..TRIES {
            let before = written(main).await;
            self.teller.tell(&format!("begin {number} {before}"));
            let done = act.carry_out(main, log, &self.stage.heard).await;
            self.tell_lost();
            if let Err(error) = &done {
                self.note(error);
            }
            if done.is_ok() || act.has_happened(main, before).await {
                self.teller.tell(&format!("done {number}"));
                return true;
            }
        }
        false
    }

    fn note(&mut self, error: &Error) {
        if self.fuse.put_out() {
            std::process::abort();
        }
        self.teller.tell(&format!("error {:?} {error}", error.kind()).replace('\n', " "));
    }

    fn tell_lost(&mut self) {
        for lost in self.stage.heard.all() {
            if self.told.insert(lost.clone()) {
                self.teller.tell(&format!("lost {lost}"));
            }
        }
    }
}

/// How far a child came, by what it told.
#[derive(Debug, Default)]
pub struct Progress {
    /// How many acts were done.
    pub done: usize,
    /// The act that was begun last, and how many entries there were before it.
    begun: Option<(usize, u64)>,
    /// What went wrong: the kind, and what it said.
    pub errors: Vec<(String, String)>,
    /// The values that lost.
    lost: Vec<String>,
    /// The durable steps, if it came to the end.
    pub steps: Option<u64>,
}

impl Progress {
    /// Reads what a child told.
    pub fn of(output: &[u8]) -> Self {
        let mut progress = Self::default();
        for line in told(output) {
            let (word, rest) = line.split_once(' ').expect("a word, and what it is about");
            let number = |text: &str| text.parse::<u64>().expect("a number");
            match word {
                "begin" => {
                    let (act, before) = rest.split_once(' ').expect("two numbers");
                    progress.begun = Some((number(act) as usize, number(before)));
                }
                "done" => progress.done = number(rest) as usize + 1,
                "lost" => progress.lost.push(rest.to_owned()),
                "steps" => progress.steps = Some(number(rest)),
                "error" => {
                    let (kind, says) = rest.split_once(' ').expect("a kind, and what it says");
                    progress.errors.push((kind.to_owned(), says.to_owned()));
                }
                other => panic!("a child said {other}"),
            }
        }
        progress
    }

    /// Goes on where the child was: checks everyone, does the rest, and lets all sync.
    pub async fn go_on(&self, mut stage: Stage) -> Arc<Heard> {
        self.lost.iter().for_each(|lost| stage.heard.add(lost.clone()));
        let acts = stage.activity.acts();
        acts[..self.done].iter().for_each(|act| act.note(&mut stage.ledger));
        let main = stage.open_main(stage.place.open(MAIN).expect("it opens")).await;
        let main = main.expect("it opens");
        stage.look(&main).await;
        stage.meanwhile().await;
        let mut rest = acts.iter().enumerate().skip(self.done);
        if let Some((number, before)) = self.begun.filter(|begun| begun.0 == self.done)
            && acts[number].has_happened(&main, before).await
        {
            acts[number].note(&mut stage.ledger);
            let _ = rest.next();
        }
        let log = stage.place.log().expect("it opens");
        for (_, act) in rest {
            act.carry_out(&main, log.as_ref(), &stage.heard).await.expect("nothing fails now");
            act.note(&mut stage.ledger);
        }
        stage.look(&main).await;
        let heard = stage.heard.clone();
        stage.finish(main).await;
        heard
    }
}
