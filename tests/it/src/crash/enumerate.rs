//! Going through an activity again and again, failing at another step each time.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline::sync::status;
use syncline::{Error, ErrorKind};

use super::act::written;
use super::stage::MAIN;
use super::{Act, Activity, Meeting, Place, Stage, Storage};
use crate::Replica;
use crate::faults::{Effect, Fault, Fragile, FragileLog, Fuse};

/// How a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It does nothing, once.
    FailsBefore,
    /// It has its effect and says that it failed, once.
    FailsAfter,
    /// The process dies before it.
    DiesBefore,
    /// The process dies in the middle of it; for steps that have a middle.
    DiesHalfway,
    /// The process dies behind it, before it hears of it.
    DiesAfter,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::FailsBefore, Self::FailsAfter, Self::DiesBefore, Self::DiesHalfway, Self::DiesAfter];

    fn at(self, at: u64) -> Fault {
        let effect = match self {
            Self::FailsBefore | Self::DiesBefore => Effect::None,
            Self::DiesHalfway => Effect::Half,
            Self::FailsAfter | Self::DiesAfter => Effect::All,
        };
        let dies = !matches!(self, Self::FailsBefore | Self::FailsAfter);
        Fault { at, effect, dies }
    }
}

/// Fails at every durable step of an activity in every way; answers how many steps there are.
pub fn enumerate(activity: Activity, storage: Storage, meeting: Meeting) -> u64 {
    let tell = |fault| pollster::block_on(story(activity, (storage, meeting), fault));
    let whole = tell(None);
    for way in Way::ALL {
        let places = match way {
            Way::DiesHalfway => whole.divisible.clone(),
            _ => (0..whole.steps).collect(),
        };
        for at in places {
            let told = tell(Some((way, at)));
            assert!(
                told.failed,
                "it comes to step {at} of {}, to fail there: {way:?}",
                whole.steps
            );
            let untold: Vec<_> = whole.heard.difference(&told.heard).collect();
            assert!(untold.is_empty(), "{way:?} at {at}: nobody was told of {untold:?}");
        }
    }
    whole.steps
}

/// What came of going through an activity once.
struct Told {
    /// The durable steps.
    steps: u64,
    /// Those that have a middle.
    divisible: Vec<u64>,
    /// Whether it came to the fault.
    failed: bool,
    /// The values that lost.
    heard: BTreeSet<String>,
}

/// Goes through an activity once.
async fn story(
    activity: Activity,
    (storage, meeting): (Storage, Meeting),
    fault: Option<(Way, u64)>,
) -> Told {
    let stage = Stage::prepare(activity, Place::new(storage, meeting)).await;
    let fuse = Fuse::of_durable_steps();
    let mut run = Run { stage, fuse, fault, main: None, failed: false };
    run.fuse.set(fault.map(|(way, at)| way.at(at)));
    run.open().await;
    let before = status(&run.main().0.log).await.expect("a status");
    run.stage.look(run.main().0).await;
    for act in activity.acts() {
        run.act(&act).await;
    }
    let (steps, divisible) = (run.fuse.seen(), run.fuse.divisible());
    let failed = run.fuse.put_out();
    let Run { stage, main, .. } = run;
    let (main, _) = main.expect("it was opened");
    let heard = stage.heard.clone();
    stage.look(&main).await;
    if fault.is_none() {
        activity.check_sense(&before, &main, &heard.all()).await;
    }
    stage.finish(main).await;
    Told { steps, divisible, failed, heard: heard.all() }
}

/// An activity under way.
struct Run {
    stage: Stage,
    fuse: Arc<Fuse>,
    fault: Option<(Way, u64)>,
    main: Option<(Replica, FragileLog)>,
    failed: bool,
}

impl Run {
    /// Opens the database, as the start of a process.
    async fn open(&mut self) {
        while self.main.is_none() {
            let inner = self.stage.place.open(MAIN).expect("it opens");
            let storage = Arc::new(Fragile { inner, fuse: self.fuse.clone() });
            match self.stage.open_main(storage).await {
                Ok(replica) => {
                    let inner = self.stage.log();
                    let log = FragileLog { inner, fuse: self.fuse.clone() };
                    self.main = Some((replica, log));
                }
                Err(error) => self.note_failure(&error, "opening"),
            }
        }
    }

    async fn act(&mut self, act: &Act) {
        loop {
            let (main, log) = self.main();
            let before = written(main).await;
            let done = act.carry_out(main, log, &self.stage.heard).await;
            let Err(error) = done else { break };
            self.note_failure(&error, act);
            if self.fault.is_some_and(|(way, at)| way.at(at).dies) {
                self.main = None;
                self.open().await;
            }
            self.stage.look(self.main().0).await;
            self.stage.meanwhile().await;
            self.stage.look(self.main().0).await;
            if act.has_happened(self.main().0, before).await {
                break;
            }
        }
        act.note(&mut self.stage.ledger);
    }

    fn main(&self) -> (&Replica, &FragileLog) {
        let (replica, log) = self.main.as_ref().expect("it is open");
        (replica, log)
    }

    fn note_failure(&mut self, error: &Error, what: impl std::fmt::Debug) {
        let fault = self.fault;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{what:?} {fault:?}: {error}");
        assert!(!self.failed, "it fails once: {what:?} {fault:?} {error}");
        self.failed = true;
        let _ = self.fuse.put_out();
    }
}
